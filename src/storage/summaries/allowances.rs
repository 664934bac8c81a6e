//! What a group may use now: its live subscription with the period that runs.

use chrono::{DateTime, Utc};
use sqlx::FromRow;

use super::{Counters, ShareCounters};
use crate::domain::{
    Cycle, GroupId, Interval, OverageUsage, Period, PlanId, PlanRef, Status, SubscriptionId, SummaryId,
    Usage, UsageType, UserId,
};
use crate::error::Result;
use crate::storage::Store;

/// A subscription with one of its periods.
#[derive(Clone, Debug, FromRow)]
pub struct AllowanceRow {
    pub subscription_id: SubscriptionId,
    pub group_id: GroupId,
    #[sqlx(try_from = "String")]
    pub status: Status,
    pub past_due_since: Option<DateTime<Utc>>,
    /// The period as of the last synchronisation with Stripe, which may be over.
    pub synced_start: DateTime<Utc>,
    pub synced_end: DateTime<Utc>,
    pub plan_id: PlanId,
    pub plan_name: String,
    #[sqlx(try_from = "String")]
    pub billing_interval: Interval,
    pub billing_anchor: DateTime<Utc>,
    pub cancel_at_period_end: bool,
    /// `None` where the period is not open yet, since nothing was recorded in it. What follows is then the
    /// synced period and what the plan allows today.
    pub summary_id: Option<SummaryId>,
    pub period_start: DateTime<Utc>,
    pub period_end: DateTime<Utc>,
    #[sqlx(flatten)]
    pub counters: Counters,
}

impl AllowanceRow {
    pub fn period(&self) -> Period {
        Period { start: self.period_start, end: self.period_end }
    }

    /// The rhythm of its periods, as of the last synchronisation with Stripe.
    pub fn cycle(&self) -> Cycle {
        let billing = Period { start: self.synced_start, end: self.synced_end };
        Cycle { billing, anchor: self.billing_anchor, interval: self.billing_interval }
    }

    /// Whether tokens may be asked for at `now`.
    pub fn gives_access(&self, grace_days: u32, now: DateTime<Utc>) -> bool {
        let ends_at = self.cancel_at_period_end.then_some(self.synced_end);
        self.status.gives_access(self.past_due_since, ends_at, grace_days, now)
    }

    /// Whether a token is left to ask for, within the limit or, where that is agreed to and paid, beyond it.
    pub fn has_left(&self, kind: UsageType) -> bool {
        let counters = &self.counters;
        let limit = match self.status {
            Status::Active => counters.overage.limit(kind, &counters.spent()),
            _ => counters.limit[kind],
        };
        limit.is_none_or(|limit| counters.used[kind].saturating_add(counters.held[kind]) < limit)
    }

    /// The period that runs at `now`: the one that is open, or the one that the next event opens. A period
    /// that begins later than `now` runs all the same where Stripe says so: its test clocks run ahead.
    pub fn current_period(&self, now: DateTime<Utc>) -> Period {
        if self.summary_id.is_some() { self.period() } else { self.cycle().usage_period(now) }
    }

    /// The period as one of its group sees it at `now`, who has this part of it.
    pub fn usage(&self, share: &ShareCounters, now: DateTime<Utc>) -> Usage {
        let period = self.current_period(now);
        Usage {
            subscription_id: self.subscription_id,
            plan: PlanRef { id: self.plan_id, name: self.plan_name.clone() },
            status: self.status,
            period_start: period.start,
            period_end: period.end,
            as_of: now,
            resources: self.counters.resources(),
            overage: OverageUsage::of(&self.counters.overage, &self.counters.spent(), period, now),
            you: Some(share.shares()),
        }
    }
}

/// The columns of [`ShareCounters`] in tables named `h` (usage_shares) and `c` (usage_caps).
macro_rules! share_columns {
    () => {
        "h.llm_used AS share_llm_used, h.llm_held AS share_llm_held,
         h.voice_used AS share_voice_used, h.voice_held AS share_voice_held, c.llm_cap, c.voice_cap"
    };
}
pub(in crate::storage) use share_columns;

/// Reads [`AllowanceRow`] from tables named `s` (subscriptions), `p` (plans), `u` (usage_summaries).
macro_rules! allowance_select {
    ($($rest:expr),+) => {
        concat!(
            "SELECT s.id AS subscription_id, s.group_id, s.status, s.past_due_since,
                 s.current_period_start AS synced_start, s.current_period_end AS synced_end,
                 p.id AS plan_id, p.name AS plan_name, s.billing_interval, s.billing_anchor, s.cancel_at_period_end,
                 u.id AS summary_id,
                 COALESCE(u.period_start, s.current_period_start) AS period_start,
                 COALESCE(u.period_end, s.current_period_end) AS period_end,
                 COALESCE(u.llm_used, 0) AS llm_used, COALESCE(u.llm_held, 0) AS llm_held,
                 CASE WHEN u.id IS NULL THEN p.llm_tokens_limit ELSE u.llm_limit END AS llm_limit,
                 COALESCE(u.voice_used, 0) AS voice_used, COALESCE(u.voice_held, 0) AS voice_held,
                 CASE WHEN u.id IS NULL THEN p.voice_tokens_limit ELSE u.voice_limit END AS voice_limit,
                 COALESCE(u.llm_notified, 0) AS llm_notified, COALESCE(u.voice_notified, 0) AS voice_notified,
                 COALESCE(u.llm_overage, 0) AS llm_overage, COALESCE(u.voice_overage, 0) AS voice_overage,
                 CASE WHEN u.id IS NOT NULL THEN u.overage_prices ELSE ",
            $crate::storage::summaries::new_overage_prices!(),
            " END AS overage_prices,
                 CASE WHEN u.id IS NOT NULL THEN u.overage_cap ELSE ",
            $crate::storage::summaries::new_overage_cap!(),
            " END AS overage_cap,
                 COALESCE(u.overage_closed, FALSE) AS overage_closed ",
            $($rest),+
        )
    };
}
pub(in crate::storage) use allowance_select;

/// Live subscriptions, chosen by a condition on `s.group_id`, with the period that runs at `$2`.
macro_rules! live_allowances {
    ($condition:literal) => {
        $crate::storage::summaries::allowance_select!(
            "FROM subscriptions s JOIN plans p ON p.id = s.plan_id
             LEFT JOIN usage_summaries u ON u.group_id = s.group_id AND u.subscription_id = s.id
                 AND u.period_start <= CASE WHEN s.current_period_start > $2 THEN s.current_period_start ELSE $2 END
                 AND u.period_end > CASE WHEN s.current_period_start > $2 THEN s.current_period_start ELSE $2 END
             WHERE ",
            is_live!("s"),
            " AND s.group_id ",
            $condition,
            // Where a change of plan cut a period short, the one that began last is the one that runs.
            " ORDER BY u.period_start DESC"
        )
    };
}
pub(in crate::storage) use live_allowances;

impl Store {
    /// The group's live subscription with the period that runs at `now`, and the user's own part of it. Costs the same
    /// however much was recorded.
    ///
    /// # Errors
    /// The database's.
    pub async fn allowance(
        &self,
        group: GroupId,
        user: UserId,
        now: DateTime<Utc>,
    ) -> Result<Option<(AllowanceRow, ShareCounters)>> {
        #[derive(FromRow)]
        struct Row {
            #[sqlx(flatten)]
            allowance: AllowanceRow,
            #[sqlx(flatten)]
            share: ShareCounters,
        }
        let row: Option<Row> = on_db!(self, |pool| {
            sqlx::query_as(concat!(
                "SELECT a.*, ",
                share_columns!(),
                " FROM (",
                live_allowances!("= $1"),
                " LIMIT 1) a
                 LEFT JOIN usage_shares h ON h.group_id = a.group_id AND h.summary_id = a.summary_id
                     AND h.subject_id = $3
                 LEFT JOIN usage_caps c ON c.group_id = a.group_id AND c.subject_id = $3"
            ))
            .bind(group)
            .bind(now)
            .bind(user)
            .fetch_optional(pool)
            .await?
        });
        Ok(row.map(|row| (row.allowance, row.share)))
    }
}
