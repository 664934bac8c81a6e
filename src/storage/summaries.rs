//! One row for each billing period of a subscription: what was used, held and allowed in it.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use uuid::Uuid;

use super::Store;
use crate::domain::{Interval, Period, PeriodUsage, PlanRef, Resource, Status, Usage};
use crate::error::{Error, Result};

/// A period's sums.
#[derive(Clone, Debug, FromRow)]
pub struct SummaryRow {
    pub id: Uuid,
    pub group_id: Uuid,
    pub subscription_id: Uuid,
    pub period_start: DateTime<Utc>,
    pub period_end: DateTime<Utc>,
    pub llm_used: i64,
    pub llm_held: i64,
    pub llm_limit: Option<i64>,
    pub voice_used: i64,
    pub voice_held: i64,
    pub voice_limit: Option<i64>,
}

impl SummaryRow {
    pub fn llm(&self) -> Resource {
        Resource::new(self.llm_used, self.llm_held, self.llm_limit)
    }

    pub fn voice(&self) -> Resource {
        Resource::new(self.voice_used, self.voice_held, self.voice_limit)
    }

    pub fn period_usage(&self) -> PeriodUsage {
        PeriodUsage { start: self.period_start, end: self.period_end, llm: self.llm(), voice: self.voice() }
    }
}

/// A subscription with one of its periods.
#[derive(Clone, Debug, FromRow)]
pub struct AllowanceRow {
    pub subscription_id: Uuid,
    pub group_id: Uuid,
    pub status: String,
    pub past_due_since: Option<DateTime<Utc>>,
    /// The period that Stripe last told of, which may be over.
    pub told_start: DateTime<Utc>,
    pub told_end: DateTime<Utc>,
    pub plan_id: Uuid,
    pub plan_name: String,
    pub billing_interval: String,
    /// `None` where the period is not open yet, since nothing was recorded in it. What follows is then the
    /// period that Stripe last told of and what the plan allows today.
    pub summary_id: Option<Uuid>,
    pub period_start: DateTime<Utc>,
    pub period_end: DateTime<Utc>,
    pub llm_used: i64,
    pub llm_held: i64,
    pub llm_limit: Option<i64>,
    pub voice_used: i64,
    pub voice_held: i64,
    pub voice_limit: Option<i64>,
}

impl AllowanceRow {
    pub fn interval(&self) -> Result<Interval> {
        self.billing_interval.parse().map_err(Error::Internal)
    }

    pub fn status(&self) -> Result<Status> {
        self.status.parse().map_err(Error::Internal)
    }

    pub fn period(&self) -> Period {
        Period { start: self.period_start, end: self.period_end }
    }

    pub fn told(&self) -> Period {
        Period { start: self.told_start, end: self.told_end }
    }

    /// The period that runs at `now`: the one that is open, or the one that the next event opens. A period
    /// that begins later than `now` runs all the same where Stripe told of it: its test clocks run ahead.
    pub fn current_period(&self, now: DateTime<Utc>) -> Result<Period> {
        Ok(if self.summary_id.is_some() {
            self.period()
        } else {
            self.told().following(self.interval()?, now)
        })
    }

    /// The period as its group sees it at `now`.
    pub fn usage(&self, now: DateTime<Utc>) -> Result<Usage> {
        let period = self.current_period(now)?;
        Ok(Usage {
            subscription_id: self.subscription_id,
            plan: PlanRef { id: self.plan_id, name: self.plan_name.clone() },
            status: self.status()?,
            period_start: period.start,
            period_end: period.end,
            as_of: now,
            llm: Resource::new(self.llm_used, self.llm_held, self.llm_limit),
            voice: Resource::new(self.voice_used, self.voice_held, self.voice_limit),
        })
    }
}

/// Reads [`AllowanceRow`] from tables named `s` (subscriptions), `p` (plans), `u` (usage_summaries).
macro_rules! allowance_select {
    ($($rest:literal),+) => {
        concat!(
            "SELECT s.id AS subscription_id, s.group_id, s.status, s.past_due_since,
                 s.current_period_start AS told_start, s.current_period_end AS told_end, p.id AS plan_id, p.name AS plan_name, p.billing_interval,
                 u.id AS summary_id,
                 COALESCE(u.period_start, s.current_period_start) AS period_start,
                 COALESCE(u.period_end, s.current_period_end) AS period_end,
                 COALESCE(u.llm_used, 0) AS llm_used, COALESCE(u.llm_held, 0) AS llm_held,
                 CASE WHEN u.id IS NULL THEN p.llm_tokens_limit ELSE u.llm_limit END AS llm_limit,
                 COALESCE(u.voice_used, 0) AS voice_used, COALESCE(u.voice_held, 0) AS voice_held,
                 CASE WHEN u.id IS NULL THEN p.voice_tokens_limit ELSE u.voice_limit END AS voice_limit ",
            $($rest),+
        )
    };
}
pub(super) use allowance_select;

/// Live subscriptions, chosen by a condition on `s.group_id`, with the period that runs at `$2`.
macro_rules! live_allowances {
    ($condition:literal) => {
        allowance_select!(
            "FROM subscriptions s JOIN plans p ON p.id = s.plan_id
             LEFT JOIN usage_summaries u ON u.subscription_id = s.id
                 AND u.period_start <= CASE WHEN s.current_period_start > $2 THEN s.current_period_start ELSE $2 END
                 AND u.period_end > CASE WHEN s.current_period_start > $2 THEN s.current_period_start ELSE $2 END
             WHERE s.status NOT IN ('canceled', 'incomplete_expired') AND s.group_id ",
            $condition,
            // Where a change of plan cut a period short, the one that began last is the one that runs.
            " ORDER BY u.period_start DESC"
        )
    };
}
pub(super) use live_allowances;

/// Opens a period of a subscription inside a transaction, with its plan's limits of this moment. A period
/// that is open keeps the limits it began with, and takes a corrected end.
macro_rules! open_period {
    ($tx:ident, $subscription:expr, $start:expr, $end:expr, $now:expr) => {
        sqlx::query(
            "INSERT INTO usage_summaries
                 (id, group_id, subscription_id, period_start, period_end, llm_limit, voice_limit, created_at)
             SELECT $1, s.group_id, s.id, $3, $4, p.llm_tokens_limit, p.voice_tokens_limit, $5
             FROM subscriptions s JOIN plans p ON p.id = s.plan_id WHERE s.id = $2
             ON CONFLICT (subscription_id, period_start) DO UPDATE SET period_end = excluded.period_end",
        )
        .bind(uuid::Uuid::now_v7())
        .bind($subscription)
        .bind($start)
        .bind($end)
        .bind($now)
        .execute(&mut *$tx)
        .await?
    };
}
pub(super) use open_period;

impl Store {
    /// The group's live subscription with the period that runs at `now`. Costs the same however much was
    /// recorded.
    pub async fn allowance(&self, group: Uuid, now: DateTime<Utc>) -> Result<Option<AllowanceRow>> {
        Ok(on_db!(self, |pool| {
            sqlx::query_as(live_allowances!("= $1")).bind(group).bind(now).fetch_optional(pool).await?
        }))
    }

    /// The group's last `count` periods that had begun at `now`, of any subscription, newest first.
    pub async fn periods(&self, group: Uuid, now: DateTime<Utc>, count: i64) -> Result<Vec<SummaryRow>> {
        Ok(on_db!(self, |pool| {
            sqlx::query_as(
                "SELECT id, group_id, subscription_id, period_start, period_end,
                     llm_used, llm_held, llm_limit, voice_used, voice_held, voice_limit
                 FROM usage_summaries WHERE group_id = $1 AND period_start <= $2
                 ORDER BY period_start DESC LIMIT $3",
            )
            .bind(group)
            .bind(now)
            .bind(count)
            .fetch_all(pool)
            .await?
        }))
    }
}
