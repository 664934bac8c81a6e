//! Changing a subscription.

use serde_json::{Value, json};

use super::create::check_owner;
use super::discounts::{self, On};
use super::{add_items, discount_holders, rebill, renewal, subscriptions, tax_rates};
use crate::engine::objects::{Subscription, SubscriptionStatus};
use crate::engine::{ApiError, Kind, Tx};
use crate::http::{merge_metadata, set};

const KIND: Kind = Kind::Subscription;
/// What may be sent together with `pending_if_incomplete`.
/// Source: <https://docs.stripe.com/billing/subscriptions/pending-updates-reference>
const PENDING: &[&str] = &[
    "billing_cycle_anchor",
    "items",
    "off_session",
    "payment_behavior",
    "proration_behavior",
    "proration_date",
    "trial_end",
];

/// Changes a subscription by the parameters of `POST /v1/subscriptions/{id}`.
///
/// # Errors
/// If it is over, or the parameters don't fit; 402 if `error_if_incomplete` was asked for and the change isn't paid for.
pub(crate) fn update(tx: &mut Tx, id: &str, params: &Value) -> Result<(), ApiError> {
    let doc = tx.find(KIND, id, "id")?;
    let subscription = Subscription(&doc.object);
    let given = || params.as_object().into_iter().flatten().map(|(name, _)| name.as_str());
    if subscription.is_over() && given().any(|name| !["metadata", "cancellation_details"].contains(&name)) {
        let status = doc.object["status"].as_str().unwrap_or_default();
        return Err(ApiError::invalid(format!(
            "A {status} subscription can only update its cancellation_details and metadata."
        )));
    }
    if let Some(schedule) = subscription.schedule()
        && let Some(param) = given().find(|name| name.starts_with("cancel_at"))
    {
        let message = format!(
            "The subscription is managed by the subscription schedule `{schedule}`, and updating any cancelation behavior \
             directly is not allowed. Please update the schedule instead."
        );
        return Err(ApiError::invalid(message).param(param));
    }
    if params["payment_behavior"] == "pending_if_incomplete"
        && let Some(other) = given().find(|name| !PENDING.contains(name))
    {
        let message = format!(
            "When `payment_behavior` is set to `pending_if_incomplete`, you can only pass supported params such as \
             `price` and `quantity`, but `{other}` isn't one of them."
        );
        return Err(ApiError::invalid(message).param(other));
    }
    if let Some(method) = params["default_payment_method"].as_str() {
        check_owner(tx, method, subscription.customer())?;
    }
    let before = tx.shown(KIND, id);
    let mut object = doc.object.clone();
    change_fields(&mut object, params)?;
    reschedule(tx, id, &mut object, params)?;
    if let Some(given) = params.get("default_tax_rates") {
        object["default_tax_rates"] = json!(tax_rates::of(tx, given, "default_tax_rates")?);
    }
    tx.change(KIND, id, |doc| doc.object = object);
    if params.get("discounts").is_some() {
        discount(tx, id, &params["discounts"])?;
    }
    add_items::add(tx, &before, params)?;
    if params["trial_end"] == "now" && renewal::end_trial_unpaid(tx, id) {
        tx.emit_changes(&before, "customer.subscription.updated", KIND, id);
        return Ok(());
    }
    match rebill::prepare(tx, id, params)? {
        Some(rebilling) if rebilling.items() > rebill::MAX_ITEMS => {
            let message = format!("A subscription can have at most {} items.", rebill::MAX_ITEMS);
            Err(ApiError::invalid(message).param("items"))
        }
        Some(rebilling) => rebilling.carry_out(tx, id, &before, params),
        None => {
            tx.emit_changes(&before, "customer.subscription.updated", KIND, id);
            Ok(())
        }
    }
}

/// Gives a subscription these discounts and no others.
fn discount(tx: &mut Tx, id: &str, given: &Value) -> Result<(), ApiError> {
    let doc = tx.find(KIND, id, "id")?;
    let currency = doc.object["currency"].as_str().unwrap_or_default();
    let customer = Subscription(&doc.object).customer();
    let on = On { customer, subscription: Some(id), ..On::default() };
    let wanted = discounts::redeem_all(tx, given, currency, on)?;
    discount_holders::replace(tx, KIND, id, &wanted);
    Ok(())
}

/// Takes over what has no consequences by itself.
fn change_fields(object: &mut Value, params: &Value) -> Result<(), ApiError> {
    for field in ["collection_method", "default_payment_method", "description", "days_until_due"] {
        set(object, params, field);
    }
    if object["collection_method"] == "send_invoice" && object["days_until_due"].is_null() {
        let message = "If `collection_method` is set to `send_invoice`, `days_until_due` must be provided.";
        return Err(ApiError::invalid(message).param("days_until_due"));
    }
    if object["collection_method"] == "charge_automatically" && params["days_until_due"].is_i64() {
        let message = "`days_until_due` can only be set where `collection_method` is `send_invoice`.";
        return Err(ApiError::invalid(message).param("days_until_due"));
    }
    if object["collection_method"] == "charge_automatically" {
        object["days_until_due"] = Value::Null;
    }
    merge_metadata(object, params);
    for field in ["payment_method_options", "payment_method_types", "save_default_payment_method"] {
        set(&mut object["payment_settings"], &params["payment_settings"], field);
    }
    for field in ["comment", "feedback"] {
        set(&mut object["cancellation_details"], &params["cancellation_details"], field);
    }
    if let Some(ending) = params["trial_settings"]["end_behavior"]["missing_payment_method"].as_str() {
        object["trial_settings"]["end_behavior"]["missing_payment_method"] = json!(ending);
    }
    if let Some(pause) = params.get("pause_collection") {
        if Subscription(object).is(SubscriptionStatus::Paused) {
            let message = "Collecting the invoices of a paused subscription can't be paused.";
            return Err(ApiError::invalid(message).param("pause_collection"));
        }
        object["pause_collection"] = match pause {
            Value::Null => Value::Null,
            given => json!({"behavior": given["behavior"], "resumes_at": given["resumes_at"]}),
        };
    }
    Ok(())
}

fn reschedule(tx: &Tx, id: &str, object: &mut Value, params: &Value) -> Result<(), ApiError> {
    let (flag, at) = (params["cancel_at_period_end"].as_bool(), params.get("cancel_at"));
    match (flag, at) {
        (Some(true), Some(at)) if !at.is_null() => {
            let message = "You may only specify one of these parameters: cancel_at, cancel_at_period_end.";
            Err(ApiError::invalid(message).param("cancel_at_period_end"))
        }
        (Some(true), _) if !Subscription(object).cancels_at_period_end() => {
            let end = subscriptions::period_end(tx, id);
            subscriptions::schedule_end(tx, object, end, true)
        }
        (_, Some(at)) if at.is_string() => {
            let end = subscriptions::period_end(tx, id);
            subscriptions::schedule_end(tx, object, end, false)
        }
        (_, Some(at)) => subscriptions::schedule_end(tx, object, at.as_i64(), false),
        (Some(false), None) if Subscription(object).cancels_at_period_end() => {
            subscriptions::schedule_end(tx, object, None, false)
        }
        _ => Ok(()),
    }
}
