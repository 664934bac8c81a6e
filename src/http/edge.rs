//! The outermost middleware: gives each request its id and span, finishes problems, adds security headers,
//! counts. One layer rather than five, since every request pays for each.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument;

use super::headers::{Place, SecurityHeaders};
use super::metrics::Metrics;
use super::problem;
use super::request_id::{RequestId, X_REQUEST_ID};

#[derive(Clone)]
pub struct Edge(Arc<Inner>);

struct Inner {
    metrics: Metrics,
    headers: SecurityHeaders,
}

impl Edge {
    pub fn new(metrics: Metrics, headers: SecurityHeaders) -> Self {
        Self(Arc::new(Inner { metrics, headers }))
    }
}

/// Middleware. Has to be laid around routes rather than around the router, so that the route is known.
pub async fn edge(State(Edge(edge)): State<Edge>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let in_flight = edge.metrics.begin();
    let id = RequestId::of(&request);
    let method = request.method().clone();
    let place = Place::of(request.uri().path());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map(MatchedPath::as_str);
    // The route's pattern, not the path or the query: those can carry secrets, an invitation's token for one.
    let span = tracing::info_span!("request", id = id.as_str(), %method, route);
    request.extensions_mut().insert(id.clone());

    let mut response = next.run(request).instrument(span.clone()).await;

    problem::finish(&mut response, &id, place != Place::Page);
    edge.headers.apply(place, response.headers_mut());
    response.headers_mut().insert(X_REQUEST_ID, id.header());
    let took = started.elapsed();
    edge.metrics.answered(&method, route, response.status(), took);
    drop(in_flight);
    span.in_scope(|| tracing::debug!(status = response.status().as_u16(), ?took, "answered"));
    response
}
