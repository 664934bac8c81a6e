//! The periods of a group that are over.

use chrono::{DateTime, Utc};
use sqlx::FromRow;

use super::{Counters, counter_columns};
use crate::domain::{GroupId, PeriodUsage, SummaryId};
use crate::error::Result;
use crate::storage::Store;

/// One of a group's periods, with the plan it was sold under.
#[derive(Clone, Debug, FromRow)]
pub struct SummaryRow {
    pub id: SummaryId,
    pub plan_name: String,
    pub period_start: DateTime<Utc>,
    pub period_end: DateTime<Utc>,
    #[sqlx(flatten)]
    pub counters: Counters,
}

impl SummaryRow {
    pub fn period_usage(&self) -> PeriodUsage {
        PeriodUsage {
            plan: self.plan_name.clone(),
            start: self.period_start,
            end: self.period_end,
            resources: self.counters.resources(),
        }
    }
}

impl Store {
    /// The group's last `count` periods that are over, of any subscription, newest first: at `now`, or where Stripe, whose
    /// test clocks run ahead, has begun another or ended the subscription. Only such as gave
    /// access: a purchase that was never paid has none, and a month in which nothing was used that only the calendar
    /// began, or that ended as it began, may not have been.
    ///
    /// # Errors
    /// The database's.
    pub async fn past_periods(
        &self,
        group: GroupId,
        now: DateTime<Utc>,
        count: i64,
    ) -> Result<Vec<SummaryRow>> {
        Ok(on_db!(self, |pool| {
            sqlx::query_as(concat!(
                "SELECT u.id, p.name AS plan_name, u.period_start, u.period_end,
                     ", counter_columns!(), "
                 FROM usage_summaries u
                 JOIN subscriptions s ON s.group_id = u.group_id AND s.id = u.subscription_id
                 JOIN plans p ON p.id = u.plan_id
                 WHERE u.group_id = $1
                   AND (u.period_end <= $2 OR u.period_start < s.current_period_start OR s.status = 'canceled')
                   AND s.status NOT IN ('incomplete', 'incomplete_expired')
                   AND NOT ((u.provisional OR u.period_start = u.period_end)
                       AND u.llm_used = 0 AND u.voice_used = 0)
                 ORDER BY u.period_start DESC LIMIT $3"
            ))
            .bind(group)
            .bind(now)
            .bind(count)
            .fetch_all(pool)
            .await?
        }))
    }
}
