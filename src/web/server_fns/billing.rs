//! What a group pays with, and what its invoices are made out to, for its admin.
#![allow(clippy::too_many_arguments, reason = "each is a field of a form; the macro repeats them")]

use leptos::prelude::*;

use crate::domain::SubscriptionId;
use crate::web::AppError;

/// Without a setup intent, begins a change of the card: the client secret is for a card form to confirm. With the one that
/// was confirmed, takes its card: gives whether something that was due is paid with it, and the client secret of a payment
/// that the bank asks its cardholder about first.
#[server(prefix = "/fn", endpoint = "billing/change-card")]
pub async fn change_card(
    id: SubscriptionId,
    #[server(default)] setup_intent: String,
) -> Result<(bool, Option<String>), AppError> {
    use crate::web::ssr::context::{services, user};
    let (user, billing) = (user()?, services().billing.clone());
    user.must_be_admin()?;
    if setup_intent.is_empty() {
        return Ok((false, billing.begin_payment_method(&user, id).await?.client_secret));
    }
    let was_paid = billing.subscription(&user).await?.is_some_and(|before| before.status.is_paid());
    let taken = billing.finish_payment_method(&user, id, &setup_intent).await?;
    Ok((!was_paid && taken.subscription.status.is_paid(), taken.client_secret))
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

/// Enables overage up to a cap, or disables it.
#[server(prefix = "/fn", endpoint = "billing/overage")]
pub async fn agree_to_overage(
    id: SubscriptionId,
    enabled: bool,
    #[server(default)] cap: String,
) -> Result<(), AppError> {
    use crate::domain::OverageAgreement;
    use crate::web::ssr::{context, forms};
    let agreement = OverageAgreement { enabled, cap: Some(cap) };
    let agreed = context::services().billing.agree_to_overage(&context::user()?, id, &agreement).await;
    agreed.map_err(|error| forms::keep(error, &agreement))?;
    forms::done(if enabled { "Overage is enabled." } else { "Overage is disabled." });
    forms::go_on("/billing/overage");
    Ok(())
}

/// Has invoices made out so from now on.
#[server(prefix = "/fn", endpoint = "billing/details")]
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
