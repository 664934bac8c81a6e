//! Invoice items.

use super::discounts::DISCOUNTS;
use crate::billing::by_hand;
use crate::engine::Kind;
use crate::http::{
    Field, METADATA, Route, Shape, delete, get, list, matches, opt, page, post, req, unsupported,
};

const KIND: Kind = Kind::InvoiceItem;
const PATH: &str = "/v1/invoiceitems";

pub(super) const PERIOD: Field =
    opt("period", Shape::Object(&[req("end", Shape::Int), req("start", Shape::Int)]));

/// What creating and updating have in common.
macro_rules! fields {
    ($($more:expr),* $(,)?) => {
        &[
            opt("amount", Shape::Int),
            opt("description", Shape::Text),
            opt("discountable", Shape::Bool),
            METADATA,
            PERIOD,
            opt("price_data", Shape::Object(super::price_data::INLINE_ONCE)),
            opt("pricing", Shape::Object(&[opt("price", Shape::Text)])),
            opt("quantity", Shape::Int),
            opt("unit_amount_decimal", Shape::Decimal),
            DISCOUNTS,
            unsupported(&["quantity_decimal", "tax_behavior", "tax_code"]),
            $($more),*
        ]
    };
}
const CREATE: &[Field] = fields![
    opt("tax_rates", Shape::List(&Shape::Text)),
    opt("currency", Shape::Text),
    opt("customer", Shape::Text),
    opt("invoice", Shape::Text),
    opt("subscription", Shape::Text),
    unsupported(&["customer_account"]),
];
const UPDATE: &[Field] = fields![opt("tax_rates", Shape::Clearable(&Shape::List(&Shape::Text)))];
const LIST: &[Field] = &[
    opt("created", Shape::Range),
    opt("customer", Shape::Text),
    opt("invoice", Shape::Text),
    opt("pending", Shape::Bool),
    unsupported(&["customer_account"]),
];

pub(super) const ROUTES: &[Route] = &[
    list(PATH, LIST, |call| {
        let (tx, params) = (&*call.tx, call.params);
        if let Some(customer) = params["customer"].as_str() {
            tx.find(Kind::Customer, customer, "customer")?;
        }
        page(tx, KIND, PATH, params, |doc| {
            ["customer", "invoice"].iter().all(|field| matches(&doc.object, params, field))
                && params["pending"].as_bool().is_none_or(|wanted| doc.object["invoice"].is_null() == wanted)
        })
    }),
    post(PATH, CREATE, |call| {
        let id = by_hand::create_item(call.tx, call.params)?;
        Ok(call.tx.shown(KIND, &id))
    }),
    get("/v1/invoiceitems/{id}", &[], |call| {
        let doc = call.tx.find(KIND, call.id(), "id")?;
        Ok(call.tx.shown(KIND, doc.id()))
    }),
    post("/v1/invoiceitems/{id}", UPDATE, |call| {
        let id = call.id().to_owned();
        by_hand::update_item(call.tx, &id, call.params)?;
        Ok(call.tx.shown(KIND, &id))
    }),
    delete("/v1/invoiceitems/{id}", &[], |call| {
        let id = call.id().to_owned();
        by_hand::delete_item(call.tx, &id)
    }),
];
