//! What admins agreed to, and for which prices.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use sqlx::types::Json;
use uuid::Uuid;

use crate::domain::{GroupId, OverageConsent, OveragePrices, SubscriptionId, SummaryId, UserId};
use crate::error::Result;
use crate::storage::summaries::new_overage_prices;
use crate::storage::{Store, Tx};

/// A group's overage, and what it would be by the plan's prices of today.
#[derive(Clone, Debug, FromRow)]
pub struct OverageRow {
    pub subscription_id: SubscriptionId,
    /// What the admin agreed to for the periods to come.
    pub agreed_prices: Option<Json<OveragePrices>>,
    pub agreed_cap: Option<i64>,
    /// The plan's.
    pub plan_prices: Option<Json<OveragePrices>>,
    /// Those of the period that runs.
    pub period_prices: Option<Json<OveragePrices>>,
    pub summary_id: Option<SummaryId>,
}

impl Store {
    /// What admins of the group agreed to, the latest first.
    ///
    /// # Errors
    /// The database's.
    pub async fn overage_consents(&self, group: GroupId, limit: i64) -> Result<Vec<OverageConsent>> {
        #[derive(FromRow)]
        struct Row {
            name: String,
            cap_minor: Option<i64>,
            prices: Option<Json<OveragePrices>>,
            next_prices: Option<Json<OveragePrices>>,
            created_at: DateTime<Utc>,
        }
        let rows: Vec<Row> = on_db!(self, |pool| {
            sqlx::query_as(
                "SELECT w.name, c.cap_minor, c.prices, c.next_prices, c.created_at FROM overage_consents c
                 JOIN users w ON w.id = c.user_id
                 WHERE c.group_id = $1 ORDER BY c.id DESC LIMIT $2",
            )
            .bind(group)
            .bind(limit)
            .fetch_all(pool)
            .await?
        });
        Ok(rows
            .into_iter()
            .map(|row| {
                let (prices, next_prices) =
                    (row.prices.map(|json| json.0), row.next_prices.map(|json| json.0));
                let cap = row.cap_minor.zip(prices.or(next_prices)).map(|(cap, prices)| prices.money(cap));
                OverageConsent { by: row.name, at: row.created_at, cap, prices, next_prices }
            })
            .collect())
    }
}

impl Tx {
    /// The overage of a live subscription of the group; `None` where it has ended. Call [`Tx::lock_group`] first.
    ///
    /// # Errors
    /// The database's.
    pub async fn overage(
        &mut self,
        group: GroupId,
        id: SubscriptionId,
        now: DateTime<Utc>,
    ) -> Result<Option<OverageRow>> {
        Ok(on_tx!(self, |connection| {
            sqlx::query_as(concat!(
                "SELECT s.id AS subscription_id, s.overage_prices AS agreed_prices, s.overage_cap AS agreed_cap,
                     ",
                new_overage_prices!(),
                " AS plan_prices,
                     u.overage_prices AS period_prices, u.id AS summary_id
                 FROM subscriptions s JOIN plans p ON p.id = s.plan_id
                 LEFT JOIN usage_summaries u ON u.group_id = s.group_id AND u.subscription_id = s.id
                     AND u.period_start <= CASE WHEN s.current_period_start > $3 THEN s.current_period_start ELSE $3 END
                     AND u.period_end > CASE WHEN s.current_period_start > $3 THEN s.current_period_start ELSE $3 END
                     AND NOT u.overage_closed
                 WHERE s.group_id = $1 AND s.id = $2 AND ",
                is_live!("s"),
                " ORDER BY u.period_start DESC LIMIT 1"
            ))
            .bind(group)
            .bind(id)
            .bind(now)
            .fetch_optional(connection)
            .await?
        }))
    }

    /// Writes what an admin agreed to: for the periods to come at the plan's prices, and for the one that runs at its own,
    /// unless that is a trial. `cap` in minor units; `None` disables it.
    ///
    /// # Errors
    /// The database's.
    pub async fn agree_to_overage(
        &mut self,
        group: GroupId,
        user: UserId,
        row: &OverageRow,
        cap: Option<i64>,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let agreed = cap.and(row.plan_prices);
        on_tx!(self, |connection| {
            sqlx::query(
                "UPDATE subscriptions SET overage_prices = $3, overage_cap = CASE WHEN $3 IS NULL THEN NULL ELSE $4 END
                 WHERE group_id = $1 AND id = $2",
            )
            .bind(group)
            .bind(row.subscription_id)
            .bind(agreed)
            .bind(cap)
            .execute(&mut *connection)
            .await?;
            if let Some(summary) = row.summary_id {
                sqlx::query(
                    "UPDATE usage_summaries SET overage_cap = CASE WHEN (SELECT s.status FROM subscriptions s
                         WHERE s.group_id = $1 AND s.id = $4) = 'trialing' THEN NULL ELSE $3 END
                     WHERE group_id = $1 AND id = $2 AND overage_prices IS NOT NULL",
                )
                .bind(group)
                .bind(summary)
                .bind(cap)
                .bind(row.subscription_id)
                .execute(&mut *connection)
                .await?;
            }
            sqlx::query(
                "INSERT INTO overage_consents (group_id, id, subscription_id, user_id, cap_minor, prices, next_prices,
                     created_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            )
            .bind(group)
            .bind(Uuid::now_v7())
            .bind(row.subscription_id)
            .bind(user)
            .bind(cap)
            .bind(row.period_prices)
            .bind(row.plan_prices)
            .bind(now)
            .execute(connection)
            .await?;
        });
        Ok(())
    }
}
