//! How subscriptions changed, each change a row of its own: what monthly recurring revenue was at a time, and how many
//! subscriptions there were, are sums of these rows' differences.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::Tx;
use crate::domain::{Currency, GroupId, MovementKind, PlanId, Status, SubscriptionId, counts_at};
use crate::error::Result;

/// What counts of a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Terms {
    pub status: Status,
    pub plan: PlanId,
    pub currency: Currency,
    /// Monthly recurring revenue in minor units.
    pub mrr: i64,
}

/// A change of a subscription.
#[derive(Clone, Copy, Debug)]
pub(super) struct Movement {
    pub group: GroupId,
    pub subscription: SubscriptionId,
    /// `None` where it begins.
    pub before: Option<Terms>,
    pub after: Terms,
    /// When it came to be.
    pub at: DateTime<Utc>,
}

impl Tx {
    /// Adds what changed of a subscription, if something did that counts. It is dated as [`counts_at`] says, and not before
    /// the group's last. Call [`Tx::lock_group`] first.
    ///
    /// # Errors
    /// The database's.
    pub(super) async fn add_movement(&mut self, movement: &Movement, now: DateTime<Utc>) -> Result<()> {
        let Movement { before, after, .. } = *movement;
        match before {
            Some(before) if before == after => Ok(()),
            // Each currency has revenue of its own: it ends in one and begins in the other.
            Some(before) if before.currency != after.currency => {
                self.add_step(movement, Some(before), None, now).await?;
                self.add_step(movement, None, Some(after), now).await
            }
            before => self.add_step(movement, before, Some(after), now).await,
        }
    }

    async fn add_step(
        &mut self,
        movement: &Movement,
        before: Option<Terms>,
        after: Option<Terms>,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let Some(currency) = after.or(before).map(|terms| terms.currency) else { return Ok(()) };
        let mrr = |terms: Option<Terms>| terms.map_or(0, |terms| terms.mrr);
        let status = |terms: Option<Terms>| terms.map(|terms| terms.status.as_str());
        let plan = |terms: Option<Terms>| terms.map(|terms| terms.plan);
        on_tx!(self, |connection| {
            let (last, paid): (Option<DateTime<Utc>>, i64) = sqlx::query_as(
                "SELECT (SELECT occurred_at FROM subscription_movements WHERE group_id = $1
                     ORDER BY occurred_at DESC LIMIT 1),
                     (SELECT COUNT(*) FROM subscription_movements WHERE group_id = $1 AND mrr_after > 0)",
            )
            .bind(movement.group)
            .fetch_one(&mut *connection)
            .await?;
            let counts = counts_at(movement.at, now);
            let kind = MovementKind::of(mrr(before), mrr(after), paid > 0);
            sqlx::query(
                "INSERT INTO subscription_movements (id, group_id, subscription_id, currency, occurred_at, recorded_at,
                     status_before, status_after, plan_before, plan_after, mrr_before, mrr_after, kind)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
            )
            .bind(Uuid::now_v7())
            .bind(movement.group)
            .bind(movement.subscription)
            .bind(currency.code())
            .bind(last.map_or(counts, |last| counts.max(last)))
            .bind(now)
            .bind(status(before))
            .bind(status(after))
            .bind(plan(before))
            .bind(plan(after))
            .bind(mrr(before))
            .bind(mrr(after))
            .bind(kind.map(MovementKind::as_str))
            .execute(connection)
            .await?;
        });
        Ok(())
    }
}
