//! Keeping subscriptions as Stripe says they are.
//!
//! Order never matters: what is written is what a fetch said, and a fetch that began before the last one written is
//! dropped. So a webhook is only a reason to fetch.

use stripe_shared::Subscription as StripeSubscription;
use tracing::{debug, warn};

use super::notices::ToldBy;
use super::stripe::SUBSCRIPTION_KEY;
use super::{Billing, time};
use crate::domain::{Currency, GroupId, Interval, Money, Period, Subscription, SubscriptionId, User};
use crate::error::{Error, Result};
use crate::storage::{Fetched, InboxEvent, StripeState};

/// A subscription that was fetched.
pub(super) struct Pulled {
    pub(super) found: StripeSubscription,
    pub(super) state: StripeState,
    /// Whether it was written: not if a later fetch was faster, or the subscription had ended.
    pub(super) written: bool,
}

impl Billing {
    /// Fetches the live subscription of the user's group from Stripe and gives it as it is now.
    ///
    /// # Errors
    /// [`crate::domain::Refusal::Forbidden`] for a user without a group; Stripe's; the database's.
    pub async fn refresh(&self, user: &User) -> Result<Option<Subscription>> {
        let group = user.must_have_group()?;
        if let Some(row) = self.store.live_subscription(group).await? {
            self.sync(&row.stripe_subscription_id, None).await?;
        }
        self.subscription(user).await
    }

    /// Fetches one subscription from Stripe and writes what it says, with the event that asked marked done in the same
    /// transaction. One that isn't ours is left alone.
    ///
    /// # Errors
    /// [`Error::Stripe`] where Stripe doesn't have one of ours, and its others; the database's.
    pub(super) async fn sync(&self, stripe_id: &str, event: Option<&InboxEvent>) -> Result<()> {
        let known = match self.store.subscription_at_stripe(stripe_id).await? {
            Some(known) => Some(known),
            None => self.adopt(stripe_id).await?,
        };
        let Some((group, id)) = known else {
            if let Some(event) = event {
                self.finish_event(&event.id).await?;
            }
            return Ok(());
        };
        self.pull(group, id, stripe_id, event).await?.ok_or_else(|| gone(stripe_id))?;
        // A period may be over, whose overage goes on the renewal's draft while that takes lines. What fails here is done
        // by the job.
        if let Err(error) = self.charge_overage(Some(group)).await {
            warn!(subscription = %id, %error, "overage could not be charged");
        }
        Ok(())
    }

    /// Fetches a subscription of ours from Stripe and writes what it says, with the event that asked marked done.
    /// `None` where Stripe has none.
    pub(super) async fn pull(
        &self,
        group: GroupId,
        id: SubscriptionId,
        stripe_id: &str,
        event: Option<&InboxEvent>,
    ) -> Result<Option<Pulled>> {
        let ticket = self.store.draw_sync_ticket(id).await?;
        let Some(found) = self.stripe.subscription(stripe_id).await? else { return Ok(None) };
        let (state, latest) = (state(&found)?, self.latest_invoice(&found).await);
        let due = self.due(group, &found, state.status, event).await?;
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        tx.lock_group(group).await?;
        let change = tx.apply_stripe_state(group, id, ticket, &state, now).await?;
        if let Some(change) = &change {
            let told_by = ToldBy { state: &state, due, event };
            self.put_down_notices(&mut tx, group, change, told_by, now).await?;
        }
        if let Some(invoice) = &latest {
            tx.apply_invoice(group, ticket, invoice, Fetched::WithoutCredits).await?;
        }
        if let Some(event) = event {
            tx.mark_event_done(&event.id, now).await?;
        }
        tx.commit().await?;
        let written = change.is_some();
        if written {
            self.store.wake_notices();
            debug!(subscription = %id, status = %state.status, "subscription written as Stripe has it");
            (self.on_change)(group);
        }
        Ok(Some(Pulled { found, state, written }))
    }

    /// Finds the purchase that this subscription was made for, where Stripe's answer to it was not kept: the server
    /// stopped in between, or the webhook was faster.
    async fn adopt(&self, stripe_id: &str) -> Result<Option<(GroupId, SubscriptionId)>> {
        let Some(found) = self.stripe.subscription(stripe_id).await? else { return Ok(None) };
        let Some(id) = found.metadata.get(SUBSCRIPTION_KEY).and_then(|id| id.parse().ok()) else {
            return Ok(None);
        };
        if let Some(reservation) = self.store.reservation_by_id(id).await? {
            self.convert(reservation.group_id, id, &found).await?;
        }
        // Converted now, or by another since it was looked for.
        self.store.subscription_at_stripe(stripe_id).await
    }
}

/// What is kept of a subscription as Stripe has it.
pub(super) fn state(found: &StripeSubscription) -> Result<StripeState> {
    let item = found
        .items
        .data
        .first()
        .ok_or_else(|| Error::Stripe(format!("{} has no items", found.id.as_str())))?;
    let currency: Option<Currency> = item.price.currency.to_string().parse().ok();
    let recurring = item.price.recurring.as_ref().filter(|recurring| recurring.interval_count == 1);
    let interval: Option<Interval> = recurring.and_then(|recurring| recurring.interval.as_str().parse().ok());
    Ok(StripeState {
        stripe_subscription_id: found.id.to_string(),
        status: found.status.as_str().parse().map_err(Error::Stripe)?,
        stripe_price_id: item.price.id.to_string(),
        price: item.price.unit_amount.zip(currency).map(|(minor, currency)| Money::new(minor, currency)),
        interval,
        period: Period { start: time(item.current_period_start)?, end: time(item.current_period_end)? },
        anchor: time(found.billing_cycle_anchor)?,
        cancel_at_period_end: found.cancel_at_period_end,
        next_price_id: next_price(found),
        trial_end: found.trial_end.map(time).transpose()?,
        ended_at: found.ended_at.map(time).transpose()?,
    })
}

/// The price that is to begin with the next period, if another is.
pub(super) fn next_price(found: &StripeSubscription) -> Option<String> {
    let schedule = found.schedule.as_ref()?.as_object()?;
    let current = schedule.current_phase.as_ref()?;
    let next = schedule.phases.iter().find(|phase| phase.start_date == current.end_date)?;
    let price = next.items.first()?.price.id().to_string();
    let now = found.items.data.first()?.price.id.as_str();
    (price != now).then_some(price)
}

/// How the error begins for a subscription that we know and Stripe doesn't.
pub(super) const GONE: &str = "there is no subscription";

/// The error for a subscription that we know and Stripe doesn't.
pub(super) fn gone(stripe_id: &str) -> Error {
    Error::Stripe(format!("{GONE} {stripe_id}"))
}
