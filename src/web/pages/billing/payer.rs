//! What the subscription is paid with.

use leptos::prelude::*;

use super::{METHOD, PAYMENTS, PLAN};
use crate::domain::{Level, Money, PaymentMethod, SubscriptionId};
use crate::web::components::badge::Badge;
use crate::web::components::icon::{Icon, Shape};
use crate::web::format;
use crate::web::islands::payment_method::ChangePaymentMethod;
use crate::web::ssr::context::services;

#[component]
pub fn Payer(
    subscription: SubscriptionId,
    method: Option<PaymentMethod>,
    /// What a new card pays at once.
    due: Option<Money>,
    /// The setup intent that the bank's page was about; else empty.
    returned: String,
) -> impl IntoView {
    let stripe = &services().config.stripe;
    let (stripe_js, publishable_key) = (stripe.js_url.clone(), stripe.publishable_key.clone());
    let label = if method.is_some() { "Change card" } else { "Add a card" }.to_owned();
    let parts = format!("{PLAN} {METHOD} {PAYMENTS}");
    view! {
        <section class="panel" aria-labelledby="payer">
            <h2 id="payer">"Payment method"</h2>
            <div id=METHOD><Method method due/></div>
            <ChangePaymentMethod
                subscription
                label
                parts
                stripe_js
                publishable_key
                returned
            />
        </section>
    }
}

#[component]
fn Method(method: Option<PaymentMethod>, due: Option<Money>) -> impl IntoView {
    let due = due.map(|amount| {
        view! { <p class="field__hint">{format!("A new card pays the {amount} that is due at once.")}</p> }
    });
    let Some(method) = method else {
        return view! { <p class="payer__method">"There is no card yet."</p>{due} }.into_any();
    };
    let expiry = method.expiry.map(|expiry| {
        let badge = match expiry.level {
            Level::Ok => None,
            Level::Warning => Some(("warning", "Expires soon")),
            Level::Limit => Some(("limit", "Expired")),
        };
        view! {
            <span class="payer__expiry">{format!("Expires {:02}/{}", expiry.month, expiry.year)}</span>
            {badge.map(|(tone, label)| view! { <Badge tone label/> })}
        }
    });
    view! {
        <p class="payer__method">
            <Icon shape=Shape::Card/>
            <strong>{format::payment_method(&method)}</strong>
            {expiry}
        </p>
        {due}
    }
    .into_any()
}
