//! Changing what a subscription is charged for: now, or with its next period.

use stripe_billing::invoice::{
    CreatePreviewInvoice, CreatePreviewInvoiceSubscriptionDetails,
    CreatePreviewInvoiceSubscriptionDetailsItems, CreatePreviewInvoiceSubscriptionDetailsProrationBehavior,
    VoidInvoiceInvoice,
};
use stripe_billing::subscription::{
    UpdateSubscription, UpdateSubscriptionItems, UpdateSubscriptionPaymentBehavior,
    UpdateSubscriptionProrationBehavior,
};
use stripe_billing::subscription_schedule::{
    CreateSubscriptionSchedule, ReleaseSubscriptionSchedule, UpdateSubscriptionSchedule,
    UpdateSubscriptionSchedulePhases, UpdateSubscriptionSchedulePhasesEndDate,
    UpdateSubscriptionSchedulePhasesItems, UpdateSubscriptionSchedulePhasesProrationBehavior,
    UpdateSubscriptionSchedulePhasesStartDate,
};
use stripe_core::payment_intent::RetrievePaymentIntent;
use stripe_shared::{
    Invoice, PaymentIntent, PaymentIntentStatus, Subscription, SubscriptionScheduleEndBehavior,
};

use super::{Failure, Result, Stripe, expansions, intent_of};
use crate::domain::Refusal;

/// A change to another price, prorated by the second.
#[derive(Clone, Copy, Debug)]
pub struct PriceChange<'a> {
    pub subscription: &'a str,
    pub item: &'a str,
    pub price: &'a str,
    /// The moment that it is prorated by, in Unix seconds.
    pub at: i64,
}

/// How far the payment of a change is.
#[derive(Debug)]
pub enum Settled {
    Paid,
    /// The bank asks its cardholder first.
    NeedsAction,
    /// It can't be made with the card there is.
    Refused(Refusal),
}

impl Stripe {
    /// What a change would cost at once.
    pub async fn preview_change(&self, change: &PriceChange<'_>) -> Result<Invoice> {
        let mut item = CreatePreviewInvoiceSubscriptionDetailsItems::new();
        item.id = Some(change.item.to_owned());
        item.price = Some(change.price.to_owned());
        let mut details = CreatePreviewInvoiceSubscriptionDetails::new();
        details.items = Some(vec![item]);
        details.proration_behavior =
            Some(CreatePreviewInvoiceSubscriptionDetailsProrationBehavior::AlwaysInvoice);
        details.proration_date = Some(change.at);
        let request =
            CreatePreviewInvoice::new().subscription(change.subscription).subscription_details(details);
        Ok(request.send(&self.client).await?)
    }

    /// Charges for a change, which takes effect once that is paid. Made once by the same key.
    pub async fn change_price(&self, change: &PriceChange<'_>, key: &str) -> Result<Subscription> {
        let mut item = UpdateSubscriptionItems::new();
        item.id = Some(change.item.to_owned());
        item.price = Some(change.price.to_owned());
        let request = UpdateSubscription::new(change.subscription)
            .items([item])
            .proration_behavior(UpdateSubscriptionProrationBehavior::AlwaysInvoice)
            .proration_date(change.at)
            .payment_behavior(UpdateSubscriptionPaymentBehavior::PendingIfIncomplete)
            .expand(expansions());
        self.send_once(&request, key).await
    }

    /// Has another price begin with the subscription's next period. The subscription must be under no schedule.
    pub async fn schedule_price(&self, found: &Subscription, price: &str) -> Result<()> {
        let schedule =
            CreateSubscriptionSchedule::new().from_subscription(found.id.as_str()).send(&self.client).await?;
        let Some(now) = schedule.phases.first() else {
            return Err(Failure::Failed(format!("{} has no phases", schedule.id.as_str())));
        };
        let items = now.items.iter().map(|item| {
            let mut kept = UpdateSubscriptionSchedulePhasesItems::new();
            kept.price = Some(item.price.id().to_string());
            kept.quantity = item.quantity;
            kept
        });
        let mut current = UpdateSubscriptionSchedulePhases::new(items.collect::<Vec<_>>());
        current.start_date = Some(UpdateSubscriptionSchedulePhasesStartDate::Timestamp(now.start_date));
        current.end_date = Some(UpdateSubscriptionSchedulePhasesEndDate::Timestamp(now.end_date));
        let mut item = UpdateSubscriptionSchedulePhasesItems::new();
        item.price = Some(price.to_owned());
        let mut next = UpdateSubscriptionSchedulePhases::new([item]);
        next.proration_behavior = Some(UpdateSubscriptionSchedulePhasesProrationBehavior::None);
        UpdateSubscriptionSchedule::new(schedule.id)
            .phases([current, next])
            .end_behavior(SubscriptionScheduleEndBehavior::Release)
            .send(&self.client)
            .await?;
        Ok(())
    }

    /// Takes back what was to begin with the next period.
    pub async fn release(&self, schedule: &str) -> Result<()> {
        ReleaseSubscriptionSchedule::new(schedule).send(&self.client).await?;
        Ok(())
    }

    /// Gives up an invoice, and with it the change that waited for it to be paid.
    pub async fn void_invoice(&self, invoice: &str) -> Result<()> {
        VoidInvoiceInvoice::new(invoice).send(&self.client).await?;
        Ok(())
    }

    /// How far a payment is, by its client secret.
    pub async fn settled(&self, client_secret: &str) -> Result<Settled> {
        let intent = RetrievePaymentIntent::new(intent_of(client_secret)).send(&self.client).await?;
        Ok(match intent.status {
            PaymentIntentStatus::Succeeded | PaymentIntentStatus::Processing => Settled::Paid,
            PaymentIntentStatus::RequiresAction => Settled::NeedsAction,
            _ => Settled::Refused(refused(&intent)),
        })
    }
}

fn refused(intent: &PaymentIntent) -> Refusal {
    match &intent.last_payment_error {
        Some(error) => Refusal::CardDeclined {
            message: error.message.clone().unwrap_or_else(|| "The card was declined.".into()),
            decline_code: error.decline_code.clone(),
        },
        None => Refusal::Conflict("There is no card to pay with yet. Add one first.".into()),
    }
}
