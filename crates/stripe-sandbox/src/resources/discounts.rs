//! The discounts of customers and subscriptions.

use serde_json::{Value, json};

use crate::billing::discount_holders;
use crate::engine::objects::{Customer, ids};
use crate::engine::{ApiError, Kind, Tx};
use crate::http::{Call, Field, Route, Shape, delete, get, opt};

const KIND: Kind = Kind::Discount;

/// How discounts are asked for.
pub(super) const DISCOUNTS: Field = opt(
    "discounts",
    Shape::Clearable(&Shape::List(&Shape::Object(&[
        opt("coupon", Shape::Text),
        opt("discount", Shape::Text),
        opt("promotion_code", Shape::Text),
    ]))),
);

pub(super) const ROUTES: &[Route] = &[
    get("/v1/customers/{id}/discount", &[], |call| {
        let doc = call.tx.find(Kind::Customer, call.id(), "customer")?;
        let discount = Customer(&doc.object).discount().ok_or_else(|| none("customer", doc.id()))?;
        Ok(call.tx.shown(KIND, discount))
    }),
    delete("/v1/customers/{id}/discount", &[], |call| {
        let doc = call.tx.find(Kind::Customer, call.id(), "customer")?;
        let gone = discount_holders::take_from_customer(call.tx, doc.id());
        Ok(deleted(call.tx, &gone.ok_or_else(|| none("customer", doc.id()))?))
    }),
    delete("/v1/subscriptions/{id}/discount", &[], of_subscription),
];

/// Takes all of a subscription's discounts away.
fn of_subscription(call: &mut Call) -> Result<Value, ApiError> {
    let doc = call.tx.find(Kind::Subscription, call.id(), "id")?;
    let all: Vec<String> = ids(&doc.object["discounts"]).map(str::to_owned).collect();
    let last = all.last().ok_or_else(|| none("subscription", doc.id()))?;
    discount_holders::take_from(call.tx, Kind::Subscription, doc.id(), &all);
    Ok(deleted(call.tx, last))
}

fn none(holder: &str, id: &str) -> ApiError {
    ApiError::invalid(format!("No active discount for {holder}: {id}")).status(404).code("resource_missing")
}

/// A discount that was taken away, as the answer to that shows it.
fn deleted(tx: &Tx, id: &str) -> Value {
    let mut shown = tx.shown(KIND, id);
    shown["deleted"] = json!(true);
    if let Some(fields) = shown.as_object_mut() {
        fields.remove("end");
    }
    shown
}
