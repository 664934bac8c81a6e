//! A group's subscription.

use axum::Json as Answer;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::ApiState;
use super::idempotency::idempotent;
use super::json::{Json, OptionalJson};
use super::path::Id;
use crate::billing::Billing;
use crate::domain::{
    self, CancellationReason, Checkout, OverageAgreement, OverageUsage, PlanId, Refusal, Subscription,
    SubscriptionId,
};
use crate::http::auth::{GroupAdmin, GroupUser};
use crate::http::problem::ApiResult;
use crate::metering::Metering;

/// What to buy.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"plan_id": "01970f3e-7c1a-7000-8000-000000000001"}))]
pub struct Purchase {
    plan_id: PlanId,
    /// A payment method made with Stripe.js or Stripe's API, `pm_…`: the first payment is tried at once.
    /// Left out, the answer's `client_secret` is confirmed with Stripe.js.
    #[serde(default)]
    payment_method: Option<String>,
}

/// How to cancel.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"at_period_end": true, "reason": "too_expensive"}))]
pub struct Cancellation {
    /// True: the group keeps what it paid for until the period ends. False: it ends now.
    #[serde(default = "yes")]
    #[schema(default = true)]
    at_period_end: bool,
    /// Why. Kept at Stripe, as the comment is.
    #[serde(default)]
    reason: Option<CancellationReason>,
    #[serde(default)]
    comment: Option<String>,
}

fn yes() -> bool {
    true
}

impl Default for Cancellation {
    fn default() -> Self {
        Self { at_period_end: true, reason: None, comment: None }
    }
}

/// Read the group's subscription
#[utoipa::path(get, path = "/api/subscriptions/subscriptions/my_subscription/", operation_id = "my_subscription",
    tag = "Subscriptions",
    responses(
        (status = 200, description = "The live subscription.", body = Subscription),
        (status = 403, description = "`forbidden`: a SuperAdmin belongs to no group."),
        (status = 404, description = "`no_subscription`: the group has none."),
    ))]
async fn my_subscription(
    State(billing): State<Billing>,
    GroupUser(user): GroupUser,
) -> ApiResult<Answer<Subscription>> {
    Ok(Answer(billing.subscription(&user).await?.ok_or(Refusal::NoSubscription)?))
}

/// Buy a subscription
///
/// A group has at most one live subscription. Where `client_secret` isn't null, confirm it with Stripe.js;
/// the subscription is `active` once the payment succeeded. A plan's trial, of which a group has one, once, begins without
/// a charge: the subscription is `trialing`, and what is left to confirm is a card for later (`intent` is `setup`). A
/// purchase that was answered with 503 is asked for again as it was: it goes on, and nothing is charged twice.
#[utoipa::path(post, path = "/api/subscriptions/subscriptions/create_subscription/",
    operation_id = "create_subscription", tag = "Subscriptions",
    request_body = Purchase,
    responses(
        (status = 201, description = "The subscription, and what is left to confirm.", body = Checkout),
        (status = 402, description = "`card_declined`, with the bank's `decline_code` where it gave one."),
        (status = 403, description = "`forbidden`: not an admin of a group."),
        (status = 404, description = "`not_found`: there is no such plan."),
        (status = 409, description = "`subscription_exists`: the group has a live one, or a purchase of it is on its \
            way. `plan_archived`: the plan can't be bought any more. `too_many_members`: it has fewer seats than the \
            group has members. `stripe_refused`: Stripe refused it for a reason other than the card. After any of \
            these nothing was sold."),
    ))]
async fn create_subscription(
    State(billing): State<Billing>,
    GroupAdmin(user): GroupAdmin,
    Json(body): Json<Purchase>,
) -> ApiResult<(StatusCode, Answer<Checkout>)> {
    let checkout = billing.subscribe(&user, body.plan_id, body.payment_method).await?;
    Ok((StatusCode::CREATED, Answer(checkout)))
}

/// Cancel the subscription
///
/// At the period's end, or now. One that is `incomplete` always ends now. Without a body: at the period's end. What is
/// paid isn't refunded.
#[utoipa::path(post, path = "/api/subscriptions/subscriptions/{id}/cancel/", operation_id = "cancel_subscription",
    tag = "Subscriptions",
    params(("id" = Uuid, Path, description = "The subscription's id.")),
    request_body = Option<Cancellation>,
    responses(
        (status = 200, description = "The subscription as it is now.", body = Subscription),
        (status = 403, description = "`forbidden`: not an admin of a group."),
        (status = 409, description = "`conflict`: the purchase is still on its way to Stripe."),
    ))]
async fn cancel_subscription(
    State(billing): State<Billing>,
    GroupAdmin(user): GroupAdmin,
    Id(id): Id<SubscriptionId>,
    OptionalJson(body): OptionalJson<Cancellation>,
) -> ApiResult<Answer<Subscription>> {
    let Cancellation { at_period_end, reason, comment } = body;
    let cancellation = domain::Cancellation::new(at_period_end, reason, comment.as_deref())?;
    Ok(Answer(billing.cancel(&user, id, &cancellation).await?))
}

/// Resume the subscription
///
/// Takes back a cancellation at the period's end. One that isn't ending stays as it is.
#[utoipa::path(post, path = "/api/subscriptions/subscriptions/{id}/resume/", operation_id = "resume_subscription",
    tag = "Subscriptions",
    params(("id" = Uuid, Path, description = "The subscription's id.")),
    responses(
        (status = 200, description = "The subscription as it is now.", body = Subscription),
        (status = 403, description = "`forbidden`: not an admin of a group."),
        (status = 409, description = "`conflict`: the subscription has ended, or the purchase is still on its way to \
            Stripe. `stripe_refused`: Stripe refused it."),
    ))]
async fn resume_subscription(
    State(billing): State<Billing>,
    GroupAdmin(user): GroupAdmin,
    Id(id): Id<SubscriptionId>,
) -> ApiResult<Answer<Subscription>> {
    Ok(Answer(billing.resume(&user, id).await?))
}

/// Agree to overage, or end it
///
/// Up to the cap in each period, the group may then spend beyond its plan's limits, and pays for the packages of tokens
/// begun. Who agreed, when and to which prices is kept. Where the plan's overage prices change, it ends with the period until
/// it is agreed to anew. What was spent under it before stays charged.
#[utoipa::path(put, path = "/api/subscriptions/subscriptions/{id}/overage/", operation_id = "agree_to_overage",
    tag = "Subscriptions",
    params(("id" = Uuid, Path, description = "The subscription's id.")),
    request_body = OverageAgreement,
    responses(
        (status = 200, description = "The overage of the period that runs.", body = OverageUsage),
        (status = 403, description = "`forbidden`: not an admin of a group."),
        (status = 409, description = "`conflict`: the plan sells no overage, the subscription has ended, or the purchase is \
            still on its way to Stripe."),
    ))]
async fn agree_to_overage(
    State(billing): State<Billing>,
    State(metering): State<Metering>,
    GroupAdmin(user): GroupAdmin,
    Id(id): Id<SubscriptionId>,
    Json(body): Json<OverageAgreement>,
) -> ApiResult<Answer<Option<OverageUsage>>> {
    billing.agree_to_overage(&user, id, &body).await?;
    Ok(Answer(metering.usage(&user).await?.overage))
}

pub fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(my_subscription))
        .routes(idempotent(routes!(create_subscription)))
        .routes(idempotent(routes!(cancel_subscription)))
        .routes(idempotent(routes!(resume_subscription)))
        .routes(routes!(agree_to_overage))
}
