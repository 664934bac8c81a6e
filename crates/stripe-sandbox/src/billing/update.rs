//! Changing a subscription.

use serde_json::Value;

use super::create::check_owner;
use super::subscriptions;
use crate::engine::objects::Subscription;
use crate::engine::{ApiError, Kind, Tx};
use crate::http::{merge_metadata, set};

const KIND: Kind = Kind::Subscription;

/// Changes a subscription by the parameters of `POST /v1/subscriptions/{id}`.
///
/// # Errors
/// If it is over, or the parameters don't fit.
pub(crate) fn update(tx: &mut Tx, id: &str, params: &Value) -> Result<(), ApiError> {
    let doc = tx.find(KIND, id, "id")?;
    let subscription = Subscription(&doc.object);
    if subscription.is_over() {
        let only = ["metadata", "cancellation_details"];
        let status = doc.object["status"].as_str().unwrap_or_default();
        if params.as_object().is_some_and(|given| given.keys().any(|key| !only.contains(&key.as_str()))) {
            return Err(ApiError::invalid(format!(
                "A {status} subscription can only update its cancellation_details and metadata."
            )));
        }
    }
    if let Some(method) = params["default_payment_method"].as_str() {
        check_owner(tx, method, subscription.customer())?;
    }
    let mut object = doc.object.clone();
    for field in ["default_payment_method", "description", "days_until_due"] {
        set(&mut object, params, field);
    }
    merge_metadata(&mut object, params);
    for field in ["payment_method_options", "payment_method_types", "save_default_payment_method"] {
        set(&mut object["payment_settings"], &params["payment_settings"], field);
    }
    reschedule(tx, id, &mut object, params)?;
    for field in ["comment", "feedback"] {
        set(&mut object["cancellation_details"], &params["cancellation_details"], field);
    }
    tx.update(KIND, id, "customer.subscription.updated", |doc| doc.object = object);
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
