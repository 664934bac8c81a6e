//! Invoice payments: which payment intent pays which invoice.

use crate::engine::Kind;
use crate::http::{Field, Route, Shape, get, list, matches, opt, page, req};

const KIND: Kind = Kind::InvoicePayment;

const LIST: &[Field] = &[
    opt("created", Shape::Range),
    opt("invoice", Shape::Text),
    opt(
        "payment",
        Shape::Object(&[
            req("type", Shape::Enum(&["payment_intent", "payment_record"])),
            opt("payment_intent", Shape::Text),
            opt("payment_record", Shape::Text),
        ]),
    ),
    opt("status", Shape::Enum(&["canceled", "open", "paid"])),
];

pub(super) const ROUTES: &[Route] = &[
    list("/v1/invoice_payments", LIST, |call| {
        let params = call.params;
        let payment = params["payment"].as_object();
        page(call.tx, KIND, "/v1/invoice_payments", params, |doc| {
            ["invoice", "status"].iter().all(|field| matches(&doc.object, params, field))
                && payment.is_none_or(|wanted| {
                    wanted.iter().all(|(field, value)| doc.object["payment"][field.as_str()] == *value)
                })
        })
    }),
    get("/v1/invoice_payments/{id}", &[], |call| {
        call.tx.find(KIND, call.id(), "id").map(|doc| doc.object.clone())
    }),
];
