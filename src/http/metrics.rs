//! What Prometheus reads.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::{HeaderValue, Method, StatusCode};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Metric, Registry, Unit};

use crate::domain::Recorded;

/// Source: <https://prometheus.io/docs/specs/om/open_metrics_spec/>.
pub const CONTENT_TYPE: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");

/// Upper bounds of the latency buckets, in seconds.
const BUCKETS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// The server's metrics. Clones count together.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Mutex<Registry>>,
    requests: Family<Answered, Counter>,
    latency: Family<Route, Histogram, fn() -> Histogram>,
    in_flight: Gauge,
    recorded: Counter,
    duplicates: Counter,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    method: &'static str,
    route: String,
}

fn latency() -> Histogram {
    Histogram::new(BUCKETS)
}

impl Default for Metrics {
    fn default() -> Self {
        let metrics = Self {
            registry: Arc::new(Mutex::new(Registry::with_prefix("tollgate"))),
            requests: Family::default(),
            latency: Family::new_with_constructor(latency),
            in_flight: Gauge::default(),
            recorded: Counter::default(),
            duplicates: Counter::default(),
        };
        metrics.register("http_requests", "Requests answered", metrics.requests.clone());
        metrics.register("http_requests_in_flight", "Requests being answered", metrics.in_flight.clone());
        metrics.register("events_recorded", "Usage events recorded", metrics.recorded.clone());
        metrics.register(
            "events_duplicate",
            "Usage events that had been recorded before",
            metrics.duplicates.clone(),
        );
        metrics.registry().register_with_unit(
            "http_request_duration",
            "Time until an answer's headers",
            Unit::Seconds,
            metrics.latency.clone(),
        );
        metrics
    }
}

impl Metrics {
    fn registry(&self) -> std::sync::MutexGuard<'_, Registry> {
        // A panic while registering leaves the registry usable.
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a metric of another part of the server. Its name gets the prefix `tollgate_`.
    pub fn register(&self, name: &str, help: &str, metric: impl Metric) {
        self.registry().register(name, help, metric);
    }

    /// Counts a request as being answered until the guard is dropped.
    pub fn begin(&self) -> InFlight {
        self.in_flight.inc();
        InFlight(self.in_flight.clone())
    }

    /// Counts an answer. `route` is the route's pattern, never the path: ids would make a series each.
    pub fn answered(&self, method: &Method, route: Option<&str>, status: StatusCode, took: Duration) {
        let method = known(method);
        let route = route.unwrap_or("unmatched").to_owned();
        let answered = Answered { method, route: route.clone(), status: status.as_u16() };
        self.requests.get_or_create(&answered).inc();
        self.latency.get_or_create(&Route { method, route }).observe(took.as_secs_f64());
    }

    /// Counts what was recorded.
    pub fn recorded(&self, recorded: &Recorded) {
        self.recorded.inc_by(recorded.accepted);
        self.duplicates.inc_by(recorded.duplicates);
    }

    /// Every metric in the OpenMetrics text format.
    pub fn text(&self) -> String {
        let mut text = String::new();
        if encode(&mut text, &self.registry()).is_err() {
            tracing::error!("the metrics could not be written");
        }
        text
    }
}

/// A method as a label: what a client makes up must not become a series.
fn known(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}

/// A request being answered.
pub struct InFlight(Gauge);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_counted_by_route_and_status() {
        let metrics = Metrics::default();
        let guard = metrics.begin();
        for _ in 0..2 {
            metrics.answered(&Method::GET, Some("/api/auth/me/"), StatusCode::OK, Duration::from_millis(3));
        }
        metrics.answered(&Method::from_bytes(b"BREW").unwrap(), None, StatusCode::NOT_FOUND, Duration::ZERO);
        let text = metrics.text();
        for line in [
            r#"tollgate_http_requests_total{method="GET",route="/api/auth/me/",status="200"} 2"#,
            r#"tollgate_http_requests_total{method="other",route="unmatched",status="404"} 1"#,
            r#"tollgate_http_request_duration_seconds_count{method="GET",route="/api/auth/me/"} 2"#,
            "tollgate_http_requests_in_flight 1",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
        drop(guard);
        assert!(metrics.text().contains("tollgate_http_requests_in_flight 0"));
    }
}
