//! What a group pays with, and what its invoices are made out to, for its admin.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::domain::{Checkout, PaymentMethod, SubscriptionId};
use crate::web::AppError;

/// What became of a card that was entered.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CardTaken {
    pub method: Option<PaymentMethod>,
    /// Whether something was due, and is paid with it.
    pub paid: bool,
    /// Of a payment that the bank asks its cardholder about first.
    pub client_secret: Option<String>,
    pub publishable_key: String,
}

/// Begins a change of the card: the answer is for a card form to confirm.
#[server(prefix = "/fn", endpoint = "billing/begin-card")]
pub async fn begin_card(id: SubscriptionId) -> Result<Checkout, AppError> {
    use crate::web::ssr::context::{services, user};
    Ok(services().billing.begin_payment_method(&user()?, id).await?)
}

/// Takes the card that the form's setup intent was confirmed with.
#[server(prefix = "/fn", endpoint = "billing/finish-card")]
pub async fn finish_card(id: SubscriptionId, setup_intent: String) -> Result<CardTaken, AppError> {
    use crate::web::ssr::context::{services, user};
    let (user, billing) = (user()?, services().billing.clone());
    let waited = billing.subscription(&user).await?.is_some_and(|before| before.status.awaits_payment());
    let checkout = billing.finish_payment_method(&user, id, &setup_intent).await?;
    let paid = waited && !checkout.subscription.status.awaits_payment();
    Ok(CardTaken {
        method: billing.payment_method(&user).await?,
        paid,
        client_secret: checkout.client_secret,
        publishable_key: checkout.publishable_key,
    })
}

/// Tries the card there is once more.
#[server(prefix = "/fn", endpoint = "billing/pay")]
pub async fn pay(id: SubscriptionId) -> Result<(), AppError> {
    use crate::domain::Refusal;
    use crate::web::ssr::{context, forms};
    let checkout = context::services().billing.pay(&context::user()?, id).await?;
    if checkout.client_secret.is_some() {
        let message =
            "The bank asks for your approval first. Pay on Stripe's page, or enter the card anew below.";
        return Err(Refusal::Conflict(message.into()).into());
    }
    forms::done("The payment went through.");
    forms::go_on("/billing");
    Ok(())
}

/// Has invoices made out so from now on.
#[server(prefix = "/fn", endpoint = "billing/details")]
#[expect(clippy::too_many_arguments, reason = "each is a field of the form")]
pub async fn save_details(
    name: String,
    line1: String,
    line2: String,
    postal_code: String,
    city: String,
    state: String,
    country: String,
    tax_id_type: String,
    tax_id: String,
) -> Result<(), AppError> {
    use crate::domain::BillingDetails;
    use crate::web::ssr::{context, forms};
    let details =
        BillingDetails { name, line1, line2, postal_code, city, state, country, tax_id_type, tax_id };
    let saved = context::services().billing.set_billing_details(&context::user()?, details.clone()).await;
    saved.map_err(|error| forms::keep(error, &details))?;
    forms::done("The billing details were saved. The next invoice is made out to them.");
    forms::go_on("/billing");
    Ok(())
}
