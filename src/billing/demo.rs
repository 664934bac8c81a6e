//! What the demo data needs of the sandbox beyond what an application asks of Stripe: time that passes.

use chrono::{DateTime, Utc};
use stripe_shared::TestHelpersTestClock;
use tokio::sync::Mutex;

use super::Billing;
use super::stripe::Stripe;
use crate::config::StripeConfig;
use crate::domain::{PlanId, User};
use crate::error::{Error, Result};

/// What the clock of the demo's customers is called, by which the sandbox's panel shows it.
const CLOCK: &str = "Demo";

/// The test clock that the demo's customers stand on, so that its months can be turned by hand.
pub struct DemoClock {
    stripe: Stripe,
    clock: Mutex<TestHelpersTestClock>,
}

impl DemoClock {
    /// The sandbox's, made where there is none: it stands at `at` then.
    ///
    /// # Errors
    /// [`Error::Internal`] where this isn't the sandbox; the sandbox's.
    pub async fn open(config: &StripeConfig, at: DateTime<Utc>) -> Result<Self> {
        if config.sandbox.is_none() {
            return Err(Error::Internal("the demo data is for the sandbox only".into()));
        }
        let stripe = Stripe::new(config)?;
        let clock = Mutex::new(stripe.clock_named(CLOCK, at).await?);
        Ok(Self { stripe, clock })
    }

    /// Its id at the sandbox.
    pub async fn id(&self) -> String {
        self.clock.lock().await.id.to_string()
    }

    /// Brings it to `to` with all that falls due until then. One that is ahead stays so.
    ///
    /// # Errors
    /// The sandbox's.
    pub async fn advance(&self, to: DateTime<Utc>) -> Result<()> {
        Ok(self.stripe.advance_clock(&mut *self.clock.lock().await, to).await?)
    }
}

impl Billing {
    /// As [`Billing::subscribe`], going on at once with a purchase that was cut off: none but the loading of the demo data
    /// buys for its groups.
    ///
    /// # Errors
    /// As [`Billing::subscribe`].
    pub async fn subscribe_for_demo(&self, user: &User, plan: PlanId, payment_method: &str) -> Result<()> {
        if let Some(left) = self.store.reservation(user.must_be_admin()?).await? {
            self.store.put_off_recovery(left.id, self.clock.now()).await?;
        }
        self.subscribe(user, plan, Some(payment_method.to_owned())).await?;
        Ok(())
    }

    /// Has the group's live subscription paid by this payment method from now on, without trying it.
    ///
    /// # Errors
    /// [`crate::domain::Refusal::Forbidden`] for a user without a group; Stripe's; the database's.
    pub async fn pay_demo_by(&self, user: &User, payment_method: &str) -> Result<()> {
        let group = user.must_have_group()?;
        let customer = self.customer(user, group).await?;
        let Some(row) = self.store.live_subscription(group).await? else { return Ok(()) };
        let card = self.stripe.attach(payment_method, &customer).await?;
        Ok(self.stripe.set_default(&customer, &row.stripe_subscription_id, &card).await?)
    }
}
