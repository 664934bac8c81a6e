//! Credit notes.

use serde_json::Value;

use crate::billing::credit_notes;
use crate::engine::{ApiError, Kind};
use crate::http::{
    Call, Field, METADATA, Route, Shape, get, list, matches, opt, page, page_of_values, post, req,
    unsupported,
};

const KIND: Kind = Kind::CreditNote;

const LIST: &[Field] = &[
    opt("created", Shape::Range),
    opt("customer", Shape::Text),
    opt("invoice", Shape::Text),
    unsupported(&["customer_account"]),
];
const TAX_AMOUNTS: &[Field] =
    &[req("amount", Shape::Int), req("tax_rate", Shape::Text), req("taxable_amount", Shape::Int)];
const LINES: &[Field] = &[
    opt("amount", Shape::Int),
    opt("description", Shape::Text),
    opt("invoice_line_item", Shape::Text),
    opt("metadata", Shape::Map),
    opt("quantity", Shape::Int),
    opt("tax_amounts", Shape::Clearable(&Shape::List(&Shape::Object(TAX_AMOUNTS)))),
    opt("tax_rates", Shape::Clearable(&Shape::List(&Shape::Text))),
    req("type", Shape::Enum(&["custom_line_item", "invoice_line_item"])),
    opt("unit_amount", Shape::Int),
    opt("unit_amount_decimal", Shape::Decimal),
];
const REFUNDS: &[Field] = &[
    opt("amount_refunded", Shape::Int),
    opt("refund", Shape::Text),
    opt("type", Shape::Enum(&["refund"])),
    unsupported(&["payment_record_refund"]),
];
const CREATE: &[Field] = &[
    opt("amount", Shape::Int),
    opt("credit_amount", Shape::Int),
    opt("effective_at", Shape::Int),
    // No message goes out, either way.
    opt("email_type", Shape::Enum(&["credit_note", "none"])),
    req("invoice", Shape::Text),
    opt("lines", Shape::List(&Shape::Object(LINES))),
    opt("memo", Shape::Text),
    METADATA,
    opt("out_of_band_amount", Shape::Int),
    opt("reason", Shape::Enum(&["duplicate", "fraudulent", "order_change", "product_unsatisfactory"])),
    opt("refund_amount", Shape::Int),
    opt("refunds", Shape::List(&Shape::Object(REFUNDS))),
    unsupported(&["shipping_cost"]),
];

pub(super) const ROUTES: &[Route] = &[
    list("/v1/credit_notes", LIST, |call| {
        let params = call.params;
        page(call.tx, KIND, "/v1/credit_notes", params, |doc| {
            ["customer", "invoice"].iter().all(|field| matches(&doc.object, params, field))
        })
    }),
    post("/v1/credit_notes", CREATE, |call| {
        let id = credit_notes::create(call.tx, call.params)?;
        Ok(call.tx.shown(KIND, &id))
    }),
    // `preview` isn't an id.
    get("/v1/credit_notes/preview", CREATE, |call| credit_notes::preview(call.tx, call.params)),
    list("/v1/credit_notes/preview/lines", CREATE, |call| {
        let note = credit_notes::preview(call.tx, call.params)?;
        lines(call, &note, "/v1/credit_notes/preview/lines")
    }),
    get("/v1/credit_notes/{id}", &[], |call| {
        call.tx.find(KIND, call.id(), "id").map(|doc| doc.object.clone())
    }),
    post("/v1/credit_notes/{id}", &[opt("memo", Shape::Text), METADATA], |call| {
        let id = call.id().to_owned();
        credit_notes::update(call.tx, &id, call.params)?;
        Ok(call.tx.shown(KIND, &id))
    }),
    list("/v1/credit_notes/{id}/lines", &[], |call| {
        let doc = call.tx.find(KIND, call.id(), "id")?;
        lines(call, &doc.object, &format!("/v1/credit_notes/{}/lines", doc.id()))
    }),
    post("/v1/credit_notes/{id}/void", &[], |call| {
        let id = call.id().to_owned();
        credit_notes::void(call.tx, &id)?;
        Ok(call.tx.shown(KIND, &id))
    }),
];

fn lines(call: &Call, note: &Value, url: &str) -> Result<Value, ApiError> {
    let lines = note["lines"]["data"].as_array().cloned().unwrap_or_default();
    page_of_values(&lines, KIND, url, call.params)
}
