//! A group's subscription, for its admin.

use leptos::prelude::*;

use crate::domain::{PlanId, Subscription, SubscriptionId};
use crate::web::AppError;

/// Begins a purchase; the page it goes on to has the card form.
#[server(prefix = "/fn", endpoint = "subscription/subscribe")]
pub async fn subscribe(plan_id: PlanId) -> Result<(), AppError> {
    use crate::web::ssr::{context, forms};
    context::services().billing.subscribe(&context::user()?, plan_id, None).await?;
    forms::go_on("/subscribe");
    Ok(())
}

#[server(prefix = "/fn", endpoint = "subscription/cancel")]
pub async fn cancel(id: SubscriptionId, at_period_end: bool) -> Result<(), AppError> {
    use crate::web::ssr::{context, forms};
    context::services().billing.cancel(&context::user()?, id, at_period_end).await?;
    forms::go_on("/subscribe");
    Ok(())
}

/// Fetches the subscription from Stripe now, rather than waiting for its webhook.
#[server(prefix = "/fn", endpoint = "subscription/refresh")]
pub async fn refresh() -> Result<Option<Subscription>, AppError> {
    use crate::web::ssr::context::{services, user};
    let user = user()?;
    user.must_be_admin()?;
    Ok(services().billing.refresh(&user).await?)
}
