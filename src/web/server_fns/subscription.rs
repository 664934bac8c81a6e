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
    use crate::domain::Status;
    use crate::web::ssr::{context, forms};
    let canceled = context::services().billing.cancel(&context::user()?, id, at_period_end).await?;
    // Where it goes on until then, the page says so for as long as it does.
    if canceled.status == Status::Canceled {
        forms::done(&format!("The subscription to {} was canceled. It has ended.", canceled.plan.name));
    }
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
