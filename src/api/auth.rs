//! Signing up, in and out.

use axum::Json as Answer;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use tower_sessions::Session;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::ApiState;
use super::idempotency::idempotent;
use super::json::Json;
use crate::accounts::{self, Accounts};
use crate::domain::User;
use crate::http::auth::{CurrentUser, sign_in, sign_out};
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
    Json(body): Json<Credentials>,
) -> ApiResult<Answer<User>> {
    let user = accounts.log_in(&body.email, &body.password, &client.throttle_key()).await?;
    sign_in(&session, &user).await?;
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

pub fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(idempotent(routes!(signup)))
        .routes(routes!(login))
        .routes(routes!(logout))
        .routes(routes!(me))
}
