//! How periods begin and end.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{new_overage_cap, new_overage_prices};
use crate::domain::{GroupId, Period, SubscriptionId, SummaryId};
use crate::error::Result;
use crate::storage::Tx;

/// Who says that a period has begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opened {
    ByStripe,
    /// The calendar, since Stripe's period is over and it hasn't been heard of. Its terms are put right once it is.
    Provisionally,
}

/// SQL's [`threshold_reached`](crate::domain::threshold_reached).
macro_rules! threshold_reached {
    ($used:literal, $limit:literal) => {
        concat!(
            "CASE WHEN ",
            $limit,
            " IS NULL OR ",
            $limit,
            " <= 0 THEN 0 WHEN ",
            $used,
            " >= ",
            $limit,
            " THEN 100 WHEN ",
            $used,
            " * 100 >= ",
            $limit,
            " * 90 THEN 90 WHEN ",
            $used,
            " * 100 >= ",
            $limit,
            " * 80 THEN 80 ELSE 0 END"
        )
    };
}

/// Whether a period that is open takes the terms of the plan that the subscription has by now.
macro_rules! takes_new_terms {
    () => {
        "(usage_summaries.provisional OR usage_summaries.plan_id <> excluded.plan_id)"
    };
}

/// Whether it takes that plan's overage prices. Those of its start stay where it had some.
macro_rules! takes_new_prices {
    () => {
        "(usage_summaries.provisional OR usage_summaries.plan_id <> excluded.plan_id
             AND usage_summaries.overage_prices IS NULL)"
    };
}

/// What stays charged beyond a limit of the new terms: what fits into a higher one isn't overage any more.
macro_rules! overage_under_new_terms {
    ($kind:literal) => {
        concat!(
            "CASE WHEN NOT ",
            takes_new_terms!(),
            " OR usage_summaries.",
            $kind,
            "_used - excluded.",
            $kind,
            "_limit >= usage_summaries.",
            $kind,
            "_overage THEN usage_summaries.",
            $kind,
            "_overage
                  WHEN usage_summaries.",
            $kind,
            "_used > excluded.",
            $kind,
            "_limit
                  THEN usage_summaries.",
            $kind,
            "_used - excluded.",
            $kind,
            "_limit ELSE 0 END"
        )
    };
}

impl Tx {
    /// Opens a period of a subscription of the group, with its plan's limits of this moment. A period that is open
    /// keeps the limits it began with, unless that was provisional or the plan was changed, and takes a corrected end. With
    /// new limits, the thresholds that are reached already count as told: only those above are told of from then on.
    ///
    /// # Errors
    /// The database's.
    pub async fn open_period(
        &mut self,
        group: GroupId,
        subscription: SubscriptionId,
        period: Period,
        opened: Opened,
        now: DateTime<Utc>,
    ) -> Result<()> {
        // A change of plan may begin a period in the middle of another, which ends there.
        self.close_period(group, subscription, period.start).await?;
        if opened == Opened::ByStripe {
            self.adopt_provisional(group, subscription, period).await?;
        }
        on_tx!(self, |connection| {
            sqlx::query(concat!(
                "INSERT INTO usage_summaries (group_id, id, subscription_id, plan_id, period_start, period_end,
                     llm_limit, voice_limit, created_at, provisional, overage_prices, overage_cap)
                 SELECT s.group_id, $1, s.id, p.id, $4, $5, p.llm_tokens_limit, p.voice_tokens_limit, $6, $7,
                     ",
                new_overage_prices!(),
                ", ",
                new_overage_cap!(),
                "
                 FROM subscriptions s JOIN plans p ON p.id = s.plan_id WHERE s.group_id = $2 AND s.id = $3
                 ON CONFLICT (group_id, subscription_id, period_start) DO UPDATE SET
                     period_end = excluded.period_end,
                     plan_id = CASE WHEN ", takes_new_terms!(), " THEN excluded.plan_id
                         ELSE usage_summaries.plan_id END,
                     llm_limit = CASE WHEN ", takes_new_terms!(), " THEN excluded.llm_limit
                         ELSE usage_summaries.llm_limit END,
                     voice_limit = CASE WHEN ", takes_new_terms!(), " THEN excluded.voice_limit
                         ELSE usage_summaries.voice_limit END,
                     llm_notified = CASE WHEN ", takes_new_terms!(), " THEN ",
                threshold_reached!("usage_summaries.llm_used", "excluded.llm_limit"),
                " ELSE usage_summaries.llm_notified END,
                     voice_notified = CASE WHEN ", takes_new_terms!(), " THEN ",
                threshold_reached!("usage_summaries.voice_used", "excluded.voice_limit"),
                " ELSE usage_summaries.voice_notified END,
                     llm_overage = ", overage_under_new_terms!("llm"), ",
                     voice_overage = ", overage_under_new_terms!("voice"), ",
                     overage_prices = CASE WHEN ", takes_new_prices!(), " THEN excluded.overage_prices
                         ELSE usage_summaries.overage_prices END,
                     overage_cap = CASE WHEN ", takes_new_prices!(), " THEN excluded.overage_cap
                         ELSE usage_summaries.overage_cap END,
                     provisional = CASE WHEN excluded.provisional THEN usage_summaries.provisional ELSE FALSE END"
            ))
            .bind(SummaryId(Uuid::now_v7()))
            .bind(group)
            .bind(subscription)
            .bind(period.start)
            .bind(period.end)
            .bind(now)
            .bind(opened == Opened::Provisionally)
            .execute(connection)
            .await?;
        });
        Ok(())
    }

    /// Has a period that the calendar began in the middle of this one, which it didn't know of, be this one, with what was
    /// used in it since. Left alone where something was used after this one's end.
    async fn adopt_provisional(
        &mut self,
        group: GroupId,
        subscription: SubscriptionId,
        period: Period,
    ) -> Result<()> {
        on_tx!(self, |connection| {
            sqlx::query(
                "UPDATE usage_summaries SET period_start = $3
                 WHERE group_id = $1 AND subscription_id = $2 AND provisional
                   AND period_start = (
                       SELECT MIN(p.period_start) FROM usage_summaries p
                       WHERE p.group_id = $1 AND p.subscription_id = $2 AND p.provisional
                         AND p.period_start > $3 AND p.period_start < $4)
                   AND NOT EXISTS (
                       SELECT 1 FROM usage_summaries known
                       WHERE known.group_id = $1 AND known.subscription_id = $2 AND known.period_start = $3)
                   AND NOT EXISTS (
                       SELECT 1 FROM usage_events e
                       WHERE e.group_id = $1 AND e.summary_id = usage_summaries.id AND e.occurred_at >= $4)",
            )
            .bind(group)
            .bind(subscription)
            .bind(period.start)
            .bind(period.end)
            .execute(connection)
            .await?;
        });
        Ok(())
    }

    /// When the periods begin that Stripe told of, from `from` on.
    ///
    /// # Errors
    /// The database's.
    pub(in crate::storage) async fn known_periods(
        &mut self,
        group: GroupId,
        subscription: SubscriptionId,
        from: DateTime<Utc>,
    ) -> Result<Vec<DateTime<Utc>>> {
        Ok(on_tx!(self, |connection| {
            sqlx::query_scalar(
                "SELECT period_start FROM usage_summaries
                 WHERE group_id = $1 AND subscription_id = $2 AND period_start >= $3 AND NOT provisional",
            )
            .bind(group)
            .bind(subscription)
            .bind(from)
            .fetch_all(connection)
            .await?
        }))
    }

    /// Ends the periods of a subscription that ended at `at`: one that only began then is empty.
    ///
    /// # Errors
    /// The database's.
    pub(in crate::storage) async fn end_periods(
        &mut self,
        group: GroupId,
        subscription: SubscriptionId,
        at: DateTime<Utc>,
    ) -> Result<()> {
        on_tx!(self, |connection| {
            sqlx::query(
                "UPDATE usage_summaries SET period_end = CASE WHEN period_start > $3 THEN period_start ELSE $3 END
                 WHERE group_id = $1 AND subscription_id = $2 AND period_end > $3",
            )
            .bind(group)
            .bind(subscription)
            .bind(at)
            .execute(connection)
            .await?;
        });
        Ok(())
    }

    /// Ends the subscription's period that contains `at` there: what was to come of it won't.
    ///
    /// # Errors
    /// The database's.
    async fn close_period(
        &mut self,
        group: GroupId,
        subscription: SubscriptionId,
        at: DateTime<Utc>,
    ) -> Result<()> {
        on_tx!(self, |connection| {
            sqlx::query(
                "UPDATE usage_summaries SET period_end = $3
                 WHERE group_id = $1 AND subscription_id = $2 AND period_start < $3 AND period_end > $3",
            )
            .bind(group)
            .bind(subscription)
            .bind(at)
            .execute(connection)
            .await?;
        });
        Ok(())
    }
}
