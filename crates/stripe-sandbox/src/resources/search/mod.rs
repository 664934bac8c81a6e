//! Search: `/v1/{collection}/search`.
//!
//! Source: <https://docs.stripe.com/search>. What was just written is found at once here; Stripe takes up to a minute.

mod query;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use self::query::Query;
use crate::engine::{ApiError, Kind};
use crate::http::{Call, Field, Route, Shape, get, opt, req};

const SEARCH: &[Field] = &[req("query", Shape::Text), opt("limit", Shape::Int), opt("page", Shape::Text)];

pub(super) const ROUTES: &[Route] = &[
    get("/v1/charges/search", SEARCH, |call| {
        let fields = &[
            "amount",
            "created",
            "currency",
            "customer",
            "disputed",
            "metadata",
            "payment_method_details.card.brand",
            "payment_method_details.card.exp_month",
            "payment_method_details.card.exp_year",
            "payment_method_details.card.fingerprint",
            "payment_method_details.card.last4",
            "refunded",
            "status",
        ];
        search(call, Kind::Charge, "/v1/charges/search", fields)
    }),
    get("/v1/customers/search", SEARCH, |call| {
        search(
            call,
            Kind::Customer,
            "/v1/customers/search",
            &["created", "email", "metadata", "name", "phone"],
        )
    }),
    get("/v1/invoices/search", SEARCH, |call| {
        let fields = &[
            "created",
            "currency",
            "customer",
            "last_finalization_error_code",
            "metadata",
            "number",
            "receipt_number",
            "status",
            "subscription",
            "total",
        ];
        search(call, Kind::Invoice, "/v1/invoices/search", fields)
    }),
    get("/v1/payment_intents/search", SEARCH, |call| {
        let fields = &["amount", "created", "currency", "customer", "metadata", "status"];
        search(call, Kind::PaymentIntent, "/v1/payment_intents/search", fields)
    }),
    get("/v1/prices/search", SEARCH, |call| {
        let fields = &["active", "created", "currency", "lookup_key", "metadata", "product", "type"];
        search(call, Kind::Price, "/v1/prices/search", fields)
    }),
    get("/v1/products/search", SEARCH, |call| {
        let fields = &["active", "created", "description", "metadata", "name", "shippable", "url"];
        search(call, Kind::Product, "/v1/products/search", fields)
    }),
    get("/v1/subscriptions/search", SEARCH, |call| {
        let fields = &["canceled_at", "created", "metadata", "status"];
        search(call, Kind::Subscription, "/v1/subscriptions/search", fields)
    }),
];

/// The values of a field. Some have another name in a query than in the object.
fn value_at<'a>(object: &'a Value, field: &str) -> Vec<&'a Value> {
    if field == "subscription" {
        return vec![&object["parent"]["subscription_details"]["subscription"]];
    }
    if field == "last_finalization_error_code" {
        return vec![&object["last_finalization_error"]["code"]];
    }
    vec![field.split('.').fold(object, |value, part| &value[part])]
}

fn search(call: &Call, kind: Kind, url: &str, fields: &[&str]) -> Result<Value, ApiError> {
    let (tx, params) = (&*call.tx, call.params);
    let query = Query::read(params["query"].as_str().unwrap_or_default(), fields)?;
    let limit = params["limit"].as_i64().unwrap_or(10);
    if !(1..=100).contains(&limit) {
        let bound = if limit < 1 { "greater than or equal to 1" } else { "less than or equal to 100" };
        return Err(ApiError::invalid(format!("This value must be {bound}.")).param("limit"));
    }
    // A page is named by the last object of the one before it, so that what is made meanwhile doesn't move it.
    let after = match params["page"].as_str() {
        Some(page) => Some(decoded(page).ok_or_else(|| ApiError::invalid("Invalid page.").param("page"))?),
        None => None,
    };
    let mut matching = tx.all(kind).map(|doc| tx.unpacked(kind, doc)).filter(|object| query.matches(object));
    if let Some(after) = after
        && !matching.any(|object| object["id"] == *after)
    {
        return Err(ApiError::invalid("This page is not there any more.").param("page"));
    }
    let limit = usize::try_from(limit).unwrap_or(100);
    let mut found: Vec<Value> = matching.take(limit + 1).collect();
    let has_more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| has_more).and_then(|last| last["id"].as_str());
    let next = next.map(|id| URL_SAFE_NO_PAD.encode(id));
    let mut page =
        json!({"object": "search_result", "data": null, "has_more": has_more, "next_page": next, "url": url});
    page["data"] = Value::Array(found);
    Ok(page)
}

fn decoded(page: &str) -> Option<String> {
    String::from_utf8(URL_SAFE_NO_PAD.decode(page).ok()?).ok()
}
