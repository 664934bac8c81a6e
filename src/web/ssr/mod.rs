//! The server's half of the pages: their routes, and what a server function needs to know of its request.
//!
//! Everything here is compiled for the server only.

pub mod assets;
pub mod context;
mod csp;
mod error;
mod form_errors;
pub mod forms;
pub mod hot_reload;
pub mod shown_once;

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderValue, Request, Response, StatusCode, header};
use axum::response::{IntoResponse, Redirect};
use axum::routing::post;
use leptos::prelude::*;
use leptos::server_fn::error::{FromServerFnError, SERVER_FN_ERROR_HEADER};
use leptos_axum::{LeptosRoutes, ResponseOptions, generate_route_list_with_exclusions_and_ssg_and_context};
use leptos_router::components::provide_server_redirect;

use crate::services::Services;
use crate::web::AppError;
use crate::web::components::page::PageStatus;
use crate::web::pages::shell::shell;

/// The pages and the server functions behind them, each at its own path; every path left over is answered
/// with the page that says so.
pub fn routes(services: Services) -> Router {
    let provide = {
        let services = services.clone();
        move || provide_page_context(&services)
    };
    let (pages, _) = generate_route_list_with_exclusions_and_ssg_and_context(shell, None, provide.clone());
    let render = leptos_axum::render_app_async_with_context(provide, shell);
    let page = move |request: Request<Body>| {
        let render = render.clone();
        async move {
            match form_errors::without_foreign(&request) {
                Some(clean) => Redirect::to(&clean).into_response(),
                None => render(request).await,
            }
        }
    };
    Router::new()
        .route("/fn/{*name}", post(move |request| call(services.clone(), request)))
        .leptos_routes_with_handler(pages, page.clone())
        .fallback(page)
        .with_state(LeptosOptions::builder().output_name("tollgate").build())
}

/// The path of every page, as the route table has it.
pub fn page_paths(services: Services) -> Vec<String> {
    let provide = move || provide_context(services.clone());
    let (pages, _) = generate_route_list_with_exclusions_and_ssg_and_context(shell, None, provide);
    pages.iter().map(|page| page.path().to_owned()).collect()
}

fn provide_page_context(services: &Services) {
    provide_context(services.clone());
    let Some(response) = use_context::<ResponseOptions>() else { return };
    csp::set(&response, &services.config.stripe);
    // What a page shows belongs to who is signed in now, not to who opens the browser's history later.
    response.insert_header(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    provide_context(PageStatus(Arc::new({
        let response = response.clone();
        move |status| response.set_status(StatusCode::from_u16(status).unwrap_or(StatusCode::OK))
    })));
    // Leptos' own redirects only those who ask for HTML by name, which curl and crawlers don't.
    provide_server_redirect(move |path| forms::redirect(&response, path));
}

/// Calls a server function. Leptos answers every error with 500: the status is put right here, since most are
/// the sender's doing.
async fn call(services: Services, request: Request<Body>) -> Response<Body> {
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
