//! A group's subscription, for its admin.

use leptos::prelude::*;
use uuid::Uuid;

use crate::domain::{Checkout, Subscription};
use crate::web::AppError;
use crate::web::data::SubscribePage;

#[server(prefix = "/fn", endpoint = "subscription/page")]
pub async fn get_subscribe_page() -> Result<SubscribePage, AppError> {
    use crate::web_server::context::{services, user};
    let (user, services) = (user()?, services());
    user.must_be_admin()?;
    Ok(SubscribePage {
        plans: services.billing.plans(false).await?,
        subscription: services.billing.subscription(&user).await?,
        checkout: services.billing.checkout(&user).await?,
        stripe_js: services.config.stripe.js_url.clone(),
    })
}

/// Begins a purchase: what it answers is paid by the card form.
#[server(prefix = "/fn", endpoint = "subscription/subscribe")]
pub async fn subscribe(plan_id: Uuid) -> Result<Checkout, AppError> {
    use crate::web_server::context::{services, user};
    Ok(services().billing.subscribe(&user()?, plan_id, None).await?)
}

#[server(prefix = "/fn", endpoint = "subscription/cancel")]
pub async fn cancel(id: Uuid, at_period_end: bool) -> Result<Subscription, AppError> {
    use crate::web_server::context::{services, user};
    Ok(services().billing.cancel(&user()?, id, at_period_end).await?)
}

/// Fetches the subscription from Stripe now, rather than waiting for its webhook.
#[server(prefix = "/fn", endpoint = "subscription/refresh")]
pub async fn refresh() -> Result<Option<Subscription>, AppError> {
    use crate::web_server::context::{services, user};
    let user = user()?;
    user.must_be_admin()?;
    Ok(services().billing.refresh(&user).await?)
}
