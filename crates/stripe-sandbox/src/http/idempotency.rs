//! `Idempotency-Key`: the same request twice is one request.
//!
//! Source: <https://docs.stripe.com/api/idempotent_requests>. An answer is kept if the request changed
//! something; one that was refused may be sent again.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::engine::{ApiError, Cause, Doc, Kind, Sandbox, Tx, WriteFailed};
use crate::error::StartError;

/// Stripe discards them after 24 hours at the earliest.
const KEPT_SECONDS: i64 = 24 * 3600;
const MAX_KEY_LENGTH: usize = 255;

/// An answer to give again.
pub(crate) struct Replay {
    pub(crate) status: u16,
    pub(crate) body: Value,
    pub(crate) request: String,
}

/// A request with a key.
pub(crate) struct Keyed {
    id: String,
    key: String,
    fingerprint: String,
}

impl Keyed {
    /// `request` is everything that has to be the same: method, path, and parameters.
    ///
    /// # Errors
    /// If the key is longer than 255 characters.
    pub(crate) fn new(api_key: &str, key: &str, request: &[&[u8]]) -> Result<Self, ApiError> {
        if key.len() > MAX_KEY_LENGTH {
            return Err(ApiError::idempotency("Idempotency keys can be up to 255 characters long."));
        }
        // Each account has its own keys; the sandbox's accounts are its API keys.
        Ok(Self {
            id: hash(&[api_key.as_bytes(), key.as_bytes()]),
            key: key.to_owned(),
            fingerprint: hash(request),
        })
    }

    /// The answer that was given before, if any.
    ///
    /// # Errors
    /// If the key was used for another request.
    pub(crate) fn find(&self, tx: &mut Tx) -> Result<Option<Replay>, ApiError> {
        let Some(kept) = tx.get(Kind::Replay, &self.id) else { return Ok(None) };
        if is_expired(&kept, tx.now()) {
            tx.remove(Kind::Replay, &self.id);
            return Ok(None);
        }
        let kept = &kept.object;
        if kept["fingerprint"] != self.fingerprint {
            return Err(ApiError::idempotency(format!(
                "Keys for idempotent requests can only be used with the same parameters they were first used with. \
                 Try using a key other than '{}' if you meant to execute a different request.",
                self.key
            )));
        }
        Ok(Some(Replay {
            status: kept["status"].as_u64().and_then(|status| status.try_into().ok()).unwrap_or(200),
            body: kept["body"].clone(),
            request: kept["request"].as_str().unwrap_or_default().to_owned(),
        }))
    }

    pub(crate) fn keep(&self, tx: &mut Tx, status: u16, body: &Value, request: &str) {
        let answer = json!({
            "id": self.id, "created": tx.now(), "fingerprint": self.fingerprint,
            "status": status, "body": body, "request": request,
        });
        tx.insert(Kind::Replay, answer, Value::Null);
    }
}

impl Sandbox {
    /// Drops the answers kept for idempotency keys that are as good as new by now.
    pub(crate) async fn discard_expired_replays(&self) -> Result<(), StartError> {
        self.transact(Cause::default(), |tx| {
            let now = tx.now();
            let old: Vec<String> = tx
                .all(Kind::Replay)
                .filter(|doc| is_expired(doc, now))
                .map(|doc| doc.id().to_owned())
                .collect();
            for id in old {
                tx.remove(Kind::Replay, &id);
            }
            (true, ())
        })
        .await
        .map_err(|WriteFailed| StartError::Write)
    }
}

/// Whether a kept answer is so old that its key is as good as new.
fn is_expired(answer: &Doc, now: i64) -> bool {
    answer.object["created"].as_i64().is_none_or(|created| created + KEPT_SECONDS <= now)
}

fn hash(parts: &[&[u8]]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        // The length keeps the parts apart.
        hasher.update(part.len().to_be_bytes());
        hasher.update(part);
    }
    hex::encode(hasher.finalize())
}
