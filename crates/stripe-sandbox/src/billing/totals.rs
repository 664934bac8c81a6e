//! What an invoice comes to, and what the customer's balance makes of it.
//!
//! Source: <https://docs.stripe.com/billing/customer/balance>

use serde_json::{Value, json};

use super::adjustments::{self, Rate, is_proration};
use super::customer_balance::{self, Entry};
use super::discounts;
use crate::engine::objects::{Discount, Invoice, ids};
use crate::engine::{Kind, Tx};
use crate::money;

const KIND: Kind = Kind::Invoice;

/// What is due of a total once a balance was taken into account. Assumed: an invoice of nothing leaves a debt alone.
fn due(total: i64, balance: i64) -> i64 {
    if total > 0 { (total + balance).max(0) } else { 0 }
}

/// Sums a draft's lines up, with what its discounts and tax rates make of them.
pub(super) fn sum_up(tx: &mut Tx, id: &str) {
    let Some(doc) = tx.get(KIND, id) else { return };
    let invoice = Invoice(&doc.object);
    let (whole, balance) = (invoice.lines_total(), customer_balance::of(tx, invoice.customer()));
    let mut lines = doc.object["lines"]["data"].as_array().cloned().unwrap_or_default();
    for line in lines.iter_mut().filter(|line| is_proration(line)) {
        line["discount_amounts"] = taken_off_proration(tx, line);
    }
    let own = |line: &Value| discounts::for_sums(tx, ids(&line["discounts"]));
    adjustments::take_off(&mut lines, &own, &discounts::for_sums(tx, ids(&doc.object["discounts"])));
    let exempt = doc.object["customer_tax_exempt"].as_str().unwrap_or("none");
    let general = rates(&doc.object["default_tax_rates"]);
    for line in &mut lines {
        let own = own_rates(tx, line);
        adjustments::tax(line, if own.is_empty() { &general } else { &own }, exempt);
    }
    let taxes = adjustments::added_up(
        lines.iter(),
        "taxes",
        &["tax_rate_details", "tax_behavior", "taxability_reason"],
    );
    let itemized = lines.iter().filter(|line| !is_proration(line) || takes_something(line));
    let off = adjustments::added_up(itemized, "discount_amounts", &["discount"]);
    // What was taken off single lines is part of the subtotal already.
    let of_lines: i64 =
        off.iter().filter(|off| is_of_item(tx, off)).filter_map(|off| off["amount"].as_i64()).sum();
    let subtotal = whole - of_lines;
    let inside = adjustments::total(&taxes, Some("inclusive"));
    let total = whole - adjustments::total(&off, None) + adjustments::total(&taxes, Some("exclusive"));
    let without = total - adjustments::total(&taxes, None);
    let due = due(total, balance);
    tx.change(KIND, id, |doc| {
        let invoice = &mut doc.object;
        for (field, amount) in [
            ("subtotal", subtotal),
            ("subtotal_excluding_tax", subtotal - inside),
            ("total", total),
            ("total_excluding_tax", without),
        ] {
            invoice[field] = json!(amount);
        }
        invoice["lines"]["data"] = json!(lines);
        invoice["total_discount_amounts"] = json!(off);
        invoice["total_taxes"] = json!(taxes);
        invoice["starting_balance"] = json!(balance);
        invoice["amount_due"] = json!(due);
        invoice["amount_remaining"] = json!(due);
        let count = invoice["lines"]["data"].as_array().map(Vec::len);
        invoice["lines"]["total_count"] = json!(count);
    });
}

/// What discounts took off a proration when it was made, as its line shows it.
fn taken_off_proration(tx: &Tx, line: &Value) -> Value {
    let item = line_item(line).and_then(|id| tx.get(Kind::InvoiceItem, id));
    let shown = item.map(|doc| doc.hidden["line_discount_amounts"].clone());
    shown.filter(Value::is_array).unwrap_or(json!([]))
}

fn takes_something(line: &Value) -> bool {
    line["discount_amounts"].as_array().into_iter().flatten().any(|off| off["amount"] != 0)
}

/// Whether what was taken off was taken by the discount of a single item.
fn is_of_item(tx: &Tx, off: &Value) -> bool {
    let discount = off["discount"].as_str().and_then(|id| tx.get(Kind::Discount, id));
    discount.is_some_and(|doc| Discount(&doc.object).is_of_item())
}

/// The invoice item that a line is of.
fn line_item(line: &Value) -> Option<&str> {
    let parent = &line["parent"];
    let details = [&parent["invoice_item_details"], &parent["subscription_item_details"]];
    details.into_iter().find_map(|details| details["invoice_item"].as_str())
}

/// The tax rates of a list of them, as the API shows them.
pub(super) fn rates(shown: &Value) -> Vec<Rate> {
    let rates = shown.as_array().into_iter().flatten();
    rates
        .map(|rate| Rate {
            id: rate["id"].as_str().unwrap_or_default().to_owned(),
            inclusive: rate["inclusive"] == true,
            percent: adjustments::millionths(&rate["percentage"]),
        })
        .collect()
}

/// The tax rates of the invoice item that a line is of.
fn own_rates(tx: &Tx, line: &Value) -> Vec<Rate> {
    let item = line_item(line).and_then(|id| tx.get(Kind::InvoiceItem, id));
    item.map(|doc| rates(&doc.object["tax_rates"])).unwrap_or_default()
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
    let entries = tx.all_with(Kind::CustomerBalanceTransaction, "invoice", id);
    let applied: i64 = entries.filter_map(|entry| entry.object["amount"].as_i64()).sum();
    if applied != 0 {
        let entry = Entry::new("unapplied_from_invoice", -applied, invoice.currency());
        customer_balance::post(tx, invoice.customer(), Entry { invoice: Some(id), ..entry });
    }
}
