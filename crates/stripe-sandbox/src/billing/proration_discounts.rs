//! What discounts make of prorations: a charge has those that the subscription has, a credit those that were taken off what
//! it gives back.
//!
//! Source: <https://docs.stripe.com/billing/subscriptions/billing-mode/compare>, of the flexible mode

use serde_json::{Value, json};

use super::adjustments;
use super::amount::amount;
use super::discount_holders::{general, is_over};
use super::discounts;
use super::invoice_items::Credited;
use super::items::Change;
use crate::engine::objects::{Price, ids};
use crate::engine::{Doc, Kind, Tx};

/// What a discount takes off: its id, and how much in minor units.
pub(super) type Off = (String, i64);

/// What discounts take off the price of a whole period, for each of the changes as it will be.
pub(super) fn of_charges(tx: &Tx, subscription: &Value, changes: &[Change]) -> Vec<Vec<Off>> {
    let mut lines: Vec<Value> = changes
        .iter()
        .map(|change| {
            let Some(after) = &change.after else { return Value::Null };
            let own: Vec<&String> = after.discounts.iter().filter(|id| !is_over(tx, id)).collect();
            json!({
                "amount": amount(&after.price, after.quantity), "discountable": true, "discounts": own,
                "discount_amounts": [], "pricing": {"price_details": {"product": Price(&after.price).product()}},
            })
        })
        .collect();
    let text = |field: &str| subscription[field].as_str().unwrap_or_default();
    let of_all = general(tx, text("customer"), text("currency"), subscription["id"].as_str());
    let own = |line: &Value| discounts::for_sums(tx, ids(&line["discounts"]));
    let of_all = discounts::for_sums(tx, of_all.iter().map(String::as_str));
    adjustments::take_off(&mut lines, &own, &of_all);
    lines.iter().map(|line| off(&line["discount_amounts"])).collect()
}

fn off(discount_amounts: &Value) -> Vec<Off> {
    let given = discount_amounts.as_array().into_iter().flatten();
    given
        .filter_map(|given| Some((given["discount"].as_str()?.to_owned(), given["amount"].as_i64()?)))
        .collect()
}

/// What an item was last charged by.
pub(super) struct Charged {
    pub(super) by: Credited,
    /// In minor units, before discounts.
    gross: i64,
    off: Vec<Off>,
}

impl Charged {
    /// The last charge for a subscription's item, which may be an invoice item that waits still.
    pub(super) fn last(tx: &Tx, subscription: &Value, item: &str) -> Option<Self> {
        let customer = subscription["customer"].as_str().unwrap_or_default();
        let mut waiting = tx.all_with(Kind::InvoiceItem, "customer", customer).filter(|doc| {
            let parent = &doc.object["parent"]["subscription_details"];
            doc.object["invoice"].is_null() && parent["subscription_item"] == item
        });
        waiting
            .find_map(|doc| Self::by_item(&doc, Credited::Item(doc.id().to_owned())))
            .or_else(|| Self::on_invoice(tx, subscription["id"].as_str()?, item))
    }

    fn on_invoice(tx: &Tx, subscription: &str, item: &str) -> Option<Self> {
        tx.all_with(Kind::Invoice, "subscription", subscription).find_map(|doc| {
            let lines = doc.object["lines"]["data"].as_array()?;
            let mut of_item: Vec<&Value> = lines
                .iter()
                .filter(|line| line["parent"]["subscription_item_details"]["subscription_item"] == item)
                .collect();
            // Of a period that is over and the one that began with the invoice, the latter counts.
            of_item.sort_by_key(|line| -line["period"]["start"].as_i64().unwrap_or_default());
            of_item.into_iter().find_map(|line| {
                let by = Credited::Line {
                    invoice: doc.id().to_owned(),
                    line: line["id"].as_str().unwrap_or_default().to_owned(),
                };
                let item = line["parent"]["subscription_item_details"]["invoice_item"].as_str();
                match item.and_then(|id| tx.get(Kind::InvoiceItem, id)) {
                    Some(item) => Self::by_item(&item, by),
                    None => Self::of(by, line["amount"].as_i64()?, off(&line["discount_amounts"])),
                }
            })
        })
    }

    fn by_item(doc: &Doc, by: Credited) -> Option<Self> {
        let off = serde_json::from_value(doc.hidden["off"].clone()).unwrap_or_default();
        Self::of(by, doc.hidden["gross"].as_i64().or(doc.object["amount"].as_i64())?, off)
    }

    /// None where nothing was charged.
    fn of(by: Credited, gross: i64, off: Vec<Off>) -> Option<Self> {
        (gross > 0).then_some(Self { by, gross, off })
    }

    /// What the discounts that it was charged with take off the price of a whole period.
    pub(super) fn off_whole(&self, whole: i64) -> Vec<Off> {
        let scaled = |amount: i64| adjustments::share(amount, whole.into(), self.gross.into());
        self.off.iter().map(|(id, amount)| (id.clone(), scaled(*amount))).collect()
    }
}
