//! Prices, and the plans that are the same under their older name.

use serde_json::Value;

use super::price_data::{RECURRING, TAX_BEHAVIOR};
use super::products;
use crate::billing::prices;
use crate::engine::{ApiError, Kind};
use crate::http::{
    Call, Field, METADATA, Route, Shape, get, list, matches, merge_metadata, opt, page, post, req, set,
    unsupported,
};

const KIND: Kind = Kind::Price;

const CREATE: &[Field] = &[
    req("currency", Shape::Text),
    opt("active", Shape::Bool),
    opt("billing_scheme", Shape::Enum(&["per_unit"])),
    unsupported(&["currency_options", "custom_unit_amount"]),
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
    unsupported(&["tiers", "tiers_mode"]),
    opt("transfer_lookup_key", Shape::Bool),
    unsupported(&["transform_quantity"]),
    opt("unit_amount", Shape::Int),
    opt("unit_amount_decimal", Shape::Decimal),
];

const UPDATE: &[Field] = &[
    opt("active", Shape::Bool),
    unsupported(&["currency_options"]),
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
            opt("interval", Shape::Enum(&["day", "month", "week", "year"])),
            opt("usage_type", Shape::Enum(&["licensed", "metered"])),
            opt("meter", Shape::Text),
        ]),
    ),
    opt("type", Shape::Enum(&["one_time", "recurring"])),
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
    prices::create(tx, params, &product, "")
}

fn update(call: &mut Call) -> Result<Value, ApiError> {
    let doc = call.tx.find(KIND, call.id(), "id")?;
    let (tx, params) = (&mut *call.tx, call.params);
    if let Some(key) = params["lookup_key"].as_str().filter(|key| doc.object["lookup_key"] != *key) {
        prices::claim_key(tx, key, params["transfer_lookup_key"] == true)?;
    }
    prices::update(tx, doc.id(), |price| {
        for field in ["active", "lookup_key", "nickname", "tax_behavior"] {
            set(price, params, field);
        }
        merge_metadata(price, params);
    });
    Ok(tx.shown(KIND, doc.id()))
}
