//! Plans: recurring prices under their older name. What is made as one is found as the other.

use std::sync::Arc;

use serde_json::{Value, json};

use super::products;
use crate::billing::prices;
use crate::engine::{ApiError, Doc, Kind, plan};
use crate::http::{
    Call, Field, METADATA, Route, Shape, delete, get, list, matches, merge_metadata, opt, page, post, req,
    set, unsupported,
};

const KIND: Kind = Kind::Price;

const CREATE: &[Field] = &[
    req("currency", Shape::Text),
    req("interval", Shape::Enum(&["day", "month", "week", "year"])),
    opt("active", Shape::Bool),
    opt("amount", Shape::Int),
    opt("amount_decimal", Shape::Decimal),
    opt("billing_scheme", Shape::Enum(&["per_unit"])),
    opt("id", Shape::Text),
    opt("interval_count", Shape::Int),
    METADATA,
    opt("nickname", Shape::Text),
    opt(
        "product",
        Shape::TextOr(&[
            req("name", Shape::Text),
            opt("id", Shape::Text),
            opt("active", Shape::Bool),
            METADATA,
            opt("statement_descriptor", Shape::Text),
            opt("tax_code", Shape::Text),
            opt("unit_label", Shape::Text),
        ]),
    ),
    opt("trial_period_days", Shape::Int),
    opt("meter", Shape::Text),
    opt("usage_type", Shape::Enum(&["licensed", "metered"])),
    unsupported(&["tiers", "tiers_mode", "transform_usage"]),
];

const UPDATE: &[Field] = &[
    opt("active", Shape::Bool),
    METADATA,
    opt("nickname", Shape::Text),
    opt("product", Shape::Text),
    opt("trial_period_days", Shape::Int),
];

const LIST: &[Field] =
    &[opt("active", Shape::Bool), opt("created", Shape::Range), opt("product", Shape::Text)];

pub(super) const ROUTES: &[Route] = &[
    list("/v1/plans", LIST, index),
    post("/v1/plans", CREATE, create),
    get("/v1/plans/{id}", &[], |call| find(call).map(|doc| plan(&doc.object))),
    post("/v1/plans/{id}", UPDATE, update),
    delete("/v1/plans/{id}", &[], remove),
];

fn find(call: &Call) -> Result<Arc<Doc>, ApiError> {
    let id = call.id();
    let found = call.tx.get(KIND, id).filter(|doc| !doc.is_deleted() && doc.object["recurring"].is_object());
    found.ok_or_else(|| {
        ApiError::invalid(format!("No such plan: '{id}'")).status(404).code("resource_missing").param("plan")
    })
}

fn index(call: &mut Call) -> Result<Value, ApiError> {
    let params = call.params;
    let mut list = page(call.tx, KIND, "/v1/plans", params, |doc| {
        doc.object["recurring"].is_object()
            && ["active", "product"].iter().all(|field| matches(&doc.object, params, field))
    })?;
    for price in list["data"].as_array_mut().into_iter().flatten() {
        *price = plan(price);
    }
    Ok(list)
}

fn create(call: &mut Call) -> Result<Value, ApiError> {
    let (tx, params) = (&mut *call.tx, call.params);
    let product = match &params["product"] {
        Value::String(id) => tx.find(Kind::Product, id, "product")?.id().to_owned(),
        Value::Object(_) => products::create(tx, &params["product"])?,
        _ => return Err(ApiError::required("product")),
    };
    if params["id"].as_str().is_some_and(|id| tx.get(KIND, id).is_some()) {
        return Err(ApiError::invalid("Plan already exists.").code("resource_already_exists").param("id"));
    }
    let mut price = json!({
        "currency": params["currency"],
        "recurring": {"interval": params["interval"], "interval_count": params["interval_count"].as_i64().unwrap_or(1)},
    });
    for field in ["id", "active", "metadata", "nickname"] {
        set(&mut price, params, field);
    }
    for field in ["meter", "trial_period_days", "usage_type"] {
        set(&mut price["recurring"], params, field);
    }
    for (own, as_price) in [("amount", "unit_amount"), ("amount_decimal", "unit_amount_decimal")] {
        if let Some(amount) = params.get(own) {
            price[as_price] = amount.clone();
        }
    }
    let price = prices::create(tx, &price, &product, "").map_err(|error| error.renaming(price_to_plan))?;
    Ok(plan(&price))
}

/// What a plan calls a parameter of a price.
fn price_to_plan(param: &str) -> &str {
    match param {
        "unit_amount" => "amount",
        "unit_amount_decimal" => "amount_decimal",
        "recurring[interval_count]" => "interval_count",
        "recurring[meter]" => "meter",
        other => other,
    }
}

fn update(call: &mut Call) -> Result<Value, ApiError> {
    let doc = find(call)?;
    let (tx, params) = (&mut *call.tx, call.params);
    if let Some(product) = params["product"].as_str() {
        tx.find(Kind::Product, product, "product")?;
    }
    prices::update(tx, doc.id(), |price| {
        for field in ["active", "nickname", "product"] {
            set(price, params, field);
        }
        set(&mut price["recurring"], params, "trial_period_days");
        merge_metadata(price, params);
    });
    Ok(plan(&tx.shown(KIND, doc.id())))
}

/// Those who have subscribed to it already keep it.
fn remove(call: &mut Call) -> Result<Value, ApiError> {
    let doc = find(call)?;
    let tx = &mut *call.tx;
    tx.emit_object("plan.deleted", plan(&doc.object));
    tx.emit("price.deleted", KIND, doc.id());
    tx.change(KIND, doc.id(), |doc| {
        doc.object["active"] = json!(false);
        doc.hidden = json!({"deleted": true});
    });
    Ok(json!({"id": doc.id(), "object": "plan", "deleted": true}))
}
