//! Invoices: draft, open, paid, void, uncollectible.
//!
//! Source: <https://docs.stripe.com/invoicing/overview>

use serde_json::{Value, json};

use super::lines::{self, Line};
use super::shape::{self, DRAFT_SECONDS, NewInvoice};
use super::{discount_holders, invoice_items, totals};
use crate::engine::objects::{Customer, Intent, Invoice, InvoiceStatus, Subscription, SubscriptionStatus};
use crate::engine::{ApiError, Doc, Kind, Tx, new_id, new_secret};
use crate::payments::payment;

const KIND: Kind = Kind::Invoice;
const DAY: i64 = 86_400;

/// What an invoice is to contain.
pub(super) struct Bill<'a> {
    /// Ids of invoice items that wait.
    pub(super) items: Vec<String>,
    pub(super) lines: Vec<Line<'a>>,
}

/// Makes a draft and announces it.
pub(super) fn draft(tx: &mut Tx, new: &NewInvoice, bill: &Bill) -> String {
    let id = insert(tx, new, bill);
    tx.emit("invoice.created", KIND, &id);
    id
}

/// Makes a draft without a word. Returns its id.
pub(super) fn insert(tx: &mut Tx, new: &NewInvoice, bill: &Bill) -> String {
    let id = new_id(KIND);
    let subscription = new.subscription["id"].as_str();
    let discounts = discount_holders::for_invoice(tx, new.customer, new.currency, subscription);
    let waiting = bill.items.iter().map(|item| invoice_items::line(&tx.shown(Kind::InvoiceItem, item), &id));
    let rows: Vec<Value> = waiting.chain(bill.lines.iter().map(|line| lines::line(tx, &id, line))).collect();
    let mut object = shape::invoice(tx, &id, new, rows);
    object["discounts"] = json!(discounts);
    if new.subscription["default_tax_rates"].is_array() {
        object["default_tax_rates"] = new.subscription["default_tax_rates"].clone();
    }
    let hidden = json!({"days_until_due": new.subscription["days_until_due"]});
    tx.insert(KIND, object, hidden);
    for item in &bill.items {
        invoice_items::taken(tx, item, &id);
    }
    totals::sum_up(tx, &id);
    id
}

/// Makes the draft for a subscription's next period, after `over`. It finalizes itself an hour later and is charged then,
/// but where the subscription is given up or collecting its invoices is paused.
pub(super) fn draft_of_cycle(tx: &mut Tx, subscription: &Value, over: (i64, i64), bill: &Bill) -> String {
    let id = insert(tx, &NewInvoice::of_subscription(subscription, "subscription_cycle", over), bill);
    let now = tx.now();
    let view = Subscription(subscription);
    let waits = view.is(SubscriptionStatus::Unpaid) || view.paused_collection().is_some();
    tx.change(KIND, &id, |doc| {
        let automatic = Invoice(&doc.object).charges_automatically();
        let invoice = &mut doc.object;
        if waits {
            invoice["auto_advance"] = json!(false);
            invoice["automatically_finalizes_at"] = Value::Null;
        } else {
            invoice["automatically_finalizes_at"] = json!(now + DRAFT_SECONDS + 1);
            invoice["next_payment_attempt"] = json!(automatic.then_some(now + DRAFT_SECONDS));
        }
    });
    tx.emit("invoice.created", KIND, &id);
    id
}

/// Gives a draft its number and the way to pay it; one of nothing is paid by that.
pub(crate) fn finalize(tx: &mut Tx, id: &str) {
    let Some(doc) = tx.get(KIND, id).filter(|doc| Invoice(&doc.object).is(InvoiceStatus::Draft)) else {
        return;
    };
    let invoice = Invoice(&doc.object);
    if is_lost_credit(tx, invoice) {
        return give_up(tx, id);
    }
    let (now, due) = (tx.now(), totals::settle_balance(tx, id));
    let number = match doc.object["number"].as_str() {
        Some(given) => given.to_owned(),
        None => take_number(tx, invoice.customer()),
    };
    if due > 0 {
        prepare_payment(tx, &doc, due);
    }
    let page = format!("{}/i/{}", tx.base_url(), new_secret(&format!("{id}_")));
    tx.change(KIND, id, |doc| {
        let due_days = doc.hidden["days_until_due"].as_i64();
        let invoice = &mut doc.object;
        invoice["status"] = json!(InvoiceStatus::Open);
        invoice["number"] = json!(number);
        invoice["automatically_finalizes_at"] = Value::Null;
        invoice["invoice_pdf"] = json!(format!("{page}/pdf"));
        invoice["hosted_invoice_url"] = json!(page);
        invoice["status_transitions"]["finalized_at"] = json!(now);
        if invoice["effective_at"].is_null() {
            invoice["effective_at"] = json!(now);
        }
        if invoice["due_date"].is_null() {
            invoice["due_date"] = json!(due_days.map(|days| now + days * DAY));
        }
    });
    tx.emit("invoice.finalized", KIND, id);
    if let Some(doc) = tx.get(KIND, id) {
        discount_holders::use_up(tx, Invoice(&doc.object));
    }
    if due == 0 {
        mark_paid(tx, id, 0);
    }
}

/// Whether it would give something back for a subscription that is over: that never reaches the customer's balance.
fn is_lost_credit(tx: &Tx, invoice: Invoice) -> bool {
    let subscription = invoice.subscription().and_then(|id| tx.get(Kind::Subscription, id));
    invoice.total() < 0 && subscription.is_some_and(|doc| Subscription(&doc.object).is_over())
}

fn take_number(tx: &mut Tx, customer: &str) -> String {
    let mut number = String::new();
    tx.change(Kind::Customer, customer, |doc| {
        let customer = Customer(&doc.object);
        let next = customer.next_invoice_sequence();
        number = format!("{}-{next:04}", customer.invoice_prefix());
        doc.object["next_invoice_sequence"] = json!(next + 1);
    });
    number
}

/// The payment intent of an invoice, and the record that joins them.
fn prepare_payment(tx: &mut Tx, doc: &Doc, due: i64) {
    let invoice = Invoice(&doc.object);
    let automatic = invoice.charges_automatically();
    let method = default_method(tx, doc).filter(|_| automatic);
    let description = match invoice.billing_reason() {
        Some("subscription_create") => "Subscription creation",
        Some("manual") | None => "Payment for Invoice",
        Some(_) => "Subscription update",
    };
    let plan = payment::NewPayment {
        amount: due,
        currency: invoice.currency(),
        customer: Some(invoice.customer()),
        payment_method: method.as_deref(),
        setup_future_usage: automatic.then_some("off_session"),
        description: Some(description),
        invoice: Some(doc.id()),
    };
    let subscription = invoice.subscription().and_then(|id| tx.get(Kind::Subscription, id));
    let demand = subscription.as_ref().and_then(|doc| Subscription(&doc.object).three_d_secure());
    let intent = payment::create(tx, &plan, |intent| {
        if let Some(demand) = demand {
            intent["payment_method_options"]["card"]["request_three_d_secure"] = json!(demand);
        }
    });
    let id = new_id(Kind::InvoicePayment);
    let joined = json!({
        "id": id,
        "object": "invoice_payment",
        "amount_paid": null,
        "amount_requested": due,
        "created": tx.now(),
        "currency": invoice.currency(),
        "invoice": doc.id(),
        "is_default": true,
        "livemode": false,
        "payment": {"payment_intent": intent, "type": "payment_intent"},
        "status": "open",
        "status_transitions": {"canceled_at": null, "paid_at": null},
    });
    tx.insert(Kind::InvoicePayment, joined, Value::Null);
}

/// What an invoice is paid with unless a request says otherwise: its own, its subscription's, its customer's.
pub(crate) fn default_method(tx: &Tx, invoice: &Doc) -> Option<String> {
    let invoice = Invoice(&invoice.object);
    let subscription = invoice.subscription().and_then(|id| tx.get(Kind::Subscription, id));
    let customer = tx.get(Kind::Customer, invoice.customer());
    let method = invoice
        .default_payment_method()
        .or_else(|| Subscription(&subscription.as_ref()?.object).default_payment_method())
        .or_else(|| Customer(&customer.as_ref()?.object).default_method());
    method.map(str::to_owned)
}

/// The record that joins an invoice to its payment intent, and the intent.
pub(super) fn payment_of(tx: &Tx, invoice: &str) -> Option<(String, String)> {
    let joined = tx.all_with(Kind::InvoicePayment, "invoice", invoice).next()?;
    let intent = joined.object["payment"]["payment_intent"].as_str()?;
    Some((joined.id().to_owned(), intent.to_owned()))
}

/// The payment intent that pays an invoice; none for an invoice of nothing, or a draft.
pub(crate) fn intent_of(tx: &Tx, invoice: &str) -> Option<String> {
    payment_of(tx, invoice).map(|(_, intent)| intent)
}

/// What Stripe.js needs to pay an invoice, as `confirmation_secret` shows it.
pub(crate) fn confirmation_secret(tx: &Tx, invoice: &str) -> Value {
    let intent = intent_of(tx, invoice).and_then(|id| tx.get(Kind::PaymentIntent, &id));
    intent.map_or(
        Value::Null,
        |intent| json!({"client_secret": Intent(&intent.object).client_secret(), "type": "payment_intent"}),
    )
}

/// The invoice is paid with this amount.
pub(super) fn mark_paid(tx: &mut Tx, id: &str, amount: i64) {
    let now = tx.now();
    tx.update(KIND, id, "invoice.updated", |doc| {
        let invoice = &mut doc.object;
        invoice["status"] = json!(InvoiceStatus::Paid);
        invoice["amount_paid"] = json!(amount);
        invoice["amount_remaining"] = json!(0);
        invoice["attempted"] = json!(true);
        invoice["auto_advance"] = json!(false);
        invoice["next_payment_attempt"] = Value::Null;
        invoice["status_transitions"]["paid_at"] = json!(now);
    });
    tx.emit("invoice.paid", KIND, id);
    tx.emit("invoice.payment_succeeded", KIND, id);
    if let Some((joined, _)) = payment_of(tx, id).filter(|(joined, _)| is_open(tx, joined)) {
        tx.change(Kind::InvoicePayment, &joined, |doc| {
            doc.object["status"] = json!("paid");
            doc.object["amount_paid"] = json!(amount);
            doc.object["status_transitions"]["paid_at"] = json!(now);
        });
        tx.emit("invoice_payment.paid", Kind::InvoicePayment, &joined);
    }
}

fn is_open(tx: &Tx, joined: &str) -> bool {
    tx.get(Kind::InvoicePayment, joined).is_some_and(|doc| doc.object["status"] == "open")
}

/// A payment of it was attempted.
pub(super) fn note_attempt(tx: &mut Tx, id: &str) {
    tx.change(KIND, id, |doc| {
        let count = doc.object["attempt_count"].as_i64().unwrap_or_default();
        doc.object["attempt_count"] = json!(count + 1);
        doc.object["attempted"] = json!(true);
    });
}

/// The invoice's payment intent has failed.
pub(super) fn payment_failed(tx: &mut Tx, id: &str) {
    note_attempt(tx, id);
    tx.emit("invoice.payment_failed", KIND, id);
}

/// The invoice's payment intent waits for 3D Secure.
pub(super) fn action_required(tx: &mut Tx, id: &str) {
    note_attempt(tx, id);
    tx.emit("invoice.payment_action_required", KIND, id);
}

/// Voids an invoice that won't be paid.
///
/// # Errors
/// If it isn't open or uncollectible.
pub(crate) fn void(tx: &mut Tx, id: &str) -> Result<(), ApiError> {
    let doc = tx.find(KIND, id, "id")?;
    if !matches!(Invoice(&doc.object).status(), Some(InvoiceStatus::Open | InvoiceStatus::Uncollectible)) {
        return Err(wrong_status(&doc, "voided"));
    }
    let now = tx.now();
    cancel_payment(tx, id, "void_invoice")?;
    tx.change(KIND, id, |doc| {
        doc.object["status"] = json!(InvoiceStatus::Void);
        doc.object["auto_advance"] = json!(false);
        doc.object["next_payment_attempt"] = Value::Null;
        doc.object["status_transitions"]["voided_at"] = json!(now);
    });
    totals::give_balance_back(tx, id);
    tx.emit("invoice.voided", KIND, id);
    Ok(())
}

/// There is nothing left to pay by its payment intent.
///
/// # Errors
/// If the intent is over already.
pub(super) fn cancel_payment(tx: &mut Tx, id: &str, reason: &str) -> Result<(), ApiError> {
    let now = tx.now();
    if let Some((joined, intent)) = payment_of(tx, id) {
        payment::cancel(tx, &intent, Some(reason))?;
        tx.change(Kind::InvoicePayment, &joined, |doc| {
            doc.object["status"] = json!("canceled");
            doc.object["status_transitions"]["canceled_at"] = json!(now);
        });
    }
    Ok(())
}

/// Gives an open invoice up.
///
/// # Errors
/// If it isn't open.
pub(crate) fn mark_uncollectible(tx: &mut Tx, id: &str) -> Result<(), ApiError> {
    let doc = tx.find(KIND, id, "id")?;
    if !Invoice(&doc.object).is(InvoiceStatus::Open) {
        return Err(wrong_status(&doc, "marked as uncollectible"));
    }
    give_up(tx, id);
    Ok(())
}

fn give_up(tx: &mut Tx, id: &str) {
    let now = tx.now();
    tx.change(KIND, id, |doc| {
        doc.object["status"] = json!(InvoiceStatus::Uncollectible);
        doc.object["auto_advance"] = json!(false);
        doc.object["automatically_finalizes_at"] = Value::Null;
        doc.object["next_payment_attempt"] = Value::Null;
        doc.object["status_transitions"]["marked_uncollectible_at"] = json!(now);
    });
    tx.emit("invoice.marked_uncollectible", KIND, id);
}

/// The error for an invoice whose status doesn't allow this.
pub(crate) fn wrong_status(invoice: &Doc, done: &str) -> ApiError {
    let status = invoice.object["status"].as_str().unwrap_or_default();
    ApiError::invalid(format!("This invoice can't be {done} because it has a status of {status}."))
        .code("invoice_not_editable")
}

/// What the prefix of a customer's invoice numbers is made of.
pub(crate) fn new_prefix() -> String {
    new_secret("")[..8].to_uppercase()
}
