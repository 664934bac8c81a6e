//! Stripe's conventions over HTTP: everything about a request that isn't its subject.

mod answer;
mod auth;
mod error;
mod expand;
mod form;
mod idempotency;
mod list;
mod params;
mod route;

use axum::Router;
use axum::routing::any;

use super::Sandbox;

pub(super) use auth::Role;
pub(super) use error::ApiError;
pub(super) use idempotency::is_forgotten;
pub(super) use list::{in_range, matches, page, page_of_values};
pub(super) use params::{Field, METADATA, Shape, opt, req};
pub(super) use route::{Call, Route, delete, get, list, post};

/// The version whose shapes the answers have, and which is told where a request names none.
pub(super) const API_VERSION: &str = "2026-09-30.endive";

pub(super) fn router() -> Router<Sandbox> {
    Router::new().route("/v1", any(answer::answer)).route("/v1/{*path}", any(answer::answer))
}

/// Every endpoint of the API, as method and path (`GET`, `/v1/customers/{id}`).
pub fn routes() -> impl Iterator<Item = (&'static str, &'static str)> {
    route::all().map(|route| (route.method, route.path))
}
