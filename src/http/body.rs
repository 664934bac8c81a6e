//! Reading a request's whole body, within limits.

use std::sync::Arc;

use axum::body::Body;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_LENGTH;
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::limits::BodyTimeout;
use super::problem::Problem;
use crate::domain::Refusal;
use crate::error::Error;

/// The most bytes of an ordinary body: 1 MiB.
pub const SMALL: usize = 1 << 20;
/// The most bytes of a batch of usage events: 8 MiB.
pub const LARGE: usize = 8 << 20;

/// How much memory large bodies may take at once, in KiB, until what they ask for is done.
const BUDGET: usize = 64 << 10;
/// Seconds after which some are done.
const RETRY_AFTER: u64 = 1;

/// The memory for large bodies. Clones share it.
#[derive(Clone, Debug)]
pub struct LargeBodies(Arc<Semaphore>);

/// A large body's part of it, until it is dropped.
pub type Budget = OwnedSemaphorePermit;

impl Default for LargeBodies {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(BUDGET)))
    }
}

impl LargeBodies {
    /// Reserves memory for a body of at most `limit` bytes, by what its headers announce.
    ///
    /// # Errors
    /// [`Error::Overloaded`] where too many large bodies are being read and worked on.
    pub fn reserve(&self, headers: &HeaderMap, limit: usize) -> Result<Budget, Error> {
        let bytes = announced(headers).unwrap_or(limit).min(limit);
        let kib = u32::try_from(bytes / 1024 + 1).unwrap_or(u32::MAX);
        let overloaded =
            Error::Overloaded { what: "too many large bodies at once", retry_after: RETRY_AFTER };
        Arc::clone(&self.0).try_acquire_many_owned(kib).map_err(|_| overloaded)
    }
}

fn announced(headers: &HeaderMap) -> Option<usize> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// How much of a body that is too large is read and thrown away. A server that answers before it has read
/// everything resets the connection, and many clients then report the reset rather than the answer.
const DISCARDED: usize = 4 * LARGE;

/// A whole body.
///
/// # Errors
/// 413 above `limit` bytes, 408 where the client is too slow, 400 where it stopped sending.
pub async fn read(headers: &HeaderMap, mut body: Body, limit: usize) -> Result<Bytes, Problem> {
    if announced(headers).is_some_and(|bytes| bytes > DISCARDED) {
        return Err(Problem::too_large(limit));
    }
    match Limited::new(&mut body, limit).collect().await {
        Ok(whole) => Ok(whole.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            discard(body).await;
            Err(Problem::too_large(limit))
        }
        Err(error) if is_timeout(error.as_ref()) => Err(Problem::request_timeout()),
        Err(_) => Err(Refusal::Malformed("the body ended early.".into()).into()),
    }
}

/// Reads what is left of a body, unless that is too much.
async fn discard(mut body: Body) {
    let mut left = DISCARDED;
    while let Some(Ok(frame)) = body.frame().await {
        let Some(rest) = left.checked_sub(frame.data_ref().map_or(0, Bytes::len)) else { return };
        left = rest;
    }
}

/// Whether a body failed because its client is too slow.
pub fn is_timeout(error: &(dyn std::error::Error + Send + Sync + 'static)) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if error.is::<BodyTimeout>() {
            return true;
        }
        cause = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(n: usize) -> Body {
        Body::from_stream(futures::stream::iter((0..n).map(|_| Ok::<_, std::io::Error>("abc"))))
    }

    #[tokio::test]
    async fn a_body_in_many_pieces_is_put_together_or_refused() {
        let read = async |n| read(&HeaderMap::new(), pieces(n), 9).await;
        assert_eq!(read(3).await.unwrap(), "abcabcabc");
        assert_eq!(read(4).await.unwrap_err().status(), 413);
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_is_the_senders_fault() {
        let broken = futures::stream::iter([Ok("abc"), Err(std::io::Error::other("gone"))]);
        let refused = read(&HeaderMap::new(), Body::from_stream(broken), 9).await;
        assert_eq!(refused.unwrap_err().status(), 400);
    }
}
