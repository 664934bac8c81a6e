//! Sending an event again.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};

use super::layout::notice;
use crate::engine::Sandbox;

/// `POST /panel/events/{id}/retry`
pub(super) async fn retry(State(sandbox): State<Sandbox>, Path(id): Path<String>) -> Response {
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
