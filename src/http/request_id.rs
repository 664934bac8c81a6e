//! The id of a request: in its answer, in problems and in the log.

use axum::http::{HeaderName, HeaderValue, Request};
use uuid::Uuid;

pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest id accepted from a client or proxy.
const LONGEST: usize = 128;

/// A request's id: 1 to 128 letters, digits, `-`, `_`, `.`, safe to log and to send back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(HeaderValue);

impl RequestId {
    /// An id given by the client or a proxy; none if it isn't a sane one.
    pub fn new(id: &str) -> Option<Self> {
        let sane = (1..=LONGEST).contains(&id.len())
            && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
        sane.then(|| HeaderValue::from_str(id).ok().map(Self)).flatten()
    }

    /// The id the request came with, so that a proxy's log and ours can be read together, else a new UUIDv7.
    pub fn of<B>(request: &Request<B>) -> Self {
        request
            .headers()
            .get(X_REQUEST_ID)
            .and_then(|given| Self::new(given.to_str().ok()?))
            .unwrap_or_else(Self::fresh)
    }

    fn fresh() -> Self {
        let mut buffer = Uuid::encode_buffer();
        let text = Uuid::now_v7().hyphenated().encode_lower(&mut buffer);
        // A UUID's letters and digits are always a valid header.
        Self(HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static("unknown")))
    }

    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or("unknown")
    }

    pub fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sane_id_is_kept_and_any_other_replaced() {
        let of = |id: &str| RequestId::of(&Request::builder().header(X_REQUEST_ID, id).body(()).unwrap());
        assert_eq!(of("proxy-17.a_B").as_str(), "proxy-17.a_B");
        for bad in ["", "with space", "quote\"", &"x".repeat(129)] {
            assert!(Uuid::parse_str(of(bad).as_str()).is_ok(), "{bad:?}");
        }
    }
}
