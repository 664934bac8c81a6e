//! Invoice items: what waits to be put on an invoice.
//!
//! Source: <https://docs.stripe.com/api/invoiceitems>

use std::sync::Arc;

use serde_json::{Value, json};

use crate::engine::objects::{Customer, Discount};
use crate::engine::{Doc, Kind, Tx, new_id, new_secret};

const KIND: Kind = Kind::InvoiceItem;

/// An invoice item to be made.
pub(crate) struct NewInvoiceItem {
    pub(crate) customer: String,
    pub(crate) currency: String,
    /// In minor units, before discounts; negative for a credit.
    pub(crate) amount: i64,
    /// What discounts take off a proration, each by its id and in minor units; negative for a credit.
    pub(crate) off: Vec<(String, i64)>,
    /// Whether a proration shows its amount before its discounts, and these beside it.
    pub(crate) itemized: bool,
    pub(crate) quantity: i64,
    pub(crate) description: Value,
    pub(crate) metadata: Value,
    /// Unix seconds.
    pub(crate) period: (i64, i64),
    /// As the API shows it, or null.
    pub(crate) pricing: Value,
    /// Ids, or null.
    pub(crate) subscription: Value,
    pub(crate) subscription_item: Value,
    pub(crate) proration: bool,
    pub(crate) discountable: bool,
    /// What a credit gives back a part of.
    pub(crate) credited: Option<Credited>,
}

/// What was charged before.
pub(crate) enum Credited {
    /// A line of an invoice.
    Line { invoice: String, line: String },
    /// An invoice item that waits for one.
    Item(String),
}

impl NewInvoiceItem {
    /// One of nothing.
    pub(crate) fn of(customer: &str, currency: &str) -> Self {
        Self {
            customer: customer.to_owned(),
            currency: currency.to_owned(),
            amount: 0,
            off: Vec::new(),
            itemized: false,
            quantity: 1,
            description: Value::Null,
            metadata: json!({}),
            period: (0, 0),
            pricing: Value::Null,
            subscription: Value::Null,
            subscription_item: Value::Null,
            proration: false,
            discountable: true,
            credited: None,
        }
    }
}

/// Keeps an item that waits for an invoice, and announces it. Returns its id.
pub(crate) fn insert(tx: &mut Tx, new: &NewInvoiceItem) -> String {
    let id = new_id(KIND);
    let customer = tx.shown(Kind::Customer, &new.customer);
    let net = new.amount - new.off.iter().map(|(_, amount)| amount).sum::<i64>();
    let mut object = json!({
        "id": id,
        "object": KIND.object(),
        "amount": if new.itemized { new.amount } else { net },
        "currency": new.currency,
        "customer": new.customer,
        "customer_account": null,
        "date": tx.now(),
        "description": new.description,
        "discountable": new.discountable,
        "discounts": new.off.iter().map(|(id, _)| id).collect::<Vec<_>>(),
        "invoice": null,
        "livemode": false,
        "metadata": new.metadata,
        "net_amount": net,
        "parent": parent(new),
        "period": {"start": new.period.0, "end": new.period.1},
        "pricing": new.pricing,
        "proration": new.proration,
        "quantity": new.quantity,
        "quantity_decimal": new.quantity.to_string(),
        "tax_rates": [],
        "test_clock": customer["test_clock"],
    });
    let mut hidden = Value::Null;
    if new.proration {
        let credited = new.credited.as_ref().map(|credited| match credited {
            Credited::Line { invoice, line } => json!({
                "type": "invoice_line_items",
                "invoice_line_item_details": {"invoice": invoice, "invoice_line_items": [line]},
            }),
            Credited::Item(item) => json!({"type": "invoice_item", "invoice_item": item}),
        });
        let off = discount_amounts(tx, new, false);
        object["proration_details"] = json!({"credited_items": credited, "discount_amounts": off});
        hidden = json!({
            "gross": new.amount, "off": new.off, "line_discount_amounts": discount_amounts(tx, new, true),
        });
    }
    tx.insert(KIND, object, hidden);
    if Customer(&customer).currency().is_none() {
        tx.change(Kind::Customer, &new.customer, |doc| doc.object["currency"] = json!(new.currency));
    }
    tx.emit("invoiceitem.created", KIND, &id);
    id
}

/// What discounts took off a proration, as the item shows it, or its line. Where amounts are shown after discounts, nothing
/// was taken off those, and a line leaves out what is the discount of its own item.
///
/// Source: <https://docs.stripe.com/changelog/clover/2025-09-30/itemize-proration-discount-amounts>
fn discount_amounts(tx: &Tx, new: &NewInvoiceItem, in_line: bool) -> Vec<Value> {
    let is_own = |id: &str| tx.get(Kind::Discount, id).is_some_and(|doc| Discount(&doc.object).is_of_item());
    let shown = new.off.iter().filter(|(id, _)| new.itemized || !in_line || !is_own(id));
    shown
        .map(|(id, amount)| json!({"amount": if new.itemized { *amount } else { 0 }, "discount": id}))
        .collect()
}

fn parent(new: &NewInvoiceItem) -> Value {
    if new.subscription.is_null() {
        return Value::Null;
    }
    let mut details = json!({"subscription": new.subscription});
    if !new.subscription_item.is_null() {
        details["subscription_item"] = new.subscription_item.clone();
    }
    json!({"subscription_details": details, "type": "subscription_details"})
}

/// The subscription that an invoice item is for.
pub(crate) fn subscription(item: &Value) -> Option<&str> {
    item["parent"]["subscription_details"]["subscription"].as_str()
}

/// The ids of the items that wait for an invoice of a customer, oldest first: those for the subscription, and with
/// `general` those for none.
pub(super) fn pending(
    tx: &Tx,
    customer: &str,
    currency: &str,
    wanted: Option<&str>,
    general: bool,
) -> Vec<String> {
    let is_wanted = |doc: &Arc<Doc>| {
        let object = &doc.object;
        let fits = match subscription(object) {
            Some(own) => wanted == Some(own),
            None => general,
        };
        fits && object["customer"] == customer
            && object["currency"] == currency
            && object["invoice"].is_null()
    };
    let mut found: Vec<String> =
        tx.all_with(KIND, "customer", customer).filter(is_wanted).map(|doc| doc.id().to_owned()).collect();
    found.reverse();
    found
}

/// The line that an item becomes.
pub(super) fn line(item: &Value, invoice: &str) -> Value {
    let subscription = subscription(item);
    let of_item = &item["parent"]["subscription_details"]["subscription_item"];
    let credited = &item["proration_details"]["credited_items"]["invoice_line_item_details"];
    let details = json!({
        "invoice_item": item["id"],
        "proration": item["proration"],
        "proration_details": {"credited_items": credited},
        "subscription": subscription,
    });
    let parent = if of_item.is_null() {
        json!({
            "invoice_item_details": details,
            "subscription_item_details": null,
            "type": "invoice_item_details",
        })
    } else {
        let mut details = details;
        details["subscription_item"] = of_item.clone();
        json!({
            "invoice_item_details": null,
            "subscription_item_details": details,
            "type": "subscription_item_details",
        })
    };
    json!({
        "id": new_secret("il_"),
        "object": "line_item",
        "amount": item["amount"],
        "currency": item["currency"],
        "description": item["description"],
        "discount_amounts": [],
        "discountable": item["discountable"],
        "discounts": item["discounts"],
        "invoice": invoice,
        "livemode": false,
        "metadata": item["metadata"],
        "parent": parent,
        "period": item["period"],
        "pretax_credit_amounts": [],
        "pricing": item["pricing"],
        "quantity": item["quantity"],
        "quantity_decimal": item["quantity_decimal"],
        "subscription": subscription,
        "subtotal": item["amount"],
        "taxes": [],
    })
}

/// The item is on an invoice now.
pub(super) fn taken(tx: &mut Tx, id: &str, invoice: &str) {
    tx.change(KIND, id, |doc| doc.object["invoice"] = json!(invoice));
}
