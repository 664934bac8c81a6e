//! The balance, and what it consists of.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::engine::{Kind, Tx};
use crate::http::{Field, Route, Shape, get, list, matches, opt, page, unsupported};
use crate::payments::balance::total;

const KIND: Kind = Kind::BalanceTransaction;

const LIST: &[Field] = &[
    opt("created", Shape::Range),
    opt("currency", Shape::Text),
    opt("source", Shape::Text),
    opt("type", Shape::Text),
    unsupported(&["payout"]),
];

pub(super) const ROUTES: &[Route] = &[
    get("/v1/balance", &[], |call| Ok(balance(call.tx))),
    list("/v1/balance_transactions", LIST, |call| {
        let params = call.params;
        page(call.tx, KIND, "/v1/balance_transactions", params, |doc| {
            ["currency", "source", "type"].iter().all(|field| matches(&doc.object, params, field))
        })
    }),
    get("/v1/balance_transactions/{id}", &[], |call| {
        call.tx.find(KIND, call.id(), "id").map(|doc| doc.object.clone())
    }),
];

/// All of it available at once: there is no payout to wait for.
fn balance(tx: &Tx) -> Value {
    let mut nets = BTreeMap::from([("usd".to_owned(), 0)]);
    nets.extend(tx.values(KIND, "currency").map(|currency| (currency.to_owned(), total(tx, currency))));
    let amount = |net: i64, currency: &str| json!({"amount": net, "currency": currency, "source_types": {"card": net}});
    let available: Vec<Value> = nets.iter().map(|(currency, net)| amount(*net, currency)).collect();
    let pending: Vec<Value> = nets.keys().map(|currency| amount(0, currency)).collect();
    json!({
        "object": "balance",
        "available": available,
        "livemode": false,
        "pending": pending,
        "refund_and_dispute_prefunding": {"available": pending, "pending": pending},
    })
}
