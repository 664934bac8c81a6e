//! What Stripe has of a group: what it pays with, what comes next, what its invoices are made out to.

use std::time::Duration;

use stripe_shared::{
    Customer, PaymentMethod as StripePaymentMethod, Subscription as StripeSubscription, TaxId,
};
use tokio::time::timeout;

use super::Billing;
use super::payment_method::waiting_invoice;
use crate::domain::{
    Account, BillingDetails, Expiry, GroupId, Money, NextCharge, PaymentMethod, Refusal, Status,
    SubscriptionId, User,
};
use crate::error::{Error, Result};

/// How long a person waits for what Stripe has. A call is tried for longer where something depends on it.
const WITHIN: Duration = Duration::from_secs(8);

impl Billing {
    /// What Stripe has of the admin's group.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] for anyone but an admin; Stripe's; the database's.
    pub async fn account(&self, user: &User) -> Result<Account> {
        let group = user.must_be_admin()?;
        let slow = |_| Error::Stripe("no answer while a person waits".into());
        timeout(WITHIN, self.read_account(group)).await.map_err(slow)?
    }

    async fn read_account(&self, group: GroupId) -> Result<Account> {
        let Some(customer) = self.store.stripe_customer(group).await? else { return Ok(Account::default()) };
        let (found, tax_ids, subscription) = tokio::try_join!(
            async { Ok(self.stripe.customer(&customer).await?) },
            async { Ok(self.stripe.tax_ids(&customer).await?) },
            self.live_at_stripe(group),
        )?;
        let Some(found) = found else { return Ok(Account::default()) };
        let unpaid = match subscription.as_ref().filter(|found| waiting_invoice(found).is_some()) {
            Some(waiting) => {
                let invoice = waiting.latest_invoice.as_ref().and_then(|invoice| invoice.as_object());
                match invoice {
                    Some(invoice) => Some(self.invoice(invoice).await?),
                    None => None,
                }
            }
            None => None,
        };
        Ok(Account {
            payment_method: self.pays_by(subscription.as_ref(), &found).await?,
            next_charge: match &subscription {
                Some(subscription) => self.next_charge(subscription).await?,
                None => None,
            },
            unpaid,
            details: details(&found, tax_ids.first()),
        })
    }

    /// What the admin's group pays by.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] for anyone but an admin; Stripe's; the database's.
    pub async fn payment_method(&self, user: &User) -> Result<Option<PaymentMethod>> {
        let group = user.must_be_admin()?;
        let Some(customer) = self.store.stripe_customer(group).await? else { return Ok(None) };
        let (found, subscription) = tokio::try_join!(
            async { Ok(self.stripe.customer(&customer).await?) },
            self.live_at_stripe(group),
        )?;
        match found {
            Some(found) => self.pays_by(subscription.as_ref(), &found).await,
            None => Ok(None),
        }
    }

    async fn live_at_stripe(&self, group: GroupId) -> Result<Option<StripeSubscription>> {
        let Some(row) = self.store.live_subscription(group).await? else { return Ok(None) };
        let pulled = self.pull(group, row.subscription_id, &row.stripe_subscription_id, None).await?;
        Ok(pulled.map(|pulled| pulled.found))
    }

    /// The subscription's own payment method, or else the customer's, as Stripe goes by.
    async fn pays_by(
        &self,
        subscription: Option<&StripeSubscription>,
        customer: &Customer,
    ) -> Result<Option<PaymentMethod>> {
        let own = subscription.and_then(|found| found.default_payment_method.as_ref()?.as_object());
        if let Some(own) = own {
            return Ok(Some(self.payment_method_shown(own)));
        }
        match default_of(customer) {
            Some(id) => Ok(Some(self.payment_method_shown(&self.stripe.payment_method(&id).await?))),
            None => Ok(None),
        }
    }

    fn payment_method_shown(&self, method: &StripePaymentMethod) -> PaymentMethod {
        match &method.card {
            Some(card) => PaymentMethod {
                kind: card.brand.clone(),
                last4: Some(card.last4.clone()),
                expiry: match (i32::try_from(card.exp_year), u32::try_from(card.exp_month)) {
                    (Ok(year), Ok(month)) => Expiry::new(year, month, self.clock.now()),
                    _ => None,
                },
            },
            None => PaymentMethod { kind: method.type_.as_str().to_owned(), last4: None, expiry: None },
        }
    }

    /// What Stripe will charge next for a subscription; none where it ends before, or nothing is charged any more.
    async fn next_charge(&self, found: &StripeSubscription) -> Result<Option<NextCharge>> {
        let status: Option<Status> = found.status.as_str().parse().ok();
        let renews = matches!(status, Some(Status::Active | Status::Trialing | Status::PastDue));
        if !renews || found.cancel_at_period_end || found.cancel_at.is_some() {
            return Ok(None);
        }
        let Some(preview) = self.stripe.preview(found.id.as_str()).await? else { return Ok(None) };
        let currency = preview.currency.to_string().parse().map_err(Error::Stripe)?;
        Ok(Some(NextCharge {
            amount: Money::new(preview.amount_due, currency),
            at: super::sync::state(found)?.period.end,
        }))
    }

    /// Has the invoices of the admin's group made out so from now on.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] for anyone but an admin; [`Refusal::Invalid`]; Stripe's; the database's.
    pub async fn set_billing_details(&self, user: &User, details: BillingDetails) -> Result<()> {
        let group = user.must_be_admin()?;
        let details = details.checked()?;
        let customer = self.customer(user, group).await?;
        // The one that is shown. Others, which Stripe's own pages may have added, stay.
        let kept = self.stripe.tax_ids(&customer).await?.into_iter().next();
        let same = |kept: &TaxId| kept.type_.as_str() == details.tax_id_type && kept.value == details.tax_id;
        if !kept.as_ref().is_some_and(same) {
            // First, since it is what Stripe may find fault with.
            if !details.tax_id.is_empty() {
                self.stripe.add_tax_id(&customer, &details.tax_id_type, &details.tax_id).await?;
            }
            if let Some(kept) = kept {
                self.stripe.remove_tax_id(&customer, kept.id.as_str()).await?;
            }
        }
        Ok(self.stripe.set_billing_details(&customer, &details).await?)
    }

    /// The address of the group's pages at Stripe, for its admin.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] for anyone but an admin; [`Refusal::NotFound`], also for another group's subscription;
    /// [`Refusal::StripeRefused`] where the portal isn't set up; Stripe's; the database's.
    pub async fn portal(&self, user: &User, id: SubscriptionId) -> Result<String> {
        let group = user.must_be_admin()?;
        self.arrived(group, id).await?;
        self.portal_of(group).await
    }

    /// As [`Billing::portal`], also for a group whose subscription has ended.
    ///
    /// # Errors
    /// As [`Billing::portal`]; [`Refusal::NotFound`] for a group that never bought anything.
    pub async fn group_portal(&self, user: &User) -> Result<String> {
        self.portal_of(user.must_be_admin()?).await
    }

    async fn portal_of(&self, group: GroupId) -> Result<String> {
        let customer = self.store.stripe_customer(group).await?;
        let customer = customer.ok_or_else(|| Refusal::NotFound("customer at Stripe".into()))?;
        let back =
            self.config.public_url.join("/billing").map_err(|error| Error::Internal(error.to_string()))?;
        Ok(self.stripe.portal(&customer, back.as_str()).await?)
    }
}

/// The id of the payment method that a customer's subscriptions without one of their own are paid by.
pub(super) fn default_of(customer: &Customer) -> Option<String> {
    let settings = customer.invoice_settings.as_ref()?;
    settings.default_payment_method.as_ref().map(|method| method.id().to_string())
}

fn details(customer: &Customer, tax_id: Option<&TaxId>) -> BillingDetails {
    let mut details = BillingDetails {
        name: customer.name.clone().unwrap_or_default(),
        tax_id_type: tax_id.map(|kept| kept.type_.as_str().to_owned()).unwrap_or_default(),
        tax_id: tax_id.map(|kept| kept.value.clone()).unwrap_or_default(),
        ..BillingDetails::default()
    };
    if let Some(address) = customer.address.clone() {
        details.line1 = address.line1.unwrap_or_default();
        details.line2 = address.line2.unwrap_or_default();
        details.postal_code = address.postal_code.unwrap_or_default();
        details.city = address.city.unwrap_or_default();
        details.state = address.state.unwrap_or_default();
        details.country = address.country.unwrap_or_default();
    }
    details
}
