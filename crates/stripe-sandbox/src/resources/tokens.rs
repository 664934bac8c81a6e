//! Tokens: a card, once.

use serde_json::{Value, json};

use crate::cards;
use crate::engine::{ApiError, Kind, new_id, new_secret};
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
    let card = entered.card;
    let check = |field: &str| given[field].as_str().map(|_| "unchecked");
    let id = new_id(KIND);
    let object = json!({
        "id": id,
        "object": "token",
        "card": {
            "id": new_secret("card_"),
            "object": "card",
            "address_city": given["address_city"],
            "address_country": given["address_country"],
            "address_line1": given["address_line1"],
            "address_line1_check": check("address_line1"),
            "address_line2": given["address_line2"],
            "address_state": given["address_state"],
            "address_zip": given["address_zip"],
            "address_zip_check": check("address_zip"),
            "brand": sources::old_brand(card.brand),
            "country": card.country,
            "cvc_check": entered.has_cvc.then_some("unchecked"),
            "dynamic_last4": null,
            "exp_month": entered.exp_month,
            "exp_year": entered.exp_year,
            "fingerprint": card.fingerprint(),
            "funding": card.funding,
            "last4": card.last4(),
            "metadata": {},
            "name": given["name"],
            "networks": {"preferred": null},
            "regulated_status": "unregulated",
            "tokenization_method": null,
        },
        "client_ip": null,
        "created": tx.now(),
        "livemode": false,
        "type": "card",
        "used": false,
    });
    tx.insert(KIND, object, json!({"card": card.name()}));
    Ok(tx.shown(KIND, &id))
}
