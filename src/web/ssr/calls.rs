//! Calls of server functions: each is a public endpoint, and what is sent to it may be anything.

use axum::body::{Body, to_bytes};
use axum::http::{HeaderValue, Request, Response, StatusCode, header};
use axum::response::IntoResponse;
use leptos::prelude::*;
use leptos::server_fn::error::{FromServerFnError, SERVER_FN_ERROR_HEADER};
use url::form_urlencoded;

use super::{error, form_errors, forms};
use crate::domain::Refusal;
use crate::http::body::{SMALL, read};
use crate::http::problem::{ApiResult, Problem};
use crate::services::Services;
use crate::web::AppError;

/// Calls a server function. Leptos answers every error with 500: the status is put right here, since most are
/// the sender's doing.
pub async fn call(services: Services, request: Request<Body>) -> Response<Body> {
    let request = match checked(request).await {
        Ok(request) => request,
        Err(problem) => return problem.into_response(),
    };
    let plain_form = forms::is_plain_form(request.headers());
    let provide = move || provide_context(services.clone());
    let mut response = leptos_axum::handle_server_fns_with_context(provide, request).await.into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if plain_form {
        form_errors::sign(&mut response);
        return response;
    }
    if response.status() != StatusCode::INTERNAL_SERVER_ERROR
        || !response.headers().contains_key(SERVER_FN_ERROR_HEADER)
    {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    parts.status = error::status(&AppError::de(body.clone()));
    Response::from_parts(parts, Body::from(body))
}

/// The request with its whole body, a form in UTF-8 without a NUL, which PostgreSQL can't store.
///
/// Leptos reads bodies of any length, and answers what it can't read as if the server had failed.
async fn checked(request: Request<Body>) -> ApiResult<Request<Body>> {
    let (parts, body) = request.into_parts();
    let body = read(&parts.headers, body, SMALL).await?;
    if std::str::from_utf8(&body).is_err() {
        return Err(malformed("the body isn't UTF-8."));
    }
    if form_urlencoded::parse(&body).any(|(name, value)| name.contains('\0') || value.contains('\0')) {
        return Err(malformed("a field contains a NUL character."));
    }
    Ok(Request::from_parts(parts, Body::from(body)))
}

fn malformed(why: &str) -> Problem {
    Refusal::Malformed(why.into()).into()
}
