//! The lines of an invoice.

use serde_json::{Value, json};

use super::amount::amount;
use super::discount_holders::is_over;
use crate::engine::objects::{Price, ids, quantity};
use crate::engine::{Kind, Tx, new_secret};
use crate::money;

/// A line for a subscription item's period.
pub(super) struct Line<'a> {
    pub(super) subscription: &'a str,
    /// The item as the API shows it.
    pub(super) item: &'a Value,
    pub(super) period: (i64, i64),
    /// What was used of a metered price in the period.
    pub(super) used: Option<i64>,
    /// Nothing is charged for the period, as in a trial.
    pub(super) free: Option<&'static str>,
}

/// Lines for a period of a subscription's licensed items, which are charged ahead. What metered ones were used is charged
/// once the period is over.
pub(super) fn licensed<'a>(
    subscription: &'a str,
    items: &'a [Value],
    period: (i64, i64),
    free: Option<&'static str>,
) -> Vec<Line<'a>> {
    let licensed = items.iter().filter(|item| !Price(&item["price"]).is_metered());
    licensed.map(|item| Line { subscription, item, period, used: None, free }).collect()
}

/// The line as it stands in the invoice.
pub(super) fn line(tx: &Tx, invoice: &str, line: &Line) -> Value {
    let price = Price(&line.item["price"]);
    let quantity = line.used.unwrap_or_else(|| quantity(line.item));
    let (currency, product) = (price.currency(), price.product());
    let name = tx.get(Kind::Product, product).and_then(|doc| doc.object["name"].as_str().map(str::to_owned));
    let name = name.unwrap_or_default();
    let (total, unit, description) = match line.free {
        Some(why) => (0, json!("0"), format!("{why} {name}")),
        None => {
            let each = money::with_sign(amount(price.0, 1), currency);
            let text = format!("{quantity} × {name} (at {each} / {})", interval(price.recurring()));
            (amount(price.0, quantity), price.0["unit_amount_decimal"].clone(), text)
        }
    };
    let own: Vec<&str> = ids(&line.item["discounts"]).filter(|id| !is_over(tx, id)).collect();
    json!({
        "id": new_secret("il_"),
        "object": "line_item",
        "amount": total,
        "currency": currency,
        "description": description,
        "discount_amounts": [],
        "discountable": true,
        "discounts": own,
        "invoice": invoice,
        "livemode": false,
        "metadata": line.item["metadata"],
        "parent": {
            "invoice_item_details": null,
            "subscription_item_details": {
                "invoice_item": null,
                "proration": false,
                "proration_details": {"credited_items": null},
                "subscription": line.subscription,
                "subscription_item": line.item["id"],
            },
            "type": "subscription_item_details",
        },
        "period": {"start": line.period.0, "end": line.period.1},
        "pretax_credit_amounts": [],
        "pricing": {
            "price_details": {"price": price.id(), "product": product},
            "type": "price_details",
            "unit_amount_decimal": unit,
        },
        "quantity": quantity,
        "quantity_decimal": quantity.to_string(),
        "subscription": line.subscription,
        "subtotal": total,
        "taxes": [],
    })
}

fn interval(recurring: &Value) -> String {
    let unit = recurring["interval"].as_str().unwrap_or_default();
    match recurring["interval_count"].as_i64() {
        None | Some(1) => unit.to_owned(),
        Some(count) => format!("every {count} {unit}s"),
    }
}
