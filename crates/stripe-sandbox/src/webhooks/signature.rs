//! Signing what is sent.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The `Stripe-Signature` header: HMAC-SHA256 over the time and the body, by the endpoint's secret.
/// Source: <https://docs.stripe.com/webhooks#verify-manually>
pub(super) fn header(secret: &str, at: i64, body: &[u8]) -> String {
    // Keys of any length do for HMAC.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return String::new() };
    mac.update(format!("{at}.").as_bytes());
    mac.update(body);
    format!("t={at},v1={}", hex::encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_any_other_implementation_computes_it() {
        // printf '1700000000.{}' | openssl dgst -sha256 -hmac whsec_test
        let expected = "t=1700000000,v1=35495024f4ef3f94e5a93e22221544c4b75e9a42300cd965ab81cb85cd994e91";
        assert_eq!(header("whsec_test", 1_700_000_000, b"{}"), expected);
    }
}
