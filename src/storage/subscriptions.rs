//! Subscriptions: one live one a group, kept as Stripe says they are.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use uuid::Uuid;

use super::movements::{Movement, Terms};
use super::plans::{PlanRow, plan_columns};
use super::turns::KeptRow;
use super::{Store, Tx, dialect};
use crate::domain::{
    Currency, GroupId, Interval, Money, Period, PlanId, PlanRef, Refusal, Status, Subscription,
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

/// Where a subscription stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    pub status: Status,
    pub plan: PlanId,
    pub cancel_at_period_end: bool,
    pub past_due_since: Option<DateTime<Utc>>,
}

/// What a fetch from Stripe changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateChange {
    pub before: Standing,
    pub after: Standing,
}

impl Tx {
    /// Writes what Stripe said under a ticket, and opens or closes the periods that follow from it. What was fetched
    /// under an older ticket than the last one written is dropped: the newer answer knows what it knew. An ended
    /// subscription stays ended. The plan stays the one that was bought while the price does; another price, which only
    /// a change at Stripe can bring, gives the plan. Call [`Tx::lock_group`] first.
    ///
    /// Gives what changed; `None` where nothing was written.
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
    ) -> Result<Option<StateChange>> {
        let kept: Option<KeptRow> = on_tx!(self, |connection| {
            sqlx::query_as(concat!(
                "SELECT s.status, s.current_period_start, s.current_period_end, s.billing_anchor, s.billing_interval,
                     s.plan_id, s.cancel_at_period_end, s.past_due_since, s.price_minor, s.currency, s.mrr
                 FROM subscriptions s WHERE s.group_id = $1 AND s.id = $2 AND s.synced_ticket < $3 AND ",
                is_live!("s")
            ))
            .bind(group)
            .bind(id)
            .bind(ticket)
            .fetch_optional(connection)
            .await?
        });
        let Some(kept) = kept else { return Ok(None) };
        let price = state.price.unwrap_or(Money::new(kept.price_minor, kept.currency));
        let mrr = mrr(price.minor, state.interval.unwrap_or(kept.billing_interval), state.status);
        let (plan, past_due_since) = on_tx!(self, |connection| {
            sqlx::query_as(
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
                 WHERE group_id = $1 AND id = $2 RETURNING plan_id, past_due_since",
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
        let after = Standing {
            status: state.status,
            plan,
            cancel_at_period_end: state.cancel_at_period_end,
            past_due_since,
        };
        Ok(Some(StateChange { before: kept.standing(), after }))
    }
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
