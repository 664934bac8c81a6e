//! A group's subscription, for its admin.

use leptos::prelude::*;

use crate::domain::{Checkout, PlanId, Subscription, SubscriptionId};
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

/// Changes the plan: as the preview said, where its moment is given. To the plan that the group has, takes back what was to
/// come.
#[server(prefix = "/fn", endpoint = "subscription/change-plan")]
pub async fn change_plan(
    id: SubscriptionId,
    plan_id: PlanId,
    #[server(default)] proration_date: Option<i64>,
) -> Result<Checkout, AppError> {
    use chrono::DateTime;

    use crate::domain::Refusal;
    use crate::web::ssr::{context, forms};
    let invalid = || Refusal::field("proration_date", "Is not a time.");
    let at = proration_date.map(|at| DateTime::from_timestamp(at, 0).ok_or_else(invalid)).transpose()?;
    let changed = context::services().billing.change_plan(&context::user()?, id, plan_id, at).await?;
    if changed.subscription.plan.id == plan_id {
        forms::done(&format!("The subscription to {} goes on.", changed.subscription.plan.name));
    }
    forms::go_on("/subscribe");
    Ok(changed)
}

/// Fetches the subscription from Stripe now, rather than waiting for its webhook.
#[server(prefix = "/fn", endpoint = "subscription/refresh")]
pub async fn refresh() -> Result<Option<Subscription>, AppError> {
    use crate::web::ssr::context::{services, user};
    let user = user()?;
    user.must_be_admin()?;
    Ok(services().billing.refresh(&user).await?)
}
