//! Refuses what another site makes a visitor's browser send (cross-site request forgery).
//!
//! Browsers say where a request comes from, in `Sec-Fetch-Site` or at least in `Origin`; a request that has
//! neither comes from no browser. Signing in and up are covered too, though they need no cookie: a
//! visitor could otherwise be signed in as another user without noticing.

use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, ORIGIN};
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use url::Url;

use super::client::Client;
use super::problem::Problem;
use crate::domain::Refusal;

/// Stripe calls this with neither cookie nor key; its signature is what counts.
const WEBHOOK: &str = "/api/subscriptions/webhook/stripe/";

/// The origin people see.
#[derive(Clone, Debug)]
pub struct PublicOrigin(std::sync::Arc<str>);

impl PublicOrigin {
    pub fn new(public_url: &Url) -> Self {
        Self(public_url.origin().ascii_serialization().into())
    }

    /// Whether a request may be served, as far as its origin goes.
    fn allows(&self, method: &Method, path: &str, headers: &HeaderMap, client: &Client) -> bool {
        // A key isn't sent by a browser on its own, so a request with one was meant.
        if method.is_safe() || headers.contains_key(AUTHORIZATION) || path == WEBHOOK {
            return true;
        }
        let header =
            |name| headers.get(name).map(|value: &axum::http::HeaderValue| value.to_str().unwrap_or(""));
        let origin = header(ORIGIN.as_str()).filter(|origin| *origin != "null");
        let ours = origin.map(|origin| self.is_ours(origin, client));
        match header("sec-fetch-site") {
            Some("same-origin" | "none") => ours.unwrap_or(true),
            Some(_) => false,
            None => ours.unwrap_or(!headers.contains_key(ORIGIN)),
        }
    }

    /// Ours is the public URL, and whatever host the request was sent to: a page of that host sent it. The scheme
    /// is compared where a proxy says which one it was asked by.
    fn is_ours(&self, origin: &str, client: &Client) -> bool {
        if origin.eq_ignore_ascii_case(&self.0) {
            return true;
        }
        let Some((scheme, authority)) = origin.split_once("://") else { return false };
        client.host.as_deref().is_some_and(|host| host.eq_ignore_ascii_case(authority))
            && client.scheme.as_deref().is_none_or(|asked| asked.eq_ignore_ascii_case(scheme))
    }
}

/// Middleware: 403 `cross_origin` for an unsafe request from another origin.
pub async fn refuse_foreign(
    State(public): State<PublicOrigin>,
    client: Client,
    request: Request,
    next: Next,
) -> Response {
    if public.allows(request.method(), request.uri().path(), request.headers(), &client) {
        next.run(request).await
    } else {
        Problem::from(Refusal::CrossOrigin).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(method: Method, path: &str, headers: &[(&'static str, &'static str)]) -> bool {
        let find =
            |name| headers.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        allows_by(method, path, headers, Client { address: None, scheme: None, host: find("host") })
    }

    fn allows_by(
        method: Method,
        path: &str,
        headers: &[(&'static str, &'static str)],
        client: Client,
    ) -> bool {
        let public = PublicOrigin::new(&"https://tollgate.example/".parse().unwrap());
        let headers =
            headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        public.allows(&method, path, &headers, &client)
    }

    #[test]
    fn behind_a_proxy_the_host_and_scheme_it_was_asked_by_are_ours() {
        let asked = |scheme: &str, host: &str| Client {
            address: None,
            scheme: Some(scheme.into()),
            host: Some(host.into()),
        };
        let origin = [("origin", "https://other.example"), ("host", "127.0.0.1:3000")];
        let post = |client| allows_by(Method::POST, "/fn/log_in", &origin, client);
        assert!(post(asked("https", "other.example")));
        assert!(!post(asked("http", "other.example")));
        assert!(!post(asked("https", "evil.example")));
    }

    #[test]
    fn another_site_may_read_and_not_write() {
        let foreign = [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")];
        assert!(allows(Method::GET, "/usage", &foreign));
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            assert!(!allows(method, "/api/auth/keys/", &foreign));
        }
        assert!(!allows(Method::POST, "/fn/log_in", &[("origin", "https://evil.example")]));
        assert!(!allows(Method::POST, "/api/auth/login/", &[("sec-fetch-site", "same-site")]));
        assert!(!allows(Method::POST, "/api/auth/login/", &[("origin", "null")]));
    }

    #[test]
    fn our_own_pages_may_write() {
        for headers in [
            &[("sec-fetch-site", "same-origin"), ("origin", "https://tollgate.example")][..],
            &[("sec-fetch-site", "same-origin"), ("origin", "null")],
            &[("sec-fetch-site", "none")],
            &[("origin", "https://tollgate.example")],
            &[("origin", "http://127.0.0.1:3000"), ("host", "127.0.0.1:3000")],
        ] {
            assert!(allows(Method::POST, "/fn/log_in", headers), "{headers:?}");
        }
    }

    #[test]
    fn a_contradiction_is_refused() {
        let headers = [("sec-fetch-site", "same-origin"), ("origin", "https://evil.example")];
        assert!(!allows(Method::POST, "/fn/log_in", &headers));
    }

    #[test]
    fn programs_keys_and_stripe_are_no_browsers() {
        assert!(allows(Method::POST, "/api/auth/login/", &[]));
        assert!(allows(
            Method::POST,
            "/api/auth/keys/",
            &[("authorization", "Bearer tg_x"), ("origin", "https://a.example")]
        ));
        assert!(allows(Method::POST, WEBHOOK, &[("origin", "https://a.example")]));
    }
}
