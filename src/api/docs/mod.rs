//! The OpenAPI document and the pages that show it: a reference of every operation and schema, and of every error.
//!
//! They are written once, at the start, as plain HTML: nothing is loaded but one style, and nothing runs.

mod errors;
mod layout;
mod reference;
mod schemas;

use axum::Router;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use bytes::Bytes;
use serde_json::Value;

use crate::http::problem::types;

const DOCUMENT: &str = "/api/openapi.json";
const PAGE: &str = "/api/docs/";
const STYLE: &str = "/api/docs/reference.css";

const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");

/// Serves `document` and its pages.
pub fn router(document: &Value) -> Router {
    let file = |kind: HeaderValue, content: String| {
        let content = Bytes::from(content);
        get(|| async move { ([(CONTENT_TYPE, kind)], content) })
    };
    let json = HeaderValue::from_static("application/json");
    let css = HeaderValue::from_static("text/css; charset=utf-8");
    Router::new()
        .route(DOCUMENT, file(json, document.to_string()))
        .route(PAGE, file(HTML, reference::page(document).into_string()))
        .route(types::PAGE, file(HTML, errors::page().into_string()))
        .route(STYLE, file(css, include_str!("reference.css").into()))
}
