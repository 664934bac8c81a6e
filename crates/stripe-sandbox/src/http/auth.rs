//! Who is asking: API keys.

use axum::http::{HeaderMap, HeaderValue, header};
use base64::Engine;

use crate::engine::ApiError;

/// What a key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// A secret or restricted key: everything.
    Server,
    /// A publishable key: what a browser does with a client secret in hand.
    Browser,
}

/// The key in the `Authorization` header (bearer, or basic with the key as user name), if any.
pub(crate) fn key_in(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, rest) = value.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(rest.trim().to_owned());
    }
    if scheme.eq_ignore_ascii_case("basic") {
        let decoded = base64::engine::general_purpose::STANDARD.decode(rest.trim()).ok()?;
        let text = String::from_utf8(decoded).ok()?;
        return text.split(':').next().map(str::to_owned);
    }
    None
}

/// What a key may do here.
///
/// # Errors
/// 401 for no key, a live key, or one that isn't a test key of at least 12 characters.
pub(crate) fn role(key: Option<&str>) -> Result<Role, ApiError> {
    let Some(key) = key.filter(|key| !key.is_empty()) else {
        return Err(ApiError::invalid(
            "You did not provide an API key. You need to provide your API key in the Authorization header, using \
             Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See \
             https://stripe.com/docs/api#authentication for details.",
        )
        .status(401));
    };
    if ["sk_live_", "rk_live_", "pk_live_"].iter().any(|live| key.starts_with(live)) {
        return Err(ApiError::invalid(
            "This is a sandbox: it takes test keys only, and was sent a live API key. Live keys belong to \
             Stripe's own servers; if this one was sent here by mistake, consider rolling it.",
        )
        .status(401));
    }
    if key.len() >= 12 && ["sk_test_", "rk_test_"].iter().any(|test| key.starts_with(test)) {
        return Ok(Role::Server);
    }
    if key.len() >= 12 && key.starts_with("pk_test_") {
        return Ok(Role::Browser);
    }
    let shown: String = key.chars().take(7).collect();
    Err(ApiError::invalid(format!("Invalid API Key provided: {shown}***")).status(401))
}

/// Whether a web page sent the request. Browsers add at least one of the two headers to everything that a page
/// sends (the second where the connection is trustworthy, loopback included); other programs add neither.
pub(crate) fn from_web_page(headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    headers.contains_key(header::ORIGIN) || site.is_some_and(|site| site != b"none")
}

/// That a web page sent a secret key.
///
/// Stripe would let it: who holds the key may do everything. Here every key is good, and any page that happens to
/// be open could send one.
pub(crate) fn secret_key_in_web_page() -> ApiError {
    ApiError::invalid(
        "The Stripe sandbox takes secret keys from servers only, and this one was sent by a web page. Web pages use a \
         publishable key.",
    )
    .status(403)
}

/// That a browser asked for what only a server may do.
pub(crate) fn secret_key_required() -> ApiError {
    ApiError::invalid(
        "This API call cannot be made with a publishable API key. Please use a secret API key. You can find a list \
         of your API keys at https://dashboard.stripe.com/account/apikeys.",
    )
    .status(403)
    .code("secret_key_required")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn live_and_malformed_keys_are_refused() {
        for key in
            ["sk_live_0123456789", "rk_live_0123456789", "pk_live_0123456789", "sk_test_123", "hello", ""]
        {
            assert_eq!(role(Some(key)).map_err(|error| error.status), Err(401), "{key}");
        }
        assert_eq!(role(None).map_err(|error| error.status), Err(401));
    }

    #[test]
    fn test_keys_have_their_roles() {
        assert_eq!(role(Some("sk_test_1234")).ok(), Some(Role::Server));
        assert_eq!(role(Some("rk_test_1234")).ok(), Some(Role::Server));
        assert_eq!(role(Some("pk_test_1234")).ok(), Some(Role::Browser));
    }

    #[test]
    fn web_pages_give_themselves_away() {
        let from_page = |name: &'static str, value: &'static str| {
            from_web_page(&HeaderMap::from_iter([(name.parse().unwrap(), HeaderValue::from_static(value))]))
        };
        assert!(from_page("origin", "http://evil.test"));
        assert!(from_page("origin", "null"));
        for site in ["cross-site", "same-site", "same-origin"] {
            assert!(from_page("sec-fetch-site", site), "{site}");
        }
        assert!(!from_page("sec-fetch-site", "none"), "typed into the address bar");
        // What Node's `fetch` sends.
        assert!(!from_page("sec-fetch-mode", "cors"));
    }

    #[test]
    fn keys_come_as_bearer_or_as_basic_user() {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, "Bearer sk_test_1234".parse().unwrap());
        assert_eq!(key_in(&headers).as_deref(), Some("sk_test_1234"));
        headers.insert(header::AUTHORIZATION, "Basic c2tfdGVzdF8xMjM0Og==".parse().unwrap());
        assert_eq!(key_in(&headers).as_deref(), Some("sk_test_1234"));
    }
}
