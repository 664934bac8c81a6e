//! API keys.

use axum::Json as Answer;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::ApiState;
use super::idempotency::idempotent;
use super::json::Json;
use super::page::{Page, PageParams, PageQuery};
use super::path::Id;
use crate::accounts::Accounts;
use crate::domain::{ApiKey, Caps, KeyId, NewApiKey};
use crate::http::auth::{CurrentUser, GroupUser};
use crate::http::problem::ApiResult;
use crate::metering::Metering;

/// An API key to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Nightly import"}))]
pub struct KeyInput {
    /// What it is for, in its owner's words.
    name: String,
}

/// List my API keys
///
/// Newest first. The keys themselves can't be read again.
#[utoipa::path(get, path = "/api/auth/keys/", operation_id = "list_keys", tag = "API keys", params(PageParams),
    responses((status = 200, description = "My keys.", body = Page<ApiKey>)))]
async fn list_keys(
    State(accounts): State<Accounts>,
    CurrentUser(user): CurrentUser,
    page: PageQuery<KeyId>,
) -> ApiResult<Answer<Page<ApiKey>>> {
    let keys = accounts.keys_page(&user, page.request()).await?;
    Ok(Answer(Page::of(keys, |key| key.id)))
}

/// Make an API key
///
/// It acts as the user who makes it. The answer shows it this once: it is stored hashed.
#[utoipa::path(post, path = "/api/auth/keys/", operation_id = "create_key", tag = "API keys",
    request_body = KeyInput,
    responses(
        (status = 201, description = "The key.", body = NewApiKey),
        (status = 409, description = "`too_many_keys`: the user has 50, as many as one may have."),
    ))]
async fn create_key(
    State(accounts): State<Accounts>,
    CurrentUser(user): CurrentUser,
    Json(body): Json<KeyInput>,
) -> ApiResult<(StatusCode, Answer<NewApiKey>)> {
    Ok((StatusCode::CREATED, Answer(accounts.create_key(&user, &body.name).await?)))
}

/// Revoke an API key
///
/// It stops working at once.
#[utoipa::path(delete, path = "/api/auth/keys/{id}/", operation_id = "revoke_key", tag = "API keys",
    params(("id" = Uuid, Path, description = "The key's id.")),
    responses((status = 204, description = "Revoked.")))]
async fn revoke_key(
    State(accounts): State<Accounts>,
    CurrentUser(user): CurrentUser,
    Id(id): Id<KeyId>,
) -> ApiResult<StatusCode> {
    accounts.revoke_key(&user, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Cap what may be spent with an API key in a month
///
/// One's own key, or any of the group's for an admin. What was counted stays counted.
#[utoipa::path(put, path = "/api/auth/keys/{id}/caps/", operation_id = "cap_key", tag = "API keys",
    params(("id" = Uuid, Path, description = "The key's id.")),
    request_body = Caps,
    responses(
        (status = 200, description = "The caps.", body = Caps),
        (status = 403, description = "`forbidden`: a SuperAdmin belongs to no group."),
    ))]
async fn cap_key(
    State(metering): State<Metering>,
    GroupUser(user): GroupUser,
    Id(id): Id<KeyId>,
    Json(caps): Json<Caps>,
) -> ApiResult<Answer<Caps>> {
    Ok(Answer(metering.set_key_caps(&user, id, caps).await?))
}

pub fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list_keys))
        .routes(idempotent(routes!(create_key)))
        .routes(routes!(revoke_key))
        .routes(routes!(cap_key))
}
