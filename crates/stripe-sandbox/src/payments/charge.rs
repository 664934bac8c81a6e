//! Charges, and what they leave in the balance.

use serde_json::{Value, json};

use super::{balance, dispute};
use crate::cards::Decline;
use crate::engine::objects::Intent;
use crate::engine::{Doc, Kind, Tx, join, new_id};

/// Stripe's standard fee for cards in the US: 2.9 % and 30 cents.
/// Source: <https://stripe.com/pricing>
const FEE_PER_MILLE: i64 = 29;
const FEE_FIXED: i64 = 30;

/// Makes the charge of an attempt, succeeded or declined.
pub(super) fn make(
    tx: &mut Tx,
    intent: &Doc,
    method: &Doc,
    decline: Option<&'static Decline>,
    authenticated: bool,
) -> String {
    let id = new_id(Kind::Charge);
    let amount = Intent(&intent.object).amount();
    let paid = decline.is_none();
    let captured = paid && !Intent(&intent.object).is_captured_by_hand();
    let outcome = match decline {
        None => json!({
            "advice_code": null, "network_advice_code": null, "network_decline_code": null,
            "network_status": "approved_by_network", "reason": null, "risk_level": "normal", "risk_score": 20,
            "seller_message": "Payment complete.", "type": "authorized",
        }),
        Some(decline) => json!({
            "advice_code": decline.advice_code, "network_advice_code": null,
            "network_decline_code": decline.network_decline_code,
            "network_status": "declined_by_network", "reason": decline.decline_code.unwrap_or(decline.code),
            "risk_level": "normal", "risk_score": 20,
            "seller_message": "The bank did not return any further details with this decline.",
            "type": "issuer_declined",
        }),
    };
    let object = join([
        json!({
        "id": id,
        "object": "charge",
            "amount": amount,
            "amount_captured": if captured { amount } else { 0 },
            "amount_refunded": 0,
            "application": null,
            "application_fee": null,
            "application_fee_amount": null,
            "balance_transaction": null,
            "billing_details": method.object["billing_details"],
            "calculated_statement_descriptor": "STRIPE SANDBOX",
            "captured": captured,
            "created": tx.now(),
            "currency": intent.object["currency"],
            "customer": intent.object["customer"],
            "description": intent.object["description"],
            "destination": null,
            "dispute": null,
        }),
        json!({
            "disputed": false,
            "failure_balance_transaction": null,
            "failure_code": decline.map(|decline| decline.code),
            "failure_message": decline.map(|decline| decline.message),
            "fraud_details": {},
            "livemode": false,
            "metadata": intent.object["metadata"],
            "on_behalf_of": null,
            "order": null,
            "outcome": outcome,
            "paid": paid,
            "payment_intent": intent.id(),
            "payment_method": method.id(),
            "payment_method_details": {"type": "card", "card": card_details(method, amount, authenticated)},
            "radar_options": {},
            "receipt_email": intent.object["receipt_email"],
            "receipt_number": null,
            "receipt_url": null,
            "refunded": false,
            "review": null,
            "shipping": intent.object["shipping"],
            "source": null,
            "source_transfer": null,
            "statement_descriptor": intent.object["statement_descriptor"],
            "statement_descriptor_suffix": intent.object["statement_descriptor_suffix"],
            "status": if paid { "succeeded" } else { "failed" },
            "transfer_data": null,
            "transfer_group": null,
        }),
    ]);
    tx.insert(Kind::Charge, object, Value::Null);
    if captured {
        captured_by(tx, intent, &id, amount);
    }
    id
}

/// Puts what was captured into the balance: at once, or after the answer where the intent is captured asynchronously.
fn captured_by(tx: &mut Tx, intent: &Doc, charge: &str, amount: i64) {
    if Intent(&intent.object).is_captured_asynchronously() {
        let at = tx.wall();
        tx.change(Kind::Charge, charge, |doc| doc.hidden["settles_at"] = json!(at));
    } else {
        add_to_balance(tx, charge, amount);
    }
}

/// When what was captured reaches the balance, or is disputed after that, by the sandbox's own clock, if that is still to
/// come.
pub(crate) fn due_at(charge: &Doc) -> Option<i64> {
    let steps = ["settles_at", "disputed_at"];
    steps.into_iter().filter_map(|step| charge.hidden[step].as_i64()).min()
}

/// Does what is due: puts what was captured into the balance, and has it disputed.
pub(crate) fn go_on(tx: &mut Tx, id: &str) {
    let Some(doc) = tx.get(Kind::Charge, id) else { return };
    if doc.hidden["settles_at"].is_i64() {
        settle(tx, id, &doc);
    }
    // In the same step, for a document has one at a time; and at the bank's time.
    tx.set_now(tx.wall());
    dispute::open(tx, id);
}

/// Puts what was captured into the balance, and says so.
fn settle(tx: &mut Tx, id: &str, doc: &Doc) {
    tx.change(Kind::Charge, id, |doc| doc.hidden["settles_at"] = Value::Null);
    tx.follow_time_of(id);
    let before = tx.shown(Kind::Charge, id);
    add_to_balance(tx, id, doc.object["amount_captured"].as_i64().unwrap_or_default());
    tx.emit_changes(&before, "charge.updated", Kind::Charge, id);
}

fn card_details(method: &Doc, amount: i64, authenticated: bool) -> Value {
    let card = &method.object["card"];
    let three_d_secure = if authenticated {
        json!({
            "authentication_flow": "challenge", "electronic_commerce_indicator": "05", "exemption_indicator": null,
            "result": "authenticated", "result_reason": null, "transaction_id": null, "version": "2.2.0",
        })
    } else {
        Value::Null
    };
    json!({
        "amount_authorized": amount,
        "authorization_code": null,
        "brand": card["brand"],
        "checks": card["checks"],
        "country": card["country"],
        "exp_month": card["exp_month"],
        "exp_year": card["exp_year"],
        "extended_authorization": {"status": "disabled"},
        "fingerprint": card["fingerprint"],
        "funding": card["funding"],
        "incremental_authorization": {"status": "unavailable"},
        "installments": null,
        "last4": card["last4"],
        "mandate": null,
        "multicapture": {"status": "unavailable"},
        "network": card["brand"],
        "network_token": {"used": false},
        "network_transaction_id": null,
        "overcapture": {"maximum_amount_capturable": amount, "status": "unavailable"},
        "regulated_status": "unregulated",
        "three_d_secure": three_d_secure,
        "wallet": null,
    })
}

/// Captures `amount` of a charge that was only authorized.
pub(super) fn capture(tx: &mut Tx, id: &str, amount: i64) {
    tx.change(Kind::Charge, id, |doc| {
        doc.object["captured"] = json!(true);
        doc.object["amount_captured"] = json!(amount);
    });
    add_to_balance(tx, id, amount);
}

/// Puts the money of a charge into the balance, less Stripe's fee.
fn add_to_balance(tx: &mut Tx, charge: &str, amount: i64) {
    let fee = (amount * FEE_PER_MILLE + 500) / 1000 + FEE_FIXED;
    let entry = balance::Entry { fee, ..balance::Entry::new("charge", amount, (Kind::Charge, charge)) };
    let id = balance::add(tx, entry);
    tx.change(Kind::Charge, charge, |doc| doc.object["balance_transaction"] = json!(id));
    dispute::expect(tx, charge);
}
