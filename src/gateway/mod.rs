//! The AI gateway: OpenAI's API at `/v1`, metered.
//!
//! Owns: what a request of that API may cost and did cost, and passing it on. Doesn't own: the ledger, which holds and
//! settles the tokens ([`crate::metering`]), nor who asks ([`crate::http::auth`]).
//!
//! - `routes`: what is served, and its limits; everything else is refused, never passed on unmetered;
//! - `document`, `json`: a body as it was sent, and single values of it replaced in place;
//! - `models`, `tokens`, `count`: what a prompt may cost;
//! - `reservation`: tokens held, and settled exactly once however a request ends;
//! - `plan`, `completion`: asking for text;
//! - `answer`, `reader`, `sse`: reading what an answer cost; `relay`: passing it on while it comes;
//! - `speech`, `upload`: voice;
//! - `upstream`, `headers`: the model server, and what passes between it and the client;
//! - `usage`, `earlier`: what the provider counted, and what earlier responses had;
//! - `error`: refusals as OpenAI's clients read them.

mod answer;
mod completion;
mod count;
mod document;
mod earlier;
mod error;
mod headers;
mod json;
mod models;
mod plan;
mod reader;
mod relay;
mod reservation;
mod routes;
mod speech;
mod sse;
mod tokens;
mod upload;
mod upstream;
mod usage;

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use self::earlier::Earlier;
use self::error::ApiError;
use self::upstream::Upstream;
use crate::clock::Clock;
use crate::config::Config;
use crate::error::Result;
use crate::http::body;
use crate::metering::Metering;

pub use error::in_openai_shape;
pub use routes::routes;

/// The most bytes of a JSON body. Images, audio and files travel inside it, in base64.
pub const JSON_LIMIT: usize = 32 << 20;
/// Requests that may be under way at once, streams included. Further ones are refused with 503.
const PLACES: u32 = 4_096;
/// Bytes that bodies may take in memory at once. Requests that don't fit are refused with 503.
const MEMORY: usize = 512 << 20;
/// What memory is given out in.
const BLOCK: usize = 1 << 10;

/// The gateway. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Gateway(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    metering: Metering,
    clock: Clock,
    upstream: Upstream,
    earlier: Earlier,
    places: Arc<Semaphore>,
    memory: Arc<Semaphore>,
    stop: CancellationToken,
}

/// Reads the vocabularies, so that the first request doesn't wait for them. Blocks for some tenths of a second.
pub fn load() {
    tokens::load();
}

/// Memory that a body takes.
#[derive(Debug)]
struct Memory(#[allow(dead_code, reason = "held for its end")] OwnedSemaphorePermit);

impl Gateway {
    /// # Errors
    /// [`crate::error::Error::Internal`] where the upstream's address or key can't be used.
    pub fn new(config: &Config, metering: Metering, clock: Clock) -> Result<Self> {
        let upstream = Upstream::new(&config.upstream, config.upstream_limits)?;
        let places = Arc::new(Semaphore::new(PLACES as usize));
        let memory = Arc::new(Semaphore::new(MEMORY / BLOCK));
        let (earlier, stop) = (Earlier::default(), CancellationToken::new());
        Ok(Self(Arc::new(Inner { metering, clock, upstream, earlier, places, memory, stop })))
    }

    /// Ends the streams that are still open after a while, and returns when every request is settled, at the latest
    /// after `limit`. Says how many were not.
    pub async fn finish(&self, limit: Duration) -> usize {
        self.0.stop.cancel();
        let all = self.0.places.acquire_many(PLACES);
        match timeout(limit, all).await {
            Ok(_) => 0,
            Err(_) => (PLACES as usize).saturating_sub(self.0.places.available_permits()),
        }
    }

    /// Has streams end by themselves before long.
    pub fn close(&self) {
        self.0.stop.cancel();
    }

    fn metering(&self) -> &Metering {
        &self.0.metering
    }

    fn clock(&self) -> &Clock {
        &self.0.clock
    }

    fn upstream(&self) -> &Upstream {
        &self.0.upstream
    }

    fn earlier(&self) -> &Earlier {
        &self.0.earlier
    }

    fn stop(&self) -> &CancellationToken {
        &self.0.stop
    }

    /// A place among the requests under way.
    ///
    /// # Errors
    /// 503 where all are taken.
    fn place(&self) -> Result<OwnedSemaphorePermit, ApiError> {
        Arc::clone(&self.0.places).try_acquire_owned().map_err(|_| ApiError::overloaded())
    }

    /// Memory for so many bytes; none where there isn't so much.
    fn memory(&self, bytes: usize) -> Option<Memory> {
        let blocks = u32::try_from(bytes.div_ceil(BLOCK)).ok()?;
        Arc::clone(&self.0.memory).try_acquire_many_owned(blocks).ok().map(Memory)
    }

    /// A whole body, and the memory that it and its edited copy take.
    ///
    /// # Errors
    /// 413 above [`JSON_LIMIT`], 415 where it is compressed, 408 and 400 as [`body::read`], 503 where there is no memory.
    async fn read(&self, headers: &HeaderMap, body: Body) -> Result<(Bytes, Memory), ApiError> {
        if headers.get(CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
            return Err(ApiError::encoded());
        }
        // A client that states no length may send as much as is allowed.
        let expected = length(headers)
            .map_or(JSON_LIMIT, |length| usize::try_from(length).unwrap_or(JSON_LIMIT).min(JSON_LIMIT));
        let memory = self.memory(2 * expected).ok_or_else(ApiError::overloaded)?;
        Ok((body::read(headers, body, JSON_LIMIT).await?, memory))
    }
}

/// A body's length, where it is stated.
fn length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
