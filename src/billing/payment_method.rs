//! What a subscription is paid with: changing it, and paying what is due with it.
//!
//! An invoice that waits is paid before the payment method is kept for the later ones: what is declined changes nothing.

use stripe_shared::{
    InvoiceStatus, PaymentMethod as StripePaymentMethod, SetupIntent, SetupIntentStatus,
    Subscription as StripeSubscription,
};
use tracing::{info, warn};

use super::Billing;
use super::account::default_of;
use super::checkout::is_stripe_id;
use super::life::must_be_live;
use super::stripe::Paid;
use super::sync::gone;
use crate::domain::{Checkout, GroupId, Intent, Refusal, Status, SubscriptionId, User};
use crate::error::{Error, Result};

impl Billing {
    /// Begins a change of the payment method: the answer's client secret is for a card form to confirm, and
    /// [`Billing::finish_payment_method`] then takes what was entered.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] for anyone but an admin; [`Refusal::NotFound`], also for another group's;
    /// [`Refusal::Conflict`] for a purchase on its way, and for a subscription that has ended; Stripe's; the database's.
    pub async fn begin_payment_method(&self, user: &User, id: SubscriptionId) -> Result<Checkout> {
        let group = user.must_be_admin()?;
        let found = self.payable(group, id).await?;
        let intent = self.stripe.create_setup_intent(found.customer.id().as_str(), found.id.as_str()).await?;
        self.answer(group, id, intent.client_secret.map(|secret| (secret, Intent::Setup))).await
    }

    /// Takes what was entered into the card form.
    ///
    /// # Errors
    /// As [`Billing::change_payment_method`]; [`Refusal::NotFound`] for a setup intent that isn't the group's, and
    /// [`Refusal::Conflict`] for one that isn't confirmed.
    pub async fn finish_payment_method(
        &self,
        user: &User,
        id: SubscriptionId,
        setup_intent: &str,
    ) -> Result<Checkout> {
        let group = user.must_be_admin()?;
        let missing = || Refusal::NotFound("setup intent".into());
        if !is_stripe_id(setup_intent) {
            return Err(missing().into());
        }
        let intent = self.stripe.setup_intent(setup_intent).await?.ok_or_else(missing)?;
        let customer = self.store.stripe_customer(group).await?;
        if intent.customer.as_ref().map(|owner| owner.id().to_string()) != customer {
            return Err(missing().into());
        }
        let Some(method) = entered(&intent) else {
            return Err(Refusal::Conflict("The card isn't confirmed yet.".into()).into());
        };
        let changed = self.change_payment_method(user, id, &method).await;
        self.forget_if_declined(&changed, &method).await;
        changed
    }

    /// Takes the card of a setup intent whose page was closed before it could say so, and marks the event that told of it
    /// done. Nothing happens where the card was taken, declined or followed by another already.
    ///
    /// # Errors
    /// Stripe's; the database's.
    pub(super) async fn take_entered_card(
        &self,
        stripe_id: &str,
        setup_intent: &str,
        event: &str,
    ) -> Result<()> {
        if let Some((group, id)) = self.store.subscription_at_stripe(stripe_id).await?
            && let Some(intent) = self.stripe.setup_intent(setup_intent).await?
            && let Some(method) = entered(&intent)
        {
            let taken = self.take_card(group, id, &intent, &method).await;
            self.forget_if_declined(&taken, &method).await;
            match taken {
                // What is refused now is refused for good.
                Err(Error::Refused(refusal)) => {
                    info!(subscription = %id, %refusal, "the card that was entered isn't taken");
                }
                Err(error) => return Err(error),
                Ok(()) => {}
            }
        }
        self.finish_event(event).await
    }

    async fn take_card(
        &self,
        group: GroupId,
        id: SubscriptionId,
        intent: &SetupIntent,
        method: &str,
    ) -> Result<()> {
        let found = self.payable(group, id).await?;
        let customer = found.customer.id().as_str();
        let kept = self.stripe.payment_method(method).await?;
        let is_the_customers = kept.customer.as_ref().is_some_and(|owner| owner.id().as_str() == customer);
        let current = found.default_payment_method.as_ref().and_then(|current| current.as_object());
        let is_newer =
            |current: &StripePaymentMethod| current.id.as_str() == method || current.created > intent.created;
        if !is_the_customers || current.is_some_and(is_newer) {
            return Ok(());
        }
        self.pay_by(group, id, &found, method).await?;
        Ok(())
    }

    /// A card that was entered to pay by, and was declined, isn't kept.
    async fn forget_if_declined<T>(&self, outcome: &Result<T>, method: &str) {
        if let Err(Error::Refused(Refusal::CardDeclined { .. })) = outcome
            && let Err(failure) = self.stripe.detach(method).await
        {
            warn!(%failure, "a declined card stays with its customer");
        }
    }

    /// Has the subscription be paid by another payment method from now on, and the invoice that it waits for at once; a
    /// paused one goes on. A client secret is left where the bank asks its cardholder first.
    ///
    /// # Errors
    /// As [`Billing::begin_payment_method`]; [`Refusal::CardDeclined`], or a refusal on `payment_method`, after either of
    /// which everything is as before.
    pub async fn change_payment_method(
        &self,
        user: &User,
        id: SubscriptionId,
        payment_method: &str,
    ) -> Result<Checkout> {
        let group = user.must_be_admin()?;
        if !is_stripe_id(payment_method) {
            return Err(Refusal::field("payment_method", "A payment method's id looks like pm_1Abc….").into());
        }
        let found = self.payable(group, id).await?;
        let method = self.stripe.attach(payment_method, found.customer.id().as_str()).await?;
        self.pay_by(group, id, &found, &method).await
    }

    /// Has the subscription be paid by a card of its customer's, as [`Billing::change_payment_method`].
    async fn pay_by(
        &self,
        group: GroupId,
        id: SubscriptionId,
        found: &StripeSubscription,
        method: &str,
    ) -> Result<Checkout> {
        let mut paid = self.pay_waiting(found, method).await?;
        self.stripe.set_default(found.customer.id().as_str(), found.id.as_str(), method).await?;
        if is_paused(found) && waiting_invoice(found).is_none() {
            self.stripe.unpause(found.id.as_str()).await?;
            paid = self.pay_waiting(&self.payable(group, id).await?, method).await?;
        }
        self.after_payment(group, id, found, paid).await
    }

    /// Tries the payment method there is once more for the invoice that the subscription waits for.
    ///
    /// # Errors
    /// As [`Billing::begin_payment_method`]; [`Refusal::CardDeclined`]; [`Refusal::Conflict`] where there is no payment
    /// method to try.
    pub async fn pay(&self, user: &User, id: SubscriptionId) -> Result<Checkout> {
        let group = user.must_be_admin()?;
        let found = self.payable(group, id).await?;
        let method = match &found.default_payment_method {
            Some(method) => Some(method.id().to_string()),
            None => self.stripe.customer(found.customer.id().as_str()).await?.as_ref().and_then(default_of),
        };
        let method = method.ok_or_else(|| Refusal::Conflict("There is no card to pay with yet.".into()))?;
        let paid = self.pay_waiting(&found, &method).await?;
        self.after_payment(group, id, &found, paid).await
    }

    /// The subscription as Stripe has it now, which may be paid for.
    async fn payable(&self, group: GroupId, id: SubscriptionId) -> Result<StripeSubscription> {
        let row = self.arrived(group, id).await?;
        must_be_live(row.status)?;
        let stripe_id = &row.stripe_subscription_id;
        let pulled = self.pull(group, id, stripe_id, None).await?.ok_or_else(|| gone(stripe_id))?;
        must_be_live(pulled.state.status)?;
        Ok(pulled.found)
    }

    async fn pay_waiting(&self, found: &StripeSubscription, payment_method: &str) -> Result<Paid> {
        match waiting_invoice(found) {
            Some(invoice) => Ok(self.stripe.pay_invoice(invoice, payment_method).await?),
            None => Ok(Paid::Done),
        }
    }

    /// What to answer after an attempt to pay.
    async fn after_payment(
        &self,
        group: GroupId,
        id: SubscriptionId,
        found: &StripeSubscription,
        paid: Paid,
    ) -> Result<Checkout> {
        let stripe_id = found.id.as_str();
        let now = self.pull(group, id, stripe_id, None).await?.ok_or_else(|| gone(stripe_id))?.found;
        let invoice = now.latest_invoice.as_ref().and_then(|invoice| invoice.as_object());
        let secret = invoice
            .filter(|_| paid == Paid::NeedsAction)
            .and_then(|invoice| invoice.confirmation_secret.as_ref())
            .map(|secret| (secret.client_secret.clone(), Intent::Payment));
        self.answer(group, id, secret).await
    }
}

/// The card of a setup intent that is through.
fn entered(intent: &SetupIntent) -> Option<String> {
    let method = intent.payment_method.as_ref().filter(|_| intent.status == SetupIntentStatus::Succeeded);
    method.map(|method| method.id().to_string())
}

fn is_paused(found: &StripeSubscription) -> bool {
    found.status.as_str() == Status::Paused.as_str()
}

/// The id of the invoice that has to be paid for the subscription to go on.
pub(super) fn waiting_invoice(found: &StripeSubscription) -> Option<&str> {
    let status: Status = found.status.as_str().parse().ok()?;
    let invoice = found.latest_invoice.as_ref()?.as_object()?;
    let payable = match invoice.status.as_ref()? {
        InvoiceStatus::Open | InvoiceStatus::Uncollectible => true,
        // Once unpaid, invoices stay drafts.
        InvoiceStatus::Draft => status == Status::Unpaid,
        _ => false,
    };
    // A paused one goes on once the invoice of its resumption is paid.
    let waits = status.awaits_payment() || status == Status::Paused;
    invoice.id.as_ref().filter(|_| waits && payable).map(|id| id.as_str())
}
