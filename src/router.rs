//! Joins the API, the gateway, the pages and their files, and lays the layers around them.

use axum::Router;
use axum::extract::Request;
use axum::middleware::{from_fn, from_fn_with_state};
use tokio_util::sync::CancellationToken;
use tower::util::MapRequest;
use tower_http::CompressionLevel;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate, SizeAbove};

use crate::api::{self, ApiState};
use crate::gateway::{self, in_openai_shape};
use crate::http::body::LargeBodies;
use crate::http::edge::Edge;
use crate::http::headers::SecurityHeaders;
use crate::http::limits::{TimeLimits, limit_time};
use crate::http::origin::PublicOrigin;
use crate::http::{auth, edge, origin, problem, slash};
use crate::services::Services;

/// Joins the API and the gateway with the pages and the files they load.
///
/// `pages` know their caller and may have a fallback; `assets` don't, aren't compressed, and may not have one. Open streams end when `shutdown` is cancelled.
pub fn router(
    services: Services,
    limits: TimeLimits,
    shutdown: CancellationToken,
    pages: Router,
    assets: Router,
) -> Router {
    let config = services.config.clone();
    let security = SecurityHeaders::new(&config.public_url, &config.stripe.js_url);
    let edge = Edge::new(security, config.trusted_proxies.clone(), !config.is_loopback());
    let accounts = services.accounts.clone();
    let gateway = gateway::routes(services.gateway.clone());
    let sessions = auth::sessions(accounts.session_store());
    let api = api::build(ApiState { services, large_bodies: LargeBodies::default(), shutdown });

    let identified = |routes: Router| {
        routes
            .layer(from_fn_with_state(accounts.clone(), auth::authenticate))
            .layer(sessions.clone())
            .layer(from_fn_with_state(PublicOrigin::new(&config.public_url), origin::refuse_foreign))
    };
    // The layer added last is the first to see a request.
    let routes = identified(api.routes.merge(pages))
        .merge(api.open)
        .layer(compression())
        .merge(assets)
        .layer(from_fn_with_state(limits, limit_time))
        .layer(CatchPanicLayer::custom(problem::on_panic));
    // Its answers pass as they come: not compressed, and with as much time as a model takes.
    let gateway = identified(gateway)
        .layer(from_fn_with_state(limits.of_gateway(), limit_time))
        .layer(CatchPanicLayer::custom(problem::on_panic))
        .layer(from_fn(in_openai_shape));
    let routes = routes.merge(gateway).layer(from_fn_with_state(edge, edge::edge));
    // Paths are rewritten before routing, so outside the router that routes.
    Router::new().fallback_service(MapRequest::new(routes, slash::normalise as fn(Request) -> Request))
}

/// Compresses what is worth it and no stream of events: those would be held back until a block is full.
fn compression() -> CompressionLayer<impl Predicate> {
    /// Bytes that fit one packet anyway.
    const ONE_PACKET: u16 = 1024;
    // It is compressed already.
    const SPREADSHEET: NotForContentType =
        NotForContentType::const_new("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet");
    // Brotli's highest levels are for files that are compressed once.
    CompressionLayer::new()
        .quality(CompressionLevel::Precise(4))
        .compress_when(DefaultPredicate::new().and(SizeAbove::new(ONE_PACKET)).and(SPREADSHEET))
}

#[cfg(test)]
mod tests;
