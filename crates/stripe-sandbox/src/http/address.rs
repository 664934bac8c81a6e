//! Addresses that a customer is sent to.

use serde_json::Value;
use url::Url;

use crate::engine::ApiError;

/// That a parameter is an address which a browser can be sent to. Plain HTTP is fine here, where Stripe in live mode wants
/// HTTPS.
///
/// # Errors
/// `url_invalid`.
pub(crate) fn check_address(value: &Value, param: &str) -> Result<(), ApiError> {
    let Some(text) = value.as_str() else { return Ok(()) };
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(()),
        _ => Err(ApiError::invalid("Not a valid URL").code("url_invalid").param(param)),
    }
}
