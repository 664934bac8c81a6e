//! Charges.

use crate::engine::Kind;
use crate::http::{Field, Route, Shape, get, list, matches, opt, page};

const KIND: Kind = Kind::Charge;

const LIST: &[Field] = &[
    opt("created", Shape::Range),
    opt("customer", Shape::Text),
    opt("payment_intent", Shape::Text),
    opt("transfer_group", Shape::Text),
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
];
