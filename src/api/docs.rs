//! The OpenAPI document and the page that shows it.

use axum::Router;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use bytes::Bytes;
use utoipa_swagger_ui::{Config, SwaggerUi};

const DOCUMENT: &str = "/api/openapi.json";

/// Serves `document`, written once, and Swagger UI on it.
pub fn router(document: &serde_json::Value) -> Router {
    let text = Bytes::from(document.to_string());
    let json = HeaderValue::from_static("application/json");
    // Swagger UI would have a third party check the document; "none" keeps it from asking.
    let config =
        Config::from(DOCUMENT).validator_url("none").deep_linking(true).display_request_duration(true);
    Router::new()
        .route(DOCUMENT, get(|| async move { ([(CONTENT_TYPE, json)], text) }))
        .merge(SwaggerUi::new("/api/docs").config(config))
}
