//! The style sheets and the script of these pages.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::super::headers::asset as asset_response;

const CSS: &str = concat!(include_str!("layout.css"), "\n", include_str!("parts.css"));

pub(super) async fn asset(Path(name): Path<String>) -> Response {
    match &*name {
        "hosted.css" => asset_response("text/css; charset=utf-8", CSS),
        "card_form.js" => asset_response("text/javascript; charset=utf-8", include_str!("card_form.js")),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}
