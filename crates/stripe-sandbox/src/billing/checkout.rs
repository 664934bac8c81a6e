//! Checkout sessions: what is in one, and how it ends.
//!
//! Source: <https://docs.stripe.com/payments/checkout/how-checkout-works>

use serde_json::{Value, json};

use super::subscriptions;
use crate::engine::{Doc, Kind, Tx};
use crate::payments::{payment, setup};

const KIND: Kind = Kind::CheckoutSession;

/// What is bought, as the API lists it.
pub(crate) fn line_items(tx: &Tx, session: &Doc) -> Vec<Value> {
    let free = session.hidden["on_trial"] == true;
    let items = session.hidden["items"].as_array().into_iter().flatten();
    items
        .map(|item| {
            let price = tx.shown(Kind::Price, item["price"].as_str().unwrap_or_default());
            let product = tx.get(Kind::Product, price["product"].as_str().unwrap_or_default());
            let amount = if free { json!(0) } else { item["amount"].clone() };
            json!({
                "id": item["id"],
                "object": "item",
                "adjustable_quantity": null,
                "amount_discount": 0,
                "amount_subtotal": amount,
                "amount_tax": 0,
                "amount_total": amount,
                "currency": item["currency"],
                "description": product.map(|doc| doc.object["name"].clone()),
                "metadata": item["metadata"],
                "price": price,
                "quantity": item["quantity"],
            })
        })
        .collect()
}

/// When an open session expires, in Unix seconds.
pub(super) fn expires_at(doc: &Doc) -> Option<i64> {
    doc.object["expires_at"].as_i64().filter(|_| doc.object["status"] == "open")
}

/// The session's customer has done all there was to do.
pub(crate) fn complete(tx: &mut Tx, id: &str) {
    let Some(doc) = tx.get(KIND, id).filter(|doc| doc.object["status"] == "open") else { return };
    let subscription = doc.hidden["subscription"].as_str().and_then(|id| tx.view(Kind::Subscription, id));
    tx.change(KIND, id, |doc| {
        let intent = doc.hidden["intent"].clone();
        let session = &mut doc.object;
        session["status"] = json!("complete");
        session["url"] = Value::Null;
        if session["payment_status"] == "unpaid" {
            session["payment_status"] = json!("paid");
        }
        if session["mode"] == "payment" {
            session["payment_intent"] = intent;
        }
        if let Some(subscription) = subscription {
            session["subscription"] = subscription["id"].clone();
            session["invoice"] = subscription["latest_invoice"].clone();
        }
    });
    tx.emit("checkout.session.completed", KIND, id);
}

/// The session is closed unpaid; what was begun for it ends.
pub(crate) fn expire(tx: &mut Tx, id: &str) {
    let Some(doc) = tx.get(KIND, id).filter(|doc| doc.object["status"] == "open") else { return };
    if let Some(subscription) = doc.hidden["subscription"].as_str() {
        // Where its clock is being advanced, it expires by that.
        if tx.keep_time_of(subscription, true).is_ok() {
            subscriptions::expire(tx, subscription);
        }
    } else if let Some(intent) = doc.hidden["intent"].as_str() {
        // One that is over already has nothing to cancel.
        let _ = match Kind::of_id(intent) {
            Some(Kind::SetupIntent) => setup::cancel(tx, intent, Some("abandoned")),
            _ => payment::cancel(tx, intent, Some("abandoned")),
        };
    }
    tx.change(KIND, id, |doc| {
        doc.object["status"] = json!("expired");
        doc.object["url"] = Value::Null;
    });
    tx.emit("checkout.session.expired", KIND, id);
}
