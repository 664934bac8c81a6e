//! How a subscription ends: cancelling, and taking that back.

use stripe_shared::Subscription as StripeSubscription;

use super::Billing;
use super::failure::Failure;
use crate::domain::{Cancellation, GroupId, Refusal, Status, Subscription, SubscriptionId, User};
use crate::error::Result;
use crate::storage::SubscriptionRow;

impl Billing {
    /// Cancels, at the end of the period or now. A subscription that was never paid ends now in any case. One that has
    /// ended stays as it is.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] for anyone but an admin; [`Refusal::NotFound`], also for another group's;
    /// [`Refusal::Conflict`] for a purchase on its way; Stripe's; the database's.
    pub async fn cancel(
        &self,
        user: &User,
        id: SubscriptionId,
        cancellation: &Cancellation,
    ) -> Result<Subscription> {
        let group = user.must_be_admin()?;
        let mut row = self.arrived(group, id).await?;
        if cancellation.at_period_end && row.status == Status::Incomplete {
            // It may be paid, of which no webhook has come.
            self.sync(&row.stripe_subscription_id, None).await?;
            row = self.arrived(group, id).await?;
        }
        if !row.status.is_live() {
            return Ok(self.shown(row));
        }
        let stripe_id = &row.stripe_subscription_id;
        let canceled = if cancellation.at_period_end && row.status != Status::Incomplete {
            if let Some(found) = self.stripe.subscription(stripe_id).await? {
                self.release(&found).await?;
            }
            self.stripe.cancel_at_period_end(stripe_id, cancellation).await
        } else {
            self.stripe.cancel_now(stripe_id, Some(cancellation)).await
        };
        let now = self.after(&canceled, &row).await?;
        match canceled {
            Err(failure) if now.status.is_live() => Err(failure.into()),
            _ => Ok(now),
        }
    }

    /// Takes back a cancellation at the period's end. A subscription that isn't ending stays as it is.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] for anyone but an admin; [`Refusal::NotFound`], also for another group's;
    /// [`Refusal::Conflict`] for a purchase on its way, and for a subscription that has ended; Stripe's; the database's.
    pub async fn resume(&self, user: &User, id: SubscriptionId) -> Result<Subscription> {
        let group = user.must_be_admin()?;
        let row = self.arrived(group, id).await?;
        must_be_live(row.status)?;
        let resumed = self.stripe.keep(&row.stripe_subscription_id).await;
        let now = self.after(&resumed, &row).await?;
        must_be_live(now.status)?;
        resumed?;
        Ok(now)
    }

    /// Ends the schedule that a subscription is under: Stripe leaves its end to that. A change of plan that was to begin with
    /// the next period is taken back so; one that has begun stays, whose schedule goes on until the end of its first period.
    pub(super) async fn release(&self, found: &StripeSubscription) -> Result<()> {
        if let Some(schedule) = &found.schedule {
            self.stripe.release(schedule.id().as_str()).await?;
        }
        Ok(())
    }

    /// The subscription, which must not be a purchase that Stripe hasn't answered yet.
    pub(super) async fn arrived(&self, group: GroupId, id: SubscriptionId) -> Result<SubscriptionRow> {
        if self.store.reservation(group).await?.is_some_and(|reservation| reservation.id == id) {
            return Err(Refusal::Conflict("The purchase is still on its way to Stripe.".into()).into());
        }
        self.store.subscription(group, id).await
    }

    /// The subscription as Stripe has it after a change. Also after one that Stripe refused: it may have ended there
    /// already, of which no webhook has come.
    async fn after(&self, change: &Result<(), Failure>, row: &SubscriptionRow) -> Result<Subscription> {
        if matches!(change, Ok(()) | Err(Failure::Refused(_))) {
            self.sync(&row.stripe_subscription_id, None).await?;
        }
        Ok(self.shown(self.store.subscription(row.group_id, row.subscription_id).await?))
    }
}

pub(super) fn must_be_live(status: Status) -> Result<(), Refusal> {
    if status.is_live() { Ok(()) } else { Err(Refusal::Conflict("The subscription has ended.".into())) }
}
