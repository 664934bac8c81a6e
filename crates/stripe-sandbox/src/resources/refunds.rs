//! Refunds.

use serde_json::Value;

use crate::engine::{ApiError, Kind};
use crate::http::{
    Call, Field, METADATA, Route, Shape, get, list, matches, merge_metadata, new_metadata, opt, page, post,
    unsupported,
};
use crate::payments::refund::{self, NewRefund};

const KIND: Kind = Kind::Refund;

/// Of other payments than by card, and of connected accounts.
const OTHERS: Field = unsupported(&[
    "currency",
    "customer",
    "instructions_email",
    "origin",
    "refund_application_fee",
    "reverse_transfer",
]);
const CREATE: &[Field] = &[
    opt("amount", Shape::Int),
    opt("charge", Shape::Text),
    METADATA,
    opt("payment_intent", Shape::Text),
    opt("reason", REASON),
    OTHERS,
];
/// Of the charge in the address.
const CREATE_OF_CHARGE: &[Field] =
    &[opt("amount", Shape::Int), METADATA, opt("payment_intent", Shape::Text), opt("reason", REASON), OTHERS];
const REASON: Shape = Shape::Enum(&["duplicate", "fraudulent", "requested_by_customer"]);
const LIST: &[Field] =
    &[opt("charge", Shape::Text), opt("created", Shape::Range), opt("payment_intent", Shape::Text)];

pub(super) const ROUTES: &[Route] = &[
    list("/v1/refunds", LIST, |call| {
        let params = call.params;
        page(call.tx, KIND, "/v1/refunds", params, |doc| {
            ["charge", "payment_intent"].iter().all(|field| matches(&doc.object, params, field))
        })
    }),
    post("/v1/refunds", CREATE, create),
    get("/v1/refunds/{id}", &[], |call| call.tx.find(KIND, call.id(), "id").map(|doc| doc.object.clone())),
    post("/v1/refunds/{id}", &[METADATA], update),
    post("/v1/refunds/{id}/cancel", &[], cancel),
    list("/v1/charges/{charge}/refunds", &[], |call| {
        let charge = call.tx.find(Kind::Charge, call.id(), "id")?;
        let url = format!("/v1/charges/{}/refunds", charge.id());
        page(call.tx, KIND, &url, call.params, |doc| doc.object["charge"] == charge.id())
    }),
    post("/v1/charges/{charge}/refunds", CREATE_OF_CHARGE, |call| {
        let charge = call.tx.find(Kind::Charge, call.id(), "id")?;
        // What Stripe does with another's is said nowhere.
        if let Some(intent) = call.params["payment_intent"].as_str()
            && charge.object["payment_intent"] != intent
        {
            let message = format!("The charge {} is not one of {intent}.", charge.id());
            return Err(ApiError::invalid(message).param("payment_intent"));
        }
        refunded(call, charge.id())
    }),
];

fn create(call: &mut Call) -> Result<Value, ApiError> {
    let charge = match (call.params["charge"].as_str(), call.params["payment_intent"].as_str()) {
        (Some(_), Some(_)) => {
            let message = "You may only specify one of these parameters: charge, payment_intent.";
            return Err(ApiError::invalid(message).param("payment_intent"));
        }
        (Some(charge), None) => charge.to_owned(),
        (None, Some(intent)) => refund::charge_of(call.tx, intent)?,
        (None, None) => {
            let message =
                "One of the following params should be provided for this request: payment_intent or charge.";
            return Err(ApiError::invalid(message).code("parameter_missing").param("charge"));
        }
    };
    refunded(call, &charge)
}

fn refunded(call: &mut Call, charge: &str) -> Result<Value, ApiError> {
    let new = NewRefund {
        charge,
        amount: call.params["amount"].as_i64(),
        reason: call.params["reason"].as_str(),
        metadata: new_metadata(call.params),
    };
    let id = refund::create(call.tx, &new)?;
    Ok(call.tx.shown(KIND, &id))
}

fn update(call: &mut Call) -> Result<Value, ApiError> {
    let doc = call.tx.find(KIND, call.id(), "id")?;
    let before = call.tx.shown(KIND, doc.id());
    let params = call.params;
    call.tx.change(KIND, doc.id(), |doc| merge_metadata(&mut doc.object, params));
    // The one name is the older.
    for event in ["charge.refund.updated", "refund.updated"] {
        call.tx.emit_changes(&before, event, KIND, doc.id());
    }
    Ok(call.tx.shown(KIND, doc.id()))
}

/// Only what waits for the customer can be canceled, and a card's refund never does.
fn cancel(call: &mut Call) -> Result<Value, ApiError> {
    let doc = call.tx.find(KIND, call.id(), "id")?;
    let status = doc.object["status"].as_str().unwrap_or_default();
    Err(ApiError::invalid(format!(
        "This refund ({}) cannot be canceled because it has a status of {status}. Only refunds with a status of \
         requires_action can be canceled.",
        doc.id()
    ))
    .code("refund_unexpected_state"))
}
