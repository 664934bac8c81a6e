//! Subscriptions: one live one a group, kept as Stripe says they are.

use chrono::{DateTime, Utc};
use sqlx::FromRow;

use super::plans::{PlanRow, plan_columns};
use super::{Store, dialect};
use crate::domain::{GroupId, Money, Period, PlanId, Refusal, Status, Subscription, SubscriptionId, UserId};
use crate::error::{Error, Result};

/// A subscription with its plan.
#[derive(Clone, Debug, FromRow)]
pub struct SubscriptionRow {
    pub subscription_id: SubscriptionId,
    pub group_id: GroupId,
    pub user_id: UserId,
    #[sqlx(try_from = "String")]
    pub status: Status,
    pub stripe_subscription_id: Option<String>,
    pub sold_price_id: String,
    pub sold_price_minor: i64,
    pub current_period_start: DateTime<Utc>,
    pub current_period_end: DateTime<Utc>,
    pub cancel_at_period_end: bool,
    pub past_due_since: Option<DateTime<Utc>>,
    #[sqlx(flatten)]
    pub plan: PlanRow,
}

impl SubscriptionRow {
    /// The subscription as its members see it: its plan bears the price that this subscriber pays.
    pub fn subscription(self) -> Subscription {
        let mut plan = self.plan.plan();
        plan.price = Money::new(self.sold_price_minor, plan.price.currency);
        plan.stripe_price_id = Some(self.sold_price_id);
        Subscription {
            id: self.subscription_id,
            group_id: self.group_id,
            user_id: self.user_id,
            plan,
            status: self.status,
            current_period_start: self.current_period_start,
            current_period_end: self.current_period_end,
            cancel_at_period_end: self.cancel_at_period_end,
            stripe_subscription_id: self.stripe_subscription_id,
        }
    }
}

macro_rules! subscription_select {
    ($($rest:expr),+) => {
        concat!(
            "SELECT s.id AS subscription_id, s.group_id, s.user_id, s.status, s.stripe_subscription_id,
                    s.stripe_price_id AS sold_price_id, s.price_minor AS sold_price_minor,
                    s.current_period_start, s.current_period_end, s.cancel_at_period_end, s.past_due_since, ",
            plan_columns!(),
            " FROM subscriptions s JOIN plans p ON p.id = s.plan_id WHERE ",
            $($rest),+
        )
    };
}

/// A purchase that Stripe has not been told of yet.
#[derive(Clone, Debug)]
pub struct NewSubscription {
    pub id: SubscriptionId,
    pub group_id: GroupId,
    pub user_id: UserId,
    pub plan_id: PlanId,
    pub stripe_price_id: String,
    pub price_minor: i64,
    pub period_end: DateTime<Utc>,
}

/// What Stripe says of a subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StripeState {
    pub stripe_subscription_id: String,
    pub status: Status,
    pub stripe_price_id: String,
    pub price_minor: i64,
    /// The plan that is sold at this price; `None` leaves the plan as it is.
    pub plan_id: Option<PlanId>,
    pub period_start: DateTime<Utc>,
    pub period_end: DateTime<Utc>,
    pub cancel_at_period_end: bool,
}

impl Store {
    /// Takes the group's one place for a live subscription, in the state `incomplete`.
    ///
    /// # Errors
    /// [`Refusal::SubscriptionExists`] where the place is taken, by the unique index itself;
    /// [`Refusal::TooManyMembers`] where the plan has fewer seats than the group has members; the database's.
    pub async fn reserve_subscription(&self, new: &NewSubscription, now: DateTime<Utc>) -> Result<()> {
        let mut transaction = self.begin().await?;
        transaction.lock_group(new.group_id).await?;
        on_tx!(transaction, |tx| {
            let (members, seats): (i64, Option<i64>) = sqlx::query_as(
                "SELECT (SELECT COUNT(*) FROM users WHERE group_id = $1 AND removed_at IS NULL),
                        (SELECT max_users FROM plans WHERE id = $2)",
            )
            .bind(new.group_id)
            .bind(new.plan_id)
            .fetch_one(&mut *tx)
            .await?;
            sqlx::query(
                "INSERT INTO subscriptions (id, group_id, user_id, plan_id, status, stripe_price_id, price_minor,
                     current_period_start, current_period_end, created_at, updated_at)
                 VALUES ($1, $2, $3, $4, 'incomplete', $5, $6, $7, $8, $7, $7)",
            )
            .bind(new.id)
            .bind(new.group_id)
            .bind(new.user_id)
            .bind(new.plan_id)
            .bind(&new.stripe_price_id)
            .bind(new.price_minor)
            .bind(now)
            .bind(new.period_end)
            .execute(&mut *tx)
            .await
            .map_err(second_live)?;
            if let Some(seats) = seats
                && members > seats
            {
                return Err(Refusal::TooManyMembers { members, seats }.into());
            }
        });
        transaction.commit().await
    }

    /// Gives up a place that was taken for a purchase Stripe refused: nothing was sold.
    pub async fn drop_reservation(&self, id: SubscriptionId) -> Result<()> {
        in_tx!(self, |tx| {
            sqlx::query(
                "DELETE FROM usage_summaries WHERE subscription_id = $1 AND EXISTS
                     (SELECT 1 FROM subscriptions WHERE id = $1 AND stripe_subscription_id IS NULL)",
            )
            .bind(id)
            .execute(&mut *tx)
            .await?;
            sqlx::query("DELETE FROM subscriptions WHERE id = $1 AND stripe_subscription_id IS NULL")
                .bind(id)
                .execute(&mut *tx)
                .await?;
        });
        Ok(())
    }

    /// The group's live subscription.
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

    /// The id and group of the subscription that Stripe knows by this id.
    pub async fn subscription_at_stripe(&self, stripe_id: &str) -> Result<Option<(SubscriptionId, GroupId)>> {
        Ok(on_db!(self, |pool| {
            sqlx::query_as("SELECT id, group_id FROM subscriptions WHERE stripe_subscription_id = $1")
                .bind(stripe_id)
                .fetch_optional(pool)
                .await?
        }))
    }

    /// The id and group of a purchase whose id at Stripe is not kept yet.
    pub async fn unnamed_subscription(
        &self,
        id: SubscriptionId,
    ) -> Result<Option<(SubscriptionId, GroupId)>> {
        Ok(on_db!(self, |pool| {
            sqlx::query_as(
                "SELECT id, group_id FROM subscriptions WHERE id = $1 AND stripe_subscription_id IS NULL",
            )
            .bind(id)
            .fetch_optional(pool)
            .await?
        }))
    }

    /// Every subscription that may still change: for a comparison of all with Stripe.
    pub async fn live_subscriptions(&self) -> Result<Vec<SubscriptionRow>> {
        Ok(on_db!(self, |pool| {
            sqlx::query_as(subscription_select!(is_live!("s"), " ORDER BY s.id")).fetch_all(pool).await?
        }))
    }

    /// Draws the number that a fetch from Stripe will be written under.
    ///
    /// # Errors
    /// [`Refusal::NotFound`]; the database's.
    pub async fn draw_sync_ticket(&self, id: SubscriptionId) -> Result<i64> {
        let ticket: Option<i64> = write_db!(self, |pool| {
            sqlx::query_scalar(
                "UPDATE subscriptions SET sync_ticket = sync_ticket + 1 WHERE id = $1 RETURNING sync_ticket",
            )
            .bind(id)
            .fetch_optional(pool)
            .await?
        });
        ticket.ok_or_else(|| Refusal::NotFound("subscription".into()).into())
    }

    /// Writes what Stripe said under a ticket, opens the period's summary, and marks the webhook event done
    /// where one asked, all in one transaction. What was fetched under an older ticket than the last one
    /// written is dropped: the newer answer knows what it knew. An ended subscription stays ended.
    ///
    /// Gives whether anything changed.
    ///
    /// # Errors
    /// [`Refusal::SubscriptionExists`] where it would be the group's second live one; the database's.
    pub async fn apply_stripe_state(
        &self,
        group: GroupId,
        id: SubscriptionId,
        ticket: i64,
        state: &StripeState,
        event: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<bool> {
        let status = state.status.as_str();
        let mut transaction = self.begin().await?;
        transaction.lock_group(group).await?;
        let changed = on_tx!(transaction, |tx| {
            sqlx::query(concat!(
                "UPDATE subscriptions SET
                     status = $3, stripe_subscription_id = $4, stripe_price_id = $5, price_minor = $6,
                     plan_id = COALESCE($7, plan_id), current_period_start = $8, current_period_end = $9,
                     cancel_at_period_end = $10,
                     past_due_since = CASE WHEN $3 <> 'past_due' THEN NULL ELSE COALESCE(past_due_since, $11) END,
                     synced_ticket = $2, updated_at = $11
                 WHERE id = $1 AND synced_ticket < $2 AND ",
                is_live!("subscriptions")
            ))
            .bind(id)
            .bind(ticket)
            .bind(status)
            .bind(&state.stripe_subscription_id)
            .bind(&state.stripe_price_id)
            .bind(state.price_minor)
            .bind(state.plan_id)
            .bind(state.period_start)
            .bind(state.period_end)
            .bind(state.cancel_at_period_end)
            .bind(now)
            .execute(&mut *tx)
            .await
            .map_err(second_live)?
            .rows_affected()
                == 1
        });
        if changed && !state.status.is_live() {
            transaction.close_period(group, id, now).await?;
        } else if changed && state.status != Status::Incomplete {
            let period = Period { start: state.period_start, end: state.period_end };
            transaction.open_period(group, id, period, now).await?;
        }
        if let Some(event) = event {
            on_tx!(transaction, |tx| {
                sqlx::query(
                    "UPDATE webhook_events SET processed_at = $2 WHERE id = $1 AND processed_at IS NULL",
                )
                .bind(event)
                .bind(now)
                .execute(&mut *tx)
                .await?;
            });
        }
        transaction.commit().await?;
        Ok(changed)
    }
}

fn second_live(error: sqlx::Error) -> Error {
    if dialect::is_unique_violation(&error, "subscriptions_one_live", "subscriptions.group_id") {
        Refusal::SubscriptionExists.into()
    } else {
        error.into()
    }
}
