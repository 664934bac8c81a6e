//! A path answers the same with and without its trailing slash, without a redirect.
//!
//! The API's routes end in a slash and all others don't, so the path is put in that form before routing.

use axum::extract::Request;
use axum::http::Uri;
use axum::http::uri::PathAndQuery;

/// Puts the request's path in the form that routes have.
pub fn normalise(mut request: Request) -> Request {
    if let Some(path) = normal_form(request.uri().path())
        && let Some(uri) = with_path(request.uri(), &path)
    {
        *request.uri_mut() = uri;
    }
    request
}

/// The path to route by; none if it is `path` itself.
fn normal_form(path: &str) -> Option<String> {
    let api = path == "/api" || path.starts_with("/api/");
    let last = path.rsplit('/').next().unwrap_or_default();
    match last {
        "" if api || path == "/" => None,
        "" => {
            let trimmed = path.trim_end_matches('/');
            Some(if trimmed.is_empty() { "/".into() } else { trimmed.into() })
        }
        // A dot: a file, such as the OpenAPI document or a style of its page.
        last if api && !last.contains('.') => Some(format!("{path}/")),
        _ => None,
    }
}

fn with_path(uri: &Uri, path: &str) -> Option<Uri> {
    let path_and_query = match uri.query() {
        Some(query) => PathAndQuery::try_from(format!("{path}?{query}")),
        None => PathAndQuery::try_from(path),
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(path_and_query.ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[test]
    fn paths_take_the_form_that_routes_have() {
        for (asked, routed) in [
            ("/api/auth/me", "/api/auth/me/"),
            ("/api/auth/me/", "/api/auth/me/"),
            ("/api/subscriptions/plans?limit=1", "/api/subscriptions/plans/?limit=1"),
            ("/api/docs", "/api/docs/"),
            ("/api/docs/swagger-ui.css", "/api/docs/swagger-ui.css"),
            ("/api/openapi.json", "/api/openapi.json"),
            ("/api", "/api/"),
            ("/usage/", "/usage"),
            ("/usage", "/usage"),
            ("/login/?next=/usage/", "/login?next=/usage/"),
            ("/healthz/", "/healthz"),
            ("/", "/"),
            ("//", "/"),
            ("/apiary/", "/apiary"),
        ] {
            let request = normalise(Request::get(asked).body(Body::empty()).unwrap());
            assert_eq!(request.uri().to_string(), routed, "{asked}");
        }
    }
}
