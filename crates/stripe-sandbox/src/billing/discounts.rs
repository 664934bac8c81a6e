//! Coupons, promotion codes, and the discounts that they are given by.
//!
//! Source: <https://docs.stripe.com/billing/subscriptions/coupons>

use chrono::{DateTime, Months};
use serde_json::{Value, json};

use super::adjustments;
use crate::engine::{ApiError, Doc, Kind, Tx, new_id};

const KIND: Kind = Kind::Discount;

/// What a discount is given on: all that a customer pays for, or one of these.
#[derive(Clone, Copy, Default)]
pub(crate) struct On<'a> {
    pub(crate) customer: &'a str,
    pub(crate) subscription: Option<&'a str>,
    pub(crate) subscription_item: Option<&'a str>,
    pub(crate) invoice: Option<&'a str>,
    pub(crate) invoice_item: Option<&'a str>,
}

/// The discounts that a `discounts` parameter asks for: each a new one of a coupon or a promotion code, or one that is
/// there. Returns their ids.
///
/// # Errors
/// If what is named isn't there, can't be redeemed (any more), or is in another currency.
pub(crate) fn redeem_all(
    tx: &mut Tx,
    given: &Value,
    currency: &str,
    on: On,
) -> Result<Vec<String>, ApiError> {
    let mut ids = Vec::new();
    for (index, entry) in given.as_array().into_iter().flatten().enumerate() {
        let at = |field: &str| format!("discounts[{index}][{field}]");
        let (coupon, code, discount) =
            (entry["coupon"].as_str(), entry["promotion_code"].as_str(), entry["discount"].as_str());
        let redeemed = match (coupon, code, discount) {
            (Some(coupon), None, None) => redeem(tx, coupon, None, Some(currency), on, &at("coupon"))?,
            (None, Some(code), None) => redeem_code(tx, code, Some(currency), on, &at("promotion_code"))?,
            (None, None, Some(discount)) => {
                ids.push(tx.find(KIND, discount, &at("discount"))?.id().to_owned());
                continue;
            }
            _ => {
                let message =
                    "You must specify exactly one of these parameters: coupon, discount, promotion_code.";
                return Err(ApiError::invalid(message).param(&format!("discounts[{index}]")));
            }
        };
        // What is taken off one invoice is told of by that.
        if on.subscription.is_some() {
            tx.emit("customer.discount.created", KIND, &redeemed);
        }
        ids.push(redeemed);
    }
    Ok(ids)
}

/// Makes the discount by a promotion code, without a word. Returns its id.
///
/// # Errors
/// If the code isn't there or isn't for this customer, or its coupon can't be redeemed.
pub(super) fn redeem_code(
    tx: &mut Tx,
    code: &str,
    currency: Option<&str>,
    on: On,
    param: &str,
) -> Result<String, ApiError> {
    let coupon = check_code(tx, code, on.customer, param)?;
    redeem(tx, &coupon, Some(code), currency, on, param)
}

/// The coupon behind a promotion code that this customer may use.
fn check_code(tx: &Tx, code: &str, customer: &str, param: &str) -> Result<String, ApiError> {
    let doc = tx.find(Kind::PromotionCode, code, param)?;
    let object = &doc.object;
    let refused = |message: &str| Err(ApiError::invalid(message).code("promotion_code_invalid").param(param));
    let used = object["times_redeemed"].as_i64().unwrap_or_default();
    if object["active"] != true
        || object["max_redemptions"].as_i64().is_some_and(|most| used >= most)
        || object["expires_at"].as_i64().is_some_and(|at| at <= tx.now())
    {
        return refused("This promotion code is not active.");
    }
    if object["customer"].as_str().is_some_and(|own| own != customer) {
        return refused("This promotion code cannot be redeemed by this customer.");
    }
    let has_paid = tx
        .all(Kind::Charge)
        .any(|charge| charge.object["customer"] == customer && charge.object["paid"] == true);
    if object["restrictions"]["first_time_transaction"] == true && has_paid {
        return refused(
            "This promotion code cannot be redeemed because the associated customer has prior transactions.",
        );
    }
    Ok(object["promotion"]["coupon"].as_str().unwrap_or_default().to_owned())
}

/// Makes the discount by a coupon, without a word. Returns its id.
///
/// # Errors
/// If the coupon isn't there, can't be redeemed (any more), or is in another currency.
pub(super) fn redeem(
    tx: &mut Tx,
    coupon: &str,
    code: Option<&str>,
    currency: Option<&str>,
    on: On,
    param: &str,
) -> Result<String, ApiError> {
    let doc = tx.find(Kind::Coupon, coupon, param)?;
    let (object, now) = (&doc.object, tx.now());
    if !tx.coupon_is_valid(&object["id"]) {
        let message = if object["redeem_by"].as_i64().is_some_and(|by| now > by) {
            format!("Coupon expired: {coupon}")
        } else {
            format!("Coupon {coupon} is used up and cannot be applied.")
        };
        return Err(ApiError::invalid(message).code("coupon_expired").param(param));
    }
    if let (Some(own), Some(currency)) = (object["currency"].as_str(), currency)
        && own != currency
    {
        let message = format!(
            "The coupon's currency `{own}` doesn't match the currency `{currency}` of what it is for."
        );
        return Err(ApiError::invalid(message).param(param));
    }
    let id = new_id(KIND);
    let months = object["duration_in_months"].as_u64().and_then(|months| u32::try_from(months).ok());
    let end = months.and_then(|months| {
        DateTime::from_timestamp(now, 0)?.checked_add_months(Months::new(months)).map(|end| end.timestamp())
    });
    let discount = json!({
        "id": id,
        "object": "discount",
        "checkout_session": null,
        "customer": on.customer,
        "customer_account": null,
        "end": end,
        "invoice": on.invoice,
        "invoice_item": on.invoice_item,
        "promotion_code": code,
        "source": {"coupon": coupon, "type": "coupon"},
        "start": now,
        "subscription": on.subscription,
        "subscription_item": on.subscription_item,
    });
    tx.insert(KIND, discount, Value::Null);
    let count = |doc: &mut Doc| {
        doc.object["times_redeemed"] = json!(doc.object["times_redeemed"].as_i64().unwrap_or_default() + 1);
    };
    tx.change(Kind::Coupon, coupon, count);
    if let Some(code) = code {
        tx.change(Kind::PromotionCode, code, count);
    }
    Ok(id)
}

/// The coupon that a discount is by, also where it was deleted since.
pub(crate) fn terms(tx: &Tx, discount: &str) -> Option<Value> {
    let doc = tx.get(KIND, discount)?;
    let coupon = tx.get(Kind::Coupon, doc.object["source"]["coupon"].as_str()?)?;
    Some(if coupon.is_deleted() { coupon.hidden.clone() } else { coupon.object.clone() })
}

/// Discounts as far as sums go, in their order.
pub(super) fn for_sums<'a>(tx: &Tx, ids: impl Iterator<Item = &'a str>) -> Vec<adjustments::Discount> {
    ids.filter_map(|id| {
        let of = terms(tx, id)?;
        let products = of["applies_to"]["products"].as_array();
        Some(adjustments::Discount {
            id: id.to_owned(),
            percent: (!of["percent_off"].is_null()).then(|| adjustments::millionths(&of["percent_off"])),
            amount: of["amount_off"].as_i64().unwrap_or_default(),
            products: products
                .map(|all| all.iter().filter_map(|id| id.as_str().map(str::to_owned)).collect()),
        })
    })
    .collect()
}

/// Gives an invoice item the discounts that the parameters ask for and no others, if they say something of them.
///
/// # Errors
/// If they can't be redeemed, or the item is a proration, which has those that it was made with.
pub(super) fn give_to_invoice_item(tx: &mut Tx, id: &str, params: &Value) -> Result<(), ApiError> {
    let (Some(given), Some(doc)) = (params.get("discounts"), tx.get(Kind::InvoiceItem, id)) else {
        return Ok(());
    };
    if doc.object["proration"] == true {
        let message = "The discounts of a proration can't be changed.";
        return Err(ApiError::invalid(message).param("discounts"));
    }
    let text = |field: &str| doc.object[field].as_str().unwrap_or_default();
    let on = On { customer: text("customer"), invoice_item: Some(id), ..On::default() };
    let discounts = redeem_all(tx, given, text("currency"), on)?;
    tx.change(Kind::InvoiceItem, id, |doc| doc.object["discounts"] = json!(discounts));
    Ok(())
}
