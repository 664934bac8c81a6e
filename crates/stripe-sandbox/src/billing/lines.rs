//! The lines of an invoice.

use serde_json::{Value, json};

use super::amount::amount;
use super::discount_holders::is_over;
use crate::engine::objects::{Price, ids};
use crate::engine::{Kind, Tx, new_secret};
use crate::money;

/// A line for a subscription item's period.
pub(super) struct Line<'a> {
    pub(super) subscription: &'a str,
    /// The item as the API shows it.
    pub(super) item: &'a Value,
    pub(super) period: (i64, i64),
    /// Nothing is charged for the period, as in a trial.
    pub(super) free: Option<&'static str>,
}

/// The line as it stands in the invoice.
pub(super) fn line(tx: &Tx, invoice: &str, line: &Line) -> Value {
    let price = Price(&line.item["price"]);
    let quantity = line.item["quantity"].as_i64().unwrap_or(1);
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
