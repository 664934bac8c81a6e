//! Purchases on their way to Stripe: made, turned into subscriptions, and recovered where they were cut off.
//!
//! A purchase is reserved here before Stripe is asked, so that two at the same time can't both reach it, and its id goes
//! with it into Stripe's metadata. Whatever cuts it off (a crash, an answer that was lost), the reservation is left, and
//! Stripe can be asked by that id what became of it.

use chrono::Duration;
use stripe_shared::Subscription as StripeSubscription;
use tracing::{error, info};
use uuid::Uuid;

use super::failure::Failure;
use super::{Billing, Error};
use crate::domain::{GroupId, PlanId, Refusal, SubscriptionId, User};
use crate::error::Result;
use crate::storage::ReservationRow;

/// How long a purchase may be under way: longer than its calls to Stripe take with all their retries.
const UNDER_WAY: Duration = Duration::minutes(2);

impl Billing {
    /// Reserves the group's subscription for a purchase of the plan that begins now.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] or [`Refusal::PlanArchived`] for a plan that isn't sold; [`Refusal::SubscriptionExists`];
    /// [`Refusal::PurchaseInProgress`]; [`Refusal::TooManyMembers`]; the database's.
    pub(super) async fn reserve(
        &self,
        user: &User,
        group: GroupId,
        plan_id: PlanId,
    ) -> Result<ReservationRow> {
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        tx.lock_group(group).await?;
        let plan = tx.plan(plan_id).await?;
        if plan.archived {
            return Err(Refusal::PlanArchived.into());
        }
        let price = plan
            .stripe_price_id
            .ok_or_else(|| Error::Internal(format!("plan {plan_id} has no price at Stripe")))?;
        // A group has one trial, once: decided here, where no other purchase of the group's can be.
        let trial_days = if tx.had_trial(group).await? { 0 } else { plan.trial_days };
        let reservation = ReservationRow {
            group_id: group,
            id: Uuid::now_v7().into(),
            user_id: user.id,
            plan_id,
            stripe_price_id: price,
            price_minor: plan.price_minor,
            currency: plan.currency,
            billing_interval: plan.billing_interval,
            trial_days,
            created_at: now,
            recoverable_at: now + UNDER_WAY,
        };
        tx.add_reservation(&reservation).await?;
        if let Some(seats) = plan.max_users {
            let members = tx.member_count(group).await?;
            if members > seats {
                return Err(Refusal::TooManyMembers { members, seats }.into());
            }
        }
        tx.commit().await?;
        Ok(reservation)
    }

    /// Turns a purchase into the subscription that Stripe made of it. Gives whether it was still there.
    ///
    /// Needs no ticket: the row begins with it, and every later fetch draws one after that.
    pub(super) async fn convert(
        &self,
        group: GroupId,
        id: SubscriptionId,
        made: &StripeSubscription,
    ) -> Result<bool> {
        let state = super::sync::state(made)?;
        let mut tx = self.store.begin().await?;
        tx.lock_group(group).await?;
        let converted = tx.convert_reservation(group, id, &state, self.clock.now()).await?;
        tx.commit().await?;
        if converted {
            (self.on_change)(group);
        }
        Ok(converted)
    }

    /// Gives the group free again where that is certain to be right after Stripe didn't make the subscription, and else
    /// has the next purchase, or the comparison with Stripe, find out. Gives the caller's error.
    pub(super) async fn not_made(&self, reservation: &ReservationRow, failure: Failure) -> Error {
        let (id, now) = (reservation.id, self.clock.now());
        let freed = if failure.did_nothing() {
            self.store.delete_reservation(id).await
        } else if failure.is_over() {
            self.store.make_recoverable(id, now).await
        } else {
            Ok(())
        };
        if let Err(error) = freed {
            error!(%error, reservation = %id, "a purchase that failed stays reserved until it is recovered");
        }
        failure.into()
    }

    /// Recovers the group's purchase, if one was cut off: the group must not be kept from buying by it.
    ///
    /// # Errors
    /// Stripe's; the database's.
    pub(super) async fn recover_group(&self, group: GroupId) -> Result<()> {
        match self.store.reservation(group).await? {
            Some(reservation) if reservation.recoverable_at <= self.clock.now() => {
                self.recover(&reservation).await.map(drop)
            }
            _ => Ok(()),
        }
    }

    /// Asks Stripe what became of a purchase: its subscription is adopted; where there is none, the group may buy again.
    /// Gives whether there was one.
    ///
    /// # Errors
    /// Stripe's; the database's.
    pub(super) async fn recover(&self, reservation: &ReservationRow) -> Result<bool> {
        let (group, id) = (reservation.group_id, reservation.id);
        let found = match self.store.stripe_customer(group).await? {
            Some(customer) => self.stripe.find_subscription(&customer, &id.to_string()).await?,
            None => None,
        };
        info!(reservation = %id, found = found.is_some(), "a purchase that was cut off is recovered");
        match found {
            Some(found) => self.convert(group, id, &found).await,
            None => self.store.delete_reservation(id).await.map(|()| false),
        }
    }
}
