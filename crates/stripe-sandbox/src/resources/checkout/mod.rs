//! Checkout sessions.

mod open;
mod params;
mod pay;
mod payment_pages;

use serde_json::Value;

use self::params::{CREATE, LIST, UPDATE};
use crate::billing::checkout;
use crate::engine::{ApiError, Kind};
use crate::http::{Call, Route, get, list, matches, merge_metadata, page, page_of_values, post};

pub(crate) use self::pay::{Submitted, pay};
pub(super) use self::payment_pages::ROUTES as PAGE_ROUTES;

const KIND: Kind = Kind::CheckoutSession;
const PATH: &str = "/v1/checkout/sessions";

pub(super) const ROUTES: &[Route] = &[
    list(PATH, LIST, |call| {
        let params = call.params;
        let email = params["customer_details"]["email"].as_str();
        page(call.tx, KIND, PATH, params, |doc| {
            ["customer", "payment_intent", "payment_link", "status", "subscription"]
                .iter()
                .all(|field| matches(&doc.object, params, field))
                && email.is_none_or(|email| doc.object["customer_details"]["email"] == email)
        })
    }),
    post(PATH, CREATE, |call| {
        let id = open::open(call.tx, call.params)?;
        Ok(call.tx.shown(KIND, &id))
    }),
    get("/v1/checkout/sessions/{id}", &[], |call| {
        call.tx.find(KIND, call.id(), "id").map(|doc| doc.object.clone())
    }),
    post("/v1/checkout/sessions/{id}", UPDATE, |call| {
        let doc = call.tx.find(KIND, call.id(), "id")?;
        let params = call.params;
        call.tx.change(KIND, doc.id(), |doc| merge_metadata(&mut doc.object, params));
        Ok(call.tx.shown(KIND, doc.id()))
    }),
    post("/v1/checkout/sessions/{id}/expire", &[], |call| {
        let doc = call.tx.find(KIND, call.id(), "id")?;
        let status = doc.object["status"].as_str().unwrap_or_default();
        if status != "open" {
            return Err(ApiError::invalid(format!(
                "Only Checkout Sessions with a status in [\"open\"] can be expired. This Checkout Session has a status \
                 of {status}."
            )));
        }
        checkout::expire(call.tx, doc.id());
        Ok(call.tx.shown(KIND, doc.id()))
    }),
    list("/v1/checkout/sessions/{id}/line_items", &[], line_items),
];

fn line_items(call: &mut Call) -> Result<Value, ApiError> {
    let doc = call.tx.find(KIND, call.id(), "id")?;
    let items = checkout::line_items(call.tx, &doc);
    page_of_values(&items, KIND, &format!("{PATH}/{}/line_items", doc.id()), call.params)
}
