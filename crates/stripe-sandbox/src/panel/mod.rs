//! The sandbox's panel: what is in it, for people. Server-rendered, without scripts, and read-only but
//! for sending an event again, advancing a clock and the account's settings.

mod clocks;
mod collections;
mod deliveries;
mod detail;
mod format;
mod json;
mod layout;
mod list;
mod own_pages;
mod retry;
mod settings;

use axum::Router;
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::{from_fn, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use super::engine::Sandbox;

/// Nothing but its own style sheet and icon, no scripts, no framing.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; \
     frame-ancestors 'none'";

pub(super) fn router() -> Router<Sandbox> {
    Router::new()
        .route("/", get(list::overview))
        .route(settings::ADDRESS, get(settings::show).post(settings::save))
        .route("/panel/{kind}", get(list::list))
        .route("/panel/{kind}/{id}", get(detail::show))
        .route("/panel/events/{id}/retry", post(retry::retry))
        .route("/panel/test_clocks/{id}/advance", post(clocks::advance))
        .layer(from_fn(own_pages::only))
        .layer(map_response(secure))
        .route("/panel/panel.css", get(style))
        .route("/panel/icon.svg", get(icon))
}

async fn secure(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

async fn style() -> Response {
    file("text/css; charset=utf-8", concat!(include_str!("layout.css"), "\n", include_str!("parts.css")))
}

async fn icon() -> Response {
    file("image/svg+xml", include_str!("icon.svg"))
}

fn file(content_type: &'static str, text: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, content_type),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, text).into_response()
}
