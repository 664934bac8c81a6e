//! Cards of the old kind, as a customer's sources.

use serde_json::{Value, json};

use crate::engine::{ApiError, Kind};
use crate::http::{
    Call, Field, METADATA, Route, Shape, delete, get, list, merge_metadata, new_metadata, opt,
    page_of_values, post, req, set,
};
use crate::payments::sources;

const UPDATE: &[Field] = &[
    opt("address_city", Shape::Text),
    opt("address_country", Shape::Text),
    opt("address_line1", Shape::Text),
    opt("address_line2", Shape::Text),
    opt("address_state", Shape::Text),
    opt("address_zip", Shape::Text),
    opt("exp_month", Shape::Int),
    opt("exp_year", Shape::Int),
    METADATA,
    opt("name", Shape::Text),
];

pub(super) const ROUTES: &[Route] = &[
    list("/v1/customers/{id}/sources", &[opt("object", Shape::Text)], |call| {
        let customer = call.tx.find(Kind::Customer, call.id(), "id")?;
        let mut cards = sources::all(call.tx, customer.id());
        // Whatever else is asked for, there are only cards.
        cards.retain(|card| call.params.get("object").is_none_or(|kind| *kind == card["object"]));
        let url = format!("/v1/customers/{}/sources", customer.id());
        page_of_values(&cards, Kind::PaymentMethod, &url, call.params)
    }),
    post("/v1/customers/{id}/sources", &[req("source", Shape::Text), METADATA], |call| {
        let customer = call.tx.find(Kind::Customer, call.id(), "customer")?;
        let params = call.params;
        let source = params["source"].as_str().unwrap_or_default();
        let id = sources::add(call.tx, customer.id(), source, &new_metadata(params))?;
        sources::find(call.tx, customer.id(), &id)
    }),
    get("/v1/customers/{id}/sources/{source}", &[], |call| {
        let (customer, id) = named(call)?;
        sources::find(call.tx, &customer, &id)
    }),
    post("/v1/customers/{id}/sources/{source}", UPDATE, update),
    delete("/v1/customers/{id}/sources/{source}", &[], |call| {
        let (customer, id) = named(call)?;
        sources::remove(call.tx, &customer, &id)?;
        Ok(json!({"id": id, "object": "card", "deleted": true}))
    }),
];

fn named(call: &Call) -> Result<(String, String), ApiError> {
    let [customer, source] = call.ids else { return Err(ApiError::required("source")) };
    call.tx.find(Kind::Customer, customer, "customer")?;
    Ok((customer.clone(), source.clone()))
}

fn update(call: &mut Call) -> Result<Value, ApiError> {
    let ((customer, id), params) = (named(call)?, call.params);
    sources::change(call.tx, &customer, &id, |method| {
        merge_metadata(method, params);
        for field in ["exp_month", "exp_year"] {
            set(&mut method["card"], params, field);
        }
        sources::set_billing_details(&mut method["billing_details"], params);
    })?;
    sources::find(call.tx, &customer, &id)
}
