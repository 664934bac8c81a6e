//! How what is credited after the payment reaches the customer: refunded, to the balance, or outside of Stripe.

use serde_json::{Value, json};

use crate::billing::invoices;
use crate::engine::objects::{CreditNote, Invoice};
use crate::engine::{ApiError, Doc, Kind, Tx};
use crate::money;
use crate::payments::refund;

/// Amounts in minor units.
pub(super) struct Settlement {
    /// The charge to be refunded, and by how much.
    pub(super) refund: Option<(String, i64)>,
    /// What the customer's balance gets.
    pub(super) credit: i64,
    pub(super) out_of_band: Option<i64>,
    /// Refunds that were made before, and how much of each stands on the note.
    linked: Vec<(String, i64)>,
}

impl Settlement {
    /// Reads what `refund_amount`, `refunds`, `credit_amount` and `out_of_band_amount` ask for.
    ///
    /// # Errors
    /// If they don't add up to `due`, or what is to be refunded isn't there.
    pub(super) fn read(tx: &Tx, invoice: &Doc, due: i64, params: &Value) -> Result<Self, ApiError> {
        let [refund, credit, out_of_band] =
            ["refund_amount", "credit_amount", "out_of_band_amount"].map(|param| params[param].as_i64());
        for (param, amount) in
            [("refund_amount", refund), ("credit_amount", credit), ("out_of_band_amount", out_of_band)]
        {
            if amount.is_some_and(|amount| amount < 0) {
                let message = "This value must be greater than or equal to 0.";
                return Err(ApiError::invalid(message).param(param));
            }
        }
        let linked = linked(tx, invoice.id(), params)?;
        let given = refund.unwrap_or_default()
            + credit.unwrap_or_default()
            + out_of_band.unwrap_or_default()
            + linked.iter().map(|(_, amount)| amount).sum::<i64>();
        if given != due {
            let shown = |minor| money::with_sign(minor, Invoice(&invoice.object).currency());
            let message = format!(
                "The sum of refunds, credit amount, and out of band amount ({}) must equal the credit note \
                 post_payment_amount ({}).",
                shown(given),
                shown(due)
            );
            return Err(ApiError::invalid(message));
        }
        let refund = match refund.filter(|amount| *amount > 0) {
            Some(amount) => {
                Some((charge_of(tx, invoice.id()).map_err(|error| error.param("refund_amount"))?, amount))
            }
            None => None,
        };
        Ok(Self { refund, credit: credit.unwrap_or_default(), out_of_band, linked })
    }

    /// The refunds that were made before, as a credit note shows them.
    pub(super) fn linked(&self) -> Vec<Value> {
        self.linked.iter().map(|(refund, amount)| refunded(refund, *amount)).collect()
    }
}

/// A refund as a credit note shows it.
pub(super) fn refunded(refund: &str, amount: i64) -> Value {
    json!({"amount_refunded": amount, "payment_record_refund": null, "refund": refund, "type": "refund"})
}

/// The charge that paid the invoice.
fn charge_of(tx: &Tx, invoice: &str) -> Result<String, ApiError> {
    let intent = invoices::intent_of(tx, invoice).ok_or_else(|| {
        ApiError::invalid("This invoice was not paid by a charge, so there is nothing to refund.")
    })?;
    refund::charge_of(tx, &intent)
}

/// The refunds that the request names, each of the invoice's charge and no further than other credit notes leave it.
fn linked(tx: &Tx, invoice: &str, params: &Value) -> Result<Vec<(String, i64)>, ApiError> {
    let mut linked: Vec<(String, i64)> = Vec::new();
    for (index, given) in params["refunds"].as_array().into_iter().flatten().enumerate() {
        let at = |field: &str| format!("refunds[{index}][{field}]");
        let id = given["refund"].as_str().ok_or_else(|| ApiError::required(&at("refund")))?;
        let doc = tx.find(Kind::Refund, id, &at("refund"))?;
        if doc.object["charge"] != charge_of(tx, invoice)? {
            let message = format!("The refund {id} is not of a charge that paid this invoice.");
            return Err(ApiError::invalid(message).param(&at("refund")));
        }
        let notes = tx.all_with(Kind::CreditNote, "invoice", invoice);
        let used = notes.map(|note| CreditNote(&note.object).refunded_by(id)).sum::<i64>()
            + linked.iter().filter(|(other, _)| other == id).map(|(_, amount)| amount).sum::<i64>();
        let left = doc.object["amount"].as_i64().unwrap_or_default() - used;
        let amount = given["amount_refunded"].as_i64().unwrap_or(left);
        if !(1..=left).contains(&amount) {
            let message = format!("The refund {id} has {left} left that no credit note is for yet.");
            return Err(ApiError::invalid(message).param(&at("amount_refunded")));
        }
        linked.push((id.to_owned(), amount));
    }
    Ok(linked)
}
