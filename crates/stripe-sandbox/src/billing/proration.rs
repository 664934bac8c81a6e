//! What a change in the middle of a period comes to: the credit for what isn't used, the charge for what remains.
//!
//! Source: <https://docs.stripe.com/billing/subscriptions/prorations>; each line is rounded down by itself, to the second, as
//! recordings of Stripe's test mode show.

use chrono::DateTime;
use serde_json::{Value, json};

use super::amount::amount;
use super::invoice_items::NewInvoiceItem;
use super::items::{Change, Wanted};
use super::proration_discounts::{Charged, Off, of_charges};
use crate::engine::objects::{Price, Subscription};
use crate::engine::{Kind, Tx};

/// What is left of a period at a moment of it, all in Unix seconds.
#[derive(Clone, Copy)]
pub(super) struct Rest {
    pub(super) at: i64,
    pub(super) period: (i64, i64),
}

impl Rest {
    /// The rest's share of what the whole period costs, rounded down: a credit towards the larger one.
    fn share(self, whole: i64) -> i64 {
        let (start, end) = self.period;
        let share =
            (i128::from(whole) * i128::from(end - self.at)).div_euclid(i128::from((end - start).max(1)));
        i64::try_from(share).unwrap_or_default()
    }

    /// The moment as lines name it: `11 Oct 2026`.
    fn day(self) -> String {
        DateTime::from_timestamp(self.at, 0).map(|at| at.format("%-d %b %Y").to_string()).unwrap_or_default()
    }
}

/// The invoice items for a subscription's changes; where the period begins anew, only the credits for the old one.
pub(super) fn of(
    tx: &Tx,
    subscription: &Value,
    changes: &[Change],
    rest: Rest,
    anew: bool,
) -> Vec<NewInvoiceItem> {
    let charges = of_charges(tx, subscription, changes);
    let changed = changes.iter().zip(&charges).filter(|(change, _)| anew || change.changes_price());
    changed
        .flat_map(|(change, off)| {
            let credit = change.before.as_ref().map(|item| credit(tx, subscription, item, rest));
            let charge = change.after.as_ref().filter(|_| !anew);
            let charge = charge.map(|wanted| charge_for(tx, subscription, change, wanted, off, rest));
            credit.into_iter().chain(charge)
        })
        .collect()
}

/// Puts the rest's share of what the whole period costs into a row, and of what discounts take off that. As at Stripe, what
/// is left is the share of the discounted price; assumed: a fixed discount is for the whole period, and prorated with it.
fn put_amounts(row: &mut NewInvoiceItem, whole: i64, off: &[Off], rest: Rest) {
    let net = rest.share(whole - off.iter().map(|(_, amount)| amount).sum::<i64>());
    row.amount = rest.share(whole);
    row.off = off.iter().map(|(id, amount)| (id.clone(), rest.share(*amount))).collect();
    let shared: i64 = row.off.iter().map(|(_, amount)| amount).sum();
    if let Some((_, last)) = row.off.last_mut() {
        *last += row.amount - net - shared;
    }
}

fn credit(tx: &Tx, subscription: &Value, item: &Value, rest: Rest) -> NewInvoiceItem {
    let (price, quantity) = (&item["price"], item["quantity"].as_i64().unwrap_or(1));
    let what = format!("Unused time on {} after {}", product(tx, price, quantity), rest.day());
    let mut row = row(subscription, &item["id"], price, quantity, rest);
    let whole = amount(price, quantity);
    let charged = Charged::last(tx, subscription, item["id"].as_str().unwrap_or_default());
    let off: Vec<Off> = charged.as_ref().map(|charged| charged.off_whole(whole)).unwrap_or_default();
    let off: Vec<Off> = off.into_iter().map(|(id, amount)| (id, -amount)).collect();
    put_amounts(&mut row, -whole, &off, rest);
    row.description = json!(what);
    row.credited = charged.map(|charged| charged.by);
    row
}

fn charge_for(
    tx: &Tx,
    subscription: &Value,
    change: &Change,
    wanted: &Wanted,
    off: &[Off],
    rest: Rest,
) -> NewInvoiceItem {
    let what =
        format!("Remaining time on {} after {}", product(tx, &wanted.price, wanted.quantity), rest.day());
    let mut row = row(subscription, &json!(change.id), &wanted.price, wanted.quantity, rest);
    put_amounts(&mut row, amount(&wanted.price, wanted.quantity), off, rest);
    row.description = json!(what);
    row
}

fn row(subscription: &Value, item: &Value, price: &Value, quantity: i64, rest: Rest) -> NewInvoiceItem {
    NewInvoiceItem {
        subscription: subscription["id"].clone(),
        subscription_item: item.clone(),
        pricing: json!({
            "price_details": {"price": price["id"], "product": price["product"]},
            "type": "price_details",
            "unit_amount_decimal": null,
        }),
        period: (rest.at, rest.period.1),
        quantity,
        proration: true,
        discountable: false,
        itemized: Subscription(subscription).itemizes_proration_discounts(),
        ..NewInvoiceItem::of(subscription["customer"].as_str().unwrap_or_default(), Price(price).currency())
    }
}

/// A product as lines name it: `Basic`, `3 × Basic`.
fn product(tx: &Tx, price: &Value, quantity: i64) -> String {
    let doc = tx.get(Kind::Product, Price(price).product());
    let name = doc.as_ref().and_then(|doc| doc.object["name"].as_str()).unwrap_or_default();
    if quantity == 1 { name.to_owned() } else { format!("{quantity} × {name}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rest(left: i64, of: i64) -> Rest {
        Rest { at: of - left, period: (0, of) }
    }

    #[test]
    fn each_share_is_rounded_down_by_itself() {
        // A quarter of ten and of eighteen cents; a four-hundredth of one and of three times ten dollars.
        assert_eq!((rest(1, 4).share(-10), rest(1, 4).share(18)), (-3, 4));
        assert_eq!((rest(1, 400).share(-1_000), rest(1, 400).share(3_000)), (-3, 7));
        assert_eq!((rest(1, 3).share(-2_000), rest(1, 3).share(1_000)), (-667, 333));
        assert_eq!(rest(0, 400).share(1_000), 0);
        assert_eq!(rest(400, 400).share(1_000), 1_000);
    }

    #[test]
    fn the_day_is_that_of_the_moment() {
        let at = "2026-10-11T23:59:59Z".parse::<DateTime<chrono::Utc>>().unwrap().timestamp();
        assert_eq!(Rest { at, period: (at, at + 1) }.day(), "11 Oct 2026");
    }
}
