//! From what a transaction announces to its events, and their deliveries to the endpoints that want them.

use std::sync::Arc;

use serde_json::{Value, json};

use super::API_VERSION;
use super::id::new_id;
use super::kind::Kind;
use super::state::{Doc, Writes};
use super::tx::Tx;

/// Source: <https://docs.stripe.com/api/events>
const KEPT_SECONDS: i64 = 30 * 86_400;
/// So that no single request pays for many: each makes fewer events than it drops.
const DROPPED_AT_ONCE: usize = 100;

/// What a transaction leaves.
pub(super) struct Finished {
    pub(super) writes: Writes,
    /// The ids of the deliveries to be made.
    pub(super) deliveries: Vec<String>,
    /// The ids of the events that listeners are told of.
    pub(super) told: Vec<String>,
}

impl Tx<'_> {
    /// What is to be kept, with the events and their deliveries made into documents.
    pub(super) fn finish(mut self) -> Finished {
        if !self.events.is_empty() {
            self.drop_old_events();
        }
        for mut event in std::mem::take(&mut self.events) {
            let id = new_id(Kind::Event);
            let of = self.endpoints_for(event["type"].as_str().unwrap_or_default());
            let object = json!({
                "id": id,
                "object": "event",
                "api_version": API_VERSION,
                "created": self.wall,
                "data": event["data"].take(),
                "livemode": false,
                "pending_webhooks": of.len(),
                "request": {"id": self.cause.request, "idempotency_key": self.cause.idempotency_key},
                "type": event["type"].take(),
            });
            self.insert(Kind::Event, object, json!({"endpoints": of}));
            for endpoint in of {
                self.deliver(&id, &endpoint);
            }
            self.told.push(id);
        }
        Finished { writes: self.writes, deliveries: self.deliveries, told: self.told }
    }

    /// Drops events that are older than Stripe keeps them, and their deliveries.
    fn drop_old_events(&mut self) {
        let state = self.state;
        let old = state
            .between(Kind::Event, None, (i64::MIN, i64::MAX), true)
            .take_while(|(_, kept)| kept.created().is_some_and(|created| created + KEPT_SECONDS <= self.wall))
            .take(DROPPED_AT_ONCE);
        let old: Vec<Arc<Doc>> = old.map(|(seq, kept)| kept.open(seq)).collect();
        for event in old {
            for delivery in self.deliveries_of(event.id()) {
                self.remove(Kind::Delivery, delivery.id());
            }
            self.remove(Kind::Event, event.id());
        }
    }

    /// Has listeners told of an event once more, once this is committed.
    pub(crate) fn tell_again(&mut self, event: &str) {
        self.told.push(event.to_owned());
    }

    /// The ids of the endpoints that want an event of this type.
    pub(crate) fn endpoints_for(&self, event: &str) -> Vec<String> {
        let wants = |doc: &Arc<Doc>| {
            let types = doc.object["enabled_events"].as_array();
            doc.object["status"] == "enabled"
                && types.is_some_and(|types| types.iter().any(|wanted| *wanted == "*" || *wanted == event))
        };
        self.all(Kind::WebhookEndpoint).filter(wants).map(|doc| doc.id().to_owned()).collect()
    }

    /// Has an event delivered to an endpoint once this is committed, also if it was before.
    pub(crate) fn deliver(&mut self, event: &str, endpoint: &str) {
        let id = format!("{event}/{endpoint}");
        if self.get(Kind::Delivery, &id).is_some() {
            self.change(Kind::Delivery, &id, |doc| doc.object["state"] = json!("pending"));
        } else {
            let url = self.get(Kind::WebhookEndpoint, endpoint).map(|doc| doc.object["url"].clone());
            let object = json!({
                "id": id, "event": event, "endpoint": endpoint, "url": url, "created": self.now(),
                "state": "pending", "attempts": [],
            });
            self.insert(Kind::Delivery, object, Value::Null);
        }
        self.deliveries.push(id);
    }

    /// The deliveries of an event, one per endpoint.
    pub(crate) fn deliveries_of(&self, event: &str) -> Vec<Arc<Doc>> {
        let doc = self.get(Kind::Event, event);
        doc.iter().flat_map(|doc| self.deliveries_to(event, &doc.hidden)).collect()
    }

    /// As [`Tx::deliveries_of`], of an event of which this is hidden.
    pub(super) fn deliveries_to(&self, event: &str, hidden: &Value) -> impl Iterator<Item = Arc<Doc>> {
        let endpoints = hidden["endpoints"].as_array().into_iter().flatten().filter_map(Value::as_str);
        endpoints.filter_map(move |endpoint| self.get(Kind::Delivery, &format!("{event}/{endpoint}")))
    }
}
