//! Purchases on their way to Stripe: one a group at most, and none beside a live subscription.

use chrono::{DateTime, Utc};
use sqlx::FromRow;

use super::movements::{Movement, Terms};
use super::subscriptions::second_live;
use super::{Opened, Store, StripeState, Tx, dialect};
use crate::domain::{
    Currency, Cycle, GroupId, Interval, PlanId, Refusal, Status, SubscriptionId, UserId, mrr,
};
use crate::error::{Error, Result};

/// A purchase that Stripe may or may not have made a subscription of.
#[derive(Clone, Debug, FromRow)]
pub struct ReservationRow {
    pub group_id: GroupId,
    /// What the subscription's id will be; its metadata at Stripe names it.
    pub id: SubscriptionId,
    pub user_id: UserId,
    pub plan_id: PlanId,
    pub stripe_price_id: String,
    pub price_minor: i64,
    #[sqlx(try_from = "String")]
    pub currency: Currency,
    #[sqlx(try_from = "String")]
    pub billing_interval: Interval,
    /// Days of trial, decided when it was reserved.
    pub trial_days: i64,
    /// The customer that Stripe was asked to charge; `None` until it was asked.
    pub stripe_customer_id: Option<String>,
    /// The card that Stripe was asked to charge; `None` for a card form.
    pub payment_method: Option<String>,
    pub created_at: DateTime<Utc>,
    /// From when on it counts as cut off. Put off again and again while its purchase is under way.
    pub recoverable_at: DateTime<Utc>,
}

macro_rules! reservation_select {
    ($rest:literal) => {
        concat!(
            "SELECT group_id, id, user_id, plan_id, stripe_price_id, price_minor, currency, billing_interval,
                 trial_days, stripe_customer_id, payment_method, created_at, recoverable_at
             FROM subscription_reservations WHERE ",
            $rest
        )
    };
}

/// How many of the group's subscriptions began with a trial.
macro_rules! had_trial {
    () => {
        "SELECT COUNT(*) FROM subscriptions WHERE group_id = $1 AND trial_end IS NOT NULL"
    };
}

impl Store {
    /// Whether the group has had a trial, of any plan and however it ended.
    ///
    /// # Errors
    /// The database's.
    pub async fn had_trial(&self, group: GroupId) -> Result<bool> {
        let trials: i64 =
            on_db!(self, |pool| { sqlx::query_scalar(had_trial!()).bind(group).fetch_one(pool).await? });
        Ok(trials > 0)
    }

    /// The group's purchase that is on its way.
    ///
    /// # Errors
    /// The database's.
    pub async fn reservation(&self, group: GroupId) -> Result<Option<ReservationRow>> {
        Ok(on_db!(self, |pool| {
            sqlx::query_as(reservation_select!("group_id = $1")).bind(group).fetch_optional(pool).await?
        }))
    }

    /// The purchase with this id, of any group.
    ///
    /// # Errors
    /// The database's.
    pub async fn reservation_by_id(&self, id: SubscriptionId) -> Result<Option<ReservationRow>> {
        Ok(on_db!(self, |pool| {
            sqlx::query_as(reservation_select!("id = $1")).bind(id).fetch_optional(pool).await?
        }))
    }

    /// The purchases that were cut off by then.
    ///
    /// # Errors
    /// The database's.
    pub async fn recoverable_reservations(&self, by: DateTime<Utc>) -> Result<Vec<ReservationRow>> {
        Ok(on_db!(self, |pool| {
            sqlx::query_as(reservation_select!("recoverable_at <= $1 ORDER BY group_id"))
                .bind(by)
                .fetch_all(pool)
                .await?
        }))
    }

    /// Has a purchase count as cut off from `at` on.
    ///
    /// # Errors
    /// The database's.
    pub async fn put_off_recovery(&self, id: SubscriptionId, at: DateTime<Utc>) -> Result<()> {
        write_db!(self, |pool| {
            sqlx::query("UPDATE subscription_reservations SET recoverable_at = $2 WHERE id = $1")
                .bind(id)
                .bind(at)
                .execute(pool)
                .await?;
        });
        Ok(())
    }

    /// Takes a purchase that was cut off over until `until`. Gives whether it is the caller's: another may have been
    /// faster.
    ///
    /// # Errors
    /// The database's.
    pub async fn take_over_reservation(&self, left: &ReservationRow, until: DateTime<Utc>) -> Result<bool> {
        let taken = write_db!(self, |pool| {
            sqlx::query(
                "UPDATE subscription_reservations SET recoverable_at = $3 WHERE id = $1 AND recoverable_at = $2",
            )
            .bind(left.id)
            .bind(left.recoverable_at)
            .bind(until)
            .execute(pool)
            .await?
            .rows_affected()
        });
        Ok(taken == 1)
    }

    /// Keeps whom and what Stripe is about to be asked to charge for a purchase.
    ///
    /// # Errors
    /// [`Refusal::PurchaseInProgress`] where it was taken for cut off and is gone; the database's.
    pub async fn set_payer(&self, id: SubscriptionId, customer: &str, card: Option<&str>) -> Result<()> {
        let kept = write_db!(self, |pool| {
            sqlx::query(
                "UPDATE subscription_reservations SET stripe_customer_id = $2, payment_method = $3 WHERE id = $1",
            )
            .bind(id)
            .bind(customer)
            .bind(card)
            .execute(pool)
            .await?
            .rows_affected()
        });
        if kept == 1 { Ok(()) } else { Err(Refusal::PurchaseInProgress.into()) }
    }

    /// Deletes a purchase of which nothing came: the group may buy again.
    ///
    /// # Errors
    /// The database's.
    pub async fn delete_reservation(&self, id: SubscriptionId) -> Result<()> {
        write_db!(self, |pool| {
            sqlx::query("DELETE FROM subscription_reservations WHERE id = $1").bind(id).execute(pool).await?;
        });
        Ok(())
    }
}

impl Tx {
    /// Reserves the group's one subscription for a purchase. Call [`Tx::lock_group`] first.
    ///
    /// # Errors
    /// [`Refusal::SubscriptionExists`] where the group has a live subscription; [`Refusal::PurchaseInProgress`] where
    /// another purchase is on its way; [`Refusal::NotFound`] where the plan was deleted meanwhile; the database's.
    pub async fn add_reservation(&mut self, new: &ReservationRow) -> Result<()> {
        on_tx!(self, |connection| {
            let live: i64 = sqlx::query_scalar(concat!(
                "SELECT COUNT(*) FROM subscriptions s WHERE s.group_id = $1 AND ",
                is_live!("s")
            ))
            .bind(new.group_id)
            .fetch_one(&mut *connection)
            .await?;
            if live > 0 {
                return Err(Refusal::SubscriptionExists.into());
            }
            sqlx::query(
                "INSERT INTO subscription_reservations (group_id, id, user_id, plan_id, stripe_price_id, price_minor,
                     currency, billing_interval, trial_days, created_at, recoverable_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            )
            .bind(new.group_id)
            .bind(new.id)
            .bind(new.user_id)
            .bind(new.plan_id)
            .bind(&new.stripe_price_id)
            .bind(new.price_minor)
            .bind(new.currency.code())
            .bind(new.billing_interval.as_str())
            .bind(new.trial_days)
            .bind(new.created_at)
            .bind(new.recoverable_at)
            .execute(&mut *connection)
            .await
            .map_err(not_reserved)?;
        });
        Ok(())
    }

    /// Whether the group has had a trial, of any plan and however it ended. Call [`Tx::lock_group`] first.
    ///
    /// # Errors
    /// The database's.
    pub async fn had_trial(&mut self, group: GroupId) -> Result<bool> {
        let trials: i64 = on_tx!(self, |connection| {
            sqlx::query_scalar(had_trial!()).bind(group).fetch_one(connection).await?
        });
        Ok(trials > 0)
    }

    /// Turns a purchase into the subscription that Stripe made of it, on the terms it was sold on. Gives whether it was
    /// still there: another, such as a webhook that came first, may have done so before. Call [`Tx::lock_group`] first.
    ///
    /// # Errors
    /// [`Refusal::SubscriptionExists`] where it would be the group's second live one; the database's.
    pub async fn convert_reservation(
        &mut self,
        group: GroupId,
        id: SubscriptionId,
        state: &StripeState,
        now: DateTime<Utc>,
    ) -> Result<bool> {
        let reserved: Option<ReservationRow> = on_tx!(self, |connection| {
            sqlx::query_as(reservation_select!("group_id = $1 AND id = $2"))
                .bind(group)
                .bind(id)
                .fetch_optional(connection)
                .await?
        });
        let Some(reserved) = reserved else { return Ok(false) };
        let mrr = mrr(reserved.price_minor, reserved.billing_interval, state.status);
        on_tx!(self, |connection| {
            sqlx::query(
                "INSERT INTO subscriptions (id, group_id, user_id, plan_id, status, stripe_subscription_id,
                     stripe_price_id, price_minor, currency, billing_interval, mrr, current_period_start,
                     current_period_end, cancel_at_period_end, past_due_since, created_at, updated_at,
                     billing_anchor, trial_end)
                 SELECT id, group_id, user_id, plan_id, $3, $4, stripe_price_id, price_minor, currency,
                     billing_interval, $11, $5, $6, $7, CASE WHEN $3 = 'past_due' THEN $8 END, $8, $8, $9, $10
                 FROM subscription_reservations WHERE group_id = $1 AND id = $2",
            )
            .bind(group)
            .bind(id)
            .bind(state.status.as_str())
            .bind(&state.stripe_subscription_id)
            .bind(state.period.start)
            .bind(state.period.end)
            .bind(state.cancel_at_period_end)
            .bind(now)
            .bind(state.anchor)
            .bind(state.trial_end)
            .bind(mrr)
            .execute(&mut *connection)
            .await
            .map_err(second_live)?;
            sqlx::query("DELETE FROM subscription_reservations WHERE group_id = $1 AND id = $2")
                .bind(group)
                .bind(id)
                .execute(&mut *connection)
                .await?;
        });
        let after = Terms { status: state.status, plan: reserved.plan_id, currency: reserved.currency, mrr };
        let at = state.period.start;
        let movement = Movement { group, subscription: id, before: None, after, at };
        self.add_movement(&movement, now).await?;
        if state.status.is_live() && state.status != Status::Incomplete {
            let interval = state.interval.unwrap_or_default();
            let cycle = Cycle { billing: state.period, anchor: state.anchor, interval };
            let current = cycle.usage_period(state.period.nearest(now));
            self.open_period(group, id, current, Opened::ByStripe, now).await?;
        }
        Ok(true)
    }
}

fn not_reserved(error: sqlx::Error) -> Error {
    if dialect::is_unique_violation(
        &error,
        "subscription_reservations_pkey",
        "subscription_reservations.group_id",
    ) {
        Refusal::PurchaseInProgress.into()
    } else if dialect::is_foreign_key_violation(&error) {
        Refusal::NotFound("plan".into()).into()
    } else {
        error.into()
    }
}
