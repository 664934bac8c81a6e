//! Which version of the API, and whose account, a request is for.

use axum::http::{HeaderMap, HeaderName, HeaderValue};

use crate::engine::{ACCOUNT, ApiError};

pub(crate) const STRIPE_VERSION: HeaderName = HeaderName::from_static("stripe-version");
const STRIPE_ACCOUNT: HeaderName = HeaderName::from_static("stripe-account");

/// Stripe's versions, one a line. Source: <https://docs.stripe.com/changelog>
const VERSIONS: &str = include_str!("versions.txt");

/// That a request asks for a version that there is, and for no other account than the sandbox's own. Whichever version it
/// asks for, it is answered in the sandbox's own, which the answer's header names.
///
/// # Errors
/// 400 for an unknown version, 403 for another account.
pub(crate) fn check(headers: &HeaderMap, key: &str) -> Result<(), ApiError> {
    if let Some(version) = text(headers, &STRIPE_VERSION) {
        // What previews are asked for stands behind it: `2025-03-31.basil; some_beta=v1`.
        let (version, previews) =
            version.split_once(';').map_or((version, ""), |(date, more)| (date.trim(), more));
        if !VERSIONS.lines().any(|known| known == version) {
            return Err(ApiError::invalid(format!("Invalid Stripe API version: {version}")));
        }
        if !previews.trim().is_empty() {
            return Err(ApiError::invalid(format!(
                "The Stripe sandbox has no previews; `{}` asks for one in the Stripe-Version header.",
                previews.trim()
            )));
        }
    }
    match text(headers, &STRIPE_ACCOUNT) {
        Some(account) if account != ACCOUNT => {
            let (shown, _) = key.split_at_checked(key.len().min(12)).unwrap_or_default();
            Err(ApiError::invalid(format!(
                "The provided key '{shown}***' does not have access to account '{account}' (or that account does not \
                 exist). Application access may have been revoked."
            ))
            .status(403)
            .code("account_invalid"))
        }
        _ => Ok(()),
    }
}

/// A header's text. What can't be read as text is none that anything is called by.
fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name).map(|value: &HeaderValue| value.to_str().unwrap_or("?"))
}
