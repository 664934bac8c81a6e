//! A user's sessions: the browsers that are signed in.

use axum::Json as Answer;
use axum::extract::State;
use axum::http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::ApiState;
use super::page::{Page, PageParams, PageQuery};
use super::path::Id;
use crate::accounts::Accounts;
use crate::domain::{Session, SessionId};
use crate::http::auth::{CurrentSession, CurrentUser, SessionUser};
use crate::http::problem::ApiResult;

/// List my sessions
///
/// The newest first.
#[utoipa::path(get, path = "/api/auth/sessions/", operation_id = "list_sessions", tag = "Accounts",
    params(PageParams),
    responses((status = 200, description = "The sessions.", body = Page<Session>)))]
async fn list_sessions(
    State(accounts): State<Accounts>,
    CurrentUser(user): CurrentUser,
    CurrentSession(current): CurrentSession,
    page: PageQuery<SessionId>,
) -> ApiResult<Answer<Page<Session>>> {
    let sessions = accounts.sessions_page(&user, current.as_ref(), page.request()).await?;
    Ok(Answer(Page::of(sessions, |session| session.id)))
}

/// End my other sessions
///
/// All but the one that asks. Not for API keys.
#[utoipa::path(delete, path = "/api/auth/sessions/", operation_id = "end_other_sessions", tag = "Accounts",
    security(("session" = [])),
    responses(
        (status = 204, description = "Ended."),
        (status = 403, description = "`forbidden`: an API key may not do this."),
    ))]
async fn end_other_sessions(
    State(accounts): State<Accounts>,
    SessionUser { user, session }: SessionUser,
) -> ApiResult<StatusCode> {
    accounts.end_other_sessions(&user, &session).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// End one of my sessions
///
/// The browser is signed out at once. Not for API keys.
#[utoipa::path(delete, path = "/api/auth/sessions/{id}/", operation_id = "end_session", tag = "Accounts",
    security(("session" = [])),
    params(("id" = Uuid, Path, description = "The session's id.")),
    responses(
        (status = 204, description = "Ended."),
        (status = 403, description = "`forbidden`: an API key may not do this."),
    ))]
async fn end_session(
    State(accounts): State<Accounts>,
    SessionUser { user, .. }: SessionUser,
    Id(id): Id<SessionId>,
) -> ApiResult<StatusCode> {
    accounts.end_session(&user, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(list_sessions, end_other_sessions)).routes(routes!(end_session))
}
