//! Webhooks: which endpoint gets which event, and getting it there.

mod courier;
mod signature;

use serde_json::{Value, json};

use super::engine::{Doc, Kind, Tx};

pub(super) use courier::deliver;

/// An event on its way to one endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The endpoint's id.
    pub endpoint: String,
    /// Where it was sent.
    pub url: String,
    pub state: DeliveryState,
    /// Oldest first.
    pub attempts: Vec<Attempt>,
}

/// How far a delivery is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryState {
    /// Not tried yet.
    Pending,
    /// Tried in vain; there will be another attempt.
    Retrying,
    /// The endpoint answered with a 2xx.
    Delivered,
    /// Given up.
    Failed,
}

/// One request to an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Unix seconds.
    pub at: i64,
    /// The status that came back, if anything did.
    pub status: Option<u16>,
    /// Why nothing came back.
    pub error: Option<String>,
}

/// An endpoint as its document: the object, and its secret beside it.
pub(super) fn endpoint(id: &str, url: &str, events: &[String], secret: &str, now: i64) -> (Value, Value) {
    let object = json!({
        "id": id,
        "object": "webhook_endpoint",
        "api_version": null,
        "application": null,
        "created": now,
        "description": null,
        "enabled_events": events,
        "livemode": false,
        "metadata": {},
        "status": "enabled",
        "url": url,
    });
    (object, json!({"secret": secret}))
}

/// The ids of the endpoints that want an event of this type.
pub(super) fn endpoints_for(tx: &Tx, event: &str) -> Vec<String> {
    let wants = |doc: &&Doc| {
        let types = doc.object["enabled_events"].as_array();
        doc.object["status"] == "enabled"
            && types.is_some_and(|types| types.iter().any(|wanted| *wanted == "*" || *wanted == event))
    };
    tx.all(Kind::WebhookEndpoint).filter(wants).map(|doc| doc.id().to_owned()).collect()
}

/// Makes a delivery, or has one that is over made again. Returns its id.
pub(super) fn queue(tx: &mut Tx, event: &str, endpoint: &str) -> String {
    let id = format!("{event}/{endpoint}");
    if tx.get(Kind::Delivery, &id).is_some() {
        tx.change(Kind::Delivery, &id, |doc| doc.object["state"] = json!("pending"));
    } else {
        let url = tx.get(Kind::WebhookEndpoint, endpoint).map(|doc| doc.object["url"].clone());
        let object = json!({
            "id": id, "event": event, "endpoint": endpoint, "url": url, "created": tx.now(),
            "state": "pending", "attempts": [],
        });
        tx.insert(Kind::Delivery, object, Value::Null);
    }
    id
}

/// Has an event sent once more: to one endpoint, or to all that want it.
pub(super) fn send_again(tx: &mut Tx, event: &str, endpoint: Option<&str>) {
    let Some(doc) = tx.get(Kind::Event, event) else { return };
    let endpoints = match endpoint {
        Some(one) => vec![one.to_owned()],
        None => endpoints_for(tx, doc.object["type"].as_str().unwrap_or_default()),
    };
    for endpoint in endpoints {
        let delivery = queue(tx, event, &endpoint);
        tx.send(delivery);
        tx.change(Kind::Event, event, |doc| {
            if let Some(known) = doc.hidden["endpoints"].as_array_mut()
                && !known.iter().any(|one| *one == endpoint)
            {
                known.push(json!(endpoint));
            }
        });
    }
}

/// Gives up what is still to be sent to an endpoint that is no more.
pub(super) fn forget(tx: &mut Tx, endpoint: &str) {
    let waiting: Vec<String> = tx
        .all(Kind::Delivery)
        .filter(|doc| is_pending(doc) && doc.object["endpoint"] == endpoint)
        .map(|doc| doc.id().to_owned())
        .collect();
    for delivery in waiting {
        tx.change(Kind::Delivery, &delivery, |doc| doc.object["state"] = json!("failed"));
    }
}

pub(super) fn is_pending(delivery: &Doc) -> bool {
    delivery.object["state"] == "pending"
}

/// How many deliveries of an event are still to be made.
pub(super) fn pending(tx: &Tx, event: &str) -> usize {
    of_event(tx, event).filter(|doc| is_pending(doc)).count()
}

/// The deliveries of an event, one per endpoint.
pub(super) fn deliveries_of(tx: &Tx, event: &str) -> Vec<Delivery> {
    of_event(tx, event).map(|doc| delivery(&doc)).collect()
}

fn of_event<'a>(tx: &'a Tx, event: &'a str) -> impl Iterator<Item = std::sync::Arc<Doc>> + 'a {
    tx.get(Kind::Event, event)
        .and_then(|event| event.hidden["endpoints"].as_array().cloned())
        .into_iter()
        .flatten()
        .filter_map(move |endpoint| tx.get(Kind::Delivery, &format!("{event}/{}", endpoint.as_str()?)))
}

fn delivery(doc: &Doc) -> Delivery {
    let text = |field: &str| doc.object[field].as_str().unwrap_or_default().to_owned();
    let attempts: Vec<Attempt> =
        doc.object["attempts"].as_array().into_iter().flatten().map(attempt).collect();
    let state = match doc.object["state"].as_str() {
        Some("delivered") => DeliveryState::Delivered,
        Some("failed") => DeliveryState::Failed,
        _ if attempts.is_empty() => DeliveryState::Pending,
        _ => DeliveryState::Retrying,
    };
    Delivery { endpoint: text("endpoint"), url: text("url"), state, attempts }
}

fn attempt(value: &Value) -> Attempt {
    Attempt {
        at: value["at"].as_i64().unwrap_or_default(),
        status: value["status"].as_u64().and_then(|status| status.try_into().ok()),
        error: value["error"].as_str().map(str::to_owned),
    }
}
