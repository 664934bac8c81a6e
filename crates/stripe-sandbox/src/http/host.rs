//! Which host names the sandbox answers to.
//!
//! Any site can have its own host name resolve to 127.0.0.1 (DNS rebinding). To a browser the sandbox then is of
//! that site's origin, and everything it answers can be read there; only the name in `Host` tells the two apart.

use std::net::IpAddr;

use axum::extract::Request;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Json, Response};

use crate::engine::ApiError;

/// Answers requests for this machine's own names only.
pub(crate) async fn loopback_only(request: Request, next: Next) -> Response {
    if names_loopback(request.headers()) {
        return next.run(request).await;
    }
    let error = ApiError::invalid(
        "The Stripe sandbox answers requests for localhost only, unless it was started to be reached from the \
         network. This one was sent to another host name.",
    );
    (StatusCode::MISDIRECTED_REQUEST, Json(error.body())).into_response()
}

fn names_loopback(headers: &HeaderMap) -> bool {
    let authority = headers.get(header::HOST).and_then(|host| host.to_str().ok()?.parse::<Authority>().ok());
    let Some(authority) = authority else { return false };
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    match host.parse::<IpAddr>() {
        Ok(address) => address.to_canonical().is_loopback(),
        // Browsers resolve these by themselves. Source: RFC 6761, section 6.3.
        Err(_) => {
            let host = host.trim_end_matches('.').to_ascii_lowercase();
            host == "localhost" || host.ends_with(".localhost")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers_to(host: &str) -> bool {
        names_loopback(&HeaderMap::from_iter([(header::HOST, host.parse().unwrap())]))
    }

    #[test]
    fn this_machine_s_names_are_answered_to() {
        for host in
            ["127.0.0.1:12111", "127.0.0.2", "localhost", "LocalHost.:80", "app.localhost:1", "[::1]:12111"]
        {
            assert!(answers_to(host), "{host}");
        }
    }

    #[test]
    fn other_names_are_not() {
        for host in [
            "evil.test:12111",
            "192.168.1.2",
            "127.0.0.1.evil.test",
            "localhost.evil.test",
            "notlocalhost",
            "[fe80::1]",
            "",
        ] {
            assert!(!answers_to(host), "{host}");
        }
        assert!(!names_loopback(&HeaderMap::new()));
    }
}
