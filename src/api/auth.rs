//! Signing up, in and out, and one's own account.

use axum::Json as Answer;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;
use tower_sessions::Session;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::ApiState;
use super::idempotency::idempotent;
use super::json::Json;
use crate::accounts::{self, AccountChange, Accounts};
use crate::domain::User;
use crate::http::auth::{CurrentUser, SessionUser, sign_in, sign_out};
use crate::http::client::Client;
use crate::http::problem::ApiResult;

/// Who signs up.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"email": "ada@example.com", "password": "correct horse battery", "name": "Ada", "group_name": "Analytical"}))]
pub struct SignUp {
    email: String,
    password: String,
    name: String,
    /// Of the new group, whose admin the user is.
    group_name: String,
}

/// Who signs in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"email": "admin@acme.test", "password": "tollgate-demo"}))]
pub struct Credentials {
    email: String,
    password: String,
}

/// What to change of one's account; what is left out, or null, stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"email": "ada@example.org", "current_password": "correct horse battery"}))]
pub struct MeInput {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    password: Option<String>,
    /// Needed for another e-mail address or password.
    #[serde(default)]
    current_password: Option<String>,
}

/// Who forgot a password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"email": "ada@example.com"}))]
pub struct ForgotInput {
    email: String,
}

/// A new password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"token": "0GZl…", "password": "correct horse battery"}))]
pub struct ResetInput {
    /// The last part of the link that was sent.
    token: String,
    password: String,
}

/// Sign up
///
/// Makes an account and a new group with it as admin. Doesn't sign in.
#[utoipa::path(post, path = "/api/auth/signup/", operation_id = "signup", tag = "Accounts", security(()),
    request_body = SignUp,
    responses(
        (status = 201, description = "The account.", body = User),
        (status = 403, description = "`signup_closed`: accounts are made by invitation only."),
        (status = 409, description = "`email_taken`: there is an account with this e-mail address."),
        (status = 429, description = "`too_many_attempts`: too many accounts were made from the client's address."),
    ))]
async fn signup(
    State(accounts): State<Accounts>,
    client: Client,
    Json(body): Json<SignUp>,
) -> ApiResult<(StatusCode, Answer<User>)> {
    let SignUp { email, password, name, group_name } = body;
    let input = accounts::SignUp { email, password, name, group_name };
    let user = accounts.sign_up(input, &client.throttle_key()).await?;
    Ok((StatusCode::CREATED, Answer(user)))
}

/// Sign in
///
/// Sets the session cookie.
#[utoipa::path(post, path = "/api/auth/login/", operation_id = "login", tag = "Accounts", security(()),
    request_body = Credentials,
    responses(
        (status = 200, description = "Signed in.", body = User,
            headers(("Set-Cookie" = String, description = "`tollgate_session`, good for 14 days."))),
        (status = 401, description = "`wrong_credentials`: the e-mail address or the password is wrong."),
        (status = 429, description = "`too_many_attempts`: try again after as many seconds as `Retry-After` says."),
    ))]
async fn login(
    State(accounts): State<Accounts>,
    client: Client,
    session: Session,
    headers: HeaderMap,
    Json(body): Json<Credentials>,
) -> ApiResult<Answer<User>> {
    let user = accounts.log_in(&body.email, &body.password, &client.throttle_key()).await?;
    sign_in(&session, &user, &headers).await?;
    Ok(Answer(user))
}

/// Sign out
///
/// Ends the session of the cookie, if there is one.
#[utoipa::path(post, path = "/api/auth/logout/", operation_id = "logout", tag = "Accounts",
    security((), ("session" = [])),
    responses((status = 204, description = "Signed out.")))]
async fn logout(session: Session) -> ApiResult<StatusCode> {
    sign_out(&session).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Who am I
#[utoipa::path(get, path = "/api/auth/me/", operation_id = "me", tag = "Accounts",
    responses((status = 200, description = "The user.", body = User)))]
async fn me(CurrentUser(user): CurrentUser) -> Answer<User> {
    Answer(user)
}

/// Change my account
///
/// Another e-mail address or password needs the current password. A new password ends the user's other sessions. Either is
/// told to the address that the account had. Not for API keys.
#[utoipa::path(patch, path = "/api/auth/me/", operation_id = "change_me", tag = "Accounts",
    security(("session" = [])),
    request_body = MeInput,
    responses(
        (status = 200, description = "The user as changed.", body = User),
        (status = 403, description = "`forbidden`: an API key may not do this."),
        (status = 422, description = "`invalid`: also for a wrong `current_password`, and an `email` that is taken."),
        (status = 429, description = "`too_many_attempts`: wrong passwords are counted with those of signing in."),
    ))]
async fn change_me(
    State(accounts): State<Accounts>,
    SessionUser { user, session }: SessionUser,
    client: Client,
    Json(body): Json<MeInput>,
) -> ApiResult<Answer<User>> {
    let MeInput { name, email, password, current_password } = body;
    let change = AccountChange { name, email, password, current_password };
    Ok(Answer(accounts.change_account(&user, &session, change, &client.throttle_key()).await?))
}

/// Ask for a new password
///
/// Sends a link to the address if there is an account with it. The answer is the same where there is none. A link works
/// once, for an hour, and until another is asked for.
#[utoipa::path(post, path = "/api/auth/forgot/", operation_id = "forgot_password", tag = "Accounts", security(()),
    request_body = ForgotInput,
    responses(
        (status = 202, description = "Where there is an account, the link is on its way."),
        (status = 429, description = "`too_many_attempts`: too many were asked for the address, or by the client."),
    ))]
async fn forgot(
    State(accounts): State<Accounts>,
    client: Client,
    Json(body): Json<ForgotInput>,
) -> ApiResult<StatusCode> {
    accounts.forgot_password(&body.email, &client.throttle_key()).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Set a new password
///
/// By the link that was sent. Ends all of the user's sessions; doesn't sign in.
#[utoipa::path(post, path = "/api/auth/reset/", operation_id = "reset_password", tag = "Accounts", security(()),
    request_body = ResetInput,
    responses(
        (status = 200, description = "The user whose password it is.", body = User),
        (status = 404, description = "`reset_gone`: the link expired, was used, or a newer one was asked for."),
    ))]
async fn reset(State(accounts): State<Accounts>, Json(body): Json<ResetInput>) -> ApiResult<Answer<User>> {
    Ok(Answer(accounts.reset_password(&body.token, &body.password).await?))
}

pub fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(idempotent(routes!(signup)))
        .routes(routes!(login))
        .routes(routes!(logout))
        .routes(routes!(me, change_me))
        .routes(routes!(forgot))
        .routes(routes!(reset))
}
