//! One row for each billing period of a subscription: what was used, held and allowed in it.

use chrono::{DateTime, Utc};
use sqlx::{ColumnIndex, Decode, FromRow, Row, Type};
use uuid::Uuid;

use super::ledger::Delta;
use super::{Store, Tx};
use crate::domain::{
    Cycle, GroupId, Interval, PerType, Period, PeriodUsage, PlanId, PlanRef, Resource, Share, Status,
    SubscriptionId, SummaryId, Usage, UserId,
};
use crate::error::Result;

/// A period's counters, for each kind of token.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counters {
    /// Recorded.
    pub used: PerType<i64>,
    /// Reserved by open holds.
    pub held: PerType<i64>,
    /// `None` for unlimited.
    pub limit: PerType<Option<i64>>,
}

impl Counters {
    pub(super) fn add(&mut self, delta: Delta) {
        self.used += delta.used;
        self.held += delta.held;
    }

    pub fn resources(&self) -> PerType<Resource> {
        PerType::of(|kind| Resource::new(self.used[kind], self.held[kind], self.limit[kind]))
    }
}

impl<'r, R: Row> FromRow<'r, R> for Counters
where
    &'r str: ColumnIndex<R>,
    i64: Decode<'r, R::Database> + Type<R::Database>,
    Option<i64>: Decode<'r, R::Database> + Type<R::Database>,
{
    fn from_row(row: &'r R) -> sqlx::Result<Self> {
        Ok(Self {
            used: PerType { llm: row.try_get("llm_used")?, voice: row.try_get("voice_used")? },
            held: PerType { llm: row.try_get("llm_held")?, voice: row.try_get("voice_held")? },
            limit: PerType { llm: row.try_get("llm_limit")?, voice: row.try_get("voice_limit")? },
        })
    }
}

/// What one member or one key has used and holds in a period, and the most it may spend, for each kind of token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShareCounters {
    pub used: PerType<i64>,
    pub held: PerType<i64>,
    /// `None` for no cap.
    pub cap: PerType<Option<i64>>,
}

impl ShareCounters {
    pub(super) fn add(&mut self, delta: Delta) {
        self.used += delta.used;
        self.held += delta.held;
    }

    pub fn shares(&self) -> PerType<Share> {
        PerType::of(|kind| Share::new(self.used[kind], self.held[kind], self.cap[kind]))
    }
}

/// From outer joins: columns of counters that aren't there count as 0.
impl<'r, R: Row> FromRow<'r, R> for ShareCounters
where
    &'r str: ColumnIndex<R>,
    Option<i64>: Decode<'r, R::Database> + Type<R::Database>,
{
    fn from_row(row: &'r R) -> sqlx::Result<Self> {
        let count = |name| row.try_get::<Option<i64>, _>(name).map(Option::unwrap_or_default);
        Ok(Self {
            used: PerType { llm: count("share_llm_used")?, voice: count("share_voice_used")? },
            held: PerType { llm: count("share_llm_held")?, voice: count("share_voice_held")? },
            cap: PerType { llm: row.try_get("llm_cap")?, voice: row.try_get("voice_cap")? },
        })
    }
}

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
pub(super) use share_columns;

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
                 CASE WHEN u.id IS NULL THEN p.voice_tokens_limit ELSE u.voice_limit END AS voice_limit ",
            $($rest),+
        )
    };
}
pub(super) use allowance_select;

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
pub(super) use live_allowances;

/// Who says that a period has begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opened {
    ByStripe,
    /// The calendar, since Stripe's period is over and it hasn't been heard of. Its terms are put right once it is.
    Provisionally,
}

impl Tx {
    /// Opens a period of a subscription of the group, with its plan's limits of this moment. A period that is open
    /// keeps the limits it began with, unless that was provisional or the plan was changed, and takes a corrected end.
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
            sqlx::query(
                "INSERT INTO usage_summaries (group_id, id, subscription_id, plan_id, period_start, period_end,
                     llm_limit, voice_limit, created_at, provisional)
                 SELECT s.group_id, $1, s.id, p.id, $4, $5, p.llm_tokens_limit, p.voice_tokens_limit, $6, $7
                 FROM subscriptions s JOIN plans p ON p.id = s.plan_id WHERE s.group_id = $2 AND s.id = $3
                 ON CONFLICT (group_id, subscription_id, period_start) DO UPDATE SET
                     period_end = excluded.period_end,
                     plan_id = CASE WHEN usage_summaries.provisional
                         OR usage_summaries.plan_id <> excluded.plan_id THEN excluded.plan_id
                         ELSE usage_summaries.plan_id END,
                     llm_limit = CASE WHEN usage_summaries.provisional
                         OR usage_summaries.plan_id <> excluded.plan_id THEN excluded.llm_limit
                         ELSE usage_summaries.llm_limit END,
                     voice_limit = CASE WHEN usage_summaries.provisional
                         OR usage_summaries.plan_id <> excluded.plan_id THEN excluded.voice_limit
                         ELSE usage_summaries.voice_limit END,
                     provisional = CASE WHEN excluded.provisional THEN usage_summaries.provisional ELSE FALSE END",
            )
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
    pub(super) async fn known_periods(
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
    pub(super) async fn end_periods(
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
            sqlx::query_as(
                "SELECT u.id, p.name AS plan_name, u.period_start, u.period_end,
                     u.llm_used, u.llm_held, u.llm_limit, u.voice_used, u.voice_held, u.voice_limit
                 FROM usage_summaries u
                 JOIN subscriptions s ON s.group_id = u.group_id AND s.id = u.subscription_id
                 JOIN plans p ON p.id = u.plan_id
                 WHERE u.group_id = $1
                   AND (u.period_end <= $2 OR u.period_start < s.current_period_start OR s.status = 'canceled')
                   AND s.status NOT IN ('incomplete', 'incomplete_expired')
                   AND NOT ((u.provisional OR u.period_start = u.period_end)
                       AND u.llm_used = 0 AND u.voice_used = 0)
                 ORDER BY u.period_start DESC LIMIT $3",
            )
            .bind(group)
            .bind(now)
            .bind(count)
            .fetch_all(pool)
            .await?
        }))
    }
}
