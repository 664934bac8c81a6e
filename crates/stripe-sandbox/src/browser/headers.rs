//! The headers of everything here. Each page may do what it needs and no more.

use axum::http::HeaderValue;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::response::{IntoResponse, IntoResponseParts, Response, ResponseParts};

/// The card form and the controller: any application may embed them, and they talk to the sandbox alone. Fonts are the
/// embedding application's own, wherever it has them.
pub(super) const FRAME_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
     font-src http: https: data:; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors *";

/// The challenge: a form that may lead to the page it was asked to return to.
///
/// Browsers check the redirect that answers a form against `form-action` too, so that address is in it.
pub(super) fn challenge_policy(return_url: Option<&url::Url>) -> String {
    let target = return_url.map(|url| match url.scheme() {
        "http" | "https" => format!(" {}", url.origin().ascii_serialization()),
        // An app's own scheme has no origin.
        scheme => format!(" {scheme}:"),
    });
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; form-action 'self'{}; base-uri 'none'; \
         frame-ancestors *",
        target.unwrap_or_default()
    )
}

/// What every page gets. Addresses here carry client secrets, so they are never sent on as a referrer.
pub(super) struct PageHeaders(pub(super) String);

impl IntoResponseParts for PageHeaders {
    type Error = std::convert::Infallible;

    fn into_response_parts(self, mut parts: ResponseParts) -> Result<ResponseParts, Self::Error> {
        let headers = parts.headers_mut();
        if let Ok(policy) = HeaderValue::from_str(&self.0) {
            headers.insert(CONTENT_SECURITY_POLICY, policy);
        }
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Ok(parts)
    }
}

/// A script or a style sheet, revalidated on each use so that a new build is seen at once.
pub(super) fn asset(content_type: &'static str, body: &'static str) -> Response {
    let headers = [
        (axum::http::header::CONTENT_TYPE, HeaderValue::from_static(content_type)),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        // Applications of any origin load these, also with `crossorigin` or under COEP.
        (HeaderName::from_static("access-control-allow-origin"), HeaderValue::from_static("*")),
        (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("cross-origin")),
    ];
    (headers, body).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy_for(return_url: &str) -> String {
        challenge_policy(url::Url::parse(return_url).ok().as_ref())
    }

    #[test]
    fn the_challenge_may_lead_back_to_the_application_and_nowhere_else() {
        assert!(
            policy_for("http://app.test:3000/done?x=1").contains("form-action 'self' http://app.test:3000;")
        );
        assert!(policy_for("myapp://done").contains("form-action 'self' myapp:;"));
        assert!(challenge_policy(None).contains("form-action 'self';"));
    }

    #[test]
    fn a_return_address_cannot_add_to_the_policy() {
        let policy = policy_for("https://evil.test;script-src%20*/;%20script-src%20*");
        assert_eq!(policy.matches("script-src").count(), 1, "{policy}");
    }
}
