//! Webhooks: which endpoint gets which event, and getting it there.

mod delivery;
mod message;
mod signature;

use serde_json::{Value, json};

use super::engine::{Cause, Doc, Kind, Sandbox, Tx, WriteFailed, new_id};
use super::error::StartError;

pub(super) use delivery::deliver;
pub(super) use message::Message;

/// A webhook endpoint of the application.
#[derive(Clone)]
pub struct Webhook {
    /// Where events are posted.
    pub url: String,
    /// What they are signed with, `whsec_…`.
    pub secret: String,
}

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

impl Sandbox {
    /// Where an event was sent and what came of it, one per endpoint.
    pub fn deliveries(&self, event: &str) -> Vec<Delivery> {
        self.read(|tx| deliveries_of(tx, event))
    }

    /// Sends an event once more to every endpoint that wants it. Does nothing if there is no such event.
    ///
    /// # Errors
    /// If the disk can't be written.
    pub async fn redeliver(&self, event: &str) -> Result<(), WriteFailed> {
        self.transact(Cause::default(), |tx| (true, send_again(tx, event, None))).await
    }

    /// Installs the application's endpoint, in the place of one that an earlier start installed.
    pub(crate) async fn install_webhook(&self, webhook: &Webhook) -> Result<(), StartError> {
        self.transact(Cause::default(), |tx| {
            let old = tx.all(Kind::WebhookEndpoint).find(|doc| doc.hidden["installed"] == true);
            let id = old.as_ref().map_or_else(|| new_id(Kind::WebhookEndpoint), |doc| doc.id().to_owned());
            let fresh = old.is_none();
            let (object, mut hidden) = endpoint(&id, &webhook.url, &["*".into()], &webhook.secret, tx.now());
            hidden["installed"] = json!(true);
            if fresh {
                tx.insert(Kind::WebhookEndpoint, object, hidden);
            } else {
                tx.change(Kind::WebhookEndpoint, &id, |doc| {
                    doc.object = object;
                    doc.hidden = hidden;
                });
            }
            (true, ())
        })
        .await
        .map_err(|WriteFailed| StartError::Write)
    }
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

/// Has an event sent once more: to one endpoint, or to all that want it.
pub(super) fn send_again(tx: &mut Tx, event: &str, endpoint: Option<&str>) {
    let Some(doc) = tx.get(Kind::Event, event) else { return };
    let endpoints = match endpoint {
        Some(one) => vec![one.to_owned()],
        None => tx.endpoints_for(doc.object["type"].as_str().unwrap_or_default()),
    };
    for endpoint in endpoints {
        tx.deliver(event, &endpoint);
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
pub(super) fn abandon_deliveries(tx: &mut Tx, endpoint: &str) {
    let waiting: Vec<String> = tx
        .all_with(Kind::Delivery, "state", "pending")
        .filter(|doc| doc.object["endpoint"] == endpoint)
        .map(|doc| doc.id().to_owned())
        .collect();
    for delivery in waiting {
        tx.change(Kind::Delivery, &delivery, |doc| doc.object["state"] = json!("failed"));
    }
}

/// Whether there are events that haven't reached an endpoint, yet or for good.
pub(super) fn has_undelivered(tx: &Tx) -> bool {
    ["pending", "failed"].iter().any(|state| tx.all_with(Kind::Delivery, "state", state).next().is_some())
}

/// The deliveries of an event, one per endpoint.
pub(super) fn deliveries_of(tx: &Tx, event: &str) -> Vec<Delivery> {
    tx.deliveries_of(event).iter().map(|doc| delivery(doc)).collect()
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
