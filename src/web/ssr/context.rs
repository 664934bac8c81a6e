//! The request around a server function: its caller and the services.

use axum::http::request::Parts;
use leptos::prelude::*;
use tower_sessions::Session;

use crate::domain::{Refusal, Role, User};
use crate::error::Error;
use crate::http::auth::{self, Actor};
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

/// The client, as attempts are counted by.
pub async fn client() -> String {
    leptos_axum::extract().await.map_or_else(|_| String::new(), |client: Client| client.throttle_key())
}

/// Begins a session in the browser that asks.
///
/// # Errors
/// [`AppError::Unavailable`] when the session can't be stored.
pub async fn sign_in(user: &User) -> Result<(), AppError> {
    Ok(auth::sign_in(&session().await?, user).await?)
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
