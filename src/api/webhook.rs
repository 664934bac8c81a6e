//! Stripe's events.

use axum::Json as Answer;
use axum::extract::{Request, State};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::ApiState;
use crate::billing::Billing;
use crate::domain::Refusal;
use crate::http::body::{self, SMALL};
use crate::http::problem::ApiResult;

/// An event was taken in.
#[derive(Serialize, ToSchema)]
struct Received {
    /// Always true.
    received: bool,
}

/// Take in an event from Stripe
///
/// The signature is checked on the raw body. An event that was seen before is acknowledged and changes nothing.
#[utoipa::path(post, path = "/api/subscriptions/webhook/stripe/", operation_id = "stripe_webhook", tag = "Webhook",
    security(()),
    params(("Stripe-Signature" = String, Header, description = "Stripe's signature of the body.")),
    request_body(content = Object, content_type = "application/json", description = "An event as Stripe sends it."),
    responses(
        (status = 200, description = "Done, now or before.", body = Received),
        (status = 400, description = "`malformed`: the signature is missing, wrong or too old, or the body is \
            no event."),
        (status = 413, description = "`too_large`: the body takes more than 1 MiB."),
    ))]
async fn stripe_webhook(State(billing): State<Billing>, request: Request) -> ApiResult<Answer<Received>> {
    let (parts, body) = request.into_parts();
    let signature = parts
        .headers
        .get("stripe-signature")
        .and_then(|value| value.to_str().ok())
        .ok_or_else(|| Refusal::Malformed("the Stripe-Signature header is missing.".into()))?;
    let payload = body::read(&parts.headers, body, SMALL).await?;
    billing.webhook(&payload, signature).await?;
    Ok(Answer(Received { received: true }))
}

pub fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(stripe_webhook))
}
