//! From a request to its endpoint, and from there to the answer.

mod answer;
#[cfg(test)]
mod effects;
mod expand;
#[cfg(test)]
mod published;
mod table;

use axum::Router;
use axum::routing::any;

use super::engine::Sandbox;

pub(super) fn router() -> Router<Sandbox> {
    Router::new().route("/v1", any(answer::answer)).route("/v1/{*path}", any(answer::answer))
}

/// Every endpoint of the API, as method and path (`GET`, `/v1/customers/{id}`).
pub fn routes() -> impl Iterator<Item = (&'static str, &'static str)> {
    table::all().map(|route| (route.method, route.path))
}
