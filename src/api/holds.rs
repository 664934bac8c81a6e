//! Holds: reserving tokens before they are spent.

use axum::Json as Answer;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::ApiState;
use super::idempotency::idempotent;
use super::json::{Json, OptionalJson};
use super::page::{Page, PageParams, PageQuery};
use crate::domain::{Extension, Hold, HoldInput, OpenHold, Settlement, Usage};
use crate::http::auth::GroupCaller;
use crate::http::problem::ApiResult;
use crate::metering::Metering;
use crate::storage::HoldKey;

/// The group's usage after a hold has ended.
#[derive(Debug, Serialize, ToSchema)]
pub struct Ended {
    usage: Usage,
}

/// Nothing, or an empty object.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// Reserve tokens
///
/// A hold is granted only while used + held + tokens fit into the key's cap, the member's cap and the group's
/// allowance, decided in the database. Ask before spending; settle with what was spent. Asking again under the same
/// `id` gives the same hold.
#[utoipa::path(post, path = "/api/subscriptions/usage/holds/", operation_id = "create_hold", tag = "Holds",
    request_body = HoldInput,
    responses(
        (status = 201, description = "The tokens are held.", body = Hold),
        (status = 402, description = "`limit_reached`, with `limit` (`group`, `member` or `key`), `usage`, \
            `suggested_plan` and `resets_at`; or `no_access`: the subscription's status gives none."),
        (status = 403, description = "`forbidden`: a SuperAdmin belongs to no group."),
        (status = 404, description = "`no_subscription`: the group has none."),
        (status = 409, description = "`hold_mismatch`: a hold with this id was asked for with another body."),
    ))]
async fn create_hold(
    State(metering): State<Metering>,
    GroupCaller(caller): GroupCaller,
    Json(input): Json<HoldInput>,
) -> ApiResult<(StatusCode, Answer<Hold>)> {
    Ok((StatusCode::CREATED, Answer(metering.hold(&caller, input).await?)))
}

/// List the open holds
///
/// The caller's own; the group's for an admin.
#[utoipa::path(get, path = "/api/subscriptions/usage/holds/", operation_id = "list_holds", tag = "Holds",
    params(PageParams),
    responses(
        (status = 200, description = "The open holds, by id.", body = Page<OpenHold>),
        (status = 403, description = "`forbidden`: a SuperAdmin belongs to no group."),
    ))]
async fn list_holds(
    State(metering): State<Metering>,
    GroupCaller(caller): GroupCaller,
    page: PageQuery<HoldKey>,
) -> ApiResult<Answer<Page<OpenHold>>> {
    let holds = metering.open_holds_page(&caller, page.request()).await?;
    Ok(Answer(Page::of(holds, |hold| HoldKey(hold.id.clone()))))
}

/// Settle a hold
///
/// Records what was spent, in the period the hold was granted in, and frees the hold. A hold that has expired is
/// settled too. Safe to repeat with the same body.
#[utoipa::path(post, path = "/api/subscriptions/usage/holds/{id}/settle/", operation_id = "settle_hold", tag = "Holds",
    params(("id" = String, Path, description = "The hold's id.")),
    request_body = Settlement,
    responses(
        (status = 200, description = "What was spent is recorded.", body = Ended),
        (status = 403, description = "`forbidden`: a SuperAdmin belongs to no group."),
        (status = 404, description = "`not_found`: the caller has no such hold."),
        (status = 409, description = "`hold_settled` with another body, or `hold_released`."),
    ))]
async fn settle_hold(
    State(metering): State<Metering>,
    GroupCaller(caller): GroupCaller,
    Path(id): Path<String>,
    Json(settlement): Json<Settlement>,
) -> ApiResult<Answer<Ended>> {
    Ok(Answer(Ended { usage: metering.settle(&caller, &id, settlement).await? }))
}

/// Release a hold
///
/// Frees a hold of which nothing was spent. Safe to repeat.
#[utoipa::path(post, path = "/api/subscriptions/usage/holds/{id}/release/", operation_id = "release_hold", tag = "Holds",
    params(("id" = String, Path, description = "The hold's id.")),
    responses(
        (status = 200, description = "The hold is freed.", body = Ended),
        (status = 403, description = "`forbidden`: a SuperAdmin belongs to no group."),
        (status = 404, description = "`not_found`: the caller has no such hold."),
        (status = 409, description = "`hold_settled`: it was settled."),
    ))]
async fn release_hold(
    State(metering): State<Metering>,
    GroupCaller(caller): GroupCaller,
    Path(id): Path<String>,
    OptionalJson(Nothing {}): OptionalJson<Nothing>,
) -> ApiResult<Answer<Ended>> {
    Ok(Answer(Ended { usage: metering.release(&caller, &id).await? }))
}

/// Extend a hold
///
/// Gives it a new size, in all, and a new time from now: a live call is held in slices. Where the new size doesn't fit,
/// the hold stays as it was. Safe to repeat.
#[utoipa::path(post, path = "/api/subscriptions/usage/holds/{id}/extend/", operation_id = "extend_hold", tag = "Holds",
    params(("id" = String, Path, description = "The hold's id.")),
    request_body = Extension,
    responses(
        (status = 200, description = "The hold as it is now.", body = Hold),
        (status = 402, description = "`limit_reached` or `no_access`, as for a new hold."),
        (status = 403, description = "`forbidden`: a SuperAdmin belongs to no group."),
        (status = 404, description = "`not_found`: the caller has no such hold; `no_subscription`."),
        (status = 409, description = "`hold_settled` or `hold_released`."),
    ))]
async fn extend_hold(
    State(metering): State<Metering>,
    GroupCaller(caller): GroupCaller,
    Path(id): Path<String>,
    OptionalJson(extension): OptionalJson<Extension>,
) -> ApiResult<Answer<Hold>> {
    Ok(Answer(metering.extend(&caller, &id, extension).await?))
}

pub fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(idempotent(routes!(create_hold)))
        .routes(routes!(list_holds))
        .routes(routes!(settle_hold))
        .routes(routes!(release_hold))
        .routes(routes!(extend_hold))
}
