//! The Content-Security-Policy of a page: our own files, this answer's inline scripts, and Stripe.js.

use axum::http::{HeaderValue, header};
use leptos::nonce::use_nonce;
use leptos_axum::ResponseOptions;
use url::Url;

use super::hot_reload;
use crate::config::StripeConfig;

/// Sets the policy on the answer that is being made, if it is a page.
pub fn set(response: &ResponseOptions, stripe: &StripeConfig) {
    let Some(nonce) = use_nonce() else { return };
    if let Ok(value) = HeaderValue::from_str(&policy(&nonce, &stripe.js_url, &hot_reload::sources())) {
        response.insert_header(header::CONTENT_SECURITY_POLICY, value);
    }
}

/// Source of what Stripe.js needs: <https://docs.stripe.com/security/guide#content-security-policy>.
fn policy(nonce: &str, stripe_js: &str, reload: &str) -> String {
    let origin = Url::parse(stripe_js).map(|url| url.origin().ascii_serialization()).unwrap_or_default();
    let (scripts, frames, connects) = if origin == "https://js.stripe.com" {
        (
            "https://js.stripe.com https://*.js.stripe.com",
            "https://js.stripe.com https://*.js.stripe.com https://hooks.stripe.com",
            "https://api.stripe.com",
        )
    } else {
        (origin.as_str(), origin.as_str(), origin.as_str())
    };
    format!(
        "default-src 'self'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval' {scripts}; \
         style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; media-src 'self' blob:; connect-src 'self' {connects}{reload}; \
         frame-src {frames}; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_foreign_but_stripe_is_allowed() {
        let policy = policy("n0nce", "https://js.stripe.com/endive/stripe.js", "");
        let foreign: Vec<_> = policy.split([' ', ';']).filter(|word| word.contains("://")).collect();
        assert!(!foreign.is_empty());
        assert!(foreign.iter().all(|source| source.ends_with(".stripe.com")), "{foreign:?}");
        assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"));
    }

    #[test]
    fn another_stripe_js_is_allowed_by_its_origin() {
        let policy = policy("n0nce", "http://127.0.0.1:12111/v3/stripe.js?x=1", "");
        assert!(policy.contains("frame-src http://127.0.0.1:12111;"), "{policy}");
        assert!(!policy.contains("stripe.com"));
    }
}
