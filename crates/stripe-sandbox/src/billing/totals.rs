//! What an invoice comes to, and what the customer's balance makes of it.
//!
//! Source: <https://docs.stripe.com/billing/customer/balance>

use serde_json::json;

use super::customer_balance::{self, Entry};
use crate::engine::objects::Invoice;
use crate::engine::{Kind, Tx};
use crate::money;

const KIND: Kind = Kind::Invoice;

/// What is due of a total once a balance was taken into account. Assumed: an invoice of nothing leaves a debt alone.
fn due(total: i64, balance: i64) -> i64 {
    if total > 0 { (total + balance).max(0) } else { 0 }
}

/// Sums a draft's lines up.
pub(super) fn sum_up(tx: &mut Tx, id: &str) {
    let Some(doc) = tx.get(KIND, id) else { return };
    let invoice = Invoice(&doc.object);
    let (total, balance) = (invoice.lines_total(), customer_balance::of(tx, invoice.customer()));
    let due = due(total, balance);
    tx.change(KIND, id, |doc| {
        let invoice = &mut doc.object;
        for field in ["subtotal", "subtotal_excluding_tax", "total", "total_excluding_tax"] {
            invoice[field] = json!(total);
        }
        invoice["starting_balance"] = json!(balance);
        invoice["amount_due"] = json!(due);
        invoice["amount_remaining"] = json!(due);
        let count = invoice["lines"]["data"].as_array().map(Vec::len);
        invoice["lines"]["total_count"] = json!(count);
    });
}

/// Takes the customer's balance into account for good: credits are used up, debts are collected, what is too little to be
/// charged is added to the balance. Returns what is due, in minor units.
pub(super) fn settle_balance(tx: &mut Tx, id: &str) -> i64 {
    sum_up(tx, id);
    let Some(doc) = tx.get(KIND, id) else { return 0 };
    let invoice = Invoice(&doc.object);
    let (total, customer, currency) = (invoice.total(), invoice.customer(), invoice.currency());
    let balance = customer_balance::of(tx, customer);
    let mut due = due(total, balance);
    let applied = if due > 0 { -balance } else { total };
    let mut entries = vec![("applied_to_invoice", applied)];
    if due > 0 && due < money::minimum_charge(currency) {
        entries.push(("invoice_too_small", due));
        due = 0;
    }
    for (kind, amount) in entries.into_iter().filter(|(_, amount)| *amount != 0) {
        customer_balance::post(
            tx,
            customer,
            Entry { invoice: Some(id), ..Entry::new(kind, amount, currency) },
        );
    }
    let ending = customer_balance::of(tx, customer);
    tx.change(KIND, id, |doc| {
        doc.object["amount_due"] = json!(due);
        doc.object["amount_remaining"] = json!(due);
        doc.object["ending_balance"] = json!(ending);
    });
    due
}

/// Undoes what an invoice that is void did to the customer's balance.
pub(super) fn give_balance_back(tx: &mut Tx, id: &str) {
    let Some(doc) = tx.get(KIND, id) else { return };
    let invoice = Invoice(&doc.object);
    let entries = tx.all(Kind::CustomerBalanceTransaction).filter(|entry| entry.object["invoice"] == id);
    let applied: i64 = entries.filter_map(|entry| entry.object["amount"].as_i64()).sum();
    if applied != 0 {
        let entry = Entry::new("unapplied_from_invoice", -applied, invoice.currency());
        customer_balance::post(tx, invoice.customer(), Entry { invoice: Some(id), ..entry });
    }
}
