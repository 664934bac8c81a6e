//! `Idempotency-Key`: a POST that is repeated gets the answer of the first time and does nothing twice.
//!
//! What was begun is finished even if the client hangs up, so that a repetition finds its answer. An answer
//! of 500 or above isn't kept: nothing was decided, and a repetition tries again.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{Extension, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::FutureExt;
use sha2::{Digest, Sha256};
use tracing::Instrument;
use utoipa::openapi::path::{ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Required};
use utoipa_axum::router::{UtoipaMethodRouter, UtoipaMethodRouterExt};

use super::ApiState;
use super::openapi::IDEMPOTENCY_KEY;
use super::seal::Seal;
use crate::clock::Clock;
use crate::domain::Refusal;
use crate::error::{Error, Result};
use crate::http::auth::Actor;
use crate::http::body::{SMALL, read};
use crate::http::problem::{self, PROBLEM_JSON, Problem};
use crate::http::request_id::RequestId;
use crate::storage::{Begin, Store};

const HEADER: HeaderName = HeaderName::from_static("idempotency-key");
/// On an answer that was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
/// The longest key, in bytes.
const LONGEST: usize = 255;

/// Makes a POST route replay answers by the header, and its description say so. The route needs a [`ReplayStore`]
/// among its extensions.
pub fn idempotent(
    (schemas, mut paths, router): UtoipaMethodRouter<ApiState>,
) -> UtoipaMethodRouter<ApiState> {
    for post in paths.paths.values_mut().filter_map(|item| item.post.as_mut()) {
        let text =
            ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(LONGEST));
        let header = ParameterBuilder::new()
            .name(IDEMPOTENCY_KEY)
            .parameter_in(ParameterIn::Header)
            .required(Required::False)
            .description(Some(
                "Makes the request safe to repeat: 1 to 255 visible ASCII characters, a UUID for instance. The \
                 same key and body get the same answer, with the header `Idempotent-Replayed`.",
            ))
            .schema(Some(text.pattern(Some("^[!-~]+$"))))
            .build();
        post.parameters.get_or_insert_default().push(RefOr::T(header));
    }
    (schemas, paths, router).layer(from_fn(replay_repeated))
}

/// Where answers are kept for replay.
#[derive(Clone)]
pub struct ReplayStore(Arc<(Store, Clock)>);

impl ReplayStore {
    pub fn new(store: Store, clock: Clock) -> Self {
        Self(Arc::new((store, clock)))
    }
}

async fn replay_repeated(
    Extension(replays): Extension<ReplayStore>,
    request: Request,
    next: Next,
) -> Response {
    // The layer is also around what answers other methods that they aren't allowed.
    let key = request.headers().get(&HEADER).filter(|_| request.method() == Method::POST).cloned();
    let Some(key) = key else { return next.run(request).await };
    match run_once(replays, key, request, next).await {
        Ok(response) => response,
        Err(problem) => problem.into_response(),
    }
}

async fn run_once(
    replays: ReplayStore,
    key: HeaderValue,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let key = key.as_bytes();
    if !(1..=LONGEST).contains(&key.len()) || !key.iter().all(u8::is_ascii_graphic) {
        let message = "Must be 1 to 255 visible ASCII characters.";
        return Err(Refusal::field(IDEMPOTENCY_KEY, message).into());
    }
    let extensions = request.extensions();
    let id = extensions.get::<RequestId>().cloned().unwrap_or_else(|| RequestId::of(&request));
    let user = extensions.get::<Actor>().and_then(|actor| actor.0.as_ref()).map(|caller| caller.user.id);
    let path = request.uri().path();
    let scope = user.map_or_else(|| format!("anonymous {path}"), |user| format!("{user} {path}"));

    let (parts, body) = request.into_parts();
    let body = read(&parts.headers, body, SMALL).await?;
    let fingerprint = fingerprint(&parts, &body);
    let seal =
        Seal::new(key, &scope, fingerprint).ok_or_else(|| Error::Internal("no key to seal with".into()))?;
    let claim = Claim { replays, scope, key: Sha256::digest(key).into(), seal };

    match claim.begin(fingerprint).await? {
        Begin::Mismatch => Err(Refusal::IdempotencyMismatch.into()),
        Begin::InProgress => Err(Refusal::IdempotencyInProgress.into()),
        Begin::Replay { status, body } => claim.replay(status, &body),
        Begin::Fresh => {
            let request = Request::from_parts(parts, Body::from(body));
            // A task of its own: it goes on when the client hangs up.
            let work = async move { claim.work(request, next, &id).await };
            let task = tokio::spawn(work.instrument(tracing::Span::current()));
            task.await.unwrap_or_else(|_| Err(Error::Stopping("the server stops").into()))
        }
    }
}

/// What tells one request from another: its query, its kind and its body. (Method and path are the route's.)
fn fingerprint(parts: &axum::http::request::Parts, body: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in [
        parts.uri.query().unwrap_or_default().as_bytes(),
        parts.headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default(),
        body,
    ] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

/// One use of a key.
struct Claim {
    replays: ReplayStore,
    scope: String,
    /// SHA-256 of the Idempotency-Key.
    key: [u8; 32],
    seal: Seal,
}

impl Claim {
    async fn begin(&self, fingerprint: [u8; 32]) -> Result<Begin> {
        let (store, clock) = &*self.replays.0;
        let now = clock.now();
        store.idempotency().begin(&self.scope, self.key, fingerprint, now).await
    }

    fn replay(&self, status: u16, sealed: &[u8]) -> Result<Response, Problem> {
        let opened = self.seal.open(sealed).zip(StatusCode::from_u16(status).ok());
        let (body, status) = opened.ok_or_else(|| Error::Internal("a kept answer doesn't open".into()))?;
        let kind =
            if status.is_success() { HeaderValue::from_static("application/json") } else { PROBLEM_JSON };
        let replayed = (REPLAYED, HeaderValue::from_static("true"));
        Ok((status, [(CONTENT_TYPE, kind), replayed], body).into_response())
    }

    /// Does the work, and keeps the answer.
    async fn work(self, request: Request, next: Next, id: &RequestId) -> Result<Response, Problem> {
        let answer = AssertUnwindSafe(next.run(request)).catch_unwind().await;
        let mut response = answer.unwrap_or_else(problem::on_panic);
        problem::finish(&mut response, id, true);
        let (parts, body) = response.into_parts();
        let body =
            to_bytes(body, usize::MAX).await.map_err(|_| Error::Internal("an answer broke off".into()))?;
        if !self.keep(parts.status, &body).await {
            self.abandon().await;
        }
        Ok(Response::from_parts(parts, Body::from(body)))
    }

    /// Keeps an answer, unless it says to try again. Whether it is kept.
    async fn keep(&self, status: StatusCode, body: &Bytes) -> bool {
        if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
            return false;
        }
        let Some(sealed) = self.seal.close(body) else { return false };
        let kept = self.store().idempotency().finish(&self.scope, self.key, status.as_u16(), &sealed).await;
        kept.inspect_err(|error| tracing::error!(%error, "an answer could not be kept for replay")).is_ok()
    }

    fn store(&self) -> &Store {
        &self.replays.0.0
    }

    async fn abandon(&self) {
        if let Err(error) = self.store().idempotency().abandon(&self.scope, self.key).await {
            tracing::error!(%error, "an Idempotency-Key could not be freed");
        }
    }
}

#[cfg(test)]
mod tests;
