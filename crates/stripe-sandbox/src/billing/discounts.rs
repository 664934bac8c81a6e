//! Coupons, promotion codes, and the discounts that they are given by.
//!
//! Source: <https://docs.stripe.com/billing/subscriptions/coupons>

use chrono::{DateTime, Months};
use serde_json::{Value, json};

use crate::engine::objects::Invoice;
use crate::engine::{ApiError, Doc, Kind, Tx, new_id};

const KIND: Kind = Kind::Discount;

/// What a discount is given on.
#[derive(Clone, Copy)]
pub(crate) struct On<'a> {
    pub(crate) customer: &'a str,
    pub(crate) subscription: Option<&'a str>,
    pub(crate) invoice: Option<&'a str>,
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
        ids.push(match (coupon, code, discount) {
            (Some(coupon), None, None) => redeem(tx, coupon, None, currency, on, &at("coupon"))?,
            (None, Some(code), None) => {
                let coupon = check_code(tx, code, on.customer, &at("promotion_code"))?;
                redeem(tx, &coupon, Some(code), currency, on, &at("promotion_code"))?
            }
            (None, None, Some(discount)) => tx.find(KIND, discount, &at("discount"))?.id().to_owned(),
            _ => {
                let message =
                    "You must specify exactly one of these parameters: coupon, discount, promotion_code.";
                return Err(ApiError::invalid(message).param(&format!("discounts[{index}]")));
            }
        });
    }
    Ok(ids)
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

fn redeem(
    tx: &mut Tx,
    coupon: &str,
    code: Option<&str>,
    currency: &str,
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
    if object["currency"].as_str().is_some_and(|own| own != currency) {
        let own = object["currency"].as_str().unwrap_or_default();
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
        "invoice_item": null,
        "promotion_code": code,
        "source": {"coupon": coupon, "type": "coupon"},
        "start": now,
        "subscription": on.subscription,
        "subscription_item": null,
    });
    tx.insert(KIND, discount, Value::Null);
    let count = |doc: &mut Doc| {
        doc.object["times_redeemed"] = json!(doc.object["times_redeemed"].as_i64().unwrap_or_default() + 1);
    };
    tx.change(Kind::Coupon, coupon, count);
    if let Some(code) = code {
        tx.change(Kind::PromotionCode, code, count);
    }
    if on.subscription.is_some() {
        tx.emit("customer.discount.created", KIND, &id);
    }
    Ok(id)
}

/// Takes discounts from a subscription, which goes on without them. They stay on the invoices that they reduced.
pub(crate) fn take_from(tx: &mut Tx, subscription: &str, gone: &[String]) {
    tx.change(Kind::Subscription, subscription, |doc| {
        if let Some(kept) = doc.object["discounts"].as_array_mut() {
            kept.retain(|id| !gone.iter().any(|gone| *id == **gone));
        }
    });
    for id in gone {
        tx.emit("customer.discount.deleted", KIND, id);
    }
}

/// The discounts of a subscription that a new invoice of it has; those that are over are taken from it.
pub(super) fn for_invoice(tx: &mut Tx, subscription: &Value) -> Vec<String> {
    let ids = subscription["discounts"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let now = tx.now();
    let over = |id: &str| {
        let doc = tx.get(KIND, id);
        doc.is_none_or(|doc| doc.object["end"].as_i64().is_some_and(|end| end <= now))
    };
    let (gone, kept): (Vec<String>, Vec<String>) = ids.map(str::to_owned).partition(|id| over(id));
    if let Some(id) = subscription["id"].as_str().filter(|_| !gone.is_empty()) {
        take_from(tx, id, &gone);
    }
    kept
}

/// The coupon that a discount is by, also where it was deleted since.
pub(crate) fn terms(tx: &Tx, discount: &str) -> Option<Value> {
    let doc = tx.get(KIND, discount)?;
    let coupon = tx.get(Kind::Coupon, doc.object["source"]["coupon"].as_str()?)?;
    Some(if coupon.is_deleted() { coupon.hidden.clone() } else { coupon.object.clone() })
}

/// Discounts that are for one invoice are over once that is finalized.
pub(super) fn use_up(tx: &mut Tx, invoice: Invoice) {
    let Some(subscription) = invoice.subscription() else { return };
    let given = invoice.0["total_discount_amounts"].as_array().into_iter().flatten();
    let used: Vec<String> = given
        .filter_map(|given| given["discount"].as_str())
        .filter(|id| {
            let own = tx.get(KIND, id).is_some_and(|doc| doc.object["subscription"] == subscription);
            own && terms(tx, id).is_some_and(|coupon| coupon["duration"] == "once")
        })
        .map(str::to_owned)
        .collect();
    if !used.is_empty() {
        take_from(tx, subscription, &used);
    }
}
