//! `expand[]`: objects in the place of their ids.
//!
//! Source: <https://docs.stripe.com/expand>

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::billing::{checkout, invoices};
use crate::engine::{ApiError, Kind, Tx};
use crate::payments::sources;

const MAX_LEVELS: usize = 4;

/// Expands one path, such as `data.customer` or `latest_invoice.confirmation_secret`.
///
/// # Errors
/// If a part of it can't be expanded, or it is deeper than four levels.
pub(super) fn expand(tx: &Tx, object: &mut Value, path: &str) -> Result<(), ApiError> {
    let parts: Vec<&str> = path.split('.').collect();
    if parts.iter().filter(|part| **part != "data").count() > MAX_LEVELS {
        let message =
            format!("You cannot expand more than {MAX_LEVELS} levels of a property. Property: {path}");
        return Err(ApiError::invalid(message).param("expand"));
    }
    follow(tx, object, &parts, path)
}

/// What of an object can be expanded.
#[derive(Deserialize)]
struct Expandable {
    /// Its own fields that can be, or that have something in them that can be.
    fields: BTreeSet<String>,
    /// Where an id stands, from the object on, and what it can be the id of.
    paths: BTreeMap<String, Vec<String>>,
}

/// By the object's `object`. Cut from Stripe's published document: `x-expandableFields` and `x-expansionResources`.
/// Disputes, which the document at hand is cut without, are added by the types of Stripe's Node client.
static EXPANDABLE: LazyLock<BTreeMap<String, Expandable>> =
    LazyLock::new(|| serde_json::from_str(include_str!("expandable.json")).unwrap_or_default());

/// What is being followed: which path of the request, and from which object.
#[derive(Clone, Copy)]
struct Way<'a> {
    path: &'a str,
    owner: &'a str,
    /// Where it has got to, from that object on.
    inside: &'a str,
}

impl Way<'_> {
    fn refused(self) -> ApiError {
        let Self { path, .. } = self;
        ApiError::invalid(format!("This property cannot be expanded ({path}).")).param("expand")
    }
}

/// Follows a path on from an object of the API, or from an id's place if nothing is there.
fn follow(tx: &Tx, value: &mut Value, parts: &[&str], path: &str) -> Result<(), ApiError> {
    match value {
        Value::Array(items) => items.iter_mut().try_for_each(|item| follow(tx, item, parts, path)),
        Value::Object(_) => {
            let owner = value["object"].as_str().unwrap_or_default().to_owned();
            step(tx, value, parts, Way { path, owner: &owner, inside: "" })
        }
        // Nothing there to expand, though there might have been.
        _ => Ok(()),
    }
}

fn step(tx: &Tx, value: &mut Value, parts: &[&str], way: Way) -> Result<(), ApiError> {
    let Some((field, rest)) = parts.split_first() else { return Ok(()) };
    let Way { path, owner, inside } = way;
    if owner == "list" && *field == "data" && !rest.is_empty() {
        return follow(tx, &mut value["data"], rest, path);
    }
    if is_included(owner, field) && value.get(field).is_none() {
        value[*field] = include(tx, owner, value, field).ok_or_else(|| way.refused())?;
    }
    let inside = if inside.is_empty() { (*field).to_owned() } else { format!("{inside}.{field}") };
    let known = EXPANDABLE.get(owner);
    if let Some(kinds) = known.and_then(|known| known.paths.get(&inside)) {
        let Some(at) = value.get_mut(field) else { return Ok(()) };
        put_in_place(tx, at, kinds);
        return follow(tx, at, rest, path);
    }
    let leads_on = known.is_some_and(|known| {
        known.fields.contains(&inside) || known.paths.keys().any(|path| is_below(path, &inside))
    });
    match value.get_mut(field) {
        Some(Value::Object(fields)) if fields.contains_key("object") => {
            follow(tx, &mut value[*field], rest, path)
        }
        Some(at @ Value::Object(_)) if !rest.is_empty() => step(tx, at, rest, Way { inside: &inside, ..way }),
        Some(Value::Array(items)) if !rest.is_empty() => items.iter_mut().try_for_each(|item| {
            if item.get("object").is_some() {
                follow(tx, item, rest, path)
            } else {
                step(tx, item, rest, Way { inside: &inside, ..way })
            }
        }),
        _ if leads_on || is_included(owner, field) => Ok(()),
        _ => Err(way.refused()),
    }
}

fn is_below(path: &str, parent: &str) -> bool {
    path.strip_prefix(parent).is_some_and(|rest| rest.starts_with('.'))
}

/// Puts objects of one of these kinds in the place of their ids.
fn put_in_place(tx: &Tx, at: &mut Value, kinds: &[String]) {
    match at {
        Value::String(id) => {
            let cards = kinds.iter().any(|name| name == "card");
            let kinds = kinds.iter().filter_map(|name| Kind::of_object(name));
            let found = kinds.into_iter().find_map(|kind| tx.view(kind, id));
            if let Some(object) = found.or_else(|| sources::view(tx, id).filter(|_| cards)) {
                *at = object;
            }
        }
        Value::Array(ids) => ids.iter_mut().for_each(|id| put_in_place(tx, id, kinds)),
        _ => {}
    }
}

fn is_included(owner: &str, field: &str) -> bool {
    matches!(
        (owner, field),
        ("invoice", "confirmation_secret" | "payments")
            | ("customer", "subscriptions" | "sources" | "tax_ids")
            | ("charge", "refunds")
            | ("checkout.session", "breakdown" | "line_items")
    )
}

/// Fields that are there only when asked for.
fn include(tx: &Tx, owner: &str, value: &Value, field: &str) -> Option<Value> {
    if !is_included(owner, field) {
        return None;
    }
    // Of a session's totals, which has no id of its own.
    if field == "breakdown" {
        return Some(json!({"discounts": [], "taxes": []}));
    }
    let id = value["id"].as_str()?;
    let listed = |kind: Kind, by: &str, url: String| {
        let data: Vec<Value> = tx.all_with(kind, by, id).map(|doc| tx.render(kind, &doc)).collect();
        json!({"object": "list", "data": data, "has_more": false, "url": url})
    };
    Some(match field {
        "confirmation_secret" => invoices::confirmation_secret(tx, id),
        "payments" => listed(Kind::InvoicePayment, "invoice", format!("/v1/invoices/{id}/payments")),
        "subscriptions" => {
            let mut list =
                listed(Kind::Subscription, "customer", format!("/v1/customers/{id}/subscriptions"));
            if let Some(data) = list["data"].as_array_mut() {
                data.retain(|subscription| subscription["status"] != "canceled");
            }
            list
        }
        "line_items" => {
            let session = tx.get(Kind::CheckoutSession, id)?;
            let data = checkout::line_items(tx, &session);
            json!({
                "object": "list", "data": data, "has_more": false,
                "url": format!("/v1/checkout/sessions/{id}/line_items"),
            })
        }
        "tax_ids" => listed(Kind::TaxId, "customer", format!("/v1/customers/{id}/tax_ids")),
        "refunds" => listed(Kind::Refund, "charge", format!("/v1/charges/{id}/refunds")),
        // A customer's `sources`.
        other => json!({
            "object": "list", "data": sources::all(tx, id), "has_more": false,
            "url": format!("/v1/{owner}s/{id}/{other}"),
        }),
    })
}
