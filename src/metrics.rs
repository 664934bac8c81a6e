//! What Prometheus reads: the names and meanings of everything that is counted.
//!
//! Any module counts by the macros of the `metrics` crate with a name from here; there is one recorder a process.

use std::sync::OnceLock;

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

pub const REQUESTS: &str = "tollgate_http_requests_total";
pub const IN_FLIGHT: &str = "tollgate_http_requests_in_flight";
pub const LATENCY: &str = "tollgate_http_request_duration_seconds";
pub const EVENTS_RECORDED: &str = "tollgate_events_recorded_total";
pub const EVENTS_DUPLICATE: &str = "tollgate_events_duplicate_total";
pub const HOLDS_GRANTED: &str = "tollgate_holds_granted_total";
pub const HOLDS_DENIED: &str = "tollgate_holds_denied_total";
pub const HOLDS_WAITING: &str = "tollgate_holds_waiting";

/// The media type of [`text`].
/// Source: <https://prometheus.io/docs/instrumenting/exposition_formats/>.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Upper bounds of the latency buckets, in seconds.
const BUCKETS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();

/// Makes what is counted from now on readable. Safe to call again.
pub fn install() {
    HANDLE.get_or_init(|| {
        let recorder = recorder();
        let handle = recorder.handle();
        if metrics::set_global_recorder(recorder).is_err() {
            tracing::error!("metrics are recorded elsewhere already");
        }
        describe_counter!(REQUESTS, "Requests answered");
        describe_gauge!(IN_FLIGHT, "Requests being answered");
        describe_histogram!(LATENCY, Unit::Seconds, "Time until an answer's headers");
        describe_counter!(EVENTS_RECORDED, "Usage events recorded");
        describe_counter!(EVENTS_DUPLICATE, "Usage events that had been recorded before");
        describe_counter!(HOLDS_GRANTED, "Holds granted");
        describe_counter!(HOLDS_DENIED, "Holds denied, by whose limit stopped them");
        describe_gauge!(HOLDS_WAITING, "Requests that wait for others' holds to settle");
        handle
    });
}

/// A recorder of its own, for [`install`] and for tests.
pub(crate) fn recorder() -> PrometheusRecorder {
    let builder = PrometheusBuilder::new();
    // The one failure is an empty list of buckets.
    builder
        .set_buckets_for_metric(Matcher::Full(LATENCY.into()), &BUCKETS)
        .unwrap_or_else(|_| PrometheusBuilder::new())
        .build_recorder()
}

/// Every metric in Prometheus' text format; empty before [`install`].
pub fn text() -> String {
    HANDLE.get().map(PrometheusHandle::render).unwrap_or_default()
}

/// Folds what histograms gathered since the last time into their buckets, so that they don't grow where nothing
/// reads the metrics.
pub fn upkeep() {
    if let Some(handle) = HANDLE.get() {
        handle.run_upkeep();
    }
}
