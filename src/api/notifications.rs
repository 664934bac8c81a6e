//! Which e-mails one gets, and unsubscribing from one of them.

use axum::Json as Answer;
use axum::extract::{Path, State};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::ApiState;
use super::json::Json;
use crate::domain::{NotificationSettings, Refusal};
use crate::http::auth::CurrentUser;
use crate::http::problem::ApiResult;
use crate::notify::Outbox;

/// Which e-mails do I get
///
/// An admin gets all of them and a member none, until they choose.
#[utoipa::path(get, path = "/api/auth/notifications/", operation_id = "notifications", tag = "Accounts",
    responses((status = 200, description = "What was chosen, or goes by the role.", body = NotificationSettings)))]
async fn notifications(
    State(outbox): State<Outbox>,
    CurrentUser(user): CurrentUser,
) -> ApiResult<Answer<NotificationSettings>> {
    Ok(Answer(outbox.settings(&user).await?))
}

/// Choose which e-mails to get
///
/// Admins are told of a payment that failed or needs the bank's approval whatever they choose.
#[utoipa::path(put, path = "/api/auth/notifications/", operation_id = "choose_notifications", tag = "Accounts",
    request_body = NotificationSettings,
    responses((status = 200, description = "What holds from now on.", body = NotificationSettings)))]
async fn choose_notifications(
    State(outbox): State<Outbox>,
    CurrentUser(user): CurrentUser,
    Json(settings): Json<NotificationSettings>,
) -> ApiResult<Answer<NotificationSettings>> {
    outbox.choose(&user, &settings).await?;
    Ok(Answer(settings))
}

/// Unsubscribe with one click
///
/// What a mailbox asks where its owner unsubscribes (RFC 8058): the address of `List-Unsubscribe`. Needs no sign-in; stops
/// one kind of e-mail to one person. Safe to repeat.
#[utoipa::path(post, path = "/unsubscribe/{token}", operation_id = "unsubscribe", tag = "Accounts", security(()),
    params(("token" = String, Path, description = "The last part of the message's link.")),
    responses(
        (status = 200, description = "Unsubscribed.", body = String, content_type = "text/plain"),
        (status = 404, description = "`not_found`: the link isn't known."),
    ))]
async fn unsubscribe(
    State(outbox): State<Outbox>,
    token: Result<Path<String>, axum::extract::rejection::PathRejection>,
) -> ApiResult<&'static str> {
    // What is no text is no token either.
    let Ok(Path(token)) = token else {
        return Err(Refusal::NotFound("link to unsubscribe by".into()).into());
    };
    outbox.unsubscribe(&token).await?;
    Ok("You don't get these e-mails any more.\n")
}

pub fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(notifications, choose_notifications)).routes(routes!(unsubscribe))
}
