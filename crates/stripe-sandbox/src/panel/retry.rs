//! Sending an event again.

use axum::extract::{Path, State};
use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};

use super::layout::notice;
use crate::engine::Sandbox;

/// `POST /panel/events/{id}/retry`, from the panel's own pages only. Programs have the API for this.
pub(super) async fn retry(
    State(sandbox): State<Sandbox>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    if !same_origin(&headers) {
        let text =
            "This can be done from the panel’s own pages only. Programs use POST /v1/events/{id}/retry.";
        return (StatusCode::FORBIDDEN, notice("Refused", text)).into_response();
    }
    if sandbox.get("events", &id).is_none() {
        let text = "There is no such event. It may be from before the sandbox was restarted.";
        return (StatusCode::NOT_FOUND, notice("Not found", text)).into_response();
    }
    if sandbox.redeliver(&id).await.is_err() {
        let text = "The sandbox’s database could not be written, so nothing was sent. Its log says why.";
        return (StatusCode::INTERNAL_SERVER_ERROR, notice("Not sent", text)).into_response();
    }
    Redirect::to(&format!("/panel/events/{id}")).into_response()
}

/// Whether a page of this very origin sent the request.
///
/// Browsers send `Sec-Fetch-Site` where the connection is trustworthy, loopback included, and `Origin` on
/// every POST; a request with neither comes from no page of ours.
fn same_origin(headers: &HeaderMap) -> bool {
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
    fn only_the_panel_s_own_pages_may_send() {
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
