//! Prices, and the plans that are the same under their older name.

use serde_json::{Value, json};

use super::{merge_metadata, new_metadata, products, set};
use crate::sandbox::billing::Interval;
use crate::sandbox::engine::{Kind, Tx, new_id};
use crate::sandbox::http::{
    ApiError, Call, Field, METADATA, Route, Shape, get, list, matches, opt, page, post, req,
};

const KIND: Kind = Kind::Price;
/// Stripe's largest amount: eight digits, and what goes with recurring prices.
const MAX_AMOUNT: i64 = 99_999_999;

const RECURRING: Shape = Shape::Object(&[
    req("interval", Shape::Word(&["day", "month", "week", "year"])),
    opt("interval_count", Shape::Int),
    opt("trial_period_days", Shape::Unsupported),
    opt("meter", Shape::Unsupported),
    opt("usage_type", Shape::Word(&["licensed"])),
]);
const TAX_BEHAVIOR: Shape = Shape::Word(&["exclusive", "inclusive", "unspecified"]);

const CREATE: &[Field] = &[
    req("currency", Shape::Text),
    opt("active", Shape::Bool),
    opt("billing_scheme", Shape::Word(&["per_unit"])),
    opt("currency_options", Shape::Unsupported),
    opt("custom_unit_amount", Shape::Unsupported),
    opt("lookup_key", Shape::Text),
    METADATA,
    opt("nickname", Shape::Text),
    opt("product", Shape::Text),
    opt(
        "product_data",
        Shape::Object(&[
            req("name", Shape::Text),
            opt("id", Shape::Text),
            opt("active", Shape::Bool),
            METADATA,
            opt("statement_descriptor", Shape::Text),
            opt("tax_code", Shape::Text),
            opt("unit_label", Shape::Text),
        ]),
    ),
    opt("recurring", RECURRING),
    opt("tax_behavior", TAX_BEHAVIOR),
    opt("tiers", Shape::Unsupported),
    opt("tiers_mode", Shape::Unsupported),
    opt("transfer_lookup_key", Shape::Bool),
    opt("transform_quantity", Shape::Unsupported),
    opt("unit_amount", Shape::Int),
    opt("unit_amount_decimal", Shape::Decimal),
];

/// A price described inside a product.
pub(super) const INLINE_DEFAULT: &[Field] = &[
    req("currency", Shape::Text),
    opt("currency_options", Shape::Unsupported),
    opt("custom_unit_amount", Shape::Unsupported),
    METADATA,
    opt("recurring", RECURRING),
    opt("tax_behavior", TAX_BEHAVIOR),
    opt("unit_amount", Shape::Int),
    opt("unit_amount_decimal", Shape::Decimal),
];

/// A price described inside a subscription item.
pub(super) const INLINE_ITEM: &[Field] = &[
    req("currency", Shape::Text),
    req("product", Shape::Text),
    req("recurring", RECURRING),
    opt("tax_behavior", TAX_BEHAVIOR),
    opt("unit_amount", Shape::Int),
    opt("unit_amount_decimal", Shape::Decimal),
];

const UPDATE: &[Field] = &[
    opt("active", Shape::Bool),
    opt("currency_options", Shape::Unsupported),
    opt("lookup_key", Shape::Clearable(&Shape::Text)),
    METADATA,
    opt("nickname", Shape::Clearable(&Shape::Text)),
    opt("tax_behavior", TAX_BEHAVIOR),
    opt("transfer_lookup_key", Shape::Bool),
];

const LIST: &[Field] = &[
    opt("active", Shape::Bool),
    opt("created", Shape::Range),
    opt("currency", Shape::Text),
    opt("lookup_keys", Shape::List(&Shape::Text)),
    opt("product", Shape::Text),
    opt(
        "recurring",
        Shape::Object(&[
            opt("interval", Shape::Word(&["day", "month", "week", "year"])),
            opt("usage_type", Shape::Word(&["licensed", "metered"])),
            opt("meter", Shape::Text),
        ]),
    ),
    opt("type", Shape::Word(&["one_time", "recurring"])),
];

pub(super) const ROUTES: &[Route] = &[
    list("/v1/prices", LIST, index),
    post("/v1/prices", CREATE, create_called),
    get("/v1/prices/{id}", &[], |call| call.tx.find(KIND, call.id(), "id").map(|doc| doc.object.clone())),
    post("/v1/prices/{id}", UPDATE, update),
];

fn index(call: &mut Call) -> Result<Value, ApiError> {
    let params = call.params;
    let keys = params["lookup_keys"].as_array();
    let recurring = params["recurring"].as_object();
    page(call.tx, KIND, "/v1/prices", params, |doc| {
        ["active", "currency", "product", "type"].iter().all(|field| matches(&doc.object, params, field))
            && keys.is_none_or(|keys| keys.contains(&doc.object["lookup_key"]))
            && recurring.is_none_or(|wanted| {
                wanted.iter().all(|(field, value)| doc.object["recurring"][field.as_str()] == *value)
            })
    })
}

fn create_called(call: &mut Call) -> Result<Value, ApiError> {
    let (tx, params) = (&mut *call.tx, call.params);
    let product = match (params["product"].as_str(), params.get("product_data")) {
        (Some(_), Some(_)) => {
            let message = "You may only specify one of these parameters: product, product_data.";
            return Err(ApiError::invalid(message).param("product_data"));
        }
        (Some(id), None) => tx.find(Kind::Product, id, "product")?.id().to_owned(),
        (None, Some(data)) => products::create(tx, data)?,
        (None, None) => return Err(ApiError::required("product")),
    };
    create(tx, params, &product, "")
}

/// Makes a price that a subscription item describes; it is of use to that item only.
///
/// # Errors
/// If its product isn't there or it isn't in order.
pub(in crate::sandbox) fn create_inline(tx: &mut Tx, data: &Value, inside: &str) -> Result<Value, ApiError> {
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
pub(super) fn create(tx: &mut Tx, params: &Value, product: &str, inside: &str) -> Result<Value, ApiError> {
    let at = |field: &str| if inside.is_empty() { field.to_owned() } else { format!("{inside}[{field}]") };
    let currency = params["currency"].as_str().unwrap_or_default().to_lowercase();
    if currency.len() != 3 || !currency.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return Err(ApiError::invalid(format!("Invalid currency: {currency}")).param(&at("currency")));
    }
    let (amount, decimal) = amounts(params, &at)?;
    let recurring = params.get("recurring").map(|given| {
        json!({
            "interval": given["interval"],
            "interval_count": given["interval_count"].as_i64().unwrap_or(1),
            "meter": null,
            "trial_period_days": null,
            "usage_type": "licensed",
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
    let id = new_id(KIND);
    let given = |field: &str, default: Value| {
        params.get(field).filter(|value| !value.is_null()).cloned().unwrap_or(default)
    };
    let object = json!({
        "id": id,
        "object": "price",
        "active": given("active", json!(true)),
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
        "tax_behavior": given("tax_behavior", json!("unspecified")),
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
fn claim_key(tx: &mut Tx, key: &str, transfer: bool) -> Result<(), ApiError> {
    let holder = tx.all(KIND).find(|doc| doc.object["lookup_key"] == key).map(|doc| doc.id().to_owned());
    match holder {
        Some(holder) if transfer => {
            tx.update(KIND, &holder, "price.updated", |doc| doc.object["lookup_key"] = Value::Null);
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

fn update(call: &mut Call) -> Result<Value, ApiError> {
    let doc = call.tx.find(KIND, call.id(), "id")?;
    let (tx, params) = (&mut *call.tx, call.params);
    if let Some(key) = params["lookup_key"].as_str().filter(|key| doc.object["lookup_key"] != *key) {
        claim_key(tx, key, params["transfer_lookup_key"] == true)?;
    }
    tx.update(KIND, doc.id(), "price.updated", |doc| {
        for field in ["active", "lookup_key", "nickname", "tax_behavior"] {
            set(&mut doc.object, params, field);
        }
        merge_metadata(&mut doc.object, params);
    });
    Ok(tx.shown(KIND, doc.id()))
}

/// A recurring price in its older shape, which is shown beside it.
pub(super) fn plan(price: &Value) -> Value {
    let recurring = &price["recurring"];
    json!({
        "id": price["id"],
        "object": "plan",
        "active": price["active"],
        "amount": price["unit_amount"],
        "amount_decimal": price["unit_amount_decimal"],
        "billing_scheme": price["billing_scheme"],
        "created": price["created"],
        "currency": price["currency"],
        "interval": recurring["interval"],
        "interval_count": recurring["interval_count"],
        "livemode": false,
        "metadata": price["metadata"],
        "meter": null,
        "nickname": price["nickname"],
        "product": price["product"],
        "tiers_mode": null,
        "transform_usage": null,
        "trial_period_days": null,
        "usage_type": recurring["usage_type"],
    })
}
