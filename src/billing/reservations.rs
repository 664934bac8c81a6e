//! Purchases on their way to Stripe: made, turned into subscriptions, and recovered where they were cut off.
//!
//! A purchase is reserved here before Stripe is asked, so that two at the same time can't both reach it. Its id goes with
//! it into Stripe's metadata, and is the idempotency key that Stripe is asked under. Whatever cuts it off (a crash, an
//! answer that was lost), the reservation is left with all that was asked, so Stripe can be asked the same again, and does
//! it once. A reservation is leased for seconds, and the lease renewed for as long as its purchase is under way: a server
//! that is gone holds nobody up.

use std::time::Duration as StdDuration;

use chrono::Duration;
use stripe_shared::Subscription as StripeSubscription;
use tracing::{error, info, warn};
use uuid::Uuid;

use super::failure::Failure;
use super::stripe::Purchase;
use super::{Billing, Error};
use crate::domain::{GroupId, PlanId, Refusal, SubscriptionId, User};
use crate::error::Result;
use crate::storage::ReservationRow;

/// How long a purchase is taken to be under way without a sign of it.
const LEASE: Duration = Duration::seconds(10);
/// Between two such signs.
const BEAT: StdDuration = StdDuration::from_secs(3);
/// How long after that Stripe may still be at work on it: what it doesn't know of by then it was never asked for.
const SETTLED_AFTER: Duration = Duration::minutes(2);

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
            stripe_customer_id: None,
            payment_method: None,
            created_at: now,
            recoverable_at: now + LEASE,
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

    /// Does what a purchase takes, and keeps it from being taken for cut off meanwhile. Where it fails, what is left of it
    /// is for the next one who asks.
    pub(super) async fn leased<T>(
        &self,
        id: SubscriptionId,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let renewing = async {
            loop {
                tokio::time::sleep(BEAT).await;
                if let Err(error) = self.store.put_off_recovery(id, self.clock.now() + LEASE).await {
                    warn!(%error, reservation = %id, "a purchase under way may be taken for cut off");
                }
            }
        };
        let done = tokio::select! {
            biased;
            done = work => done,
            never = renewing => never,
        };
        if done.is_err()
            && let Err(error) = self.store.put_off_recovery(id, self.clock.now()).await
        {
            error!(%error, reservation = %id, "a purchase that failed stays reserved for some seconds");
        }
        done
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

    /// What became of a purchase that Stripe didn't answer as it should: the subscription, where it made it all the same.
    /// Where it is certain that it didn't, the group is free to buy again; where it isn't, the next purchase finds out.
    ///
    /// # Errors
    /// The failure.
    pub(super) async fn outcome(
        &self,
        reservation: &ReservationRow,
        customer: &str,
        failure: Failure,
    ) -> Result<StripeSubscription> {
        let id = reservation.id;
        let mut certain = failure.did_nothing();
        if !certain {
            match self.stripe.find_subscription(customer, &id.to_string()).await {
                Ok(Some(found)) => return Ok(found),
                Ok(None) => certain = failure.is_over(),
                Err(error) => warn!(%error, reservation = %id, "what became of a purchase isn't known"),
            }
        }
        if certain {
            self.store.delete_reservation(id).await?;
        }
        Err(failure.into())
    }

    /// Takes over the group's purchase that was cut off, if there is one, for the caller alone to settle.
    ///
    /// # Errors
    /// [`Refusal::PurchaseInProgress`] where another was faster; the database's.
    pub(super) async fn take_over(&self, group: GroupId) -> Result<Option<ReservationRow>> {
        let now = self.clock.now();
        match self.store.reservation(group).await? {
            Some(left) if left.recoverable_at <= now => {
                if self.store.take_over_reservation(&left, now + LEASE).await? {
                    Ok(Some(left))
                } else {
                    Err(Refusal::PurchaseInProgress.into())
                }
            }
            _ => Ok(None),
        }
    }

    /// Finds out what becomes of a purchase that was cut off, by asking Stripe once more for the same: gives the
    /// subscription, made then or now, or `None` where there won't be one.
    ///
    /// # Errors
    /// Stripe's, where it still isn't known; the database's.
    pub(super) async fn settle(&self, left: &ReservationRow) -> Result<Option<StripeSubscription>> {
        let found = match &left.stripe_customer_id {
            // It never came to that.
            None => None,
            Some(customer) => {
                let find = async || self.stripe.find_subscription(customer, &left.id.to_string()).await;
                match find().await? {
                    Some(found) => Some(found),
                    None => match self.stripe.create_subscription(&Purchase::of(left, customer)).await {
                        Ok(made) => Some(made),
                        Err(failure) if failure.did_nothing() => None,
                        // It may have been made all the same.
                        Err(failure) if failure.is_over() => find().await?,
                        Err(failure) => return Err(failure.into()),
                    },
                }
            }
        };
        info!(reservation = %left.id, found = found.is_some(), "a purchase that was cut off is settled");
        if found.is_none() {
            self.store.delete_reservation(left.id).await?;
        }
        Ok(found)
    }

    /// Ends a subscription of a purchase that was cut off, since its group wants another now.
    ///
    /// # Errors
    /// Stripe's; the database's.
    pub(super) async fn discard(&self, left: &ReservationRow, made: &StripeSubscription) -> Result<()> {
        self.stripe.cancel_now(made.id.as_str(), None).await?;
        self.store.delete_reservation(left.id).await?;
        // A webhook may have been faster.
        if self.store.subscription_at_stripe(made.id.as_str()).await?.is_some() {
            self.sync(made.id.as_str(), None).await?;
        }
        Ok(())
    }

    /// Purchases that were cut off so long ago that Stripe knows of them, or never will.
    ///
    /// # Errors
    /// The database's.
    pub(super) async fn cut_off(&self) -> Result<Vec<ReservationRow>> {
        self.store.recoverable_reservations(self.clock.now() - SETTLED_AFTER).await
    }

    /// Looks up at Stripe what became of a purchase: its subscription is adopted; where there is none, the group may buy
    /// again. Gives whether there was one.
    ///
    /// # Errors
    /// Stripe's; the database's.
    pub(super) async fn recover(&self, reservation: &ReservationRow) -> Result<bool> {
        let (group, id) = (reservation.group_id, reservation.id);
        let found = match &reservation.stripe_customer_id {
            Some(customer) => self.stripe.find_subscription(customer, &id.to_string()).await?,
            None => None,
        };
        info!(reservation = %id, found = found.is_some(), "a purchase that was cut off is recovered");
        match found {
            Some(found) => self.convert(group, id, &found).await,
            None => self.store.delete_reservation(id).await.map(|()| false),
        }
    }
}
