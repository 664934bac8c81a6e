//! The REST API: reads a request, asks a service, writes the answer. No rule of the business is decided here.
//!
//! Each handler carries its own OpenAPI description, and a route exists only through it, so that the
//! document and the routes can't part.

pub mod analytics;
pub mod auth;
pub mod docs;
pub mod groups;
pub mod health;
pub mod holds;
mod idempotency;
pub mod json;
pub mod keys;
pub mod ledger;
pub mod notifications;
pub mod openapi;
pub mod outbox;
pub mod page;
pub mod path;
pub mod payments;
pub mod plan_changes;
pub mod plans;
pub mod reports;
mod schema;
mod seal;
pub mod sessions;
pub mod stream;
pub mod subscriptions;
pub mod team;
pub mod usage;
pub mod webhook;
mod wrong_json;

use axum::Router;
use axum::extract::{Extension, FromRef};
use axum::routing::any;
use tokio_util::sync::CancellationToken;
use utoipa_axum::router::OpenApiRouter;

use idempotency::ReplayStore;

use crate::accounts::Accounts;
use crate::billing::Billing;
use crate::groups::Groups;
use crate::http::body::LargeBodies;
use crate::http::problem::unknown_path;
use crate::metering::Metering;
use crate::notify::Outbox;
use crate::reports::{Analytics, Reports};
use crate::services::Services;

/// What handlers may ask for.
#[derive(Clone, FromRef)]
pub struct ApiState {
    pub services: Services,
    pub large_bodies: LargeBodies,
    /// Cancelled when the server stops: open streams end.
    pub shutdown: CancellationToken,
}

impl FromRef<ApiState> for Accounts {
    fn from_ref(state: &ApiState) -> Self {
        state.services.accounts.clone()
    }
}

impl FromRef<ApiState> for Billing {
    fn from_ref(state: &ApiState) -> Self {
        state.services.billing.clone()
    }
}

impl FromRef<ApiState> for Groups {
    fn from_ref(state: &ApiState) -> Self {
        state.services.groups.clone()
    }
}

impl FromRef<ApiState> for Metering {
    fn from_ref(state: &ApiState) -> Self {
        state.services.metering.clone()
    }
}

impl FromRef<ApiState> for Outbox {
    fn from_ref(state: &ApiState) -> Self {
        state.services.outbox.clone()
    }
}

impl FromRef<ApiState> for Reports {
    fn from_ref(state: &ApiState) -> Self {
        state.services.reports.clone()
    }
}

impl FromRef<ApiState> for Analytics {
    fn from_ref(state: &ApiState) -> Self {
        state.services.analytics.clone()
    }
}

/// The API's routes.
pub struct Api {
    /// Those that have the caller identified.
    pub routes: Router,
    /// Those that don't: the documentation, health and metrics.
    pub open: Router,
}

/// Builds the routes and, from them, the OpenAPI document.
pub fn build(state: ApiState) -> Api {
    let (routes, mut document) = operations().split_for_parts();
    let (probes, described) = health::routes().split_for_parts();
    document.merge(described);
    let open = probes
        .with_state(state.clone())
        .merge(docs::router(&openapi::finished(&document)))
        .route("/api/", any(unknown_path))
        .route("/api/{*path}", any(unknown_path));
    let replays = ReplayStore::new(state.services.store.clone(), state.services.clock.clone());
    Api { routes: routes.with_state(state).layer(Extension(replays)), open }
}

fn operations() -> OpenApiRouter<ApiState> {
    OpenApiRouter::with_openapi(openapi::base())
        .merge(auth::routes())
        .merge(keys::routes())
        .merge(notifications::routes())
        .merge(sessions::routes())
        .merge(team::routes())
        .merge(plans::routes())
        .merge(subscriptions::routes())
        .merge(plan_changes::routes())
        .merge(payments::routes())
        .merge(usage::routes())
        .merge(ledger::routes())
        .merge(holds::routes())
        .merge(reports::routes())
        .merge(analytics::routes())
        .merge(groups::routes())
        .merge(stream::routes())
        .merge(webhook::routes())
        .merge(outbox::routes())
}
