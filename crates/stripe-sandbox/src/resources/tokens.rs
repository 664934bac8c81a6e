//! Tokens: a card, once.

use serde_json::{Value, json};

use crate::cards;
use crate::engine::{ApiError, Kind, new_id};
use crate::http::{Call, Field, Route, Shape, get, opt, post, req, unsupported};
use crate::payments::{methods, sources};

const KIND: Kind = Kind::Token;

const CREATE: &[Field] = &[
    req(
        "card",
        Shape::TextOr(&[
            req("number", Shape::Text),
            req("exp_month", Shape::Int),
            req("exp_year", Shape::Int),
            opt("cvc", Shape::Text),
            opt("name", Shape::Text),
            opt("address_city", Shape::Text),
            opt("address_country", Shape::Text),
            opt("address_line1", Shape::Text),
            opt("address_line2", Shape::Text),
            opt("address_state", Shape::Text),
            opt("address_zip", Shape::Text),
            unsupported(&["currency", "networks"]),
        ]),
    ),
    unsupported(&["account", "bank_account", "customer", "cvc_update", "person", "pii"]),
];

pub(super) const ROUTES: &[Route] = &[
    post("/v1/tokens", CREATE, create).for_browsers(),
    get("/v1/tokens/{id}", &[], |call| call.tx.find(KIND, call.id(), "id").map(|doc| doc.object.clone())),
];

fn create(call: &mut Call) -> Result<Value, ApiError> {
    let (tx, given) = (&mut *call.tx, &call.params["card"]);
    let entered = match given.as_str() {
        Some(name) => methods::entered_in(tx, &json!({"token": name}))?,
        None => cards::read(given, tx.now())?,
    };
    let id = new_id(KIND);
    let object = json!({
        "id": id,
        "object": "token",
        "card": sources::of_token(&entered, given),
        "client_ip": null,
        "created": tx.now(),
        "livemode": false,
        "type": "card",
        "used": false,
    });
    tx.insert(KIND, object, json!({"card": entered.card.name()}));
    Ok(tx.shown(KIND, &id))
}
