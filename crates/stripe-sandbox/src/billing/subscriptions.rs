//! What happens to a subscription: its first payment, its card, its end.
//!
//! Source: <https://docs.stripe.com/billing/subscriptions/overview>

use std::sync::Arc;

use serde_json::{Value, json};

use super::settings::AfterLastRetry;
use super::{invoices, pending_update, schedule_run};
use crate::engine::objects::{Customer, Invoice, InvoiceStatus, Subscription, SubscriptionStatus};
use crate::engine::{ApiError, Doc, Kind, Tx};

const KIND: Kind = Kind::Subscription;
const UPDATED: &str = "customer.subscription.updated";

/// The end of the current period, the first of its items'.
pub(crate) fn period_end(tx: &Tx, subscription: &str) -> Option<i64> {
    items(tx, subscription).iter().filter_map(|item| item["current_period_end"].as_i64()).min()
}

/// What it is paid with: its own default, or else its customer's.
pub(super) fn payment_method(tx: &Tx, subscription: Subscription) -> Option<String> {
    let of_customer = || {
        let customer = tx.get(Kind::Customer, subscription.customer())?;
        Customer(&customer.object).default_method().map(str::to_owned)
    };
    subscription.default_payment_method().map(str::to_owned).or_else(of_customer)
}

/// The items of a subscription as the API shows them, in their order.
pub(crate) fn items(tx: &Tx, subscription: &str) -> Vec<Value> {
    tx.get(KIND, subscription).map(|doc| tx.items_of(&doc)).unwrap_or_default()
}

/// An invoice of the subscription was paid with a payment method.
pub(super) fn paid(tx: &mut Tx, id: &str, invoice: &str, method: &str) {
    let Some(doc) = tx.get(KIND, id) else { return };
    let saves = Subscription(&doc.object).saves_payment_method();
    let settled = is_settled_by(&doc, invoice);
    tx.update(KIND, id, UPDATED, |doc| {
        if settled {
            doc.object["status"] = json!(SubscriptionStatus::Active);
        }
        if saves {
            doc.object["default_payment_method"] = json!(method);
        }
    });
}

/// An invoice of the subscription was paid without a payment here.
pub(super) fn paid_elsewhere(tx: &mut Tx, id: &str, invoice: &str) {
    if tx.get(KIND, id).is_some_and(|doc| is_settled_by(&doc, invoice)) {
        tx.update(KIND, id, UPDATED, |doc| doc.object["status"] = json!(SubscriptionStatus::Active));
    }
}

/// Whether it is this invoice that the subscription waits for.
fn is_settled_by(subscription: &Doc, invoice: &str) -> bool {
    use SubscriptionStatus::{Incomplete, PastDue, Unpaid};
    let subscription = Subscription(&subscription.object);
    matches!(subscription.status(), Some(Incomplete | PastDue | Unpaid))
        && subscription.latest_invoice() == Some(invoice)
}

/// A renewal couldn't be collected, and will be tried again.
pub(super) fn payment_failed(tx: &mut Tx, id: &str) {
    if tx.get(KIND, id).is_some_and(|doc| Subscription(&doc.object).is(SubscriptionStatus::Active)) {
        tx.update(KIND, id, UPDATED, |doc| doc.object["status"] = json!(SubscriptionStatus::PastDue));
    }
}

/// A renewal couldn't be collected, and won't be tried again.
pub(super) fn given_up(tx: &mut Tx, id: &str) {
    match AfterLastRetry::of(tx) {
        AfterLastRetry::Cancel => {
            tx.change(KIND, id, |doc| doc.object["cancellation_details"]["reason"] = json!("payment_failed"));
            end(tx, id);
        }
        AfterLastRetry::MarkUnpaid => mark_unpaid(tx, id),
        AfterLastRetry::LeavePastDue => payment_failed(tx, id),
    }
}

/// The subscription goes on unpaid. Drafts that there are by then are assumed to wait like those that come later.
fn mark_unpaid(tx: &mut Tx, id: &str) {
    use SubscriptionStatus::{Active, PastDue};
    let Some(doc) = tx.get(KIND, id) else { return };
    if !matches!(Subscription(&doc.object).status(), Some(Active | PastDue)) {
        return;
    }
    let is_draft = |invoice: &Arc<Doc>| Invoice(&invoice.object).is(InvoiceStatus::Draft);
    let drafts: Vec<String> = tx
        .all_with(Kind::Invoice, "subscription", id)
        .filter(is_draft)
        .map(|invoice| invoice.id().to_owned())
        .collect();
    for draft in drafts {
        collect_no_more(tx, &draft);
    }
    tx.update(KIND, id, UPDATED, |doc| doc.object["status"] = json!(SubscriptionStatus::Unpaid));
}

/// Leaves an invoice as it is from now on.
fn collect_no_more(tx: &mut Tx, invoice: &str) {
    tx.update(Kind::Invoice, invoice, "invoice.updated", |doc| {
        doc.object["auto_advance"] = json!(false);
        doc.object["automatically_finalizes_at"] = Value::Null;
        doc.object["next_payment_attempt"] = Value::Null;
    });
}

/// The time until which collecting its invoices was paused has come.
pub(super) fn collect_again(tx: &mut Tx, id: &str) {
    tx.update(KIND, id, UPDATED, |doc| doc.object["pause_collection"] = Value::Null);
}

/// The subscription's setup intent has succeeded.
pub(super) fn card_set_up(tx: &mut Tx, id: &str, method: &str) {
    tx.update(KIND, id, UPDATED, |doc| {
        doc.object["pending_setup_intent"] = Value::Null;
        let saves = Subscription(&doc.object).saves_payment_method();
        if saves {
            doc.object["default_payment_method"] = json!(method);
        }
    });
}

/// The first payment was not made, or won't be: the subscription is over and its invoice void.
pub(crate) fn expire(tx: &mut Tx, id: &str) {
    let now = tx.now();
    void_open_invoice(tx, id);
    tx.update(KIND, id, UPDATED, |doc| {
        doc.object["status"] = json!(SubscriptionStatus::IncompleteExpired);
        doc.object["canceled_at"] = json!(now);
        doc.object["ended_at"] = json!(now);
    });
}

fn void_open_invoice(tx: &mut Tx, id: &str) {
    let latest =
        tx.get(KIND, id).and_then(|doc| Subscription(&doc.object).latest_invoice().map(str::to_owned));
    if let Some(invoice) = latest {
        // One that isn't open has nothing to void.
        let _ = invoices::void(tx, &invoice);
    }
}

/// Ends a subscription now.
pub(crate) fn end(tx: &mut Tx, id: &str) {
    let Some(doc) = tx.get(KIND, id) else { return };
    if Subscription(&doc.object).is(SubscriptionStatus::Incomplete) {
        return expire(tx, id);
    }
    let now = tx.now();
    pending_update::drop_waiting(tx, id);
    schedule_run::ended(tx, id);
    // What is open stays so, and isn't collected any more.
    let open: Vec<String> = tx
        .all_with(Kind::Invoice, "subscription", id)
        .filter(|invoice| {
            let invoice = Invoice(&invoice.object);
            invoice.is(InvoiceStatus::Open) || invoice.is(InvoiceStatus::Draft)
        })
        .map(|invoice| invoice.id().to_owned())
        .collect();
    for invoice in open {
        collect_no_more(tx, &invoice);
    }
    tx.change(KIND, id, |doc| {
        let subscription = &mut doc.object;
        subscription["status"] = json!(SubscriptionStatus::Canceled);
        subscription["ended_at"] = json!(now);
        if subscription["canceled_at"].is_null() {
            subscription["canceled_at"] = json!(now);
        }
        if subscription["cancellation_details"]["reason"].is_null() {
            subscription["cancellation_details"]["reason"] = json!("cancellation_requested");
        }
    });
    tx.emit("customer.subscription.deleted", KIND, id);
}

/// Has a subscription end at a time, or, with `None`, not after all.
///
/// # Errors
/// If the time is past.
pub(crate) fn schedule_end(
    tx: &Tx,
    subscription: &mut Value,
    at: Option<i64>,
    at_period_end: bool,
) -> Result<(), ApiError> {
    if at.is_some_and(|at| at <= tx.now()) {
        return Err(ApiError::invalid("`cancel_at` must be a timestamp in the future.").param("cancel_at"));
    }
    let asked = at.map(|_| tx.now());
    subscription["cancel_at"] = json!(at);
    subscription["cancel_at_period_end"] = json!(at_period_end);
    subscription["canceled_at"] = json!(asked);
    subscription["cancellation_details"]["reason"] = json!(asked.map(|_| "cancellation_requested"));
    Ok(())
}
