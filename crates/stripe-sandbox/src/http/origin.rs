//! Whether a request comes from one of the sandbox's own pages.

use axum::http::HeaderMap;
use axum::http::header::{HOST, ORIGIN};

/// Whether a page of this very origin sent the request.
///
/// Browsers send `Sec-Fetch-Site` where the connection is trustworthy, loopback included, and `Origin` on
/// every POST; a request with neither comes from no page of ours.
pub(crate) fn same_origin(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return site == "same-origin";
    }
    let origin = text(ORIGIN.as_str()).and_then(|origin| origin.split_once("://"));
    matches!((origin, text(HOST.as_str())), (Some((_, origin)), Some(host)) if origin == host)
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn allowed(headers: &[(&'static str, &'static str)]) -> bool {
        let pairs = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        same_origin(&pairs.collect())
    }

    #[test]
    fn only_own_pages_are_let_in() {
        assert!(allowed(&[("sec-fetch-site", "same-origin")]));
        assert!(allowed(&[("origin", "http://127.0.0.1:12111"), ("host", "127.0.0.1:12111")]));
    }

    #[test]
    fn other_pages_and_programs_are_refused() {
        assert!(!allowed(&[]));
        assert!(!allowed(&[
            ("sec-fetch-site", "same-site"),
            ("origin", "http://a.test"),
            ("host", "a.test")
        ]));
        assert!(!allowed(&[("sec-fetch-site", "cross-site")]));
        assert!(!allowed(&[("origin", "http://127.0.0.1:3000"), ("host", "127.0.0.1:12111")]));
        assert!(!allowed(&[("origin", "null"), ("host", "127.0.0.1:12111")]));
    }
}
