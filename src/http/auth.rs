//! The caller of a request: resolves an API key or the session cookie once, for handlers to extract.

use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use time::Duration;
use tower_sessions::cookie::SameSite;
use tower_sessions::session::Error as SessionError;
use tower_sessions::{Expiry, Session, SessionManagerLayer};

use super::problem::Problem;
use super::user_agent;
use crate::accounts::Accounts;
use crate::accounts::sessions::{SIGNED_IN, SessionKey, SessionStore, SignedIn};
use crate::domain::{Caller, Refusal, User};
use crate::error::{Error, Result};

/// The name of the session cookie.
pub const COOKIE: &str = "tollgate_session";
/// How long a session lasts.
const LIFE: Duration = Duration::days(14);

/// The signed-in caller, if there is one: in the extensions of every request that passed [`authenticate`].
#[derive(Clone, Debug)]
pub struct Actor(pub Option<Caller>);

/// What a caller signed in by. It can be checked again later.
#[derive(Clone)]
pub enum Credential {
    Key(HeaderValue),
    Session(Session),
}

impl Credential {
    /// Who it stands for now, read anew: none if it was revoked or its user removed.
    ///
    /// # Errors
    /// The database's.
    pub async fn caller(&self, accounts: &Accounts) -> Result<Option<Caller>> {
        match self {
            Self::Key(header) => match bearer(header) {
                Some(key) => accounts.caller_of_key(key).await,
                None => Ok(None),
            },
            Self::Session(session) => {
                session.load().await.map_err(unreachable_store)?;
                caller_of_session(session, accounts).await
            }
        }
    }

    /// Who it stands for at the beginning of a request: none for a session that has ended.
    ///
    /// # Errors
    /// [`Refusal::NotSignedIn`] for a key that isn't valid, or the database's.
    async fn first_caller(&self, accounts: &Accounts) -> Result<Option<Caller>> {
        match self {
            Self::Key(_) => self.caller(accounts).await?.map(Some).ok_or(Refusal::NotSignedIn.into()),
            // Not yet loaded, so nothing stale is read.
            Self::Session(session) => caller_of_session(session, accounts).await,
        }
    }
}

/// The key in an `Authorization` header; none if it has another scheme.
fn bearer(header: &HeaderValue) -> Option<&str> {
    let (scheme, key) = header.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
}

async fn caller_of_session(session: &Session, accounts: &Accounts) -> Result<Option<Caller>> {
    let found = session.get::<SignedIn>(SIGNED_IN).await.map_err(unreachable_store)?;
    let Some(SignedIn { user, .. }) = found else { return Ok(None) };
    Ok(accounts.user(user).await?.map(|user| Caller { user, key: None }))
}

fn unreachable_store(error: SessionError) -> Error {
    Error::Unavailable(format!("sessions: {error}"))
}

/// The cookie's settings. The outermost middleware makes it `Secure` where there is HTTPS.
pub fn sessions(store: SessionStore) -> SessionManagerLayer<SessionStore> {
    SessionManagerLayer::new(store)
        .with_name(COOKIE)
        .with_http_only(true)
        .with_same_site(SameSite::Lax)
        .with_secure(false)
        .with_path("/")
        .with_expiry(Expiry::OnInactivity(LIFE))
}

/// Middleware: puts an [`Actor`] into the request. A key that isn't valid is refused at once, also where a
/// valid cookie came with it: a caller that sends a key means to act by it.
pub async fn authenticate(State(accounts): State<Accounts>, mut request: Request, next: Next) -> Response {
    let credential = credential(&request);
    let caller = match &credential {
        Some(credential) => match credential.first_caller(&accounts).await {
            Ok(caller) => caller,
            Err(error) => return Problem::from(error).into_response(),
        },
        None => None,
    };
    let known = caller.is_some();
    request.extensions_mut().insert(Actor(caller));
    if let Some(credential) = credential {
        request.extensions_mut().insert(credential);
    }
    let mut response = next.run(request).await;
    if known {
        // What a user sees must not be shown from a cache after signing out.
        response.headers_mut().entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    }
    response
}

/// What a request came with; a key before a cookie.
fn credential(request: &Request) -> Option<Credential> {
    if let Some(header) = request.headers().get(AUTHORIZATION) {
        return Some(Credential::Key(header.clone()));
    }
    let session = request.extensions().get::<Session>()?;
    session.id().is_some().then(|| Credential::Session(session.clone()))
}

/// Makes the session `user`'s, under a new id, so that an id known from before signing in is worth nothing. `headers` are
/// those of the request that signs in.
///
/// # Errors
/// The session store's.
pub async fn sign_in(session: &Session, user: &User, headers: &HeaderMap) -> Result<()> {
    session.cycle_id().await.map_err(unreachable_store)?;
    let signed_in = SignedIn { user: user.id, user_agent: user_agent::in_words(headers) };
    session.insert(SIGNED_IN, signed_in).await.map_err(unreachable_store)
}

/// Ends the session.
///
/// # Errors
/// The session store's.
pub async fn sign_out(session: &Session) -> Result<()> {
    if session.id().is_none() {
        return Ok(());
    }
    session.flush().await.map_err(unreachable_store)
}

fn actor(parts: &Parts) -> Option<&Caller> {
    parts.extensions.get::<Actor>()?.0.as_ref()
}

/// Extractor: the caller, signed in or not.
#[derive(Debug)]
pub struct MaybeUser(pub Option<User>);

impl<S: Sync> FromRequestParts<S> for MaybeUser {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(actor(parts).map(|caller| caller.user.clone())))
    }
}

/// Declares an extractor for a user who passes `check`, so that a role is checked before the body is read.
macro_rules! user_extractor {
    ($(#[$doc:meta])* $name:ident, $check:expr) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name(pub User);

        impl<S: Sync> FromRequestParts<S> for $name {
            type Rejection = Problem;

            async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
                let user = &actor(parts).ok_or(Refusal::NotSignedIn)?.user;
                let check: fn(&User) -> Result<(), Refusal> = $check;
                check(user)?;
                Ok(Self(user.clone()))
            }
        }
    };
}

user_extractor!(
    /// Extractor: the signed-in caller. 401 for any other.
    CurrentUser,
    |_| Ok(())
);
user_extractor!(
    /// Extractor: a user of a group. 401 where not signed in, 403 for a SuperAdmin.
    GroupUser,
    |user| user.must_have_group().map(drop)
);
user_extractor!(
    /// Extractor: the admin of a group. 401 where not signed in, 403 for any other user.
    GroupAdmin,
    |user| user.must_be_admin().map(drop)
);
user_extractor!(
    /// Extractor: the admin of a group, or a SuperAdmin. 401 where not signed in, 403 for a member.
    AnyAdmin,
    User::must_be_any_admin
);
user_extractor!(
    /// Extractor: a SuperAdmin. 401 where not signed in, 403 for any other user.
    SuperAdmin,
    User::must_be_superadmin
);

/// Extractor: a user of a group, and the key it asks with. 401 where not signed in, 403 for a SuperAdmin.
#[derive(Debug)]
pub struct GroupCaller(pub Caller);

impl<S: Sync> FromRequestParts<S> for GroupCaller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let caller = actor(parts).ok_or(Refusal::NotSignedIn)?;
        caller.user.must_have_group()?;
        Ok(Self(caller.clone()))
    }
}

/// Extractor: a user who signed in, and the session it did so by. 401 where not signed in, 403 for a key: what can be lost
/// with a program must not change the account it belongs to.
#[derive(Debug)]
pub struct SessionUser {
    pub user: User,
    pub session: SessionKey,
}

impl SessionUser {
    /// Of a request that passed [`authenticate`].
    ///
    /// # Errors
    /// [`Refusal::NotSignedIn`]; [`Refusal::Forbidden`] for a key.
    pub fn of(parts: &Parts) -> Result<Self, Refusal> {
        let user = actor(parts).ok_or(Refusal::NotSignedIn)?.user.clone();
        let session = current_session(parts).ok_or_else(|| {
            Refusal::Forbidden("An API key may not do this. Sign in with your password.".into())
        })?;
        Ok(Self { user, session })
    }
}

impl<S: Sync> FromRequestParts<S> for SessionUser {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Ok(Self::of(parts)?)
    }
}

/// Extractor: the session of the request, if it came with one rather than a key.
#[derive(Debug)]
pub struct CurrentSession(pub Option<SessionKey>);

impl<S: Sync> FromRequestParts<S> for CurrentSession {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(current_session(parts)))
    }
}

fn current_session(parts: &Parts) -> Option<SessionKey> {
    match parts.extensions.get::<Credential>()? {
        Credential::Session(session) => session.id().map(SessionKey::from),
        Credential::Key(_) => None,
    }
}

impl<S: Sync> FromRequestParts<S> for Credential {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Ok(parts.extensions.get::<Self>().cloned().ok_or(Refusal::NotSignedIn)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_from_its_header() {
        let of = |text: &'static str| bearer(&HeaderValue::from_static(text)).map(str::to_owned);
        assert_eq!(of("Bearer tg_abc").as_deref(), Some("tg_abc"));
        assert_eq!(of("bearer  tg_abc").as_deref(), Some("tg_abc"));
        assert_eq!(of("Basic dXNlcg=="), None);
        assert_eq!(of("tg_abc"), None);
    }
}
