//! Which version of the API, and whose account, a request is for.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use chrono::NaiveDate;

use crate::engine::{ACCOUNT, ApiError};

pub(crate) const STRIPE_VERSION: HeaderName = HeaderName::from_static("stripe-version");
const STRIPE_ACCOUNT: HeaderName = HeaderName::from_static("stripe-account");

/// Stripe's versions, one a line, the newest last. Source: <https://docs.stripe.com/changelog>
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
        if !is_known(version) {
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

/// Whether Stripe has this version. Each month brings one, compatible with those before it of the same name: later ones of
/// the newest name are believed.
fn is_known(version: &str) -> bool {
    let newest = VERSIONS.lines().last().and_then(|newest| newest.split_once('.'));
    let later = version.split_once('.').zip(newest).is_some_and(|((date, name), (newest, newest_name))| {
        name == newest_name && NaiveDate::parse_from_str(date, "%Y-%m-%d").is_ok() && date > newest
    });
    later || VERSIONS.lines().any(|known| known == version)
}

/// A header's text. What can't be read as text is none that anything is called by.
fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name).map(|value: &HeaderValue| value.to_str().unwrap_or("?"))
}
