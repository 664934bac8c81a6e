//! Test clocks.

use serde_json::Value;

use super::customers;
use crate::billing::test_clocks;
use crate::engine::{ApiError, Kind};
use crate::http::{Call, Field, Route, Shape, delete, get, list, opt, page, post, req, unsupported};

const KIND: Kind = Kind::TestClock;
const PATH: &str = "/v1/test_helpers/test_clocks";

const CREATE: &[Field] =
    &[req("frozen_time", Shape::Int), opt("name", Shape::Text), unsupported(&["customer"])];
const ADVANCE: &[Field] = &[req("frozen_time", Shape::Int)];

pub(super) const ROUTES: &[Route] = &[
    list(PATH, &[], |call| page(call.tx, KIND, PATH, call.params, |_| true)),
    post(PATH, CREATE, |call| {
        let frozen_time = call.params["frozen_time"].as_i64().unwrap_or_default();
        let id = test_clocks::create(call.tx, &call.params["name"], frozen_time);
        Ok(call.tx.shown(KIND, &id))
    }),
    get("/v1/test_helpers/test_clocks/{id}", &[], |call| {
        let doc = call.tx.find(KIND, call.id(), "id")?;
        Ok(call.tx.shown(KIND, doc.id()))
    }),
    delete("/v1/test_helpers/test_clocks/{id}", &[], remove),
    post("/v1/test_helpers/test_clocks/{id}/advance", ADVANCE, |call| {
        let to = call.params["frozen_time"].as_i64().unwrap_or_default();
        test_clocks::advance(call.tx, call.ids.first().map_or("", String::as_str), to)?;
        Ok(call.tx.shown(KIND, call.id()))
    }),
];

/// With the clock go its customers.
fn remove(call: &mut Call) -> Result<Value, ApiError> {
    let doc = call.tx.find(KIND, call.id(), "id")?;
    let (tx, id) = (&mut *call.tx, doc.id());
    let mine: Vec<String> =
        tx.all_with(Kind::Customer, "test_clock", id).map(|customer| customer.id().to_owned()).collect();
    for customer in mine {
        customers::delete_with_all(tx, &customer)?;
    }
    tx.emit("test_helpers.test_clock.deleted", KIND, id);
    Ok(tx.mark_deleted(KIND, id))
}
