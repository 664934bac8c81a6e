//! The security headers of every answer.

use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue};
use url::Url;

/// A JSON answer shown as a page may load nothing and be not be framed.
const API_POLICY: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
/// The documentation is HTML with one style of ours.
const DOCS_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// What the headers depend on.
#[derive(Clone, Debug)]
pub struct SecurityHeaders {
    /// Those of every answer.
    always: Vec<(HeaderName, HeaderValue)>,
}

impl SecurityHeaders {
    /// `stripe_js` is the full URL of Stripe.js, whose frames may ask for payment.
    pub fn new(public_url: &Url, stripe_js: &str) -> Self {
        let stripe =
            stripe_js.parse::<Url>().map(|url| url.origin().ascii_serialization()).unwrap_or_default();
        let permissions = format!(
            "camera=(), display-capture=(), geolocation=(), microphone=(self), payment=(self \"{stripe}\"), usb=()"
        );
        let mut always = vec![
            (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
            (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
            (REFERRER_POLICY, HeaderValue::from_static("strict-origin-when-cross-origin")),
            // A bank's 3D Secure page may open as a window of ours and must be able to close itself.
            (
                HeaderName::from_static("cross-origin-opener-policy"),
                HeaderValue::from_static("same-origin-allow-popups"),
            ),
        ];
        if let Ok(permissions) = HeaderValue::from_str(&permissions) {
            always.push((HeaderName::from_static("permissions-policy"), permissions));
        }
        if public_url.scheme() == "https" {
            always.push((STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=63072000")));
        }
        Self { always }
    }

    /// Adds what an answer to a request for `section` should carry. What is there already stays.
    pub fn apply(&self, section: Section, headers: &mut HeaderMap) {
        headers.reserve(self.always.len() + 2);
        for (name, value) in &self.always {
            headers.entry(name).or_insert_with(|| value.clone());
        }
        match section {
            Section::Page => {}
            Section::Api | Section::Gateway => {
                headers.entry(CONTENT_SECURITY_POLICY).or_insert(API_POLICY);
                headers.entry(CACHE_CONTROL).or_insert(NO_STORE);
            }
            Section::Docs => {
                headers.entry(CONTENT_SECURITY_POLICY).or_insert(DOCS_POLICY);
            }
        }
    }
}

/// The parts of the server that differ in their headers and in how they put errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    Api,
    /// What speaks another API's language, errors included.
    Gateway,
    Docs,
    /// Pages, which set their own Content-Security-Policy, and what they load.
    Page,
}

impl Section {
    pub fn of(path: &str) -> Self {
        match path.strip_prefix("/api/") {
            Some(rest) if rest.starts_with("docs/") => Self::Docs,
            Some(_) => Self::Api,
            None if path == "/v1" || path.starts_with("/v1/") => Self::Gateway,
            None => Self::Page,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(public_url: &str, path: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let all =
            SecurityHeaders::new(&public_url.parse().unwrap(), "https://js.stripe.com/endive/stripe.js");
        all.apply(Section::of(path), &mut headers);
        headers
    }

    #[test]
    fn every_answer_is_guarded_and_https_only_where_there_is_https() {
        let page = headers("https://tollgate.example", "/usage");
        assert_eq!(page[X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert!(
            page["permissions-policy"]
                .to_str()
                .unwrap()
                .contains(r#"payment=(self "https://js.stripe.com")"#)
        );
        assert!(page.contains_key(STRICT_TRANSPORT_SECURITY));
        assert!(!headers("http://127.0.0.1:3000", "/usage").contains_key(STRICT_TRANSPORT_SECURITY));
    }

    #[test]
    fn the_api_the_docs_and_pages_have_their_own_policies() {
        let of = |path| headers("http://127.0.0.1:3000", path);
        assert_eq!(of("/api/auth/me/")[CONTENT_SECURITY_POLICY], API_POLICY);
        assert_eq!(of("/api/auth/me/")[CACHE_CONTROL], NO_STORE);
        assert_eq!(of("/api/docs/")[CONTENT_SECURITY_POLICY], DOCS_POLICY);
        assert!(!of("/usage").contains_key(CONTENT_SECURITY_POLICY));
    }

    #[test]
    fn what_a_handler_set_stays() {
        let mut headers = HeaderMap::from_iter([(CACHE_CONTROL, HeaderValue::from_static("no-cache"))]);
        SecurityHeaders::new(&"http://127.0.0.1".parse().unwrap(), "").apply(Section::Api, &mut headers);
        assert_eq!(headers[CACHE_CONTROL], "no-cache");
    }
}
