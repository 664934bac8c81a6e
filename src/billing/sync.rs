//! Keeping subscriptions as Stripe says they are.
//!
//! Order never matters: what is written is what a fetch said, and a fetch that began before the last one
//! written is dropped. So a webhook is only a reason to look.

use stripe_shared::Subscription as StripeSubscription;
use tracing::{debug, warn};

use super::stripe::SUBSCRIPTION_KEY;
use super::{Billing, time};
use crate::domain::{GroupId, Subscription, SubscriptionId, User};
use crate::error::{Error, Result};
use crate::storage::{StripeState, SubscriptionRow};

/// How long a purchase may be on its way to Stripe before it is taken for cut off.
pub(super) const UNTOLD: chrono::Duration = chrono::Duration::minutes(2);

/// What a comparison with Stripe found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reconciled {
    /// Subscriptions that were compared.
    pub compared: u64,
    /// Those that were behind, and are put right.
    pub repaired: u64,
    /// Those Stripe could not be asked about.
    pub failed: u64,
}

/// A subscription that was fetched.
pub(super) struct Pulled {
    pub(super) found: StripeSubscription,
    state: StripeState,
    /// Whether it was written: not if a later fetch was faster, or the subscription had ended.
    changed: bool,
}

impl Billing {
    /// Fetches the live subscription of the user's group from Stripe and gives it as it is now.
    ///
    /// # Errors
    /// [`crate::domain::Refusal::Forbidden`] for somebody without a group; Stripe's; the database's.
    pub async fn refresh(&self, user: &User) -> Result<Option<Subscription>> {
        let group = user.must_have_group()?;
        if let Some(row) = self.store.live_subscription(group).await?
            && let Some(stripe_id) = &row.stripe_subscription_id
        {
            self.sync(stripe_id, None).await?;
        }
        self.subscription(user).await
    }

    /// Fetches one subscription from Stripe and writes what it says, with the event that asked marked done in
    /// the same transaction. One that isn't ours is left alone. Says whether anything changed.
    pub(super) async fn sync(&self, stripe_id: &str, event: Option<&str>) -> Result<bool> {
        let known = match self.store.subscription_at_stripe(stripe_id).await? {
            Some(known) => Some(known),
            None => self.adopt(stripe_id).await?,
        };
        let Some((id, group)) = known else {
            if let Some(event) = event {
                self.store.mark_event_done(event, self.clock.now()).await?;
            }
            return Ok(false);
        };
        let pulled = self.pull(id, group, stripe_id, event).await?;
        Ok(pulled.ok_or_else(|| gone(stripe_id))?.changed)
    }

    /// Fetches a subscription of ours from Stripe and writes what it says. Nothing where Stripe has none.
    pub(super) async fn pull(
        &self,
        id: SubscriptionId,
        group: GroupId,
        stripe_id: &str,
        event: Option<&str>,
    ) -> Result<Option<Pulled>> {
        let ticket = self.store.draw_sync_ticket(id).await?;
        let Some(found) = self.stripe.subscription(stripe_id).await? else { return Ok(None) };
        let (state, changed) = self.write(id, group, ticket, &found, event).await?;
        Ok(Some(Pulled { found, state, changed }))
    }

    /// Writes what a fetch under `ticket` said. Gives that, and whether it was written.
    pub(super) async fn write(
        &self,
        id: SubscriptionId,
        group: GroupId,
        ticket: i64,
        found: &StripeSubscription,
        event: Option<&str>,
    ) -> Result<(StripeState, bool)> {
        let state = self.state(found).await?;
        let changed =
            self.store.apply_stripe_state(group, id, ticket, &state, event, self.clock.now()).await?;
        if changed {
            debug!(subscription = %id, status = %state.status, "subscription written as Stripe has it");
            (self.on_change)(group);
        }
        Ok((state, changed))
    }

    async fn state(&self, found: &StripeSubscription) -> Result<StripeState> {
        let item = found
            .items
            .data
            .first()
            .ok_or_else(|| Error::Stripe(format!("{} has no items", found.id.as_str())))?;
        let price = item.price.id.as_str();
        Ok(StripeState {
            stripe_subscription_id: found.id.to_string(),
            status: found.status.as_str().parse().map_err(Error::Stripe)?,
            stripe_price_id: price.to_owned(),
            price_minor: item.price.unit_amount.unwrap_or(0),
            plan_id: self.store.plan_of_price(price).await?,
            period_start: time(item.current_period_start)?,
            period_end: time(item.current_period_end)?,
            cancel_at_period_end: found.cancel_at_period_end,
        })
    }

    /// Finds the purchase that this subscription was made for, where its id was not kept: the server
    /// stopped between Stripe's answer and writing it down, or the webhook was faster.
    async fn adopt(&self, stripe_id: &str) -> Result<Option<(SubscriptionId, GroupId)>> {
        let Some(found) = self.stripe.subscription(stripe_id).await? else { return Ok(None) };
        match found.metadata.get(SUBSCRIPTION_KEY).and_then(|id| id.parse().ok()) {
            Some(id) => self.store.unnamed_subscription(id).await,
            None => Ok(None),
        }
    }

    /// Settles a purchase that was cut off before Stripe's answer was written: adopts what Stripe has of it,
    /// or gives its place up. Says whether the place is free.
    pub(super) async fn settle_untold(&self, row: &SubscriptionRow) -> Result<bool> {
        if let Some(customer) = self.store.stripe_customer(row.group_id).await?
            && let Some(found) =
                self.stripe.find_subscription(&customer, &row.subscription_id.to_string()).await?
        {
            self.sync(found.id.as_str(), None).await?;
            return Ok(false);
        }
        self.store.drop_reservation(row.subscription_id).await?;
        Ok(true)
    }

    /// Compares every live subscription with Stripe and repairs what a lost webhook left behind.
    ///
    /// # Errors
    /// The database's. What Stripe doesn't answer is counted and logged.
    pub async fn reconcile(&self) -> Result<Reconciled> {
        let mut sum = Reconciled::default();
        for row in self.store.live_subscriptions().await? {
            sum.compared += 1;
            let outcome = match &row.stripe_subscription_id {
                Some(stripe_id) => self.repair(&row, stripe_id).await,
                None if self.clock.now() - row.current_period_start >= UNTOLD => {
                    self.settle_untold(&row).await
                }
                None => Ok(false),
            };
            match outcome {
                Ok(repaired) => sum.repaired += u64::from(repaired),
                Err(Error::Database(error)) => return Err(error.into()),
                Err(error) => {
                    warn!(subscription = %row.subscription_id, %error, "not compared with Stripe");
                    sum.failed += 1;
                }
            }
        }
        Ok(sum)
    }

    async fn repair(&self, row: &SubscriptionRow, stripe_id: &str) -> Result<bool> {
        let pulled = self.pull(row.subscription_id, row.group_id, stripe_id, None).await?;
        let Pulled { state, changed, .. } = pulled.ok_or_else(|| gone(stripe_id))?;
        let behind = state.status != row.status
            || state.period_start != row.current_period_start
            || state.period_end != row.current_period_end
            || state.cancel_at_period_end != row.cancel_at_period_end
            || state.stripe_price_id != row.sold_price_id;
        Ok(changed && behind)
    }
}

/// The error for a subscription that we know and Stripe doesn't.
pub(super) fn gone(stripe_id: &str) -> Error {
    Error::Stripe(format!("no subscription {stripe_id} there"))
}
