//! Charges.

use serde_json::{Value, json};

use super::payment_intents::SHIPPING;
use crate::engine::objects::Charge;
use crate::engine::{ApiError, Kind};
use crate::http::{
    Call, Field, METADATA, Route, Shape, get, list, matches, merge_metadata, opt, page, post, req, set,
    unsupported,
};
use crate::payments::payment;

const KIND: Kind = Kind::Charge;

const LIST: &[Field] = &[
    opt("created", Shape::Range),
    opt("customer", Shape::Text),
    opt("payment_intent", Shape::Text),
    opt("transfer_group", Shape::Text),
];
const UPDATE: &[Field] = &[
    opt("customer", Shape::Text),
    opt("description", Shape::Text),
    opt(
        "fraud_details",
        Shape::Object(&[req("user_report", Shape::Clearable(&Shape::Enum(&["fraudulent", "safe"])))]),
    ),
    METADATA,
    opt("receipt_email", Shape::Text),
    opt("shipping", Shape::Object(SHIPPING)),
    opt("transfer_group", Shape::Text),
];
const CAPTURE: &[Field] = &[
    opt("amount", Shape::Int),
    opt("receipt_email", Shape::Text),
    opt("statement_descriptor", Shape::Text),
    opt("statement_descriptor_suffix", Shape::Text),
    opt("transfer_group", Shape::Text),
    unsupported(&["application_fee", "application_fee_amount", "transfer_data"]),
];

pub(super) const ROUTES: &[Route] = &[
    list("/v1/charges", LIST, |call| {
        let params = call.params;
        page(call.tx, KIND, "/v1/charges", params, |doc| {
            ["customer", "payment_intent", "transfer_group"]
                .iter()
                .all(|field| matches(&doc.object, params, field))
        })
    }),
    get("/v1/charges/{id}", &[], |call| call.tx.find(KIND, call.id(), "id").map(|doc| doc.object.clone())),
    post("/v1/charges/{id}", UPDATE, update),
    post("/v1/charges/{id}/capture", CAPTURE, capture),
];

fn update(call: &mut Call) -> Result<Value, ApiError> {
    let doc = call.tx.find(KIND, call.id(), "id")?;
    let (tx, params) = (&mut *call.tx, call.params);
    if let Some(customer) = params["customer"].as_str() {
        tx.find(Kind::Customer, customer, "customer")?;
        if Charge(&doc.object).customer().is_some_and(|own| own != customer) {
            let message = "You may only set the customer of a charge that has none.";
            return Err(ApiError::invalid(message).param("customer"));
        }
    }
    tx.update(KIND, doc.id(), "charge.updated", |doc| {
        for field in ["customer", "description", "receipt_email", "shipping", "transfer_group"] {
            set(&mut doc.object, params, field);
        }
        match params["fraud_details"].get("user_report") {
            Some(Value::Null) => doc.object["fraud_details"] = json!({}),
            Some(report) => doc.object["fraud_details"] = json!({"user_report": report}),
            None => {}
        }
        merge_metadata(&mut doc.object, params);
    });
    Ok(tx.shown(KIND, doc.id()))
}

fn capture(call: &mut Call) -> Result<Value, ApiError> {
    let doc = call.tx.find(KIND, call.id(), "id")?;
    let charge = Charge(&doc.object);
    if charge.is_captured() {
        let message = format!("Charge {} has already been captured.", doc.id());
        return Err(ApiError::invalid(message).code("charge_already_captured"));
    }
    let (tx, params) = (&mut *call.tx, call.params);
    payment::capture(tx, charge.payment_intent(), params["amount"].as_i64())?;
    tx.change(KIND, doc.id(), |doc| {
        for field in
            ["receipt_email", "statement_descriptor", "statement_descriptor_suffix", "transfer_group"]
        {
            set(&mut doc.object, params, field);
        }
    });
    Ok(tx.shown(KIND, doc.id()))
}
