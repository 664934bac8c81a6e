//! Prices: what one must be, and making it.

use serde_json::{Value, json};

use super::Interval;
use crate::engine::objects::Meter;
use crate::engine::{ApiError, Kind, Tx, new_id, plan};
use crate::http::{given, new_metadata};
use crate::money;

const KIND: Kind = Kind::Price;
/// Stripe's largest amount: eight digits, and what goes with recurring prices.
const MAX_AMOUNT: i64 = 99_999_999;

/// Makes a price that a subscription item describes; it is of use to that item only.
///
/// # Errors
/// If its product isn't there or it isn't in order.
pub(super) fn create_inline(tx: &mut Tx, data: &Value, inside: &str) -> Result<Value, ApiError> {
    let product = data["product"].as_str().unwrap_or_default();
    let product = tx.find(Kind::Product, product, &format!("{inside}[product]"))?.id().to_owned();
    let mut data = data.clone();
    data["active"] = json!(false);
    create(tx, &data, &product, inside)
}

/// Makes a price of a product; `inside` is the parameter that describes it, empty for the request itself.
///
/// # Errors
/// If the amount, the currency or the interval isn't in order, or the lookup key is taken.
pub(crate) fn create(tx: &mut Tx, params: &Value, product: &str, inside: &str) -> Result<Value, ApiError> {
    let at = |field: &str| if inside.is_empty() { field.to_owned() } else { format!("{inside}[{field}]") };
    let currency = params["currency"].as_str().unwrap_or_default().to_lowercase();
    check_currency(&currency, &at("currency"))?;
    let (amount, decimal) = amounts(params, &at)?;
    check_meter(tx, &params["recurring"], &at)?;
    let recurring = params.get("recurring").map(|given| {
        json!({
            "interval": given["interval"],
            "interval_count": given["interval_count"].as_i64().unwrap_or(1),
            "meter": given["meter"],
            "trial_period_days": given["trial_period_days"],
            "usage_type": given["usage_type"].as_str().unwrap_or("licensed"),
        })
    });
    if recurring.as_ref().is_some_and(|recurring| !Interval::of(recurring).is_allowed()) {
        let message =
            "The maximum is three years: 3 years, 36 months, 156 weeks or 1095 days, and the minimum 1.";
        return Err(ApiError::invalid(message).param(&at("recurring[interval_count]")));
    }
    let key = params["lookup_key"].as_str();
    if let Some(key) = key {
        claim_key(tx, key, params["transfer_lookup_key"] == true)?;
    }
    let id = params["id"].as_str().map_or_else(|| new_id(KIND), str::to_owned);
    let object = json!({
        "id": id,
        "object": "price",
        "active": given(params, "active", json!(true)),
        "billing_scheme": "per_unit",
        "created": tx.now(),
        "currency": currency,
        "custom_unit_amount": null,
        "livemode": false,
        "lookup_key": key,
        "metadata": new_metadata(params),
        "nickname": params["nickname"],
        "product": product,
        "recurring": recurring,
        "tax_behavior": given(params, "tax_behavior", json!("unspecified")),
        "tiers_mode": null,
        "transform_quantity": null,
        "type": if recurring.is_some() { "recurring" } else { "one_time" },
        "unit_amount": amount,
        "unit_amount_decimal": decimal,
    });
    tx.insert(KIND, object, Value::Null);
    tx.emit("price.created", KIND, &id);
    if recurring.is_some() {
        let plan = plan(&tx.shown(KIND, &id));
        tx.emit_object("plan.created", plan);
    }
    Ok(tx.shown(KIND, &id))
}

/// That what is metered names what it is metered by, and nothing else does.
fn check_meter(tx: &Tx, recurring: &Value, at: &dyn Fn(&str) -> String) -> Result<(), ApiError> {
    let param = at("recurring[meter]");
    match (recurring["usage_type"] == "metered", recurring["meter"].as_str()) {
        (true, Some(id)) => {
            let meter = tx.find(Kind::Meter, id, &param)?;
            if Meter(&meter.object).is_active() {
                return Ok(());
            }
            Err(ApiError::invalid(format!("The meter {id} is inactive.")).param(&param))
        }
        // Since 2025-03-31; before, there were usage records.
        (true, None) => Err(ApiError::invalid(
            "All metered prices must be backed by meters. Pass the meter's id as `recurring[meter]`.",
        )
        .code("parameter_missing")
        .param(&param)),
        (false, Some(_)) => {
            let message = "`recurring[meter]` can only be set where `recurring[usage_type]` is `metered`.";
            Err(ApiError::invalid(message).param(&param))
        }
        (false, None) => Ok(()),
    }
}

/// Changes a price, and announces it under both its names.
pub(crate) fn update(tx: &mut Tx, id: &str, with: impl FnOnce(&mut Value)) {
    let before = tx.shown(KIND, id);
    tx.update(KIND, id, "price.updated", |doc| with(&mut doc.object));
    let after = tx.shown(KIND, id);
    if after["recurring"].is_object() {
        tx.emit_difference("plan.updated", &plan(&before), plan(&after));
    }
}

/// That a currency, in small letters, is one of Stripe's.
///
/// # Errors
/// 400 with all of them, as at Stripe.
pub(crate) fn check_currency(currency: &str, param: &str) -> Result<(), ApiError> {
    if money::CURRENCIES.contains(&currency) {
        return Ok(());
    }
    let known = money::CURRENCIES.join(", ");
    Err(ApiError::invalid(format!(
        "Invalid currency: {currency}. Stripe currently supports these currencies: {known}"
    ))
    .param(param))
}

/// Of `unit_amount` and `unit_amount_decimal`, of which one is given, both as they are shown.
fn amounts(params: &Value, at: &dyn Fn(&str) -> String) -> Result<(Option<i64>, String), ApiError> {
    let (whole, decimal) = (params["unit_amount"].as_i64(), params["unit_amount_decimal"].as_str());
    let (amount, text) = match (whole, decimal) {
        (Some(_), Some(_)) => {
            let message = "You may only specify one of these parameters: unit_amount, unit_amount_decimal.";
            return Err(ApiError::invalid(message).param(&at("unit_amount_decimal")));
        }
        (None, None) => {
            let message = "Prices require an `unit_amount` or `unit_amount_decimal` parameter to be set.";
            return Err(ApiError::invalid(message).code("parameter_missing").param(&at("unit_amount")));
        }
        (Some(whole), None) => (Some(whole), whole.to_string()),
        (None, Some(text)) => (text.parse().ok(), text.to_owned()),
    };
    if text.starts_with('-') {
        let message = "Invalid non-negative integer";
        return Err(ApiError::invalid(message).code("parameter_invalid_integer").param(&at("unit_amount")));
    }
    let whole_part = text.split('.').next().and_then(|digits| digits.parse::<i64>().ok());
    if whole_part.is_none_or(|whole| whole > MAX_AMOUNT) {
        let message = format!("Invalid integer: must be no more than {MAX_AMOUNT}");
        return Err(ApiError::invalid(message).param(&at("unit_amount")));
    }
    Ok((amount, text))
}

/// A lookup key names one price; another one takes it only on demand.
pub(crate) fn claim_key(tx: &mut Tx, key: &str, transfer: bool) -> Result<(), ApiError> {
    let holder = tx.all(KIND).find(|doc| doc.object["lookup_key"] == key).map(|doc| doc.id().to_owned());
    match holder {
        Some(holder) if transfer => {
            update(tx, &holder, |price| price["lookup_key"] = Value::Null);
            Ok(())
        }
        Some(holder) => Err(ApiError::invalid(format!(
            "A price (`{holder}`) already uses that lookup key. You can transfer it by setting `transfer_lookup_key`."
        ))
        .code("lookup_key_exists")
        .param("lookup_key")),
        None => Ok(()),
    }
}
