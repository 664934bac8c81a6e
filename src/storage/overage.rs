//! Overage: what admins agreed to, and what is charged for it.

use chrono::{DateTime, Duration, Utc};
use sqlx::FromRow;
use sqlx::types::Json;
use uuid::Uuid;

use super::summaries::{Counters, counter_columns, new_overage_prices};
use super::{Store, Tx};
use crate::domain::{
    Currency, GroupId, OverageConsent, OveragePrices, Period, SubscriptionId, SummaryId, UsageType, UserId,
};
use crate::error::Result;

/// How long a period's charges wait for holds that are still open when it ends. Its renewal's draft takes lines for an
/// hour; what is settled later isn't charged.
const WAIT_FOR_HOLDS: Duration = Duration::minutes(45);

/// What one resource of a period costs beyond its limit.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct OverageCharge {
    pub group_id: GroupId,
    pub summary_id: SummaryId,
    #[sqlx(try_from = "String")]
    pub usage_type: UsageType,
    pub id: Uuid,
    /// Tokens recorded in the period, whether charged or not.
    pub used: i64,
    /// Tokens that the plan included.
    pub included: i64,
    /// Tokens that are charged.
    pub tokens: i64,
    pub packages: i64,
    pub package_tokens: i64,
    /// Minor units.
    pub package_price: i64,
    pub amount_minor: i64,
    #[sqlx(try_from = "String")]
    pub currency: Currency,
    pub period_start: DateTime<Utc>,
    pub period_end: DateTime<Utc>,
    pub stripe_subscription_id: String,
    /// The invoice at Stripe that it goes on.
    pub stripe_invoice: Option<String>,
    /// The invoice item at Stripe that charges it.
    pub stripe_item: Option<String>,
    pub placed_at: Option<DateTime<Utc>>,
    pub problem: Option<String>,
    /// How often it was put on an invoice anew, since it was gone from the last.
    pub revision: i64,
    /// How often it was tried to put it on an invoice.
    pub attempts: i64,
}

/// A charge of which something differs at Stripe, and whose it is.
#[derive(Clone, Debug, FromRow)]
pub struct ChargeProblem {
    pub group_name: String,
    #[sqlx(try_from = "String")]
    pub usage_type: UsageType,
    pub period_start: DateTime<Utc>,
    pub period_end: DateTime<Utc>,
    /// What is due, in minor units.
    pub amount_minor: i64,
    #[sqlx(try_from = "String")]
    pub currency: Currency,
    /// The invoice at Stripe that it is on.
    pub stripe_invoice: Option<String>,
    /// What differs, in a sentence.
    pub problem: String,
}

/// A period of which something is to be charged.
#[derive(Clone, Copy, Debug, FromRow)]
pub struct EndedPeriod {
    pub group_id: GroupId,
    pub summary_id: SummaryId,
}

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

#[derive(FromRow)]
struct ToCharge {
    id: SummaryId,
    #[sqlx(flatten)]
    counters: Counters,
}

macro_rules! charge_select {
    ($($rest:expr),+) => {
        concat!(
            "SELECT c.group_id, c.summary_id, c.usage_type, c.id, c.used, c.included, c.tokens, c.packages,
                 c.package_tokens, c.package_price, c.amount_minor, c.currency, u.period_start, u.period_end,
                 s.stripe_subscription_id, c.stripe_invoice, c.stripe_item, c.placed_at, c.problem,
                 c.revision, c.attempts
             FROM overage_charges c
             JOIN usage_summaries u ON u.group_id = c.group_id AND u.id = c.summary_id
             JOIN subscriptions s ON s.group_id = u.group_id AND s.id = u.subscription_id ",
            $($rest),+
        )
    };
}

impl Store {
    /// Up to `limit` periods, of one group or of all, that are over and have something to charge. A period is over where Stripe has begun the next
    /// or has ended the subscription, and a yearly plan's month when it ends.
    ///
    /// # Errors
    /// The database's.
    pub async fn periods_to_charge(
        &self,
        group: Option<GroupId>,
        now: DateTime<Utc>,
        limit: i64,
    ) -> Result<Vec<EndedPeriod>> {
        Ok(on_db!(self, |pool| {
            sqlx::query_as(
                "SELECT u.group_id, u.id AS summary_id FROM usage_summaries u
                 JOIN subscriptions s ON s.group_id = u.group_id AND s.id = u.subscription_id
                 WHERE NOT u.overage_closed AND u.llm_overage + u.voice_overage > 0
                   AND (u.period_start < s.current_period_start OR s.status IN ('canceled', 'incomplete_expired')
                        OR u.period_end <= $1 AND u.period_end < s.current_period_end)
                   AND (u.llm_held + u.voice_held = 0 OR u.period_end <= $2)
                   AND ($4 IS NULL OR u.group_id = $4)
                 ORDER BY u.period_end LIMIT $3",
            )
            .bind(now)
            .bind(now - WAIT_FOR_HOLDS)
            .bind(limit)
            .bind(group)
            .fetch_all(pool)
            .await?
        }))
    }

    /// The periods whose charges are due to be put on an invoice at `now`.
    ///
    /// # Errors
    /// The database's.
    pub async fn charges_due(
        &self,
        group: Option<GroupId>,
        now: DateTime<Utc>,
        limit: i64,
    ) -> Result<Vec<EndedPeriod>> {
        Ok(on_db!(self, |pool| {
            sqlx::query_as(
                "SELECT DISTINCT group_id, summary_id FROM overage_charges
                 WHERE placed_at IS NULL AND next_attempt_at <= $1 AND ($3 IS NULL OR group_id = $3) LIMIT $2",
            )
            .bind(now)
            .bind(limit)
            .bind(group)
            .fetch_all(pool)
            .await?
        }))
    }

    /// Claims a period's charges that are on no invoice yet, so that no other process puts them on one: they are due again
    /// at `retry_at`. None where another has claimed them.
    ///
    /// # Errors
    /// The database's.
    pub async fn claim_charges(
        &self,
        period: EndedPeriod,
        now: DateTime<Utc>,
        retry_at: DateTime<Utc>,
    ) -> Result<Vec<OverageCharge>> {
        let claimed = write_db!(self, |pool| {
            sqlx::query(
                "UPDATE overage_charges SET attempts = attempts + 1, next_attempt_at = $4
                 WHERE group_id = $1 AND summary_id = $2 AND placed_at IS NULL AND next_attempt_at <= $3",
            )
            .bind(period.group_id)
            .bind(period.summary_id)
            .bind(now)
            .bind(retry_at)
            .execute(pool)
            .await?
            .rows_affected()
        });
        if claimed == 0 {
            return Ok(Vec::new());
        }
        Ok(on_db!(self, |pool| {
            sqlx::query_as(charge_select!(
                "WHERE c.group_id = $1 AND c.summary_id = $2 AND c.placed_at IS NULL ORDER BY c.usage_type"
            ))
            .bind(period.group_id)
            .bind(period.summary_id)
            .fetch_all(pool)
            .await?
        }))
    }

    /// Notes the invoice item that charges it.
    ///
    /// # Errors
    /// The database's.
    pub async fn note_charge_item(&self, charge: Uuid, invoice: &str, item: &str) -> Result<()> {
        write_db!(self, |pool| {
            sqlx::query("UPDATE overage_charges SET stripe_invoice = $2, stripe_item = $3 WHERE id = $1")
                .bind(charge)
                .bind(invoice)
                .bind(item)
                .execute(pool)
                .await?;
        });
        Ok(())
    }

    /// Notes that a period's charges are on an invoice that Stripe collects.
    ///
    /// # Errors
    /// The database's.
    pub async fn mark_charges_placed(&self, period: EndedPeriod, now: DateTime<Utc>) -> Result<()> {
        write_db!(self, |pool| {
            sqlx::query(
                "UPDATE overage_charges SET placed_at = $3
                 WHERE group_id = $1 AND summary_id = $2 AND stripe_item IS NOT NULL AND placed_at IS NULL",
            )
            .bind(period.group_id)
            .bind(period.summary_id)
            .bind(now)
            .execute(pool)
            .await?;
        });
        Ok(())
    }

    /// Up to `limit` charges that were put on an invoice, and weren't yet found on it as it was finalized.
    ///
    /// # Errors
    /// The database's.
    pub async fn charges_to_compare(&self, after: Uuid, limit: i64) -> Result<Vec<OverageCharge>> {
        Ok(on_db!(self, |pool| {
            sqlx::query_as(charge_select!(
                "WHERE c.placed_at IS NOT NULL AND c.confirmed_at IS NULL AND c.id > $1 ORDER BY c.id LIMIT $2"
            ))
            .bind(after)
            .bind(limit)
            .fetch_all(pool)
            .await?
        }))
    }

    /// Notes that a charge is on its finalized invoice as it should be.
    ///
    /// # Errors
    /// The database's.
    pub async fn confirm_charge(&self, charge: Uuid, now: DateTime<Utc>) -> Result<()> {
        write_db!(self, |pool| {
            sqlx::query("UPDATE overage_charges SET confirmed_at = $2, problem = NULL WHERE id = $1")
                .bind(charge)
                .bind(now)
                .execute(pool)
                .await?;
        });
        Ok(())
    }

    /// Notes what differs at Stripe, or that nothing does any more.
    ///
    /// # Errors
    /// The database's.
    pub async fn note_charge_problem(&self, charge: Uuid, problem: Option<&str>) -> Result<()> {
        write_db!(self, |pool| {
            sqlx::query("UPDATE overage_charges SET problem = $2 WHERE id = $1")
                .bind(charge)
                .bind(problem)
                .execute(pool)
                .await?;
        });
        Ok(())
    }

    /// Has a charge put on an invoice anew, which is on none any more: due at `next_attempt_at`.
    ///
    /// # Errors
    /// The database's.
    pub async fn lift_charge(&self, charge: Uuid, next_attempt_at: DateTime<Utc>) -> Result<()> {
        write_db!(self, |pool| {
            sqlx::query(
                "UPDATE overage_charges SET stripe_invoice = NULL, stripe_item = NULL, placed_at = NULL,
                     problem = NULL, next_attempt_at = $2, revision = revision + 1
                 WHERE id = $1",
            )
            .bind(charge)
            .bind(next_attempt_at)
            .execute(pool)
            .await?;
        });
        Ok(())
    }

    /// The charges of a group, the latest period first.
    ///
    /// # Errors
    /// The database's.
    pub async fn overage_charges(&self, group: GroupId, limit: i64) -> Result<Vec<OverageCharge>> {
        Ok(on_db!(self, |pool| {
            sqlx::query_as(charge_select!(
                "WHERE c.group_id = $1 ORDER BY u.period_start DESC, c.usage_type LIMIT $2"
            ))
            .bind(group)
            .bind(limit)
            .fetch_all(pool)
            .await?
        }))
    }

    /// Charges of which something differs at Stripe, of all groups, the latest first.
    ///
    /// # Errors
    /// The database's.
    pub async fn charge_problems(&self, limit: i64) -> Result<Vec<ChargeProblem>> {
        Ok(on_db!(self, |pool| {
            sqlx::query_as(
                "SELECT g.name AS group_name, c.usage_type, u.period_start, u.period_end, c.amount_minor, c.currency,
                     c.stripe_invoice, c.problem
                 FROM overage_charges c
                 JOIN usage_summaries u ON u.group_id = c.group_id AND u.id = c.summary_id
                 JOIN groups g ON g.id = c.group_id
                 WHERE c.problem IS NOT NULL ORDER BY c.created_at DESC, c.id LIMIT $1",
            )
            .bind(limit)
            .fetch_all(pool)
            .await?
        }))
    }

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

    /// Writes the charges of a period that is over, once: after this nothing more of it is charged. Call
    /// [`Tx::lock_group`] first.
    ///
    /// # Errors
    /// The database's.
    pub async fn close_overage(&mut self, period: EndedPeriod, now: DateTime<Utc>) -> Result<()> {
        let row: Option<ToCharge> = on_tx!(self, |connection| {
            sqlx::query_as(concat!(
                "SELECT u.id, ",
                counter_columns!(),
                " FROM usage_summaries u WHERE u.group_id = $1 AND u.id = $2 AND NOT u.overage_closed"
            ))
            .bind(period.group_id)
            .bind(period.summary_id)
            .fetch_optional(connection)
            .await?
        });
        let Some(ToCharge { id, counters, .. }) = row else { return Ok(()) };
        let Some(prices) = counters.overage.prices else { return Ok(()) };
        for (kind, package) in prices.packages.iter() {
            let tokens = counters.overage.tokens[kind];
            let Some(package) = package.filter(|_| tokens > 0) else { continue };
            on_tx!(self, |connection| {
                sqlx::query(
                    "INSERT INTO overage_charges (group_id, summary_id, usage_type, id, used, included, tokens,
                         packages, package_tokens, package_price, amount_minor, currency, created_at, next_attempt_at)
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13)",
                )
                .bind(period.group_id)
                .bind(id)
                .bind(kind.as_str())
                .bind(Uuid::now_v7())
                .bind(counters.used[kind])
                .bind(counters.limit[kind].unwrap_or_default())
                .bind(tokens)
                .bind(package.count(tokens))
                .bind(package.per)
                .bind(package.price)
                .bind(package.amount(tokens))
                .bind(prices.currency.code().to_owned())
                .bind(now)
                .execute(connection)
                .await?;
            });
        }
        on_tx!(self, |connection| {
            sqlx::query("UPDATE usage_summaries SET overage_closed = TRUE WHERE group_id = $1 AND id = $2")
                .bind(period.group_id)
                .bind(id)
                .execute(connection)
                .await?;
        });
        Ok(())
    }
}

impl OverageCharge {
    pub fn period(&self) -> Period {
        Period { start: self.period_start, end: self.period_end }
    }

    pub fn ended(&self) -> EndedPeriod {
        EndedPeriod { group_id: self.group_id, summary_id: self.summary_id }
    }
}
