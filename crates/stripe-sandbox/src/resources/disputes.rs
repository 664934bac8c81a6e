//! Disputes.

use crate::engine::Kind;
use crate::http::{Field, METADATA, Route, Shape, get, list, matches, opt, page, post, unsupported};
use crate::payments::dispute;

const KIND: Kind = Kind::Dispute;

const LIST: &[Field] =
    &[opt("charge", Shape::Text), opt("created", Shape::Range), opt("payment_intent", Shape::Text)];
const EVIDENCE: &[Field] = &[
    opt("access_activity_log", Shape::Text),
    opt("billing_address", Shape::Text),
    opt("cancellation_policy_disclosure", Shape::Text),
    opt("cancellation_rebuttal", Shape::Text),
    opt("customer_email_address", Shape::Text),
    opt("customer_name", Shape::Text),
    opt("customer_purchase_ip", Shape::Text),
    opt("duplicate_charge_explanation", Shape::Text),
    opt("duplicate_charge_id", Shape::Text),
    opt("product_description", Shape::Text),
    opt("refund_policy_disclosure", Shape::Text),
    opt("refund_refusal_explanation", Shape::Text),
    opt("service_date", Shape::Text),
    opt("shipping_address", Shape::Text),
    opt("shipping_carrier", Shape::Text),
    opt("shipping_date", Shape::Text),
    opt("shipping_tracking_number", Shape::Text),
    opt("uncategorized_text", Shape::Text),
    unsupported(&[
        "enhanced_evidence",
        // Files, which aren't kept here.
        "cancellation_policy",
        "customer_communication",
        "customer_signature",
        "duplicate_charge_documentation",
        "receipt",
        "refund_policy",
        "service_documentation",
        "shipping_documentation",
        "uncategorized_file",
    ]),
];
const UPDATE: &[Field] = &[opt("evidence", Shape::Object(EVIDENCE)), METADATA, opt("submit", Shape::Bool)];

pub(super) const ROUTES: &[Route] = &[
    list("/v1/disputes", LIST, |call| {
        let params = call.params;
        page(call.tx, KIND, "/v1/disputes", params, |doc| {
            ["charge", "payment_intent"].iter().all(|field| matches(&doc.object, params, field))
        })
    }),
    get("/v1/disputes/{id}", &[], |call| call.tx.find(KIND, call.id(), "id").map(|doc| doc.object.clone())),
    post("/v1/disputes/{id}", UPDATE, |call| {
        let id = call.id().to_owned();
        dispute::update(call.tx, &id, call.params)?;
        Ok(call.tx.shown(KIND, &id))
    }),
    post("/v1/disputes/{id}/close", &[], |call| {
        let id = call.id().to_owned();
        dispute::close(call.tx, &id)?;
        Ok(call.tx.shown(KIND, &id))
    }),
];
