//! The outermost middleware: gives each request its id, its sender and its span, finishes problems, adds security
//! headers, counts. One layer rather than six, since every request pays for each.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{ALLOW, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use ipnet::IpNet;
use tower_sessions::cookie::Cookie;
use tracing::Instrument;

use super::client::Client;
use super::headers::{Section, SecurityHeaders};
use super::problem::{self, Problem};
use super::request_id::{RequestId, X_REQUEST_ID};
use super::traffic;

#[derive(Clone)]
pub struct Edge(Arc<Inner>);

struct Inner {
    headers: SecurityHeaders,
    trusted_proxies: Vec<IpNet>,
    /// Whether people reach the server by HTTPS only.
    secure: bool,
}

impl Edge {
    pub fn new(headers: SecurityHeaders, trusted_proxies: Vec<IpNet>, secure: bool) -> Self {
        Self(Arc::new(Inner { headers, trusted_proxies, secure }))
    }
}

/// Middleware. Has to be laid around routes rather than around the router, so that the route is known.
pub async fn edge(State(Edge(edge)): State<Edge>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let in_flight = traffic::begin();
    let id = RequestId::of(&request);
    let client = Client::of(&request, &edge.trusted_proxies);
    let secure = edge.secure || client.scheme.as_deref() == Some("https");
    let method = request.method().clone();
    let section = Section::of(request.uri().path());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map(MatchedPath::as_str);
    // The route's pattern, not the path or the query: those can carry secrets, an invitation's token for one.
    let span = tracing::info_span!("request", id = id.as_str(), %method, route);
    request.extensions_mut().insert(id.clone());
    request.extensions_mut().insert(client);

    let mut response = match request.uri().path_and_query() {
        Some(_) => next.run(request).instrument(span.clone()).await,
        // CONNECT asks for a tunnel and names no path, which what comes next takes for granted.
        None => refuse_tunnel(),
    };

    problem::finish(&mut response, &id, matches!(section, Section::Api | Section::Docs));
    edge.headers.apply(section, response.headers_mut());
    if secure {
        secure_cookies(response.headers_mut());
    }
    response.headers_mut().insert(X_REQUEST_ID, id.header());
    let took = started.elapsed();
    traffic::answered(&method, route, response.status(), took);
    drop(in_flight);
    span.in_scope(|| tracing::debug!(status = response.status().as_u16(), ?took, "answered"));
    response
}

fn refuse_tunnel() -> Response {
    let allowed = HeaderValue::from_static("DELETE, GET, HEAD, PATCH, POST, PUT");
    ([(ALLOW, allowed)], Problem::method_not_allowed()).into_response()
}

/// Makes every cookie one that is sent back by HTTPS only, wherever it was set.
fn secure_cookies(headers: &mut HeaderMap) {
    let cookies: Vec<HeaderValue> = headers.get_all(SET_COOKIE).iter().cloned().collect();
    headers.remove(SET_COOKIE);
    for cookie in cookies {
        let secure = cookie.to_str().ok().and_then(|text| {
            let mut cookie = Cookie::parse(text).ok()?;
            cookie.set_secure(true);
            HeaderValue::from_str(&cookie.to_string()).ok()
        });
        headers.append(SET_COOKIE, secure.unwrap_or(cookie));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cookie_becomes_secure_and_keeps_the_rest() {
        let mut headers = HeaderMap::new();
        for cookie in ["a=1; HttpOnly; SameSite=Lax; Path=/; Max-Age=60", "b=2; Secure"] {
            headers.append(SET_COOKIE, HeaderValue::from_static(cookie));
        }
        secure_cookies(&mut headers);
        let cookies: Vec<_> =
            headers.get_all(SET_COOKIE).iter().map(|value| value.to_str().unwrap()).collect();
        assert_eq!(cookies, ["a=1; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=60", "b=2; Secure"]);
    }
}
