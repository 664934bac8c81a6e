//! Credit notes: a finalized invoice made less, before it is paid or after.
//!
//! Source: <https://docs.stripe.com/api/credit_notes>, <https://docs.stripe.com/invoicing/dashboard/credit-notes>

mod lines;
mod settlement;

use serde_json::{Value, json};

use self::settlement::Settlement;
use super::customer_balance::{self, Entry};
use super::{adjustments, invoices, paying};
use crate::engine::objects::{CreditNote, Invoice, InvoiceStatus};
use crate::engine::{ApiError, Doc, Kind, Tx, join, new_id, new_secret};
use crate::http::{merge_metadata, new_metadata, set};
use crate::money;
use crate::payments::refund::{self, NewRefund};

const KIND: Kind = Kind::CreditNote;

/// The credit note that the parameters of `POST /v1/credit_notes` would make. Nothing of it is kept, and nothing refunded.
///
/// # Errors
/// As [`create`].
pub(crate) fn preview(tx: &Tx, params: &Value) -> Result<Value, ApiError> {
    prepare(tx, params).map(|(note, _)| note)
}

/// Issues a credit note by the parameters of `POST /v1/credit_notes`. Returns its id.
///
/// # Errors
/// If the invoice is neither open nor paid, more is to be credited than is left of it, or what is given back after its
/// payment doesn't add up.
pub(crate) fn create(tx: &mut Tx, params: &Value) -> Result<String, ApiError> {
    let (note, settlement) = prepare(tx, params)?;
    let view = CreditNote(&note);
    let id = note["id"].as_str().unwrap_or_default().to_owned();
    let invoice = view.invoice().to_owned();
    let (before, after) = (view.pre_payment_amount(), view.post_payment_amount());
    tx.insert(KIND, note, Value::Null);
    give_back(tx, &id, &invoice, &settlement)?;
    tx.emit("credit_note.created", KIND, &id);
    let shown = tx.shown(Kind::Invoice, &invoice);
    take_off(tx, &invoice, before);
    tx.change(Kind::Invoice, &invoice, |doc| {
        let given = Invoice(&doc.object).credited_after_payment() + after;
        doc.object["post_payment_credit_notes_amount"] = json!(given);
    });
    tx.emit_changes(&shown, "invoice.updated", Kind::Invoice, &invoice);
    let left = tx.get(Kind::Invoice, &invoice).map(|doc| Invoice(&doc.object).amount_remaining());
    if before > 0 && left == Some(0) {
        invoices::cancel_payment(tx, &invoice, "automatic")?;
        paying::paid_elsewhere(tx, &invoice);
    }
    Ok(id)
}

/// Changes a credit note by the parameters of `POST /v1/credit_notes/{id}`.
///
/// # Errors
/// If it isn't there.
pub(crate) fn update(tx: &mut Tx, id: &str, params: &Value) -> Result<(), ApiError> {
    tx.find(KIND, id, "id")?;
    tx.update(KIND, id, "credit_note.updated", |doc| {
        set(&mut doc.object, params, "memo");
        merge_metadata(&mut doc.object, params);
    });
    Ok(())
}

/// Voids a credit note: its invoice is due again for what it took off.
///
/// # Errors
/// If it is void, or its invoice isn't open any more: what was given back can't be taken again.
pub(crate) fn void(tx: &mut Tx, id: &str) -> Result<(), ApiError> {
    let doc = tx.find(KIND, id, "id")?;
    let note = CreditNote(&doc.object);
    if note.is_void() {
        return Err(ApiError::invalid("This credit note has already been voided."));
    }
    let invoice = note.invoice();
    if !tx.get(Kind::Invoice, invoice).is_some_and(|doc| Invoice(&doc.object).is(InvoiceStatus::Open)) {
        let message = "You can only void a credit note while its invoice is open.";
        return Err(ApiError::invalid(message));
    }
    let now = tx.now();
    tx.change(KIND, id, |doc| {
        doc.object["status"] = json!("void");
        doc.object["voided_at"] = json!(now);
    });
    tx.emit("credit_note.voided", KIND, id);
    let shown = tx.shown(Kind::Invoice, invoice);
    take_off(tx, invoice, -note.pre_payment_amount());
    tx.emit_changes(&shown, "invoice.updated", Kind::Invoice, invoice);
    Ok(())
}

/// The credit notes of an invoice that are in force.
fn issued(tx: &Tx, invoice: &str) -> Vec<std::sync::Arc<Doc>> {
    tx.all_with(KIND, "invoice", invoice).filter(|doc| !CreditNote(&doc.object).is_void()).collect()
}

/// The credit note, and what is to be done by it.
fn prepare(tx: &Tx, params: &Value) -> Result<(Value, Settlement), ApiError> {
    let invoice_id = params["invoice"].as_str().unwrap_or_default();
    let invoice = tx.find(Kind::Invoice, invoice_id, "invoice")?;
    let view = Invoice(&invoice.object);
    if !matches!(view.status(), Some(InvoiceStatus::Open | InvoiceStatus::Paid)) {
        let status = invoice.object["status"].as_str().unwrap_or_default();
        let message = format!(
            "You can only create credit notes for open or paid invoices. This invoice has a status of {status}."
        );
        return Err(ApiError::invalid(message).param("invoice"));
    }
    let issued = issued(tx, invoice_id);
    let rows = lines::of(tx, &invoice, &issued, params)?;
    let sums = Sums::of(&rows);
    let credited: i64 = issued.iter().map(|doc| CreditNote(&doc.object).total()).sum();
    check_amount(&sums, view.total() - credited, view.currency(), params)?;
    let before = sums.total.min(view.amount_remaining());
    let after = sums.total - before;
    let settlement = Settlement::read(tx, &invoice, after, params)?;
    let id = new_id(KIND);
    // Voided ones keep their numbers.
    let position = tx.all_with(KIND, "invoice", invoice_id).count() + 1;
    let number = invoice.object["number"].as_str().unwrap_or_default();
    let kind = match (before, after) {
        (_, 0) => "pre_payment",
        (0, _) => "post_payment",
        _ => "mixed",
    };
    let note = join([
        json!({
            "id": id,
            "object": KIND.object(),
            "amount": sums.total,
            "amount_shipping": 0,
            "created": tx.now(),
            "currency": view.currency(),
            "customer": view.customer(),
            "customer_account": null,
            "customer_balance_transaction": null,
            "effective_at": params["effective_at"].as_i64().unwrap_or(tx.now()),
            "invoice": invoice_id,
            "lines": {
                "object": "list", "data": rows, "has_more": false, "url": format!("/v1/credit_notes/{id}/lines"),
            },
            "livemode": false,
            "memo": params["memo"],
            "metadata": new_metadata(params),
            "number": format!("{number}-CN-{position:02}"),
            "out_of_band_amount": settlement.out_of_band,
            "pdf": format!("{}/credit_notes/pdf/{}", tx.base_url(), new_secret(&format!("{id}_"))),
            "post_payment_amount": after,
            "pre_payment_amount": before,
            "reason": params["reason"],
            "refunds": settlement.linked(),
            "shipping_cost": null,
            "status": "issued",
            "type": kind,
            "voided_at": null,
        }),
        sums.fields(),
    ]);
    Ok((note, settlement))
}

/// What the lines come to, in minor units.
struct Sums {
    subtotal: i64,
    discounts: Vec<Value>,
    taxes: Vec<Value>,
    total: i64,
}

impl Sums {
    fn of(rows: &[Value]) -> Self {
        let subtotal = rows.iter().filter_map(|row| row["amount"].as_i64()).sum();
        let discounts = adjustments::added_up(rows.iter(), "discount_amounts", &["discount"]);
        let same_tax = ["tax_rate_details", "tax_behavior", "taxability_reason"];
        let taxes = adjustments::added_up(rows.iter(), "taxes", &same_tax);
        let on_top = adjustments::total(&taxes, Some("exclusive"));
        let total = subtotal - adjustments::total(&discounts, None) + on_top;
        Self { subtotal, discounts, taxes, total }
    }

    /// As a credit note shows them.
    fn fields(&self) -> Value {
        json!({
            "discount_amount": adjustments::total(&self.discounts, None),
            "discount_amounts": self.discounts,
            "pretax_credit_amounts": lines::pretax_credits(&self.discounts),
            "subtotal": self.subtotal,
            "subtotal_excluding_tax": self.subtotal - adjustments::total(&self.taxes, Some("inclusive")),
            "total": self.total,
            "total_excluding_tax": self.total - adjustments::total(&self.taxes, None),
            "total_taxes": self.taxes,
        })
    }
}

fn check_amount(sums: &Sums, left: i64, currency: &str, params: &Value) -> Result<(), ApiError> {
    let param = if params["lines"].is_array() { "lines" } else { "amount" };
    if sums.total < 1 {
        let message = "The amount of a credit note must be greater than 0.";
        return Err(ApiError::invalid(message).param(param));
    }
    if sums.total > left {
        let shown = |minor: i64| money::with_sign(minor.max(0), currency);
        let message = format!(
            "The credit note amount ({}) is greater than what is left of the invoice to be credited ({}).",
            shown(sums.total),
            shown(left)
        );
        return Err(ApiError::invalid(message).param(param));
    }
    Ok(())
}

/// Refunds, and credits the customer's balance, as the credit note says.
fn give_back(tx: &mut Tx, id: &str, invoice: &str, settlement: &Settlement) -> Result<(), ApiError> {
    if let Some((charge, amount)) = &settlement.refund {
        let new = NewRefund { charge, amount: Some(*amount), reason: None, metadata: json!({}) };
        let refund = refund::create(tx, &new).map_err(|error| {
            error.renaming(|param| if param == "amount" { "refund_amount" } else { param })
        })?;
        let shown = settlement::refunded(&refund, *amount);
        tx.change(KIND, id, |doc| {
            if let Some(refunds) = doc.object["refunds"].as_array_mut() {
                refunds.push(shown);
            }
        });
    }
    if settlement.credit > 0 {
        let Some(doc) = tx.get(Kind::Invoice, invoice) else { return Ok(()) };
        let view = Invoice(&doc.object);
        let entry = Entry::new("credit_note", -settlement.credit, view.currency());
        let posted = customer_balance::post(tx, view.customer(), Entry { credit_note: Some(id), ..entry });
        tx.change(KIND, id, |doc| doc.object["customer_balance_transaction"] = json!(posted));
    }
    Ok(())
}

/// Takes an amount off what an open invoice is due, or puts it back where it is negative. Assumed: what is left is charged
/// even where it is less than Stripe would charge a new invoice for.
fn take_off(tx: &mut Tx, invoice: &str, amount: i64) {
    if amount == 0 {
        return;
    }
    let mut due = 0;
    tx.change(Kind::Invoice, invoice, |doc| {
        let view = Invoice(&doc.object);
        due = view.amount_due() - amount;
        let (left, credited) = (view.amount_remaining() - amount, view.credited_before_payment() + amount);
        doc.object["amount_due"] = json!(due);
        doc.object["amount_remaining"] = json!(left);
        doc.object["pre_payment_credit_notes_amount"] = json!(credited);
    });
    if let Some((joined, intent)) = invoices::payment_of(tx, invoice).filter(|_| due > 0) {
        tx.change(Kind::PaymentIntent, &intent, |doc| doc.object["amount"] = json!(due));
        tx.change(Kind::InvoicePayment, &joined, |doc| doc.object["amount_requested"] = json!(due));
    }
}
