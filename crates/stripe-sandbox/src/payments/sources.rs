//! Cards of the old kind, `card_…`: kept with a customer as its sources, and good wherever a payment method is.
//!
//! Source: <https://docs.stripe.com/payments/payment-methods/transitioning>. The published document has no `sources` any more;
//! Stripe's CLI still makes them (its fixtures `customer.source.*`).

use serde_json::{Value, json};

use super::methods;
use crate::cards::{self, Entered, Purpose, Verdict};
use crate::engine::objects::owner;
use crate::engine::{ApiError, Doc, Kind, Tx, new_secret};

const KIND: Kind = Kind::PaymentMethod;
const PREFIX: &str = "card_";
/// The fields of an address, and what they are called in one of today.
const ADDRESS: [(&str, &str); 6] = [
    ("address_city", "city"),
    ("address_country", "country"),
    ("address_line1", "line1"),
    ("address_line2", "line2"),
    ("address_state", "state"),
    ("address_zip", "postal_code"),
];

/// Keeps the card of a token with a customer, as its default if it is the first. Returns its id.
///
/// # Errors
/// If the token isn't there or was used; 402 if the card is declined.
pub(crate) fn add(tx: &mut Tx, customer: &str, token: &str, metadata: &Value) -> Result<String, ApiError> {
    let entered =
        methods::entered_in(tx, &json!({"token": token})).map_err(|error| error.renaming(|_| "source"))?;
    if let Verdict::Declined(decline) = cards::judge(entered.card, Purpose::Attach, false, false, false) {
        return Err(cards::declined(decline));
    }
    // A token's card keeps its id.
    let of_token =
        tx.get(Kind::Token, token).and_then(|doc| doc.object["card"]["id"].as_str().map(str::to_owned));
    let id = of_token.unwrap_or_else(|| new_secret(PREFIX));
    methods::create_as(tx, &id, &entered, &json!({"metadata": metadata}));
    methods::note_owner(tx, &id, customer);
    tx.update(Kind::Customer, customer, "customer.updated", |doc| {
        if doc.object["default_source"].is_null() {
            doc.object["default_source"] = json!(id);
        }
    });
    tx.emit_object("customer.source.created", view(tx, &id).unwrap_or_default());
    Ok(id)
}

/// The cards of a customer, oldest first.
pub(crate) fn all(tx: &Tx, customer: &str) -> Vec<Value> {
    let mut cards: Vec<Value> =
        tx.all_with(KIND, "customer", customer).filter(|doc| is_card(doc)).map(|doc| shown(&doc)).collect();
    cards.reverse();
    cards
}

/// A customer's card.
///
/// # Errors
/// If it isn't there, or is another customer's.
pub(crate) fn find(tx: &Tx, customer: &str, id: &str) -> Result<Value, ApiError> {
    let doc = tx.find(KIND, id, "id").ok().filter(|doc| is_card(doc) && owner(&doc.object) == Some(customer));
    let missing =
        || ApiError::invalid(format!("No such source: '{id}'")).status(404).code("resource_missing");
    doc.map(|doc| shown(&doc)).ok_or_else(|| missing().param("id"))
}

/// A card of the old kind, by its id.
pub(crate) fn view(tx: &Tx, id: &str) -> Option<Value> {
    tx.get(KIND, id).filter(|doc| is_card(doc)).map(|doc| shown(&doc))
}

/// Changes a customer's card, and announces it.
///
/// # Errors
/// If it isn't there, or is another customer's.
pub(crate) fn change(
    tx: &mut Tx,
    customer: &str,
    id: &str,
    with: impl FnOnce(&mut Value),
) -> Result<(), ApiError> {
    let before = find(tx, customer, id)?;
    tx.change(KIND, id, |doc| with(&mut doc.object));
    if let Some(after) = view(tx, id) {
        tx.emit_difference("customer.source.updated", &before, after);
    }
    Ok(())
}

/// Takes a card from its customer, whose default is another of them then, if there is one.
///
/// # Errors
/// If it isn't there, or is another customer's.
pub(crate) fn remove(tx: &mut Tx, customer: &str, id: &str) -> Result<(), ApiError> {
    let gone = find(tx, customer, id)?;
    methods::detach(tx, id)?;
    let next = all(tx, customer).first().map(|card| card["id"].clone());
    tx.update(Kind::Customer, customer, "customer.updated", |doc| {
        if doc.object["default_source"] == id {
            doc.object["default_source"] = json!(next);
        }
    });
    tx.emit_object("customer.source.deleted", gone);
    Ok(())
}

/// Makes one of a customer's cards its default.
///
/// # Errors
/// If it isn't there, or is another customer's.
pub(crate) fn prefer(tx: &mut Tx, customer: &str, id: &str) -> Result<(), ApiError> {
    find(tx, customer, id).map_err(|error| error.param("default_source"))?;
    tx.change(Kind::Customer, customer, |doc| doc.object["default_source"] = json!(id));
    Ok(())
}

fn is_card(doc: &Doc) -> bool {
    doc.id().starts_with(PREFIX)
}

/// Changes the billing details of a payment method by what is given in the older fields.
pub(crate) fn set_billing_details(billed: &mut Value, given: &Value) {
    for (old, field) in ADDRESS {
        if let Some(given) = given.get(old) {
            billed["address"][field] = given.clone();
        }
    }
    if let Some(name) = given.get("name") {
        billed["name"] = name.clone();
    }
}

/// The card of a token, which was entered with these fields.
pub(crate) fn of_token(entered: &Entered, given: &Value) -> Value {
    let mut billed = methods::billing_details(&Value::Null);
    set_billing_details(&mut billed, given);
    let mut card = old_shape(&new_secret(PREFIX), &methods::card_details(entered, &billed), &billed);
    card["metadata"] = json!({});
    card["networks"] = json!({"preferred": null});
    card
}

/// The payment method in its older shape.
fn shown(doc: &Doc) -> Value {
    let mut card = old_shape(doc.id(), &doc.object["card"], &doc.object["billing_details"]);
    card["customer"] = doc.object["customer"].clone();
    card["metadata"] = doc.object["metadata"].clone();
    card
}

/// What a payment method has of its card and its billing details, in the older shape.
fn old_shape(id: &str, card: &Value, billed: &Value) -> Value {
    let mut old = json!({
        "id": id,
        "object": "card",
        "address_line1_check": card["checks"]["address_line1_check"],
        "address_zip_check": card["checks"]["address_postal_code_check"],
        "brand": old_brand(card["brand"].as_str().unwrap_or_default()),
        "country": card["country"],
        "cvc_check": card["checks"]["cvc_check"],
        "dynamic_last4": null,
        "exp_month": card["exp_month"],
        "exp_year": card["exp_year"],
        "fingerprint": card["fingerprint"],
        "funding": card["funding"],
        "last4": card["last4"],
        "name": billed["name"],
        "regulated_status": "unregulated",
        "tokenization_method": null,
    });
    for (name, field) in ADDRESS {
        old[name] = billed["address"][field].clone();
    }
    old
}

/// A brand as cards of the old kind write it.
fn old_brand(brand: &str) -> &str {
    if brand == "mastercard" { "MasterCard" } else { cards::brand_name(brand) }
}
