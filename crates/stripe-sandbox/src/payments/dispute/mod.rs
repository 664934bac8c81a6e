//! Disputes: a cardholder's bank asks for a payment, or takes it back, and is answered with evidence.
//!
//! Source: <https://docs.stripe.com/disputes/how-disputes-work>, <https://docs.stripe.com/testing#disputes>. Banks don't live by
//! test clocks: what they do is at the sandbox's own time (assumed).

mod shape;

use serde_json::{Value, json};

use super::balance;
use super::methods::card_of;
use crate::cards::Disputing;
use crate::engine::objects::{Charge, Dispute, DisputeStatus};
use crate::engine::{ApiError, Doc, Kind, Tx, new_id};
use crate::http::{merge_metadata, set};

const KIND: Kind = Kind::Dispute;
const DAY: i64 = 86_400;
/// After how many days the time to answer ends, with the day; as in the samples of Stripe's reference.
const DAYS_TO_ANSWER: i64 = 19;
/// After how many days an inquiry that became no dispute is closed.
/// Source: <https://docs.stripe.com/disputes/how-disputes-work#inquiries>
const INQUIRY_DAYS: i64 = 120;
/// What a dispute costs, in minor units. Source: <https://stripe.com/pricing>
const FEE: i64 = 1500;

/// How a charge's card has it disputed, if it does: a payment with 3D Secure isn't disputed as fraudulent.
fn disputing(tx: &Tx, charge: Charge) -> Option<Disputing> {
    let method = tx.get(Kind::PaymentMethod, charge.payment_method()?)?;
    let disputing = card_of(&method)?.disputing?;
    (disputing != Disputing::Fraudulent || !charge.is_authenticated()).then_some(disputing)
}

/// Has a charge that has just succeeded disputed, if its card is one for that.
pub(super) fn expect(tx: &mut Tx, charge: &str) {
    let is_disputed =
        tx.get(Kind::Charge, charge).and_then(|doc| disputing(tx, Charge(&doc.object))).is_some();
    if is_disputed {
        let at = tx.wall();
        tx.change(Kind::Charge, charge, |doc| doc.hidden["disputed_at"] = json!(at));
    }
}

/// The bank disputes a charge, if that is expected.
pub(super) fn open(tx: &mut Tx, charge: &str) {
    let Some(doc) = tx.get(Kind::Charge, charge).filter(|doc| doc.hidden["disputed_at"].is_i64()) else {
        return;
    };
    tx.change(Kind::Charge, charge, |doc| doc.hidden["disputed_at"] = Value::Null);
    let of = Charge(&doc.object);
    let Some(disputing) = disputing(tx, of).filter(|_| of.amount_captured() > of.amount_refunded()) else {
        return;
    };
    let id = new_id(KIND);
    let now = tx.now();
    tx.insert(KIND, shape::dispute(&id, &doc.object, disputing, now, due_by(now)), Value::Null);
    tx.change(Kind::Charge, charge, |doc| {
        doc.object["disputed"] = json!(true);
        doc.object["dispute"] = json!(id);
    });
    if disputing == Disputing::Inquiry {
        return tx.emit("charge.dispute.created", KIND, &id);
    }
    let mark = tx.mark();
    withdraw(tx, &id);
    tx.emit_at(mark, "charge.dispute.created", KIND, &id);
}

/// The end of the last day to answer, in Unix seconds.
fn due_by(now: i64) -> i64 {
    (now.div_euclid(DAY) + DAYS_TO_ANSWER + 1) * DAY - 1
}

/// The bank takes the money, as far as it hasn't been refunded, and Stripe its fee.
fn withdraw(tx: &mut Tx, id: &str) {
    let Some(doc) = tx.get(KIND, id) else { return };
    let dispute = Dispute(&doc.object);
    let charge = tx.get(Kind::Charge, dispute.charge());
    let left = charge.map_or(0, |doc| {
        let charge = Charge(&doc.object);
        charge.amount_captured() - charge.amount_refunded()
    });
    let amount = dispute.amount().min(left);
    if amount > 0 {
        move_balance(tx, id, -amount, FEE, "Chargeback withdrawal", "dispute");
        tx.emit("charge.dispute.funds_withdrawn", KIND, id);
    }
}

/// The bank gives back what it took, and Stripe its fee.
fn reinstate(tx: &mut Tx, id: &str) {
    let Some(doc) = tx.get(KIND, id) else { return };
    let moved = doc.object["balance_transactions"].as_array().into_iter().flatten();
    let taken: i64 = moved.filter_map(|entry| entry["amount"].as_i64()).sum();
    if taken < 0 {
        move_balance(tx, id, -taken, -FEE, "Chargeback reversal", "dispute_reversal");
        tx.emit("charge.dispute.funds_reinstated", KIND, id);
    }
}

fn move_balance(tx: &mut Tx, id: &str, amount: i64, fee: i64, what: &str, category: &'static str) {
    let Some(doc) = tx.get(KIND, id) else { return };
    let entry = balance::Entry {
        category,
        fee,
        fee_description: "Dispute fee",
        description: Some(format!("{what} for {}", Dispute(&doc.object).charge())),
        ..balance::Entry::new("adjustment", amount, (KIND, id))
    };
    let entry = balance::add(tx, entry);
    let shown = tx.shown(Kind::BalanceTransaction, &entry);
    tx.change(KIND, id, |doc| {
        if let Some(entries) = doc.object["balance_transactions"].as_array_mut() {
            entries.push(shown);
        }
    });
}

/// Changes a dispute by the parameters of `POST /v1/disputes/{id}`. Evidence is submitted with that, unless `submit` is
/// false; one that was kept is submitted by a request that says so (assumed: not by one that changes metadata only).
///
/// # Errors
/// If there is evidence, and none is waited for (any more).
pub(crate) fn update(tx: &mut Tx, id: &str, params: &Value) -> Result<(), ApiError> {
    let doc = tx.find(KIND, id, "id")?;
    let evidence = params["evidence"].as_object().filter(|evidence| !evidence.is_empty());
    let submit = params["submit"].as_bool();
    if (evidence.is_some() || submit.is_some()) && !Dispute(&doc.object).needs_response() {
        let state = if Dispute(&doc.object).is_closed() { "is closed" } else { "is with the bank" };
        let message =
            format!("This dispute {state}, so its evidence can't be changed or submitted any more.");
        return Err(ApiError::invalid(message).param("evidence"));
    }
    let before = tx.shown(KIND, id);
    tx.change(KIND, id, |doc| {
        merge_metadata(&mut doc.object, params);
        for (name, _) in evidence.into_iter().flatten() {
            set(&mut doc.object["evidence"], &params["evidence"], name);
        }
        let mut values = evidence.into_iter().flatten().map(|(_, value)| value.as_str());
        if values.any(|value| value.is_some_and(|text| !text.is_empty())) {
            doc.object["evidence_details"]["has_evidence"] = json!(true);
        }
    });
    if submit.unwrap_or(evidence.is_some()) {
        submit_evidence(tx, id);
    }
    tx.emit_changes(&before, "charge.dispute.updated", KIND, id);
    Ok(())
}

/// Hands the evidence to the bank, which decides a moment later.
fn submit_evidence(tx: &mut Tx, id: &str) {
    let at = tx.wall();
    tx.change(KIND, id, |doc| {
        let dispute = Dispute(&doc.object);
        if !dispute.has_evidence() {
            return;
        }
        let (count, reviewed) = (
            dispute.submissions() + 1,
            match dispute.status() {
                Some(DisputeStatus::WarningNeedsResponse) => DisputeStatus::WarningUnderReview,
                _ => DisputeStatus::UnderReview,
            },
        );
        doc.object["evidence_details"]["submission_count"] = json!(count);
        doc.object["status"] = json!(reviewed);
        doc.hidden["decided_at"] = json!(at);
    });
}

/// Gives a dispute up by the request of its merchant. Assumed: an inquiry is closed by that.
///
/// # Errors
/// If it is closed already.
pub(crate) fn close(tx: &mut Tx, id: &str) -> Result<(), ApiError> {
    let doc = tx.find(KIND, id, "id")?;
    let dispute = Dispute(&doc.object);
    if dispute.is_closed() {
        return Err(ApiError::invalid("This dispute is already closed."));
    }
    end(tx, id, if dispute.is_inquiry() { DisputeStatus::WarningClosed } else { DisputeStatus::Lost });
    Ok(())
}

fn end(tx: &mut Tx, id: &str, status: DisputeStatus) {
    tx.change(KIND, id, |doc| {
        doc.object["status"] = json!(status);
        doc.hidden["decided_at"] = Value::Null;
    });
    tx.emit("charge.dispute.closed", KIND, id);
}

/// When the bank decides, or stops to wait, by the sandbox's own clock.
pub(crate) fn due_at(doc: &Doc) -> Option<i64> {
    let dispute = Dispute(&doc.object);
    match dispute.status()? {
        DisputeStatus::NeedsResponse => dispute.due_by().map(|last| last + 1),
        DisputeStatus::UnderReview => doc.hidden["decided_at"].as_i64(),
        DisputeStatus::WarningNeedsResponse | DisputeStatus::WarningUnderReview => {
            let closes = doc.created().map(|created| created + INQUIRY_DAYS * DAY);
            doc.hidden["decided_at"].as_i64().or(closes)
        }
        _ => None,
    }
}

/// Does what is due: the bank decides by the evidence, or there was none in time.
pub(crate) fn go_on(tx: &mut Tx, id: &str) {
    let Some(doc) = tx.get(KIND, id) else { return };
    let dispute = Dispute(&doc.object);
    if !doc.hidden["decided_at"].is_i64() {
        if dispute.is_inquiry() {
            return end(tx, id, DisputeStatus::WarningClosed);
        }
        tx.change(KIND, id, |doc| doc.object["evidence_details"]["past_due"] = json!(true));
        return end(tx, id, DisputeStatus::Lost);
    }
    tx.change(KIND, id, |doc| doc.hidden["decided_at"] = Value::Null);
    match (dispute.uncategorized_text(), dispute.is_inquiry()) {
        ("winning_evidence" | "losing_evidence", true) => end(tx, id, DisputeStatus::WarningClosed),
        ("winning_evidence", false) => {
            reinstate(tx, id);
            end(tx, id, DisputeStatus::Won);
        }
        ("losing_evidence", false) => end(tx, id, DisputeStatus::Lost),
        ("escalate_inquiry_evidence", true) => escalate(tx, id),
        // Any other evidence stays with the bank.
        _ => {}
    }
}

/// An inquiry becomes a dispute, which is to be answered anew.
fn escalate(tx: &mut Tx, id: &str) {
    let due = due_by(tx.now());
    tx.update(KIND, id, "charge.dispute.updated", |doc| {
        doc.object["status"] = json!(DisputeStatus::NeedsResponse);
        doc.object["payment_method_details"]["card"]["case_type"] = json!("chargeback");
        doc.object["is_charge_refundable"] = json!(false);
        doc.object["evidence_details"]["due_by"] = json!(due);
    });
    withdraw(tx, id);
}

/// Refuses to refund what the bank has taken back.
///
/// # Errors
/// If the charge is disputed, and that isn't an inquiry or won.
pub(super) fn check_refundable(tx: &Tx, charge: Charge) -> Result<(), ApiError> {
    let Some(doc) = charge.dispute().and_then(|id| tx.get(KIND, id)) else { return Ok(()) };
    let dispute = Dispute(&doc.object);
    if dispute.is_inquiry() || dispute.status() == Some(DisputeStatus::Won) {
        return Ok(());
    }
    let message = format!("Charge {} has been charged back; cannot issue a refund.", dispute.charge());
    Err(ApiError::invalid(message).code("charge_disputed").param("charge"))
}
