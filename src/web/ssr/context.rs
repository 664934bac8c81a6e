//! The request around a server function: its caller and the services.

use axum::http::request::Parts;
use leptos::prelude::*;
use tower_sessions::Session;

use crate::accounts::AccountChange;
use crate::domain::{Refusal, Role, User};
use crate::error::Error;
use crate::http::auth::{self, Actor, SessionUser};
use crate::http::client::Client;
use crate::services::Services;
use crate::web::AppError;

pub fn services() -> Services {
    expect_context()
}

/// The user who is signed in, if one is.
pub fn actor() -> Option<User> {
    Some(use_context::<Parts>()?.extensions.get::<Actor>()?.0.as_ref()?.user.clone())
}

/// The path that is asked for; empty where nothing is.
pub fn path() -> String {
    use_context::<Parts>().map(|parts| parts.uri.path().to_owned()).unwrap_or_default()
}

/// Whom a user asks for what only an admin of the group may do, by name; none where the user is one.
///
/// # Errors
/// [`Refusal::Forbidden`] for a SuperAdmin; the database's.
pub async fn admins_to_ask(user: &User) -> Result<Option<String>, AppError> {
    if user.role == Role::Admin {
        return Ok(None);
    }
    Ok(Some(services().accounts.admins(user).await?.join(", ")))
}

/// The user who is signed in.
///
/// # Errors
/// [`Refusal::NotSignedIn`].
pub fn user() -> Result<User, AppError> {
    actor().ok_or_else(|| Refusal::NotSignedIn.into())
}

/// The user who is signed in, and the session it is signed in by.
///
/// # Errors
/// [`Refusal::NotSignedIn`]; [`Refusal::Forbidden`] for an API key.
pub fn session_user() -> Result<SessionUser, AppError> {
    let parts = use_context::<Parts>().ok_or(Refusal::NotSignedIn)?;
    Ok(SessionUser::of(&parts)?)
}

/// Changes the account of the user who is signed in.
///
/// # Errors
/// As [`session_user`]; what [`Accounts::change_account`](crate::accounts::Accounts::change_account) refuses.
pub async fn change_account(change: AccountChange) -> Result<User, AppError> {
    let SessionUser { user, session } = session_user()?;
    Ok(services().accounts.change_account(&user, &session, change, &client().await).await?)
}

/// The client, as attempts are counted by.
pub async fn client() -> String {
    leptos_axum::extract().await.map_or_else(|_| String::new(), |client: Client| client.throttle_key())
}

/// Begins a session in the browser that asks.
///
/// # Errors
/// [`AppError::Unavailable`] when the session can't be stored.
pub async fn sign_in(user: &User) -> Result<(), AppError> {
    let headers = use_context::<Parts>().map(|parts| parts.headers).unwrap_or_default();
    Ok(auth::sign_in(&session().await?, user, &headers).await?)
}

/// Ends the session of the browser that asks.
///
/// # Errors
/// [`AppError::Unavailable`] when the session can't be removed.
pub async fn sign_out() -> Result<(), AppError> {
    Ok(auth::sign_out(&session().await?).await?)
}

async fn session() -> Result<Session, AppError> {
    leptos_axum::extract().await.map_err(|error| Error::Internal(format!("no session: {error}")).into())
}

/// Nothing where the group has no subscription: a page shows that, rather than failing.
///
/// # Errors
/// Any other refusal or failure.
pub fn where_subscribed<T>(result: Result<T, Error>) -> Result<Option<T>, AppError> {
    match result {
        Err(Error::Refused(Refusal::NoSubscription)) => Ok(None),
        result => Ok(Some(result?)),
    }
}
