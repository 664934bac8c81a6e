//! What the sandbox shows to an application's customers. Inside the application's pages: the stand-in for Stripe.js, the
//! frames it puts card entry into, and the 3D Secure challenge. By itself: the pages in `hosted/`.
//!
//! Card data is typed into, and sent from, a frame of the sandbox's own origin. The page around it gets
//! to know whether the card is complete, and what came of it. See `parent/` for what runs in the
//! application's page, `frame/` for what runs in the frames.

mod assets;
mod challenge;
mod headers;
mod hosted;

use axum::Router;
use axum::routing::get;

use super::engine::Sandbox;

pub(super) fn router() -> Router<Sandbox> {
    Router::new()
        .route("/v3", get(assets::stripe_js))
        .route("/v3/", get(assets::stripe_js))
        .route("/{release}/stripe.js", get(assets::stripe_js))
        .route("/elements/payment", get(assets::element_page))
        .route("/elements/card", get(assets::element_page))
        .route("/elements/controller", get(assets::controller_page))
        .route("/elements/{asset}", get(assets::asset))
        .route("/3d_secure/{intent}", get(challenge::show).post(challenge::answer))
        .merge(hosted::router())
}
