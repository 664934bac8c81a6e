//! Stripe's webhooks: verified, kept once, answered at once, worked off.

use std::time::Duration;

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::Value;
use sha2::Sha256;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, warn};

use super::Billing;
use crate::domain::Refusal;
use crate::error::Result;

/// How far a signature's time may be from ours.
/// Source: <https://docs.stripe.com/webhooks#replay-attacks>.
const TOLERANCE: chrono::Duration = chrono::Duration::minutes(5);
/// How long the answer waits for the event's effect. The event is kept by then, so it isn't lost if this is
/// too short.
const PATIENCE: Duration = Duration::from_millis(700);
/// How often events are looked for that were kept and not worked off.
const INTERVAL: Duration = Duration::from_secs(15);

/// What is read of an event. The rest is fetched.
#[derive(Deserialize)]
struct Event {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    data: EventData,
}

#[derive(Deserialize)]
struct EventData {
    object: Value,
}

impl Event {
    /// The subscription an event is about.
    fn subscription(&self) -> Option<&str> {
        let object = &self.data.object;
        let found = if self.kind.starts_with("customer.subscription.") {
            &object["id"]
        } else if self.kind.starts_with("invoice.") {
            match &object["parent"]["subscription_details"]["subscription"] {
                Value::Null => &object["subscription"],
                found => found,
            }
        } else {
            return None;
        };
        found.as_str().or_else(|| found["id"].as_str()).filter(|id| is_name(id))
    }

    /// Whether what is stored of it is what Stripe may send.
    fn is_sound(&self) -> bool {
        is_name(&self.id) && is_name(&self.kind)
    }
}

/// Stripe's ids and types of events.
fn is_name(text: &str) -> bool {
    (1..=255).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'))
}

impl Billing {
    /// Takes in an event: checks its signature on the bytes as they came, keeps it, and works it off. Safe to
    /// repeat. An answer of `Ok` means that the event is kept and its effect is done, or will be.
    ///
    /// # Errors
    /// [`Refusal::Malformed`] for a signature that doesn't fit, or what isn't an event; the database's.
    pub async fn webhook(&self, payload: &[u8], signature: &str) -> Result<()> {
        // Signatures go by the wall clock, also where a test moves the application's.
        let now = crate::clock::Clock::system().now();
        verify(payload, signature, self.config.stripe.webhook_secret.expose_secret(), now)?;
        let event = serde_json::from_slice::<Event>(payload)
            .ok()
            .filter(Event::is_sound)
            .ok_or_else(|| Refusal::Malformed("this is not a Stripe event".into()))?;
        let subscription = event.subscription();
        if !self.store.receive_event(&event.id, &event.kind, subscription, self.clock.now()).await? {
            debug!(event = event.id, "seen before");
            return Ok(());
        }
        let subscription = subscription.map(str::to_owned);
        let billing = self.clone();
        let work = tokio::spawn(async move { billing.work_off(&event.id, subscription.as_deref()).await });
        // Stripe wants an answer soon, and gets one: the rest goes on.
        let _ = timeout(PATIENCE, work).await;
        Ok(())
    }

    /// Does what an event asks. What fails stays in the inbox.
    async fn work_off(&self, event: &str, subscription: Option<&str>) {
        let done = match subscription {
            Some(stripe_id) => self.sync(stripe_id, Some(event)).await.map(drop),
            None => self.store.mark_event_done(event, self.clock.now()).await,
        };
        if let Err(error) = done {
            warn!(event, %error, "event not worked off yet");
        }
    }

    /// Works off, until `stop` is cancelled, the events that were kept and whose effect is not done.
    pub async fn work_off_pending(&self, stop: CancellationToken) {
        loop {
            match self.store.pending_events(self.clock.now() - chrono::Duration::seconds(10)).await {
                Ok(pending) => {
                    for (event, subscription) in pending {
                        self.work_off(&event, subscription.as_deref()).await;
                    }
                }
                Err(error) => error!(%error, "the inbox can't be read"),
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(INTERVAL) => {}
            }
        }
    }
}

/// Checks a `Stripe-Signature`: `t=…,v1=…[,v1=…]`, an HMAC-SHA256 of `t.payload`.
/// Source: <https://docs.stripe.com/webhooks#verify-manually>.
fn verify(payload: &[u8], signature: &str, secret: &str, now: DateTime<Utc>) -> Result<(), Refusal> {
    let bad = |what: &str| Err(Refusal::Malformed(format!("the Stripe-Signature {what}")));
    let parts = || signature.split(',').filter_map(|part| part.trim().split_once('='));
    let Some(timestamp) = parts().find(|(name, _)| *name == "t").map(|(_, value)| value) else {
        return bad("has no time");
    };
    let Some(time) = timestamp.parse().ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0)) else {
        return bad("has no time");
    };
    if (now - time).abs() > TOLERANCE {
        return bad("is too old");
    }
    let fits = parts()
        .filter(|(name, _)| *name == "v1")
        .filter_map(|(_, value)| hex::decode(value).ok())
        .any(|given| {
            Hmac::<Sha256>::new_from_slice(secret.as_bytes()).is_ok_and(|mut mac| {
                mac.update(timestamp.as_bytes());
                mac.update(b".");
                mac.update(payload);
                mac.verify_slice(&given).is_ok()
            })
        });
    if fits { Ok(()) } else { bad("does not fit") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SECRET: &str = "whsec_test";

    fn sign(payload: &[u8], at: DateTime<Utc>, secret: &str) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(format!("{}.", at.timestamp()).as_bytes());
        mac.update(payload);
        format!("t={},v1={}", at.timestamp(), hex::encode(mac.finalize().into_bytes()))
    }

    fn now() -> DateTime<Utc> {
        "2026-03-01T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_signature_fits_its_payload_and_no_other() {
        let signature = sign(b"{}", now(), SECRET);
        assert!(verify(b"{}", &signature, SECRET, now()).is_ok());
        assert!(verify(b"{ }", &signature, SECRET, now()).is_err());
        assert!(verify(b"{}", &signature, "whsec_other", now()).is_err());
    }

    #[test]
    fn one_of_several_signatures_is_enough() {
        let right = sign(b"{}", now(), SECRET);
        let both = right.replacen("v1=", &format!("v0=ff,v1={},v1=", "00".repeat(32)), 1);
        assert!(verify(b"{}", &both, SECRET, now()).is_ok());
    }

    #[test]
    fn five_minutes_either_way_are_tolerated() {
        let signature = sign(b"{}", now(), SECRET);
        assert!(verify(b"{}", &signature, SECRET, now() + TOLERANCE).is_ok());
        assert!(verify(b"{}", &signature, SECRET, now() + TOLERANCE + chrono::Duration::seconds(1)).is_err());
        assert!(verify(b"{}", &signature, SECRET, now() - TOLERANCE - chrono::Duration::seconds(1)).is_err());
    }

    #[test]
    fn what_is_no_signature_is_refused() {
        for signature in ["", "t=,v1=", "v1=00", "t=1772366400", "t=99999999999999999999,v1=00", "nonsense"] {
            assert!(verify(b"{}", signature, SECRET, now()).is_err(), "{signature}");
        }
    }

    #[test]
    fn an_event_names_its_subscription() {
        let event = |kind: &str, object: Value| Event {
            id: "evt_1".into(),
            kind: kind.into(),
            data: EventData { object },
        };
        for (event, subscription) in [
            (event("customer.subscription.updated", json!({"id": "sub_1"})), Some("sub_1")),
            (
                event("invoice.paid", json!({"parent": {"subscription_details": {"subscription": "sub_1"}}})),
                Some("sub_1"),
            ),
            (event("invoice.paid", json!({"subscription": "sub_1"})), Some("sub_1")),
            (event("invoice.paid", json!({"parent": null})), None),
            (event("customer.created", json!({"id": "cus_1"})), None),
        ] {
            assert_eq!(event.subscription(), subscription, "{}", event.kind);
        }
    }
}
