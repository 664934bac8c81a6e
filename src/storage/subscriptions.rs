//! Subscriptions: one live one a group, kept as Stripe says they are.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use uuid::Uuid;

use super::movements::{Movement, Terms};
use super::plans::{PlanRow, plan_columns};
use super::summaries::Opened;
use super::{Store, Tx, dialect};
use crate::domain::{
    Currency, Cycle, GroupId, Interval, Money, Period, PlanId, PlanRef, Refusal, Status, Subscription,
    SubscriptionId, UserId, grace_end, mrr,
};
use crate::error::{Error, Result};

/// A subscription with its plan.
#[derive(Clone, Debug, FromRow)]
pub struct SubscriptionRow {
    pub subscription_id: SubscriptionId,
    pub group_id: GroupId,
    pub user_id: UserId,
    #[sqlx(try_from = "String")]
    pub status: Status,
    pub stripe_subscription_id: String,
    pub sold_price_id: String,
    pub sold_price_minor: i64,
    #[sqlx(try_from = "String")]
    pub sold_currency: Currency,
    #[sqlx(try_from = "String")]
    pub sold_interval: Interval,
    pub current_period_start: DateTime<Utc>,
    pub current_period_end: DateTime<Utc>,
    pub billing_anchor: DateTime<Utc>,
    pub cancel_at_period_end: bool,
    pub trial_end: Option<DateTime<Utc>>,
    pub past_due_since: Option<DateTime<Utc>>,
    /// The plan that begins with the next period, if another does.
    pub next_plan_id: Option<PlanId>,
    pub next_plan_name: Option<String>,
    #[sqlx(flatten)]
    pub plan: PlanRow,
}

impl SubscriptionRow {
    /// The subscription as its members see it now: its plan bears what this subscriber pays, and how often.
    pub fn subscription(self, grace_days: u32, now: DateTime<Utc>) -> Subscription {
        let ends_at = self.cancel_at_period_end.then_some(self.current_period_end);
        let mut plan = self.plan.plan();
        plan.price = Money::new(self.sold_price_minor, self.sold_currency);
        plan.interval = self.sold_interval;
        plan.stripe_price_id = Some(self.sold_price_id);
        Subscription {
            id: self.subscription_id,
            group_id: self.group_id,
            user_id: self.user_id,
            plan,
            status: self.status,
            access: self.status.gives_access(self.past_due_since, ends_at, grace_days, now),
            access_until: self.past_due_since.map(|since| grace_end(since, grace_days)),
            current_period_start: self.current_period_start,
            current_period_end: self.current_period_end,
            cancel_at_period_end: self.cancel_at_period_end,
            trial_end: self.trial_end,
            next_plan: self.next_plan_id.zip(self.next_plan_name).map(|(id, name)| PlanRef { id, name }),
            stripe_subscription_id: self.stripe_subscription_id,
        }
    }
}

macro_rules! subscription_select {
    ($($rest:expr),+) => {
        concat!(
            "SELECT s.id AS subscription_id, s.group_id, s.user_id, s.status, s.stripe_subscription_id,
                    s.stripe_price_id AS sold_price_id, s.price_minor AS sold_price_minor,
                    s.currency AS sold_currency, s.billing_interval AS sold_interval,
                    s.current_period_start, s.current_period_end, s.billing_anchor, s.cancel_at_period_end, s.trial_end,
                    s.past_due_since, s.next_plan_id,
                    (SELECT n.name FROM plans n WHERE n.id = s.next_plan_id) AS next_plan_name, ",
            plan_columns!(),
            " FROM subscriptions s JOIN plans p ON p.id = s.plan_id WHERE ",
            $($rest),+
        )
    };
}

/// What Stripe says of a subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StripeState {
    pub stripe_subscription_id: String,
    pub status: Status,
    pub stripe_price_id: String,
    /// `None` where the price has no fixed amount; what was kept stays then.
    pub price: Option<Money>,
    /// `None` where the price is charged neither monthly nor yearly; what was kept stays then.
    pub interval: Option<Interval>,
    /// What is paid for.
    pub period: Period,
    /// What periods are counted from.
    pub anchor: DateTime<Utc>,
    pub cancel_at_period_end: bool,
    /// The price that begins with the next period, if another does.
    pub next_price_id: Option<String>,
    /// When its trial ends or ended.
    pub trial_end: Option<DateTime<Utc>>,
    /// When it ended, if it has.
    pub ended_at: Option<DateTime<Utc>>,
}

impl Store {
    /// The group's live subscription.
    ///
    /// # Errors
    /// The database's.
    pub async fn live_subscription(&self, group: GroupId) -> Result<Option<SubscriptionRow>> {
        Ok(on_db!(self, |pool| {
            sqlx::query_as(subscription_select!("s.group_id = $1 AND ", is_live!("s")))
                .bind(group)
                .fetch_optional(pool)
                .await?
        }))
    }

    /// One subscription of the group, live or not.
    ///
    /// # Errors
    /// [`Refusal::NotFound`], also for another group's; the database's.
    pub async fn subscription(&self, group: GroupId, id: SubscriptionId) -> Result<SubscriptionRow> {
        let row = on_db!(self, |pool| {
            sqlx::query_as(subscription_select!("s.group_id = $1 AND s.id = $2"))
                .bind(group)
                .bind(id)
                .fetch_optional(pool)
                .await?
        });
        row.ok_or_else(|| Refusal::NotFound("subscription".into()).into())
    }

    /// The group and id of the subscription that Stripe knows by this id.
    ///
    /// # Errors
    /// The database's.
    pub async fn subscription_at_stripe(&self, stripe_id: &str) -> Result<Option<(GroupId, SubscriptionId)>> {
        Ok(on_db!(self, |pool| {
            sqlx::query_as("SELECT group_id, id FROM subscriptions WHERE stripe_subscription_id = $1")
                .bind(stripe_id)
                .fetch_optional(pool)
                .await?
        }))
    }

    /// Up to `limit` live subscriptions of any group in the order of their ids, beginning after `after`.
    ///
    /// # Errors
    /// The database's.
    pub async fn live_subscriptions(
        &self,
        after: Option<SubscriptionId>,
        limit: i64,
    ) -> Result<Vec<SubscriptionRow>> {
        Ok(on_db!(self, |pool| {
            sqlx::query_as(subscription_select!(is_live!("s"), " AND s.id > $1 ORDER BY s.id LIMIT $2"))
                .bind(after.unwrap_or(SubscriptionId(Uuid::nil())))
                .bind(limit)
                .fetch_all(pool)
                .await?
        }))
    }

    /// Up to `limit` live subscriptions whose billing period is over at `now`, and that Stripe hasn't said anything of since
    /// then, the ones that wait longest first. A paused one waits for its group.
    ///
    /// # Errors
    /// The database's.
    pub async fn overdue_subscriptions(
        &self,
        now: DateTime<Utc>,
        limit: i64,
    ) -> Result<Vec<SubscriptionRow>> {
        Ok(on_db!(self, |pool| {
            sqlx::query_as(subscription_select!(
                is_live!("s"),
                " AND s.status NOT IN ('paused', 'incomplete') AND s.current_period_end <= $1
                  ORDER BY s.current_period_end, s.id LIMIT $2"
            ))
            .bind(now)
            .bind(limit)
            .fetch_all(pool)
            .await?
        }))
    }

    /// Draws the number that a fetch of the subscription will be written under.
    ///
    /// # Errors
    /// [`Refusal::NotFound`]; the database's.
    pub async fn draw_sync_ticket(&self, id: SubscriptionId) -> Result<i64> {
        let ticket: Option<i64> = write_db!(self, |pool| {
            sqlx::query_scalar(
                "UPDATE groups SET sync_ticket = sync_ticket + 1
                 WHERE id = (SELECT s.group_id FROM subscriptions s WHERE s.id = $1) RETURNING sync_ticket",
            )
            .bind(id)
            .fetch_optional(pool)
            .await?
        });
        ticket.ok_or_else(|| Refusal::NotFound("subscription".into()).into())
    }
}

/// What was kept of a subscription before Stripe was asked again.
#[derive(FromRow)]
struct KeptRow {
    #[sqlx(try_from = "String")]
    status: Status,
    current_period_start: DateTime<Utc>,
    current_period_end: DateTime<Utc>,
    billing_anchor: DateTime<Utc>,
    #[sqlx(try_from = "String")]
    billing_interval: Interval,
    plan_id: PlanId,
    price_minor: i64,
    #[sqlx(try_from = "String")]
    currency: Currency,
    mrr: i64,
}

impl KeptRow {
    fn terms(&self) -> Terms {
        Terms { status: self.status, plan: self.plan_id, currency: self.currency, mrr: self.mrr }
    }

    /// When what Stripe says of it now came to be, by Stripe's own dates where it has one.
    fn changed_at(&self, state: &StripeState, now: DateTime<Utc>) -> DateTime<Utc> {
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
    /// Writes what Stripe said under a ticket, and opens or closes the periods that follow from it. What was fetched
    /// under an older ticket than the last one written is dropped: the newer answer knows what it knew. An ended
    /// subscription stays ended. The plan stays the one that was bought while the price does; another price, which only
    /// a change at Stripe can bring, gives the plan. Call [`Tx::lock_group`] first.
    ///
    /// Gives whether anything was written.
    ///
    /// # Errors
    /// The database's.
    pub async fn apply_stripe_state(
        &mut self,
        group: GroupId,
        id: SubscriptionId,
        ticket: i64,
        state: &StripeState,
        now: DateTime<Utc>,
    ) -> Result<bool> {
        let kept: Option<KeptRow> = on_tx!(self, |connection| {
            sqlx::query_as(concat!(
                "SELECT s.status, s.current_period_start, s.current_period_end, s.billing_anchor, s.billing_interval,
                     s.plan_id, s.price_minor, s.currency, s.mrr
                 FROM subscriptions s WHERE s.group_id = $1 AND s.id = $2 AND s.synced_ticket < $3 AND ",
                is_live!("s")
            ))
            .bind(group)
            .bind(id)
            .bind(ticket)
            .fetch_optional(connection)
            .await?
        });
        let Some(kept) = kept else { return Ok(false) };
        let price = state.price.unwrap_or(Money::new(kept.price_minor, kept.currency));
        let mrr = mrr(price.minor, state.interval.unwrap_or(kept.billing_interval), state.status);
        let plan = on_tx!(self, |connection| {
            sqlx::query_scalar(
                "UPDATE subscriptions SET
                     status = $4,
                     plan_id = CASE WHEN stripe_price_id = $5 THEN plan_id ELSE COALESCE(
                         (SELECT p.id FROM plans p WHERE p.stripe_price_id = $5
                          ORDER BY p.archived, p.updated_at DESC LIMIT 1),
                         (SELECT o.plan_id FROM subscriptions o WHERE o.stripe_price_id = $5
                          ORDER BY o.created_at DESC LIMIT 1),
                         plan_id) END,
                     stripe_price_id = $5, price_minor = COALESCE($6, price_minor),
                     currency = COALESCE($7, currency), billing_interval = COALESCE($8, billing_interval),
                     current_period_start = $9, current_period_end = $10, cancel_at_period_end = $11,
                     past_due_since = CASE WHEN $4 <> 'past_due' THEN NULL ELSE COALESCE(past_due_since, $12) END,
                     billing_anchor = $13, trial_end = $14,
                     next_plan_id = (SELECT p.id FROM plans p WHERE p.stripe_price_id = $15
                         ORDER BY p.archived, p.updated_at DESC LIMIT 1),
                     synced_ticket = $3, updated_at = $12, mrr = $16
                 WHERE group_id = $1 AND id = $2 RETURNING plan_id",
            )
            .bind(group)
            .bind(id)
            .bind(ticket)
            .bind(state.status.as_str())
            .bind(&state.stripe_price_id)
            .bind(state.price.map(|price| price.minor))
            .bind(state.price.map(|price| price.currency.code().to_owned()))
            .bind(state.interval.map(Interval::as_str))
            .bind(state.period.start)
            .bind(state.period.end)
            .bind(state.cancel_at_period_end)
            .bind(now)
            .bind(state.anchor)
            .bind(state.trial_end)
            .bind(&state.next_price_id)
            .bind(mrr)
            .fetch_one(connection)
            .await?
        });
        let after = Terms { status: state.status, plan, currency: price.currency, mrr };
        let at = kept.changed_at(state, now);
        let movement = Movement { group, subscription: id, before: Some(kept.terms()), after, at };
        self.add_movement(&movement, now).await?;
        self.turn_periods(group, id, &kept, state, now).await?;
        Ok(true)
    }

    /// Opens the usage periods that have begun since the subscription was last heard of, and closes what is over.
    async fn turn_periods(
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

pub(super) fn second_live(error: sqlx::Error) -> Error {
    if dialect::is_unique_violation(&error, "subscriptions_one_live", "subscriptions.group_id") {
        Refusal::SubscriptionExists.into()
    } else {
        error.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sql_and_the_domain_call_the_same_subscriptions_live() {
        let condition = is_live!("s");
        let list = condition.strip_prefix("s.status NOT IN (").expect("those that have ended are listed");
        for status in Status::ALL {
            assert_eq!(list.contains(&format!("'{status}'")), !status.is_live(), "{status}");
        }
        let index = format!("ON subscriptions (group_id)\n    WHERE {};", condition.trim_start_matches("s."));
        for schema in [
            include_str!("../../migrations/sqlite/0001_initial.sql"),
            include_str!("../../migrations/postgres/0001_initial.sql"),
        ] {
            assert!(schema.contains(&index), "the index of one live subscription a group: {index}");
        }
    }
}
