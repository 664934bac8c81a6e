//! Refunds: a charge's money given back.
//!
//! Source: <https://docs.stripe.com/refunds>. A card's refund succeeds at once; Stripe keeps its fee.

use serde_json::{Value, json};

use super::{balance, dispute};
use crate::engine::objects::{Charge, Intent};
use crate::engine::{ApiError, Kind, Tx, new_id};
use crate::money;

const KIND: Kind = Kind::Refund;

/// What is to be given back.
pub(crate) struct NewRefund<'a> {
    pub(crate) charge: &'a str,
    /// In minor units; `None` for all that is left.
    pub(crate) amount: Option<i64>,
    pub(crate) reason: Option<&'a str>,
    pub(crate) metadata: Value,
}

/// The charge that paid a payment intent.
///
/// # Errors
/// If there is no such intent, or it hasn't been paid.
pub(crate) fn charge_of(tx: &Tx, intent: &str) -> Result<String, ApiError> {
    let doc = tx.find(Kind::PaymentIntent, intent, "payment_intent")?;
    let charge = Intent(&doc.object).latest_charge().and_then(|id| tx.get(Kind::Charge, id));
    charge.filter(|charge| Charge(&charge.object).is_paid()).map(|charge| charge.id().to_owned()).ok_or_else(
        || {
            ApiError::invalid(format!(
                "This PaymentIntent ({intent}) does not have a successful charge to refund."
            ))
            .code("payment_intent_unexpected_state")
            .param("payment_intent")
        },
    )
}

/// Gives money of a charge back and announces it. Returns the refund's id.
///
/// # Errors
/// If the charge took no money, or less than this is left of it.
pub(crate) fn create(tx: &mut Tx, new: &NewRefund) -> Result<String, ApiError> {
    let doc = tx.find(Kind::Charge, new.charge, "charge")?;
    let charge = Charge(&doc.object);
    dispute::check_refundable(tx, charge)?;
    let amount = amount(charge, new)?;
    let id = new_id(KIND);
    let object = json!({
        "id": id,
        "object": "refund",
        "amount": amount,
        "balance_transaction": null,
        "charge": doc.id(),
        "created": tx.now(),
        "currency": charge.currency(),
        "customer": null,
        "customer_account": null,
        "destination_details": {"type": "card", "card": {
            "reference": format!("{:016}", tx.now()), "reference_status": "available",
            "reference_type": "acquirer_reference_number", "type": "refund",
        }},
        "metadata": new.metadata,
        "payment_intent": doc.object["payment_intent"],
        "payment_method": doc.object["payment_method"],
        "reason": new.reason,
        "receipt_number": null,
        "source_transfer_reversal": null,
        "status": "succeeded",
        "transfer_reversal": null,
    });
    tx.insert(KIND, object, Value::Null);
    let moved = balance::add(tx, balance::Entry::new("refund", -amount, (KIND, &id)));
    tx.change(KIND, &id, |doc| doc.object["balance_transaction"] = json!(moved));
    tx.update(Kind::Charge, doc.id(), "charge.refunded", |doc| {
        let charge = Charge(&doc.object);
        let refunded = charge.amount_refunded() + amount;
        let all = refunded == charge.amount_captured();
        doc.object["amount_refunded"] = json!(refunded);
        doc.object["refunded"] = json!(all);
    });
    tx.emit("refund.created", KIND, &id);
    Ok(id)
}

fn amount(charge: Charge, new: &NewRefund) -> Result<i64, ApiError> {
    let id = new.charge;
    if !charge.is_paid() {
        let message = format!("Charge {id} was not paid, so there is nothing to refund.");
        return Err(ApiError::invalid(message).code("charge_not_refundable").param("charge"));
    }
    if charge.amount_captured() == 0 {
        let message =
            format!("Charge {id} has not been captured. Cancel its PaymentIntent to release the money.");
        return Err(ApiError::invalid(message).code("charge_not_refundable").param("charge"));
    }
    let (whole, left) = (charge.amount_captured(), charge.amount_captured() - charge.amount_refunded());
    if left == 0 {
        let message = format!("Charge {id} has already been refunded.");
        return Err(ApiError::invalid(message).code("charge_already_refunded"));
    }
    let amount = new.amount.unwrap_or(left);
    if amount < 1 {
        let error = ApiError::invalid("Invalid positive integer").code("parameter_invalid_integer");
        return Err(error.param("amount"));
    }
    if amount > left {
        let of = if left == whole { "charge amount" } else { "unrefunded amount on charge" };
        let shown = |minor| money::with_sign(minor, charge.currency());
        let message = format!("Refund amount ({}) is greater than {of} ({})", shown(amount), shown(left));
        return Err(ApiError::invalid(message).param("amount"));
    }
    Ok(amount)
}
