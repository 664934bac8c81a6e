//! Coupons.

use serde_json::{Value, json};

use crate::engine::{ApiError, Kind, Tx, new_secret};
use crate::http::{
    Call, Field, METADATA, Route, Shape, delete, get, list, merge_metadata, new_metadata, opt, page, post,
    set, unsupported,
};

const KIND: Kind = Kind::Coupon;

const CREATE: &[Field] = &[
    opt("amount_off", Shape::Int),
    opt("applies_to", Shape::Object(&[opt("products", Shape::List(&Shape::Text))])),
    opt("currency", Shape::Text),
    opt("duration", Shape::Enum(&["forever", "once", "repeating"])),
    opt("duration_in_months", Shape::Int),
    opt("id", Shape::Text),
    opt("max_redemptions", Shape::Int),
    METADATA,
    opt("name", Shape::Text),
    opt("percent_off", Shape::Decimal),
    opt("redeem_by", Shape::Int),
    unsupported(&["currency_options"]),
];

pub(super) const ROUTES: &[Route] = &[
    list("/v1/coupons", &[opt("created", Shape::Range)], |call| {
        page(call.tx, KIND, "/v1/coupons", call.params, |_| true)
    }),
    post("/v1/coupons", CREATE, create),
    get("/v1/coupons/{id}", &[], |call| {
        let doc = call.tx.find(KIND, call.id(), "id")?;
        Ok(call.tx.shown(KIND, doc.id()))
    }),
    post(
        "/v1/coupons/{id}",
        &[METADATA, opt("name", Shape::Text), unsupported(&["currency_options"])],
        |call| {
            let doc = call.tx.find(KIND, call.id(), "id")?;
            let params = call.params;
            call.tx.update(KIND, doc.id(), "coupon.updated", |doc| {
                set(&mut doc.object, params, "name");
                merge_metadata(&mut doc.object, params);
            });
            Ok(call.tx.shown(KIND, doc.id()))
        },
    ),
    delete("/v1/coupons/{id}", &[], |call| {
        let doc = call.tx.find(KIND, call.id(), "id")?;
        call.tx.emit("coupon.deleted", KIND, doc.id());
        let deleted = call.tx.mark_deleted(KIND, doc.id());
        // Discounts that were given by it go on.
        let terms = doc.object.clone();
        call.tx.change(KIND, doc.id(), |doc| doc.hidden = terms);
        Ok(deleted)
    }),
];

fn create(call: &mut Call) -> Result<Value, ApiError> {
    let (tx, params) = (&mut *call.tx, call.params);
    check(tx, params)?;
    let id = params["id"].as_str().map_or_else(|| new_secret("")[..8].to_owned(), str::to_owned);
    if tx.get(KIND, &id).is_some_and(|doc| !doc.is_deleted()) {
        let message = "Coupon already exists.";
        return Err(ApiError::invalid(message).code("resource_already_exists").param("id"));
    }
    let percent = params["percent_off"].as_str().and_then(|text| text.parse::<f64>().ok());
    let mut object = json!({
        "id": id,
        "object": "coupon",
        "amount_off": params["amount_off"],
        "created": tx.now(),
        "currency": params["currency"].as_str().map(str::to_lowercase),
        "duration": params["duration"].as_str().unwrap_or("once"),
        "duration_in_months": params["duration_in_months"],
        "livemode": false,
        "max_redemptions": params["max_redemptions"],
        "metadata": new_metadata(params),
        "name": params["name"],
        "percent_off": percent,
        "redeem_by": params["redeem_by"],
        "times_redeemed": 0,
        "valid": true,
    });
    if let Some(products) = params["applies_to"].get("products") {
        object["applies_to"] = json!({"products": products});
    }
    tx.insert(KIND, object, Value::Null);
    tx.emit("coupon.created", KIND, &id);
    Ok(tx.shown(KIND, &id))
}

fn check(tx: &Tx, params: &Value) -> Result<(), ApiError> {
    let refused = |message: &str, param: &str| Err(ApiError::invalid(message).param(param));
    match (params["amount_off"].as_i64(), params["percent_off"].as_str()) {
        (Some(_), Some(_)) => {
            return refused(
                "You may only specify one of these parameters: amount_off, percent_off.",
                "percent_off",
            );
        }
        (None, None) => return Err(ApiError::required("percent_off")),
        (Some(amount), None) if amount < 1 => return refused("Invalid positive integer", "amount_off"),
        (Some(_), None) if params["currency"].is_null() => return Err(ApiError::required("currency")),
        (None, Some(percent)) => {
            let percent: f64 = percent.parse().unwrap_or_default();
            if !(percent > 0.0 && percent <= 100.0) {
                return refused("Percent off must be greater than 0 and at most 100.", "percent_off");
            }
        }
        (Some(_), None) => {}
    }
    match (params["duration"].as_str(), params["duration_in_months"].as_i64()) {
        (Some("repeating"), None) => return Err(ApiError::required("duration_in_months")),
        (Some("repeating"), Some(months)) if months < 1 => {
            return refused("Invalid positive integer", "duration_in_months");
        }
        (Some("repeating"), Some(_)) | (_, None) => {}
        _ => {
            let message = "`duration_in_months` can only be set where `duration` is `repeating`.";
            return refused(message, "duration_in_months");
        }
    }
    if params["redeem_by"].as_i64().is_some_and(|by| by <= tx.now()) {
        return refused("`redeem_by` must be in the future.", "redeem_by");
    }
    let products =
        params["applies_to"]["products"].as_array().into_iter().flatten().filter_map(Value::as_str);
    for (index, product) in products.enumerate() {
        tx.find(Kind::Product, product, &format!("applies_to[products][{index}]"))?;
    }
    Ok(())
}
