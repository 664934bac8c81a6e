//! The transactions of a customer's balance.

use serde_json::Value;

use crate::billing::customer_balance::{self, Entry};
use crate::engine::objects::Customer;
use crate::engine::{ApiError, Doc, Kind};
use crate::http::{
    Call, Field, METADATA, Route, Shape, get, list, matches, merge_metadata, new_metadata, opt, page, post,
    req, set,
};

const KIND: Kind = Kind::CustomerBalanceTransaction;

const LIST: &[Field] = &[opt("created", Shape::Range), opt("invoice", Shape::Text)];
const CREATE: &[Field] =
    &[req("amount", Shape::Int), req("currency", Shape::Text), opt("description", Shape::Text), METADATA];
const UPDATE: &[Field] = &[opt("description", Shape::Text), METADATA];

pub(super) const ROUTES: &[Route] = &[
    list("/v1/customers/{id}/balance_transactions", LIST, |call| {
        let customer = call.tx.find(Kind::Customer, call.id(), "id")?;
        let (id, params) = (customer.id(), call.params);
        page(call.tx, KIND, &format!("/v1/customers/{id}/balance_transactions"), params, |doc| {
            doc.object["customer"] == id && matches(&doc.object, params, "invoice")
        })
    }),
    post("/v1/customers/{id}/balance_transactions", CREATE, create),
    get("/v1/customers/{id}/balance_transactions/{id}", &[], |call| Ok(own(call)?.object.clone())),
    post("/v1/customers/{id}/balance_transactions/{id}", UPDATE, |call| {
        let id = own(call)?.id().to_owned();
        let params = call.params;
        call.tx.change(KIND, &id, |doc| {
            set(&mut doc.object, params, "description");
            merge_metadata(&mut doc.object, params);
        });
        Ok(call.tx.shown(KIND, &id))
    }),
];

/// The transaction that the address names, of the customer that it names.
fn own(call: &Call) -> Result<std::sync::Arc<Doc>, ApiError> {
    let customer = call.tx.find(Kind::Customer, call.id(), "id")?;
    let id = call.ids.get(1).map_or("", String::as_str);
    let doc = call.tx.find(KIND, id, "id")?;
    if doc.object["customer"] == customer.id() { Ok(doc) } else { Err(ApiError::missing(KIND, id, "id")) }
}

fn create(call: &mut Call) -> Result<Value, ApiError> {
    let doc = call.tx.find(Kind::Customer, call.id(), "id")?;
    let (tx, params) = (&mut *call.tx, call.params);
    let (amount, currency) =
        (params["amount"].as_i64().unwrap_or_default(), params["currency"].as_str().unwrap_or_default());
    if amount == 0 {
        return Err(ApiError::invalid("`amount` must not be zero.").param("amount"));
    }
    if let Some(own) = Customer(&doc.object).currency().filter(|own| *own != currency) {
        let message = format!("The customer's currency is `{own}`, not `{currency}`.");
        return Err(ApiError::invalid(message).param("currency"));
    }
    let entry = Entry {
        description: params["description"].clone(),
        metadata: new_metadata(params),
        ..Entry::new("adjustment", amount, currency)
    };
    let id = customer_balance::post(tx, doc.id(), entry);
    Ok(tx.shown(KIND, &id))
}
