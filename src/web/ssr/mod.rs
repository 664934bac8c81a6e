//! The server's half of the pages: their routes, and what a server function needs to know of its request.
//!
//! Everything here is compiled for the server only.

pub mod assets;
mod calls;
pub mod context;
mod cookies;
mod csp;
mod error;
mod form_errors;
pub mod forms;
pub mod hot_reload;
pub mod shown_once;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Request, StatusCode, header};
use axum::response::{IntoResponse, Redirect};
use axum::routing::post;
use leptos::prelude::*;
use leptos_axum::{LeptosRoutes, ResponseOptions, generate_route_list_with_exclusions_and_ssg_and_context};
use leptos_router::components::provide_server_redirect;

use crate::services::Services;
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
        .route("/fn/{*name}", post(move |request| calls::call(services.clone(), request)))
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
    // What a page shows belongs to the user who is signed in now, not to the next one at the same browser.
    response.insert_header(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    provide_context(PageStatus(Arc::new({
        let response = response.clone();
        move |status| response.set_status(StatusCode::from_u16(status).unwrap_or(StatusCode::OK))
    })));
    // Leptos' own redirects only those who ask for HTML by name, which curl and crawlers don't.
    provide_server_redirect(move |path| forms::redirect(&response, path));
}
