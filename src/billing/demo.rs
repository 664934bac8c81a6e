//! A subscription that began in the past, for the demo data: bought like any other, at the sandbox.

use chrono::{DateTime, Utc};

use super::Billing;
use super::stripe::Purchase;
use crate::domain::{Plan, Subscription, User};
use crate::error::{Error, Result};

/// When a subscription of the demo began and when its current period ends.
#[derive(Clone, Copy, Debug)]
pub struct DemoTerms {
    pub began: DateTime<Utc>,
    pub period_end: DateTime<Utc>,
}

impl Billing {
    /// Subscribes the admin's group to a plan as of a time in the past, paid by `payment_method`.
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
        let price =
            plan.stripe_price_id.clone().ok_or_else(|| Error::Internal("a plan has no price".into()))?;
        let id = self.reserve(user, group, plan, &price).await?;
        let customer = self.customer(user, group).await?;
        let card = self.stripe.attach(payment_method, &customer).await?;
        let made = self
            .stripe
            .create_subscription(&Purchase {
                customer: &customer,
                price: &price,
                reference: id.to_string(),
                payment_method: Some(&card),
                backdated: Some((terms.began.timestamp(), terms.period_end.timestamp())),
            })
            .await?;
        let ticket = self.store.draw_sync_ticket(id).await?;
        self.write(id, group, ticket, &made, None).await?;
        Ok(self.store.subscription(group, id).await?.subscription())
    }
}
