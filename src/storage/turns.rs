//! What follows from what Stripe says of a subscription: since when it is so, and which usage periods begin and end.

use chrono::{DateTime, Utc};
use sqlx::FromRow;

use super::movements::Terms;
use super::summaries::Opened;
use super::{Standing, StripeState, Tx};
use crate::domain::{Currency, Cycle, GroupId, Interval, Period, PlanId, Status, SubscriptionId};
use crate::error::Result;

/// What was kept of a subscription before Stripe was asked again.
#[derive(FromRow)]
pub(super) struct KeptRow {
    #[sqlx(try_from = "String")]
    pub status: Status,
    pub current_period_start: DateTime<Utc>,
    pub current_period_end: DateTime<Utc>,
    pub billing_anchor: DateTime<Utc>,
    #[sqlx(try_from = "String")]
    pub billing_interval: Interval,
    pub plan_id: PlanId,
    pub price_minor: i64,
    #[sqlx(try_from = "String")]
    pub currency: Currency,
    pub mrr: i64,
    pub cancel_at_period_end: bool,
    pub past_due_since: Option<DateTime<Utc>>,
}

impl KeptRow {
    pub fn terms(&self) -> Terms {
        Terms { status: self.status, plan: self.plan_id, currency: self.currency, mrr: self.mrr }
    }

    pub fn standing(&self) -> Standing {
        Standing {
            status: self.status,
            plan: self.plan_id,
            cancel_at_period_end: self.cancel_at_period_end,
            past_due_since: self.past_due_since,
        }
    }

    /// When what Stripe says of it now came to be, by Stripe's own dates where it has one.
    pub fn changed_at(&self, state: &StripeState, now: DateTime<Utc>) -> DateTime<Utc> {
        let renewed = state.period.start > self.current_period_start;
        match (self.status, state.status) {
            (_, Status::Canceled | Status::IncompleteExpired) => state.ended_at.unwrap_or(now),
            (Status::Trialing, status) if status != Status::Trialing => state.trial_end.unwrap_or(now),
            _ if renewed => state.period.start,
            _ => now,
        }
    }

    fn cycle(&self) -> Cycle {
        let billing = Period { start: self.current_period_start, end: self.current_period_end };
        Cycle { billing, anchor: self.billing_anchor, interval: self.billing_interval }
    }
}

impl Tx {
    /// Opens the usage periods that have begun since the subscription was last heard of, and closes what is over.
    pub(super) async fn turn_periods(
        &mut self,
        group: GroupId,
        id: SubscriptionId,
        kept: &KeptRow,
        state: &StripeState,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let interval = state.interval.unwrap_or(kept.billing_interval);
        let cycle = Cycle { billing: state.period, anchor: state.anchor, interval };
        let until = match state.status {
            Status::Incomplete | Status::IncompleteExpired => return Ok(()),
            // It was paid once: else it would have expired. It may have been paused when it ended.
            Status::Canceled => state.ended_at.unwrap_or(now).min(state.period.end),
            _ => cycle.usage_period(state.period.nearest(now)).start,
        };
        let from = kept.current_period_start;
        let known = self.known_periods(group, id, from).await?;
        for missed in missed_periods(kept, state, interval, until) {
            if missed.start >= from && !known.contains(&missed.start) {
                self.open_period(group, id, missed, Opened::ByStripe, now).await?;
            }
        }
        if state.status.is_live() {
            let current = cycle.usage_period(state.period.nearest(now));
            self.open_period(group, id, current, Opened::ByStripe, now).await
        } else {
            // Stripe's clock may be ahead, on a test clock.
            let at = state.ended_at.map_or(now, |ended| ended.max(now));
            self.end_periods(group, id, at).await
        }
    }
}

/// The usage periods that began before `until` since a subscription was last heard of, the current one perhaps among them.
fn missed_periods(
    kept: &KeptRow,
    state: &StripeState,
    interval: Interval,
    until: DateTime<Utc>,
) -> Vec<Period> {
    // Where it is counted from elsewhere now, another rhythm began there: with another interval, at a trial's early end,
    // or after a pause.
    let goes_on = kept.billing_anchor == state.anchor;
    let mut old_until = if goes_on { until } else { until.min(state.anchor) };
    if !goes_on && kept.status == Status::Trialing {
        // A pause may lie between the trial and what it is counted from now.
        old_until = state.trial_end.map_or(old_until, |end| old_until.min(end));
    }
    // While it was paused none began.
    let old = (kept.status != Status::Paused)
        .then(|| kept.cycle().usage_periods(kept.current_period_start, old_until));
    let new =
        (!goes_on).then(|| Cycle::from_anchor(state.anchor, interval).usage_periods(state.anchor, until));
    let cut = |until: DateTime<Utc>| move |period: Period| Period { end: period.end.min(until), ..period };
    old.into_iter().flatten().map(cut(old_until)).chain(new.into_iter().flatten().map(cut(until))).collect()
}
