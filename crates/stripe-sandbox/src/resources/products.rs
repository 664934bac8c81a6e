//! Products.

use serde_json::{Value, json};

use super::price_data::INLINE_DEFAULT;
use crate::billing::prices;
use crate::engine::objects::Price;
use crate::engine::{ApiError, Kind, Tx, new_id};
use crate::http::{
    Call, Field, METADATA, Route, Shape, delete, get, given, list, matches, merge_metadata, new_metadata,
    opt, page, post, req, set,
};

const KIND: Kind = Kind::Product;

const FEATURES: Shape = Shape::Clearable(&Shape::List(&Shape::Object(&[req("name", Shape::Text)])));
const PACKAGE: Shape = Shape::Clearable(&Shape::Object(&[
    req("height", Shape::Decimal),
    req("length", Shape::Decimal),
    req("weight", Shape::Decimal),
    req("width", Shape::Decimal),
]));

const CREATE: &[Field] = &[
    req("name", Shape::Text),
    opt("id", Shape::Text),
    opt("active", Shape::Bool),
    opt("default_price_data", Shape::Object(INLINE_DEFAULT)),
    opt("description", Shape::Text),
    opt("images", Shape::List(&Shape::Text)),
    opt("marketing_features", FEATURES),
    METADATA,
    opt("package_dimensions", PACKAGE),
    opt("shippable", Shape::Bool),
    opt("statement_descriptor", Shape::Text),
    opt("tax_code", Shape::Text),
    opt("unit_label", Shape::Text),
    opt("url", Shape::Text),
    opt("type", Shape::Enum(&["good", "service"])),
];

const UPDATE: &[Field] = &[
    opt("name", Shape::Text),
    opt("active", Shape::Bool),
    opt("default_price", Shape::Text),
    opt("description", Shape::Clearable(&Shape::Text)),
    opt("images", Shape::Clearable(&Shape::List(&Shape::Text))),
    opt("marketing_features", FEATURES),
    METADATA,
    opt("package_dimensions", PACKAGE),
    opt("shippable", Shape::Bool),
    opt("statement_descriptor", Shape::Text),
    opt("tax_code", Shape::Clearable(&Shape::Text)),
    opt("unit_label", Shape::Clearable(&Shape::Text)),
    opt("url", Shape::Clearable(&Shape::Text)),
];

const LIST: &[Field] = &[
    opt("active", Shape::Bool),
    opt("created", Shape::Range),
    opt("ids", Shape::List(&Shape::Text)),
    opt("shippable", Shape::Bool),
    opt("url", Shape::Text),
];

pub(super) const ROUTES: &[Route] = &[
    list("/v1/products", LIST, index),
    post("/v1/products", CREATE, |call| {
        let id = create(call.tx, call.params)?;
        Ok(call.tx.shown(KIND, &id))
    }),
    get("/v1/products/{id}", &[], |call| call.tx.find(KIND, call.id(), "id").map(|doc| doc.object.clone())),
    post("/v1/products/{id}", UPDATE, update),
    delete("/v1/products/{id}", &[], remove),
    // Entitlements, of which there are none.
    list("/v1/products/{id}/features", &[], |call| {
        let product = call.tx.find(KIND, call.id(), "id")?;
        Ok(super::customers::none(&format!("/v1/products/{}/features", product.id())))
    }),
];

fn index(call: &mut Call) -> Result<Value, ApiError> {
    let params = call.params;
    let ids = params["ids"].as_array();
    page(call.tx, KIND, "/v1/products", params, |doc| {
        ["active", "shippable", "url"].iter().all(|field| matches(&doc.object, params, field))
            && ids.is_none_or(|ids| ids.iter().any(|id| *id == doc.id()))
    })
}

/// Makes a product, with its default price if one is described. Returns its id.
///
/// # Errors
/// If the id is taken, or the price isn't in order.
pub(super) fn create(tx: &mut Tx, params: &Value) -> Result<String, ApiError> {
    let id = params["id"].as_str().map_or_else(|| new_id(KIND), str::to_owned);
    if tx.get(KIND, &id).is_some() {
        return Err(ApiError::invalid("Product already exists.").code("resource_already_exists").param("id"));
    }
    let object = json!({
        "id": id,
        "object": "product",
        "active": given(params, "active", json!(true)),
        "attributes": [],
        "created": tx.now(),
        "default_price": null,
        "description": params["description"],
        "images": given(params, "images", json!([])),
        "livemode": false,
        "marketing_features": given(params, "marketing_features", json!([])),
        "metadata": new_metadata(params),
        "name": params["name"],
        "package_dimensions": dimensions(&params["package_dimensions"]),
        "shippable": params["shippable"],
        "statement_descriptor": params["statement_descriptor"],
        "tax_code": params["tax_code"],
        "tax_details": null,
        "type": given(params, "type", json!("service")),
        "unit_label": params["unit_label"],
        "updated": tx.now(),
        "url": params["url"],
    });
    tx.insert(KIND, object, Value::Null);
    let position = tx.mark();
    if let Some(data) = params.get("default_price_data") {
        let price = prices::create(tx, data, &id, "default_price_data")?;
        tx.change(KIND, &id, |doc| doc.object["default_price"] = price["id"].clone());
    }
    tx.emit_at(position, "product.created", KIND, &id);
    Ok(id)
}

/// Dimensions come as decimals and are shown as numbers.
fn dimensions(given: &Value) -> Value {
    let Some(fields) = given.as_object() else { return Value::Null };
    let number = |value: &Value| value.as_str().and_then(|text| text.parse::<f64>().ok());
    fields.iter().map(|(name, value)| (name.clone(), json!(number(value)))).collect()
}

fn update(call: &mut Call) -> Result<Value, ApiError> {
    let (tx, params) = (&mut *call.tx, call.params);
    let doc = tx.find(KIND, call.ids.first().map_or("", String::as_str), "id")?;
    if let Some(price) = params["default_price"].as_str() {
        let price = tx.find(Kind::Price, price, "default_price")?;
        if Price(&price.object).product() != doc.id() {
            let message = "The price specified for `default_price` belongs to another product.";
            return Err(ApiError::invalid(message).param("default_price"));
        }
    }
    let now = tx.now();
    tx.update(KIND, doc.id(), "product.updated", |doc| {
        let object = &mut doc.object;
        for field in [
            "name",
            "active",
            "default_price",
            "description",
            "shippable",
            "statement_descriptor",
            "tax_code",
            "unit_label",
            "url",
        ] {
            set(object, params, field);
        }
        for field in ["images", "marketing_features"] {
            if let Some(value) = params.get(field) {
                object[field] = if value.is_null() { json!([]) } else { value.clone() };
            }
        }
        if let Some(given) = params.get("package_dimensions") {
            object["package_dimensions"] = dimensions(given);
        }
        merge_metadata(object, params);
        object["updated"] = json!(now);
    });
    Ok(tx.shown(KIND, doc.id()))
}

fn remove(call: &mut Call) -> Result<Value, ApiError> {
    let doc = call.tx.find(KIND, call.id(), "id")?;
    if call.tx.all_with(Kind::Price, "product", doc.id()).next().is_some() {
        let message = "This product cannot be deleted because it has one or more user-created prices.";
        return Err(ApiError::invalid(message));
    }
    call.tx.emit("product.deleted", KIND, doc.id());
    Ok(call.tx.mark_deleted(KIND, doc.id()))
}
