//! What changes something is done from the panel's own pages only.

use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::layout::notice;
use crate::http::same_origin;

/// Refuses requests that may change something, unless one of the panel's pages sent them.
pub(super) async fn only(request: Request, next: Next) -> Response {
    if request.method().is_safe() || same_origin(request.headers()) {
        return next.run(request).await;
    }
    let text = "This can be done from the panel’s own pages only. Programs use the API.";
    (StatusCode::FORBIDDEN, notice("Refused", text)).into_response()
}
