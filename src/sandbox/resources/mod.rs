//! The endpoints, one file per resource: what each takes, and what it does.

mod account;
mod balance;
mod charges;
mod customers;
mod events;
mod invoice_payments;
mod invoices;
mod payment_intents;
mod payment_methods;
pub(super) mod prices;
mod products;
mod setup_intents;
mod subscription_items;
mod subscriptions;
mod tokens;
mod webhook_endpoints;

use serde_json::{Map, Value, json};

use super::engine::{Doc, Kind, Tx};
use super::http::Route;
use super::{billing, webhooks};

/// Every endpoint.
pub(super) const ROUTES: &[&[Route]] = &[
    account::ROUTES,
    balance::ROUTES,
    charges::ROUTES,
    customers::ROUTES,
    events::ROUTES,
    invoice_payments::ROUTES,
    invoices::ROUTES,
    payment_intents::ROUTES,
    payment_methods::ROUTES,
    prices::ROUTES,
    products::ROUTES,
    setup_intents::ROUTES,
    subscription_items::ROUTES,
    subscriptions::ROUTES,
    tokens::ROUTES,
    webhook_endpoints::ROUTES,
];

/// An object as the API shows it: with what is kept in other documents.
pub(super) fn render(tx: &Tx, kind: Kind, doc: &Doc) -> Value {
    let mut object = doc.object.clone();
    if doc.is_deleted() {
        return object;
    }
    match kind {
        Kind::Subscription => {
            let items = billing::subscriptions::items(tx, doc.id());
            let (plan, quantity) = match &items[..] {
                [only] => (only["plan"].clone(), only["quantity"].clone()),
                _ => (Value::Null, Value::Null),
            };
            object["plan"] = plan;
            object["quantity"] = quantity;
            object["items"] = json!({
                "object": "list", "data": items, "has_more": false, "total_count": items.len(),
                "url": format!("/v1/subscription_items?subscription={}", doc.id()),
            });
        }
        Kind::SubscriptionItem => {
            let price = object["price"].as_str().map(|id| tx.shown(Kind::Price, id)).unwrap_or_default();
            object["plan"] = prices::plan(&price);
            object["price"] = price;
        }
        Kind::Event => object["pending_webhooks"] = json!(webhooks::pending(tx, doc.id())),
        _ => {}
    }
    object
}

/// Takes a field over if it was given.
pub(super) fn set(object: &mut Value, params: &Value, field: &str) {
    if let Some(value) = params.get(field) {
        object[field] = value.clone();
    }
}

/// The metadata after a change: keys with an empty text go, others come or change, null clears it all.
pub(super) fn merge_metadata(object: &mut Value, params: &Value) {
    match params.get("metadata") {
        Some(Value::Object(given)) => {
            let mut merged = object["metadata"].as_object().cloned().unwrap_or_default();
            for (key, value) in given {
                if value == "" {
                    merged.remove(key);
                } else {
                    merged.insert(key.clone(), value.clone());
                }
            }
            object["metadata"] = Value::Object(merged);
        }
        Some(_) => object["metadata"] = json!({}),
        None => {}
    }
}

/// The metadata of a new object.
pub(super) fn new_metadata(params: &Value) -> Value {
    let mut object = json!({"metadata": Map::new()});
    merge_metadata(&mut object, params);
    object["metadata"].take()
}
