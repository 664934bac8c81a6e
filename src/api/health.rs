//! For operators: is the server alive, is it ready, how is it doing?

use axum::Json as Answer;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::ApiState;
use crate::error::Error;
use crate::http::problem::{ApiResult, Problem};
use crate::metrics;
use crate::services::Services;

/// All is well.
#[derive(Serialize, ToSchema)]
struct Health {
    /// Always `ok`.
    #[schema(value_type = String)]
    status: &'static str,
}

const OK: Answer<Health> = Answer(Health { status: "ok" });

/// Is the server alive?
#[utoipa::path(get, path = "/healthz", operation_id = "healthz", tag = "Operations", security(()),
    responses((status = 200, description = "It answers.", body = Health)))]
async fn healthz() -> Answer<Health> {
    OK
}

/// Is the server ready?
///
/// Whether the database answers and its tables are those this version needs.
#[utoipa::path(get, path = "/readyz", operation_id = "readyz", tag = "Operations", security(()),
    responses(
        (status = 200, description = "Ready.", body = Health),
        (status = 503, description = "`unavailable`: the database doesn't answer, or wants migrating."),
    ))]
async fn readyz(State(services): State<Services>) -> ApiResult<Answer<Health>> {
    match services.store.is_ready().await.map_err(Error::from)? {
        true => Ok(OK),
        false => Err(Problem::unavailable()),
    }
}

/// How is the server doing?
///
/// Metrics in Prometheus' text format.
#[utoipa::path(get, path = "/metrics", operation_id = "metrics", tag = "Operations", security(()),
    responses((status = 200, description = "Every metric.", body = String,
        content_type = "text/plain")))]
async fn read_metrics() -> impl IntoResponse {
    ([(CONTENT_TYPE, metrics::CONTENT_TYPE)], metrics::text())
}

pub fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(healthz)).routes(routes!(readyz)).routes(routes!(read_metrics))
}
