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

/// Cancels; goes on to `next` or the billing page.
#[server(prefix = "/fn", endpoint = "subscription/cancel")]
pub async fn cancel(
    id: SubscriptionId,
    at_period_end: bool,
    #[server(default)] reason: String,
    #[server(default)] comment: String,
    #[server(default)] next: String,
) -> Result<(), AppError> {
    use crate::domain::{Cancellation, Refusal, Status};
    use crate::web::ssr::{context, forms};
    let reason = Some(reason).filter(|reason| !reason.is_empty()).map(|reason| reason.parse()).transpose();
    let reason = reason.map_err(|message| Refusal::field("reason", message))?;
    let cancellation = Cancellation::new(at_period_end, reason, Some(&comment))?;
    let canceled = context::services().billing.cancel(&context::user()?, id, &cancellation).await?;
    // Where it goes on until then, the page says so for as long as it does.
    if canceled.status == Status::Canceled {
        forms::done(&format!("The subscription to {} was canceled. It has ended.", canceled.plan.name));
    }
    forms::go_on(if next.is_empty() { "/billing" } else { &next });
    Ok(())
}

/// Takes back a cancellation at the period's end.
#[server(prefix = "/fn", endpoint = "subscription/resume")]
pub async fn resume(id: SubscriptionId) -> Result<(), AppError> {
    use crate::web::ssr::{context, forms};
    let kept = context::services().billing.resume(&context::user()?, id).await?;
    forms::done(&format!("The subscription to {} goes on.", kept.plan.name));
    forms::go_on("/billing");
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
