//! Promotion codes: what customers type in for a coupon.

use serde_json::{Value, json};

use crate::engine::{ApiError, Kind, new_id, new_secret};
use crate::http::{
    Call, Field, METADATA, Route, Shape, get, list, matches, merge_metadata, new_metadata, opt, page, post,
    req, set, unsupported,
};

const KIND: Kind = Kind::PromotionCode;
const PATH: &str = "/v1/promotion_codes";

const RESTRICTIONS: &[Field] = &[
    opt("first_time_transaction", Shape::Bool),
    unsupported(&["currency_options", "minimum_amount", "minimum_amount_currency"]),
];
const CREATE: &[Field] = &[
    opt("active", Shape::Bool),
    opt("code", Shape::Text),
    opt("customer", Shape::Text),
    opt("expires_at", Shape::Int),
    opt("max_redemptions", Shape::Int),
    opt("metadata", Shape::Map),
    opt("promotion", Shape::Object(&[opt("coupon", Shape::Text), req("type", Shape::Enum(&["coupon"]))])),
    // As before version 2025-09-30.clover, and as Stripe's CLI still sends it (its fixtures `promotion_code.*`).
    // Source: <https://docs.stripe.com/changelog/clover/2025-09-30/polymorphic-coupon>
    opt("coupon", Shape::Text),
    opt("restrictions", Shape::Object(RESTRICTIONS)),
    unsupported(&["customer_account"]),
];
const UPDATE: &[Field] = &[opt("active", Shape::Bool), METADATA, unsupported(&["restrictions"])];
const LIST: &[Field] = &[
    opt("active", Shape::Bool),
    opt("code", Shape::Text),
    opt("coupon", Shape::Text),
    opt("created", Shape::Range),
    opt("customer", Shape::Text),
    unsupported(&["customer_account"]),
];

pub(super) const ROUTES: &[Route] = &[
    list(PATH, LIST, |call| {
        let (tx, params) = (&*call.tx, call.params);
        let coupon = params["coupon"].as_str();
        page(tx, KIND, PATH, params, |doc| {
            let seen = tx.render(KIND, doc);
            ["active", "customer"].iter().all(|field| matches(&seen, params, field))
                && params["code"].as_str().is_none_or(|code| is_code(&seen, code))
                && coupon.is_none_or(|id| seen["promotion"]["coupon"] == id)
        })
    }),
    post(PATH, CREATE, create),
    get("/v1/promotion_codes/{id}", &[], |call| {
        let doc = call.tx.find(KIND, call.id(), "id")?;
        Ok(call.tx.shown(KIND, doc.id()))
    }),
    post("/v1/promotion_codes/{id}", UPDATE, |call| {
        let doc = call.tx.find(KIND, call.id(), "id")?;
        let params = call.params;
        call.tx.update(KIND, doc.id(), "promotion_code.updated", |doc| {
            set(&mut doc.object, params, "active");
            merge_metadata(&mut doc.object, params);
        });
        Ok(call.tx.shown(KIND, doc.id()))
    }),
];

/// Codes are told apart regardless of case.
fn is_code(object: &Value, code: &str) -> bool {
    object["code"].as_str().is_some_and(|own| own.eq_ignore_ascii_case(code))
}

fn create(call: &mut Call) -> Result<Value, ApiError> {
    let (tx, params) = (&mut *call.tx, call.params);
    let (coupon, param) = match (params["promotion"]["coupon"].as_str(), params["coupon"].as_str()) {
        (Some(_), Some(_)) => {
            let message = "You may only specify one of these parameters: coupon, promotion.";
            return Err(ApiError::invalid(message).param("coupon"));
        }
        (Some(coupon), None) => (coupon, "promotion[coupon]"),
        (None, Some(coupon)) => (coupon, "coupon"),
        (None, None) if params["promotion"].is_object() => {
            return Err(ApiError::required("promotion[coupon]"));
        }
        (None, None) => return Err(ApiError::required("promotion")),
    };
    tx.find(Kind::Coupon, coupon, param)?;
    if let Some(customer) = params["customer"].as_str() {
        tx.find(Kind::Customer, customer, "customer")?;
    }
    let code = params["code"].as_str().map_or_else(|| new_secret("")[..8].to_uppercase(), str::to_owned);
    if tx.all(KIND).any(|doc| doc.object["active"] == true && is_code(&doc.object, &code)) {
        let message = "An active promotion code with `code: ".to_owned() + &code + "` already exists.";
        return Err(ApiError::invalid(message).code("resource_already_exists").param("code"));
    }
    let id = new_id(KIND);
    let object = json!({
        "id": id,
        "object": "promotion_code",
        "active": params["active"].as_bool().unwrap_or(true),
        "code": code,
        "created": tx.now(),
        "customer": params["customer"],
        "customer_account": null,
        "expires_at": params["expires_at"],
        "livemode": false,
        "max_redemptions": params["max_redemptions"],
        "metadata": new_metadata(params),
        "promotion": {"coupon": coupon, "type": "coupon"},
        "restrictions": {
            "first_time_transaction": params["restrictions"]["first_time_transaction"].as_bool().unwrap_or(false),
            "minimum_amount": null,
            "minimum_amount_currency": null,
        },
        "times_redeemed": 0,
    });
    tx.insert(KIND, object, Value::Null);
    tx.emit("promotion_code.created", KIND, &id);
    Ok(tx.shown(KIND, &id))
}
