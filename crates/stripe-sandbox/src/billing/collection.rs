//! Collecting an invoice by itself: the attempt when it is finalized, and those after it where the card was declined.
//!
//! Source: <https://docs.stripe.com/billing/revenue-recovery/smart-retries>, whose times are Stripe's secret: eight within two
//! weeks are assumed to be spread evenly. What happens after the last, the account's settings say.

use serde_json::json;

use super::{invoices, paying, subscriptions};
use crate::engine::objects::{Invoice, InvoiceStatus};
use crate::engine::{Doc, Kind, Tx};
use crate::payments::ConfirmOptions;

const KIND: Kind = Kind::Invoice;
const DAY: i64 = 86_400;
/// Days after the first attempt on which it is tried again.
const RETRIES: [i64; 8] = [1, 3, 5, 7, 9, 11, 13, 14];

/// When an open invoice is to be tried again, in Unix seconds.
pub(super) fn at(doc: &Doc) -> Option<i64> {
    let invoice = Invoice(&doc.object);
    let waits = invoice.is(InvoiceStatus::Open)
        && invoice.charges_automatically()
        && doc.object["auto_advance"] == true;
    invoice.next_payment_attempt().filter(|_| waits)
}

/// Tries to pay an open invoice, and plans the next attempt where that fails; gives up after the last.
pub(super) fn attempt(tx: &mut Tx, id: &str) {
    let open = |tx: &Tx| tx.get(KIND, id).filter(|doc| Invoice(&doc.object).is(InvoiceStatus::Open));
    let Some(doc) = open(tx).filter(|doc| Invoice(&doc.object).charges_automatically()) else { return };
    match invoices::default_method(tx, &doc) {
        Some(method) => {
            // What came of it stands on the invoice.
            let off_session = ConfirmOptions { off_session: true, ..ConfirmOptions::default() };
            let _ = paying::pay(tx, id, &method, &off_session);
        }
        None => invoices::payment_failed(tx, id),
    }
    if open(tx).is_some() {
        failed(tx, id);
    }
}

/// An attempt to pay an open invoice has failed: plans the next, or gives up after the last.
pub(super) fn failed(tx: &mut Tx, id: &str) {
    let Some(doc) = tx.get(KIND, id) else { return };
    let first = doc.hidden["first_attempt"].as_i64().unwrap_or(tx.now());
    let retries = doc.hidden["retries"].as_u64().unwrap_or_default();
    let next =
        usize::try_from(retries).ok().and_then(|tried| RETRIES.get(tried)).map(|days| first + days * DAY);
    tx.update(KIND, id, "invoice.updated", |doc| {
        doc.hidden["first_attempt"] = json!(first);
        doc.hidden["retries"] = json!(retries + 1);
        doc.object["next_payment_attempt"] = json!(next);
    });
    let Some(subscription) = Invoice(&doc.object).subscription() else { return };
    match next {
        Some(_) => subscriptions::payment_failed(tx, subscription),
        None => subscriptions::given_up(tx, subscription),
    }
}
