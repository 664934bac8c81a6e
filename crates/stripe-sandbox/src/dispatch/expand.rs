//! `expand[]`: objects in the place of their ids.
//!
//! Source: <https://docs.stripe.com/expand>

use serde_json::{Value, json};

use crate::billing::invoices;
use crate::engine::{ApiError, Kind, Tx};

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

fn follow(tx: &Tx, value: &mut Value, parts: &[&str], path: &str) -> Result<(), ApiError> {
    let Some((field, rest)) = parts.split_first() else { return Ok(()) };
    let refused =
        || Err(ApiError::invalid(format!("This property cannot be expanded ({path}).")).param("expand"));
    let owner = value["object"].as_str().unwrap_or_default().to_owned();
    if owner == "list" && *field == "data" && !rest.is_empty() {
        return value["data"]
            .as_array_mut()
            .into_iter()
            .flatten()
            .try_for_each(|item| follow(tx, item, rest, path));
    }
    if value.get(field).is_none() {
        let Some(included) = include(tx, &owner, value, field) else { return refused() };
        value[*field] = included;
    }
    let at = &mut value[*field];
    match at {
        Value::String(id) => {
            let Some(kind) = kind_of(&owner, field) else { return refused() };
            if let Some(object) = tx.view(kind, id) {
                *at = object;
            }
            follow(tx, at, rest, path)
        }
        Value::Object(_) if !rest.is_empty() || at.get("object").is_some() || is_included(&owner, field) => {
            follow(tx, at, rest, path)
        }
        // Nothing there to expand, though there might have been.
        Value::Null if kind_of(&owner, field).is_some() || is_included(&owner, field) || !rest.is_empty() => {
            Ok(())
        }
        _ => refused(),
    }
}

/// What a field with an id in it points at.
fn kind_of(owner: &str, field: &str) -> Option<Kind> {
    // These are plain texts in Stripe's schema.
    if matches!(
        (owner, field),
        ("charge", "payment_method") | ("line_item", "invoice") | ("subscription_item", "subscription")
    ) {
        return None;
    }
    Some(match field {
        "customer" => Kind::Customer,
        "payment_method" | "default_payment_method" => Kind::PaymentMethod,
        "invoice" | "latest_invoice" => Kind::Invoice,
        "payment_intent" => Kind::PaymentIntent,
        "setup_intent" | "pending_setup_intent" => Kind::SetupIntent,
        "latest_attempt" => Kind::SetupAttempt,
        "charge" | "latest_charge" => Kind::Charge,
        "source" if owner == "balance_transaction" => Kind::Charge,
        "balance_transaction" => Kind::BalanceTransaction,
        "product" => Kind::Product,
        "price" | "default_price" => Kind::Price,
        "schedule" => Kind::SubscriptionSchedule,
        "subscription" => Kind::Subscription,
        _ => return None,
    })
}

fn is_included(owner: &str, field: &str) -> bool {
    matches!(
        (owner, field),
        ("invoice", "confirmation_secret" | "payments")
            | ("customer", "subscriptions" | "sources" | "tax_ids")
            | ("charge", "refunds")
    )
}

/// Fields that are there only when asked for.
fn include(tx: &Tx, owner: &str, value: &Value, field: &str) -> Option<Value> {
    if !is_included(owner, field) {
        return None;
    }
    let id = value["id"].as_str()?;
    let listed = |kind: Kind, by: &str, url: String| {
        let mine = tx.all(kind).filter(|doc| doc.object[by] == id);
        let data: Vec<Value> = mine.map(|doc| tx.render(kind, doc)).collect();
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
        // Neither cards of the old kind, tax ids nor refunds are kept here.
        other => {
            json!({"object": "list", "data": [], "has_more": false, "url": format!("/v1/{owner}s/{id}/{other}")})
        }
    })
}
