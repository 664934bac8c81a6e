//! A checkout's page, as its own script speaks to Stripe: not published, but what Stripe's CLI finishes a session by (its
//! fixture `checkout.session.completed`). Here the answers are the session's.

use serde_json::Value;

use super::pay::{Submitted, pay};
use crate::engine::{ApiError, Kind};
use crate::http::{Call, Field, Route, Shape, get, opt, post, req};
use crate::payments::methods;

const KIND: Kind = Kind::CheckoutSession;

const CONFIRM: &[Field] = &[
    // In minor units: what the customer was shown.
    opt("expected_amount", Shape::Int),
    req("payment_method", Shape::Text),
];

pub(in crate::resources) const ROUTES: &[Route] = &[
    get("/v1/payment_pages/{id}", &[], |call| {
        call.tx.find(KIND, call.id(), "id").map(|doc| doc.object.clone())
    }),
    post("/v1/payment_pages/{id}/confirm", CONFIRM, confirm),
];

fn confirm(call: &mut Call) -> Result<Value, ApiError> {
    let doc = call.tx.find(KIND, call.id(), "id")?;
    let (tx, params) = (&mut *call.tx, call.params);
    let total = doc.object["amount_total"].as_i64().unwrap_or_default();
    if params["expected_amount"].as_i64().is_some_and(|expected| expected != total) {
        let message = "The amount of the Checkout Session is another than the one expected.";
        return Err(ApiError::invalid(message).code("checkout_amount_mismatch").param("expected_amount"));
    }
    let given = params["payment_method"].as_str().unwrap_or_default();
    let method = methods::resolve(tx, given, "payment_method")?;
    let billed = tx.find(Kind::PaymentMethod, &method, "payment_method")?.object["billing_details"].clone();
    let text = |field: &str| billed[field].as_str().map(str::to_owned);
    let address = Some(billed["address"].clone()).filter(|address| address["country"].is_string());
    let submitted = Submitted {
        payment_method: Some(method),
        email: text("email"),
        name: text("name"),
        address: address.unwrap_or_default(),
    };
    pay(tx, doc.id(), &submitted)?;
    Ok(tx.shown(KIND, doc.id()))
}
