//! A subscription that began in the past, for the demo data: bought like any other, at the sandbox.

use chrono::{DateTime, Utc};

use super::Billing;
use super::stripe::Stripe;
use crate::config::StripeConfig;
use crate::domain::{Plan, Subscription, User};
use crate::error::{Error, Result};

/// What the clock of the demo's customers is called, by which the sandbox's panel shows it.
const CLOCK: &str = "Demo";

/// The test clock that the demo's customers stand on, so that its months can be turned by hand.
///
/// # Errors
/// The sandbox's.
pub async fn demo_clock(config: &StripeConfig, now: DateTime<Utc>) -> Result<String> {
    Ok(Stripe::new(config)?.clock_named(CLOCK, now).await?)
}

/// When a subscription of the demo began and when its current period ends.
#[derive(Clone, Copy, Debug)]
pub struct DemoTerms {
    pub began: DateTime<Utc>,
    pub period_end: DateTime<Utc>,
}

impl Billing {
    /// Subscribes the admin's group to a plan as of a time in the past, paid by `payment_method`. Where an earlier
    /// attempt was cut off after Stripe had made the subscription, that one is given.
    ///
    /// # Errors
    /// As [`Billing::subscribe`]; [`Error::Internal`] where this isn't the sandbox.
    pub async fn subscribe_in_the_past(
        &self,
        user: &User,
        plan: &Plan,
        terms: DemoTerms,
        payment_method: &str,
    ) -> Result<Subscription> {
        if self.config.stripe.sandbox.is_none() {
            return Err(Error::Internal("the demo data is for the sandbox only".into()));
        }
        let group = user.must_be_admin()?;
        // Left by a load that was cut off: none but this one buys for the demo's groups.
        if let Some(reservation) = self.store.reservation(group).await? {
            self.recover(&reservation).await?;
        }
        if let Some(made) = self.store.live_subscription(group).await? {
            return Ok(self.shown(made));
        }
        let reservation = self.reserve(user, group, plan.id).await?;
        let backdated = (terms.began.timestamp(), terms.period_end.timestamp());
        self.make(user, &reservation, Some(payment_method), Some(backdated)).await?;
        Ok(self.shown(self.store.subscription(group, reservation.id).await?))
    }
}
