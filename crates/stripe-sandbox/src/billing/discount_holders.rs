//! Who has a discount, and until when: a customer, a subscription, an item of one.
//!
//! Source: <https://docs.stripe.com/billing/subscriptions/coupons>

use serde_json::{Value, json};

use super::adjustments::is_proration;
use super::discounts::{self, On, terms};
use crate::engine::objects::{Customer, Discount, Invoice, ids};
use crate::engine::{ApiError, Kind, Tx};

const KIND: Kind = Kind::Discount;

/// The discounts of a subscription, or of an item of one.
fn held(tx: &Tx, kind: Kind, holder: &str) -> Vec<String> {
    let doc = tx.get(kind, holder);
    doc.map(|doc| ids(&doc.object["discounts"]).map(str::to_owned).collect()).unwrap_or_default()
}

/// Takes discounts from a subscription or an item of one, which goes on without them. They stay on the invoices that they
/// reduced.
pub(crate) fn take_from(tx: &mut Tx, kind: Kind, holder: &str, gone: &[String]) {
    let (gone, kept): (Vec<String>, Vec<String>) =
        held(tx, kind, holder).into_iter().partition(|id| gone.contains(id));
    if gone.is_empty() {
        return;
    }
    tx.change(kind, holder, |doc| doc.object["discounts"] = json!(kept));
    for id in &gone {
        tx.emit("customer.discount.deleted", KIND, id);
    }
}

/// Gives a subscription or an item of one these discounts and no others.
pub(super) fn replace(tx: &mut Tx, kind: Kind, holder: &str, wanted: &[String]) {
    let gone: Vec<String> = held(tx, kind, holder).into_iter().filter(|id| !wanted.contains(id)).collect();
    take_from(tx, kind, holder, &gone);
    tx.change(kind, holder, |doc| doc.object["discounts"] = json!(wanted));
}

/// Gives a customer the discount by a coupon or a promotion code, in the place of the one that there was.
///
/// # Errors
/// If it can't be redeemed (any more), or is in another currency than the customer's.
pub(crate) fn give_to_customer(
    tx: &mut Tx,
    customer: &str,
    coupon: Option<&str>,
    code: Option<&str>,
) -> Result<(), ApiError> {
    let doc = tx.find(Kind::Customer, customer, "customer")?;
    let currency = Customer(&doc.object).currency();
    let on = On { customer, ..On::default() };
    let id = match (coupon, code) {
        (Some(_), Some(_)) => {
            let message = "You may only specify one of these parameters: coupon, promotion_code.";
            return Err(ApiError::invalid(message).param("promotion_code"));
        }
        (Some(coupon), None) => discounts::redeem(tx, coupon, None, currency, on, "coupon")?,
        (None, Some(code)) => discounts::redeem_code(tx, code, currency, on, "promotion_code")?,
        (None, None) => return Ok(()),
    };
    let before = Customer(&doc.object).discount().map(|id| tx.shown(KIND, id));
    tx.change(Kind::Customer, customer, |doc| doc.object["discount"] = json!(id));
    match before {
        Some(before) => tx.emit_changes(&before, "customer.discount.updated", KIND, &id),
        None => tx.emit("customer.discount.created", KIND, &id),
    }
    Ok(())
}

/// Takes a customer's discount away. Returns it, if there was one.
pub(crate) fn take_from_customer(tx: &mut Tx, customer: &str) -> Option<String> {
    let id = Customer(&tx.get(Kind::Customer, customer)?.object).discount()?.to_owned();
    tx.change(Kind::Customer, customer, |doc| doc.object["discount"] = Value::Null);
    tx.emit("customer.discount.deleted", KIND, &id);
    Some(id)
}

/// Whether a discount is over by now.
pub(super) fn is_over(tx: &Tx, id: &str) -> bool {
    let end = |object: &Value| Discount(object).end();
    tx.get(KIND, id).is_none_or(|doc| end(&doc.object).is_some_and(|end| end <= tx.now()))
}

/// The discounts of what is billed as a whole: a subscription's own, or else its customer's.
pub(super) fn general(tx: &Tx, customer: &str, currency: &str, subscription: Option<&str>) -> Vec<String> {
    let mut own = subscription.map(|id| held(tx, Kind::Subscription, id)).unwrap_or_default();
    own.retain(|id| !is_over(tx, id));
    if !own.is_empty() {
        return own;
    }
    let doc = tx.get(Kind::Customer, customer);
    let inherited = doc.as_ref().and_then(|doc| Customer(&doc.object).discount());
    let fits = |id: &&str| {
        let coupon = terms(tx, id);
        coupon.is_some_and(|coupon| coupon["currency"].as_str().is_none_or(|own| own == currency))
    };
    inherited.filter(|id| !is_over(tx, id)).filter(fits).map(str::to_owned).into_iter().collect()
}

/// The discounts that a new invoice has; those that are over are taken from the customer or subscription that had them.
pub(super) fn for_invoice(
    tx: &mut Tx,
    customer: &str,
    currency: &str,
    subscription: Option<&str>,
) -> Vec<String> {
    for (kind, holder) in subscription.map(|id| holders(tx, id)).unwrap_or_default() {
        let over: Vec<String> = held(tx, kind, &holder).into_iter().filter(|id| is_over(tx, id)).collect();
        take_from(tx, kind, &holder, &over);
    }
    let doc = tx.get(Kind::Customer, customer);
    if doc.is_some_and(|doc| Customer(&doc.object).discount().is_some_and(|id| is_over(tx, id))) {
        take_from_customer(tx, customer);
    }
    general(tx, customer, currency, subscription)
}

/// A subscription and its items.
fn holders(tx: &Tx, subscription: &str) -> Vec<(Kind, String)> {
    let doc = tx.get(Kind::Subscription, subscription);
    let items = doc.map(|doc| tx.items_of(&doc)).unwrap_or_default();
    let items = items.iter().filter_map(|item| item["id"].as_str());
    let items = items.map(|id| (Kind::SubscriptionItem, id.to_owned()));
    [(Kind::Subscription, subscription.to_owned())].into_iter().chain(items).collect()
}

/// Discounts that are for one invoice are over once that is finalized.
pub(super) fn use_up(tx: &mut Tx, invoice: Invoice) {
    let lines = invoice.0["lines"]["data"].as_array().into_iter().flatten();
    let mut used: Vec<String> = lines
        .flat_map(|line| {
            // A proration may be shown with what is left after its discounts, and none of what they took.
            let charges = line["amount"].as_i64().is_some_and(|amount| amount >= 0);
            let own = ids(&line["discounts"]).filter(move |_| is_proration(line) && charges);
            let given = line["discount_amounts"].as_array().into_iter().flatten();
            own.chain(given.filter_map(|given| given["discount"].as_str()).filter(move |_| charges))
        })
        .map(str::to_owned)
        .collect();
    used.retain(|id| terms(tx, id).is_some_and(|coupon| coupon["duration"] == "once"));
    if used.is_empty() {
        return;
    }
    for (kind, holder) in invoice.subscription().map(|id| holders(tx, id)).unwrap_or_default() {
        take_from(tx, kind, &holder, &used);
    }
    let doc = tx.get(Kind::Customer, invoice.customer());
    let of_customer = doc.as_ref().and_then(|doc| Customer(&doc.object).discount());
    if of_customer.is_some_and(|id| used.iter().any(|used| used == id)) {
        take_from_customer(tx, invoice.customer());
    }
}
