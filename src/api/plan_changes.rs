//! Changing the plan of a subscription.

use axum::Json as Answer;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::ApiState;
use super::idempotency::idempotent;
use super::json::Json;
use super::path::Id;
use crate::billing::Billing;
use crate::domain::{Checkout, PlanChangeFields, PlanId, SubscriptionId};
use crate::http::auth::GroupAdmin;
use crate::http::problem::ApiResult;

/// What to change to.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"plan_id": "01970f3e-7c1a-7000-8000-000000000001", "preview": true}))]
pub struct PlanChangeInput {
    plan_id: PlanId,
    /// Only says what it would come to.
    #[serde(default)]
    #[schema(default = false)]
    preview: bool,
    /// The preview's, of the last hour, so that the change costs what that said. Left out: now.
    #[serde(default)]
    proration_date: Option<DateTime<Utc>>,
}

/// What a preview or a change answers.
#[derive(ToSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "describes the two answers for the API's document")]
pub enum PlanChangeAnswer {
    Preview(PlanChangeFields),
    Change(Box<Checkout>),
}

/// Change the plan
///
/// A dearer plan is prorated and charged at once, by the card there is; its limits apply once that is paid. Where
/// `client_secret` isn't null, the bank asks its cardholder first: hand it to Stripe.js. A cheaper plan begins with the
/// next period. A change to the plan that the group has takes back one that waits or was to begin. With `preview`, nothing
/// is changed.
#[utoipa::path(post, path = "/api/subscriptions/subscriptions/{id}/change_plan/", operation_id = "change_plan",
    tag = "Subscriptions",
    params(("id" = Uuid, Path, description = "The subscription's id.")),
    request_body = PlanChangeInput,
    responses(
        (status = 200, description = "With `preview` what the change comes to, else the subscription as it is now, and \
            what is left to confirm.", body = PlanChangeAnswer),
        (status = 402, description = "`card_declined`, with the bank's `decline_code` where it gave one. Nothing changed."),
        (status = 403, description = "`forbidden`: not an admin of a group."),
        (status = 404, description = "`not_found`: there is no such plan or subscription."),
        (status = 409, description = "`too_many_members`: the plan has fewer seats than the group has members. \
            `plan_archived`: it can't be bought any more. `conflict`: the subscription is to end, has ended or waits for a \
            payment, or there is no card. `stripe_refused`: Stripe refused it for a reason other than the card."),
    ))]
async fn change_plan(
    State(billing): State<Billing>,
    GroupAdmin(user): GroupAdmin,
    Id(id): Id<SubscriptionId>,
    Json(body): Json<PlanChangeInput>,
) -> ApiResult<Response> {
    Ok(if body.preview {
        let change = billing.preview_change(&user, id, body.plan_id, body.proration_date).await?;
        Answer(PlanChangeFields::from(change)).into_response()
    } else {
        Answer(billing.change_plan(&user, id, body.plan_id, body.proration_date).await?).into_response()
    })
}

pub fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(idempotent(routes!(change_plan)))
}
