//! What Stripe's webhooks say: checked, kept once, answered soon.

use std::time::Duration;

use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::Value;
use tokio::time::timeout;
use tracing::debug;

use super::Billing;
use super::checkout::is_stripe_id;
use super::signature::verify;
use super::stripe::PAYS_FOR_KEY;
use crate::clock::Clock;
use crate::domain::Refusal;
use crate::error::Result;
use crate::storage::EventSubject;

/// How long the answer waits for the event's effect. The event is kept by then, so it isn't lost if this is too short.
const ANSWER_WITHIN: Duration = Duration::from_millis(700);

/// What is read of an event. The rest is fetched.
#[derive(Deserialize)]
struct Event {
    id: String,
    #[serde(rename = "type")]
    event_type: String,
    data: EventData,
}

#[derive(Deserialize)]
struct EventData {
    object: Value,
}

impl Event {
    /// # Errors
    /// [`Refusal::Malformed`] for what can't be an event of Stripe's.
    fn parse(payload: &[u8]) -> Result<Self, Refusal> {
        serde_json::from_slice(payload)
            .ok()
            .filter(|event: &Self| {
                let dotted = |c: u8| c.is_ascii_alphanumeric() || c == b'_' || c == b'.';
                is_stripe_id(&event.id)
                    && event.event_type.len() <= 255
                    && event.event_type.bytes().all(dotted)
            })
            .ok_or_else(|| Refusal::Malformed("this is not a Stripe event".into()))
    }

    /// The setup intent that an event says has succeeded, where its card is for a subscription of ours.
    fn setup_intent(&self) -> Option<&str> {
        let object = &self.data.object;
        let ours = self.event_type == "setup_intent.succeeded" && self.subscription().is_some();
        object["id"].as_str().filter(|id| ours && is_stripe_id(id))
    }

    /// The subscription an event is about.
    fn subscription(&self) -> Option<&str> {
        let object = &self.data.object;
        let found = if self.event_type == "setup_intent.succeeded" {
            &object["metadata"][PAYS_FOR_KEY]
        } else if self.event_type.starts_with("customer.subscription.") {
            &object["id"]
        } else if self.event_type.starts_with("invoice.") {
            match &object["parent"]["subscription_details"]["subscription"] {
                Value::Null => &object["subscription"],
                found => found,
            }
        } else {
            return None;
        };
        found.as_str().or_else(|| found["id"].as_str()).filter(|id| is_stripe_id(id))
    }
}

impl Event {
    /// The invoice an event is about, or whose credit note.
    fn invoice(&self) -> Option<&str> {
        let object = &self.data.object;
        let found = if self.event_type.starts_with("invoice.") {
            &object["id"]
        } else if self.event_type.starts_with("credit_note.") {
            &object["invoice"]
        } else {
            return None;
        };
        found.as_str().or_else(|| found["id"].as_str()).filter(|id| is_stripe_id(id))
    }

    /// The payment whose refund an event is about.
    fn refunded_payment(&self) -> Option<&str> {
        let is_refund = self.event_type.starts_with("refund.")
            || self.event_type.starts_with("charge.refund.")
            || self.event_type == "charge.refunded";
        let found = &self.data.object["payment_intent"];
        found.as_str().or_else(|| found["id"].as_str()).filter(|id| is_refund && is_stripe_id(id))
    }

    fn subject(&self) -> EventSubject<'_> {
        EventSubject {
            subscription: self.subscription(),
            setup_intent: self.setup_intent(),
            invoice: self.invoice(),
            payment_intent: self.refunded_payment(),
        }
    }
}

impl Billing {
    /// Takes in an event: checks its signature on the bytes as they came, keeps it, and has its effect. Safe to repeat. An
    /// answer of `Ok` means that the event is kept and its effect is done, or will be tried again.
    ///
    /// # Errors
    /// [`Refusal::Malformed`] for a signature that doesn't fit, or what isn't an event; the database's.
    pub async fn webhook(&self, payload: &[u8], signature: &str) -> Result<()> {
        // Signatures go by the wall clock, also where a test moves the application's.
        let now = Clock::system().now();
        verify(payload, signature, self.config.stripe.webhook_secret.expose_secret(), now)?;
        let event = Event::parse(payload)?;
        let kept = self.keep_event(&event.id, &event.event_type, event.subject()).await?;
        let Some(kept) = kept else {
            debug!(event = event.id, "seen before");
            return Ok(());
        };
        if kept.setup_intent.is_some() {
            // The page that the card was entered in is about to say so too, and is there to have the bank ask about what
            // the card pays. Only where it was closed, the inbox does it.
            return Ok(());
        }
        let billing = self.clone();
        let work = tokio::spawn(async move { billing.process_event(&kept).await });
        // Stripe wants an answer soon, and gets one: the rest goes on.
        let _ = timeout(ANSWER_WITHIN, work).await;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_names_its_subscription() {
        let event = |event_type: &str, object: Value| Event {
            id: "evt_1".into(),
            event_type: event_type.into(),
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
            (
                event(
                    "setup_intent.succeeded",
                    json!({"id": "seti_1", "metadata": {"tollgate_pays_for": "sub_1"}}),
                ),
                Some("sub_1"),
            ),
            (event("setup_intent.succeeded", json!({"id": "seti_1", "metadata": {}})), None),
            (event("customer.created", json!({"id": "cus_1"})), None),
            (event("customer.subscription.updated", json!({"id": "../customers"})), None),
        ] {
            assert_eq!(event.subscription(), subscription, "{}", event.event_type);
        }
    }

    #[test]
    fn an_event_names_the_invoice_or_the_payment_that_it_changed() {
        for (event_type, object, invoice, payment) in [
            ("invoice.paid", json!({"id": "in_1", "payment_intent": "pi_1"}), Some("in_1"), None),
            ("credit_note.created", json!({"id": "cn_1", "invoice": "in_1"}), Some("in_1"), None),
            ("charge.refunded", json!({"id": "ch_1", "payment_intent": "pi_1"}), None, Some("pi_1")),
            ("refund.updated", json!({"id": "re_1", "payment_intent": {"id": "pi_1"}}), None, Some("pi_1")),
            ("charge.succeeded", json!({"id": "ch_1", "payment_intent": "pi_1"}), None, None),
            ("invoice.upcoming", json!({}), None, None),
            ("invoice.paid", json!({"id": "../customers"}), None, None),
        ] {
            let event =
                Event { id: "evt_1".into(), event_type: event_type.into(), data: EventData { object } };
            let EventSubject { invoice: found, payment_intent, .. } = event.subject();
            assert_eq!((found, payment_intent), (invoice, payment), "{event_type}");
        }
    }

    #[test]
    fn what_cant_be_stripes_is_no_event() {
        let event = |id: &str, event_type: &str| {
            json!({"id": id, "type": event_type, "data": {"object": {}}}).to_string().into_bytes()
        };
        assert!(Event::parse(&event("evt_1", "invoice.paid")).is_ok());
        let long = "e".repeat(900_000);
        for (id, event_type) in [
            ("evt_\0", "invoice.paid"),
            (&long, "invoice.paid"),
            ("evt_1", "invoice.\0"),
            ("evt_1", &long),
            ("", "a"),
        ] {
            assert!(Event::parse(&event(id, event_type)).is_err());
        }
        assert!(Event::parse(b"{}").is_err());
    }
}
