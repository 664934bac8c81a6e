//! Subscription schedules: what a subscription becomes when its next periods begin, as requests have it.
//!
//! Source: <https://docs.stripe.com/billing/subscriptions/subscription-schedules>. Here a phase begins with a period of its
//! subscription.

use serde_json::{Value, json};

use super::schedule_phases::{self, Frame, phase, row};
use super::{rebill, schedule_run, subscriptions};
use crate::engine::objects::{Schedule, Subscription};
use crate::engine::{ApiError, Kind, Tx, join, new_id};
use crate::http::{merge_metadata, new_metadata, set};

const KIND: Kind = Kind::SubscriptionSchedule;

/// Makes a schedule, for a subscription that is there or for one that begins with it. Returns the schedule's id.
///
/// # Errors
/// If the parameters don't fit each other or the subscription; whatever refuses the subscription that begins now.
pub(crate) fn create(tx: &mut Tx, params: &Value) -> Result<String, ApiError> {
    if params["from_subscription"].is_string() {
        return adopt(tx, params);
    }
    let customer = params["customer"].as_str().ok_or_else(|| ApiError::required("customer"))?;
    let customer = tx.find(Kind::Customer, customer, "customer")?;
    let wanted = params["phases"].as_array().filter(|phases| !phases.is_empty());
    let wanted = wanted.ok_or_else(|| ApiError::required("phases"))?;
    let start = match (&params["start_date"], params["start_date"].as_i64()) {
        (Value::Null, _) => return Err(ApiError::required("start_date")),
        (_, Some(at)) if at < tx.now() => {
            let message = "The Stripe sandbox does not support a `start_date` in the past.";
            return Err(ApiError::invalid(message).param("start_date"));
        }
        (_, at) => at.unwrap_or(tx.now()),
    };
    let frame = Frame { start, first_end: None, currency: Value::Null };
    let phases = schedule_phases::read(tx, wanted, &frame)?;
    let of = Of {
        billing_mode: json!({
            "type": "flexible", "flexible": {"proration_discounts": "included"}, "updated_at": tx.now(),
        }),
        collection_method: json!("charge_automatically"),
        customer: customer.id(),
        test_clock: customer.object["test_clock"].clone(),
    };
    let id = insert(tx, params, &of, &phases);
    tx.emit("subscription_schedule.created", KIND, &id);
    if start <= tx.now() {
        schedule_run::begin(tx, &id)?;
    }
    Ok(id)
}

/// Puts a subscription under a schedule, of which what it is now is the first phase.
fn adopt(tx: &mut Tx, params: &Value) -> Result<String, ApiError> {
    let param = "from_subscription";
    for other in ["customer", "phases", "start_date"] {
        if !params[other].is_null() {
            let message = format!("You can't pass `{other}` together with `{param}`.");
            return Err(ApiError::invalid(message).param(other));
        }
    }
    let of = params[param].as_str().unwrap_or_default();
    let doc = tx.find(Kind::Subscription, of, param)?;
    let subscription = Subscription(&doc.object);
    if let Some(own) = subscription.schedule() {
        let message =
            format!("You cannot migrate a subscription that is already attached to a schedule: `{own}`.");
        return Err(ApiError::invalid(message).param(param));
    }
    if subscription.is_over() || subscription.cancel_at().is_some() {
        let message = "You cannot migrate a subscription that is canceled, or will be, to a schedule.";
        return Err(ApiError::invalid(message).param(param));
    }
    let items = subscriptions::items(tx, of);
    let time = |field: &str| items.first().and_then(|item| item[field].as_i64()).unwrap_or_default();
    let (start, end) = (time("current_period_start"), time("current_period_end"));
    let rows =
        items.iter().map(|item| row(&item["price"]["id"], &item["quantity"], &item["metadata"])).collect();
    let first = phase(&doc.object["currency"], (start, end), rows, "create_prorations");
    let kept = Of {
        billing_mode: doc.object["billing_mode"].clone(),
        collection_method: doc.object["collection_method"].clone(),
        customer: subscription.customer(),
        test_clock: doc.object["test_clock"].clone(),
    };
    let id = insert(tx, params, &kept, &[first]);
    tx.change(KIND, &id, |doc| {
        doc.object["status"] = json!("active");
        doc.object["subscription"] = json!(of);
        doc.object["current_phase"] = json!({"start_date": start, "end_date": end});
    });
    tx.update(Kind::Subscription, of, "customer.subscription.updated", |doc| {
        doc.object["schedule"] = json!(id);
    });
    schedule_run::set_end(tx, &id);
    tx.emit("subscription_schedule.created", KIND, &id);
    Ok(id)
}

/// What a schedule has from its subscription, or would give it.
struct Of<'a> {
    billing_mode: Value,
    collection_method: Value,
    customer: &'a str,
    test_clock: Value,
}

/// Keeps a schedule that has not started.
fn insert(tx: &mut Tx, params: &Value, of: &Of, phases: &[Value]) -> String {
    let id = new_id(KIND);
    let object = join([
        json!({
            "id": id,
            "object": KIND.object(),
            "application": null,
            "billing_mode": of.billing_mode,
            "canceled_at": null,
            "completed_at": null,
            "created": tx.now(),
            "current_phase": null,
            "customer": of.customer,
            "customer_account": null,
        }),
        json!({
            "default_settings": {
                "application_fee_percent": null,
                "automatic_tax": {"disabled_reason": null, "enabled": false, "liability": null},
                "billing_cycle_anchor": "automatic",
                "billing_thresholds": null,
                "collection_method": of.collection_method,
                "default_payment_method": null,
                "description": null,
                "invoice_settings": {
                    "account_tax_ids": null, "custom_fields": null, "days_until_due": null, "description": null,
                    "footer": null, "issuer": {"type": "self"},
                },
                "on_behalf_of": null,
                "transfer_data": null,
            },
            "end_behavior": params["end_behavior"].as_str().unwrap_or("release"),
            "livemode": false,
            "metadata": new_metadata(params),
            "phases": phases,
            "released_at": null,
            "released_subscription": null,
            "status": "not_started",
            "subscription": null,
            "test_clock": of.test_clock,
        }),
    ]);
    tx.insert(KIND, object, Value::Null);
    id
}

/// Changes what is to come.
///
/// # Errors
/// If the schedule is over, or a phase doesn't fit the subscription or the one before it.
pub(crate) fn update(tx: &mut Tx, id: &str, params: &Value) -> Result<(), ApiError> {
    let doc = tx.find(KIND, id, "id")?;
    must_go_on(&doc.object)?;
    let phases = match &params["phases"] {
        Value::Array(wanted) => {
            let frame = frame(tx, &doc.object, wanted);
            Some(schedule_phases::read(tx, wanted, &frame)?)
        }
        _ => None,
    };
    tx.update(KIND, id, "subscription_schedule.updated", |doc| {
        set(&mut doc.object, params, "end_behavior");
        merge_metadata(&mut doc.object, params);
        if let Some(phases) = phases {
            doc.object["phases"] = json!(phases);
        }
    });
    schedule_run::set_end(tx, id);
    Ok(())
}

/// What the phases of a schedule have to fit: one that runs stays as it is.
fn frame(tx: &Tx, schedule: &Value, wanted: &[Value]) -> Frame {
    let view = Schedule(schedule);
    let Some((start, end)) = view.current_phase() else {
        let given = wanted.first().and_then(|phase| phase["start_date"].as_i64());
        let start = given.filter(|at| *at > tx.now()).or(view.starts_at());
        return Frame { start: start.unwrap_or(tx.now()), first_end: None, currency: Value::Null };
    };
    let subscription = tx.get(Kind::Subscription, view.subscription().unwrap_or_default());
    let currency = subscription.map(|doc| doc.object["currency"].clone()).unwrap_or_default();
    Frame { start, first_end: Some(end), currency }
}

fn must_go_on(schedule: &Value) -> Result<(), ApiError> {
    if !Schedule(schedule).is_over() {
        return Ok(());
    }
    let status = schedule["status"].as_str().unwrap_or_default();
    Err(ApiError::invalid(format!(
        "You cannot update a subscription schedule that is currently in the `{status}` status."
    )))
}

/// Takes a subscription from under its schedule, on demand.
///
/// # Errors
/// If the schedule is over.
pub(crate) fn let_go(tx: &mut Tx, id: &str, params: &Value) -> Result<(), ApiError> {
    let doc = tx.find(KIND, id, "id")?;
    must_go_on(&doc.object)?;
    let subscription = Schedule(&doc.object).subscription().unwrap_or_default();
    let before = tx.shown(Kind::Subscription, subscription);
    schedule_run::release(tx, id, params["preserve_cancel_date"] == true);
    tx.emit_changes(&before, "customer.subscription.updated", Kind::Subscription, subscription);
    Ok(())
}

/// Ends a schedule and its subscription with it, what isn't used of which is credited and billed unless told otherwise.
///
/// # Errors
/// If the schedule is over.
pub(crate) fn cancel(tx: &mut Tx, id: &str, params: &Value) -> Result<(), ApiError> {
    let doc = tx.find(KIND, id, "id")?;
    must_go_on(&doc.object)?;
    let Some(subscription) = Schedule(&doc.object).subscription() else {
        schedule_run::close(tx, id, "canceled");
        return Ok(());
    };
    if params["prorate"] != false {
        rebill::credit_unused(tx, subscription);
    }
    subscriptions::end(tx, subscription);
    if params["invoice_now"] != false {
        rebill::bill_rest(tx, subscription);
    }
    Ok(())
}
