//! An event as it is sent to a webhook.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use serde_json::Value;

use super::signature;
use crate::clock::Clock;

const SIGNATURE: HeaderName = HeaderName::from_static("stripe-signature");

/// The body, and the headers beside it.
pub(crate) struct Message {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Message {
    /// Signs an event with a webhook's secret, by the machine's time whatever the event's own is.
    pub(crate) fn new(event: &Value, secret: &str) -> Self {
        // A value without keys that aren't texts can always be written.
        let body = serde_json::to_vec_pretty(event).unwrap_or_default();
        let signature = signature::header(secret, Clock::system().now().timestamp(), &body);
        let mut headers = HeaderMap::from_iter([
            (header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8")),
            (header::USER_AGENT, HeaderValue::from_static("Stripe/1.0 (+https://stripe.com/docs/webhooks)")),
        ]);
        // Digits and letters.
        if let Ok(signature) = HeaderValue::from_str(&signature) {
            headers.insert(SIGNATURE, signature);
        }
        Self { headers, body }
    }
}
