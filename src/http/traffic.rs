//! Counts requests. Any part of the server counts by the `metrics` macros; what they count is described in
//! [`crate::metrics`].

use std::time::Duration;

use axum::http::{Method, StatusCode};
use metrics::{counter, gauge, histogram};

use crate::metrics::{IN_FLIGHT, LATENCY, REQUESTS};

/// Counts a request as being answered until the guard is dropped.
pub fn begin() -> InFlight {
    gauge!(IN_FLIGHT).increment(1);
    InFlight
}

/// A request being answered.
pub struct InFlight;

impl Drop for InFlight {
    fn drop(&mut self) {
        gauge!(IN_FLIGHT).decrement(1);
    }
}

/// Counts an answer. `route` is the route's pattern, never the path: ids would make a series each.
pub fn answered(method: &Method, route: Option<&str>, status: StatusCode, took: Duration) {
    let method = known(method);
    let route = route.unwrap_or("unmatched").to_owned();
    counter!(REQUESTS, "method" => method, "route" => route.clone(), "status" => status.as_str().to_owned())
        .increment(1);
    histogram!(LATENCY, "method" => method, "route" => route).record(took.as_secs_f64());
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

#[cfg(test)]
mod tests {
    use metrics_exporter_prometheus::PrometheusRecorder;

    use super::*;
    use crate::metrics::recorder;

    #[test]
    fn answers_are_counted_by_route_and_status() {
        let recorder: PrometheusRecorder = recorder();
        let handle = recorder.handle();
        metrics::with_local_recorder(&recorder, || {
            let guard = begin();
            for _ in 0..2 {
                answered(&Method::GET, Some("/api/auth/me/"), StatusCode::OK, Duration::from_millis(3));
            }
            answered(&Method::from_bytes(b"BREW").unwrap(), None, StatusCode::NOT_FOUND, Duration::ZERO);
            let text = handle.render();
            for line in [
                r#"tollgate_http_requests_total{method="GET",route="/api/auth/me/",status="200"} 2"#,
                r#"tollgate_http_requests_total{method="other",route="unmatched",status="404"} 1"#,
                r#"tollgate_http_request_duration_seconds_bucket{method="GET",route="/api/auth/me/",le="0.005"} 2"#,
                r#"tollgate_http_request_duration_seconds_count{method="GET",route="/api/auth/me/"} 2"#,
                "tollgate_http_requests_in_flight 1",
            ] {
                assert!(text.contains(line), "{line} in {text}");
            }
            drop(guard);
            assert!(handle.render().contains("tollgate_http_requests_in_flight 0"));
        });
    }
}
