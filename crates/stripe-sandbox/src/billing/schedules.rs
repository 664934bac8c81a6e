//! Subscription schedules: what a subscription becomes when its next periods begin.
//!
//! Source: <https://docs.stripe.com/billing/subscriptions/subscription-schedules>. Here a phase begins with a period of its
//! subscription, and a schedule begins with a subscription that is there already.

use serde_json::{Value, json};

use super::Interval;
use super::items::{self, Change, Wanted};
use super::pending_update::Update;
use super::subscriptions;
use crate::engine::objects::{Price, Schedule, Subscription, ids};
use crate::engine::{ApiError, Kind, Tx, join, new_id};
use crate::http::{merge_metadata, new_metadata, set};

const KIND: Kind = Kind::SubscriptionSchedule;

/// Puts a subscription under a schedule, of which what it is now is the first phase. Returns the schedule's id.
///
/// # Errors
/// If the subscription is over, or under a schedule already.
pub(crate) fn create(tx: &mut Tx, params: &Value) -> Result<String, ApiError> {
    let param = "from_subscription";
    let of = params[param].as_str().ok_or_else(|| ApiError::required(param))?;
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
    let id = new_id(KIND);
    let object = join([
        json!({
            "id": id,
            "object": KIND.object(),
            "application": null,
            "billing_mode": doc.object["billing_mode"],
            "canceled_at": null,
            "completed_at": null,
            "created": tx.now(),
            "current_phase": {"start_date": start, "end_date": end},
            "customer": subscription.customer(),
            "customer_account": null,
        }),
        json!({
            "default_settings": {
                "application_fee_percent": null,
                "automatic_tax": {"disabled_reason": null, "enabled": false, "liability": null},
                "billing_cycle_anchor": "automatic",
                "billing_thresholds": null,
                "collection_method": doc.object["collection_method"],
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
            "phases": [first],
            "released_at": null,
            "released_subscription": null,
            "status": "active",
            "subscription": of,
            "test_clock": doc.object["test_clock"],
        }),
    ]);
    tx.insert(KIND, object, Value::Null);
    tx.update(Kind::Subscription, of, "customer.subscription.updated", |doc| {
        doc.object["schedule"] = json!(id);
    });
    tx.emit("subscription_schedule.created", KIND, &id);
    Ok(id)
}

fn row(price: &Value, quantity: &Value, metadata: &Value) -> Value {
    json!({
        "billing_thresholds": null,
        "discounts": [],
        "metadata": metadata,
        "plan": price,
        "price": price,
        "quantity": quantity,
        "tax_rates": [],
    })
}

fn phase(currency: &Value, dates: (i64, i64), items: Vec<Value>, proration: &str) -> Value {
    json!({
        "add_invoice_items": [],
        "application_fee_percent": null,
        "billing_cycle_anchor": null,
        "billing_thresholds": null,
        "collection_method": null,
        "currency": currency,
        "default_payment_method": null,
        "default_tax_rates": [],
        "description": null,
        "discounts": [],
        "end_date": dates.1,
        "invoice_settings": null,
        "items": items,
        "metadata": {},
        "on_behalf_of": null,
        "proration_behavior": proration,
        "start_date": dates.0,
        "transfer_data": null,
        "trial_end": null,
    })
}

/// Changes what is to come.
///
/// # Errors
/// If the schedule is over, or a phase doesn't fit the subscription or the one before it.
pub(crate) fn update(tx: &mut Tx, id: &str, params: &Value) -> Result<(), ApiError> {
    let doc = tx.find(KIND, id, "id")?;
    must_run(&doc.object)?;
    let phases = match &params["phases"] {
        Value::Array(wanted) => Some(phases(tx, &doc.object, wanted)?),
        _ => None,
    };
    tx.update(KIND, id, "subscription_schedule.updated", |doc| {
        set(&mut doc.object, params, "end_behavior");
        merge_metadata(&mut doc.object, params);
        if let Some(phases) = phases {
            doc.object["phases"] = json!(phases);
        }
    });
    Ok(())
}

fn must_run(schedule: &Value) -> Result<(), ApiError> {
    if Schedule(schedule).is_running() {
        return Ok(());
    }
    let status = schedule["status"].as_str().unwrap_or_default();
    Err(ApiError::invalid(format!(
        "You cannot update a subscription schedule that is currently in the `{status}` status."
    )))
}

fn phases(tx: &mut Tx, schedule: &Value, wanted: &[Value]) -> Result<Vec<Value>, ApiError> {
    let current = Schedule(schedule).current_phase().unwrap_or_default();
    let subscription = tx.shown(Kind::Subscription, Schedule(schedule).subscription().unwrap_or_default());
    let mut start = current.0;
    let mut phases = Vec::new();
    for (index, given) in wanted.iter().enumerate() {
        let at = |field: &str| format!("phases[{index}][{field}]");
        if given["start_date"].as_i64().is_some_and(|given| given != start) {
            let message = "A phase begins where the one before it ends, the first with the current phase.";
            return Err(ApiError::invalid(message).param(&at("start_date")));
        }
        let items =
            items::of_new(tx, &given["items"]).map_err(|error| error.inside(&format!("phases[{index}]")))?;
        let interval = items::common_interval(items.iter().map(|item| &item.price))?;
        if let Some(other) =
            items.iter().map(|item| &item.price).find(|price| price["currency"] != subscription["currency"])
        {
            let message =
                format!("The price `{}` has another currency than the subscription.", Price(other).id());
            return Err(ApiError::invalid(message).param(&at("items")));
        }
        let duration = &given["duration"];
        let end = match (given["end_date"].as_i64(), duration.is_object()) {
            (Some(_), true) => {
                let message = "You may only specify one of these parameters: duration, end_date.";
                return Err(ApiError::invalid(message).param(&at("duration")));
            }
            (Some(end), false) => end,
            (None, true) => Interval::of(duration).nth(start, 1),
            (None, false) if index == 0 => current.1,
            (None, false) => interval.nth(start, 1),
        };
        if index == 0 && end != current.1 {
            let message =
                "The Stripe sandbox supports phases that begin with a period of the subscription only.";
            return Err(ApiError::invalid(message).param(&at("end_date")));
        }
        if end <= start {
            return Err(ApiError::invalid("A phase ends after it has begun.").param(&at("end_date")));
        }
        let rows =
            items.iter().map(|item| row(&item.price["id"], &json!(item.quantity), &item.metadata)).collect();
        let proration = given["proration_behavior"].as_str().unwrap_or("create_prorations");
        phases.push(phase(&subscription["currency"], (start, end), rows, proration));
        start = end;
    }
    Ok(phases)
}

/// A period begins: where a phase begins with it, the subscription becomes what that says; where the last one is over, the
/// schedule is.
pub(super) fn enter_phase(tx: &mut Tx, subscription: &str) {
    let doc = tx.get(Kind::Subscription, subscription);
    let Some(id) = doc.as_ref().and_then(|doc| Subscription(&doc.object).schedule().map(str::to_owned))
    else {
        return;
    };
    let Some(schedule) = tx.get(KIND, &id) else { return };
    let now = tx.now();
    let phases = schedule.object["phases"].as_array();
    let next = phases.into_iter().flatten().find(|phase| phase["start_date"] == now);
    let Some(next) = next else {
        let over = Schedule(&schedule.object).current_phase().is_none_or(|(_, end)| end <= now);
        if over && schedule.object["end_behavior"] == "release" {
            release(tx, &id);
        }
        return;
    };
    let mut current = subscriptions::items(tx, subscription).into_iter();
    let mut changes: Vec<Change> = Vec::new();
    for wanted in next["items"].as_array().into_iter().flatten() {
        let before = current.next();
        let discounts = before.as_ref().map(|item| ids(&item["discounts"]).map(str::to_owned).collect());
        let after = Wanted {
            price: tx.shown(Kind::Price, wanted["price"].as_str().unwrap_or_default()),
            quantity: wanted["quantity"].as_i64().unwrap_or(1),
            metadata: wanted["metadata"].clone(),
            discounts: discounts.unwrap_or_default(),
        };
        let own = before.as_ref().and_then(|item| item["id"].as_str()).map(str::to_owned);
        let id = own.unwrap_or_else(|| new_id(Kind::SubscriptionItem));
        changes.push(Change { id, before, after: Some(after) });
    }
    let gone = current.map(|item| Change {
        id: item["id"].as_str().unwrap_or_default().to_owned(),
        before: Some(item),
        after: None,
    });
    changes.extend(gone);
    let dates = json!({"start_date": next["start_date"], "end_date": next["end_date"]});
    Update::new(&changes).apply(tx, subscription);
    tx.update(KIND, &id, "subscription_schedule.updated", |doc| doc.object["current_phase"] = dates);
}

/// Lets the subscription go on without its schedule.
fn release(tx: &mut Tx, id: &str) {
    let Some(doc) = tx.get(KIND, id) else { return };
    let subscription = Schedule(&doc.object).subscription().unwrap_or_default();
    let now = tx.now();
    tx.change(KIND, id, |doc| {
        doc.object["status"] = json!("released");
        doc.object["released_at"] = json!(now);
        doc.object["released_subscription"] = json!(subscription);
        doc.object["subscription"] = Value::Null;
        doc.object["current_phase"] = Value::Null;
    });
    tx.change(Kind::Subscription, subscription, |doc| doc.object["schedule"] = Value::Null);
    tx.emit("subscription_schedule.released", KIND, id);
}

/// Takes a subscription from under its schedule, on demand.
///
/// # Errors
/// If the schedule is over.
pub(crate) fn let_go(tx: &mut Tx, id: &str) -> Result<(), ApiError> {
    let doc = tx.find(KIND, id, "id")?;
    must_run(&doc.object)?;
    let subscription = Schedule(&doc.object).subscription().unwrap_or_default();
    let before = tx.shown(Kind::Subscription, subscription);
    release(tx, id);
    tx.emit_changes(&before, "customer.subscription.updated", Kind::Subscription, subscription);
    Ok(())
}

/// Ends a schedule and its subscription with it.
///
/// # Errors
/// If the schedule is over.
pub(crate) fn cancel(tx: &mut Tx, id: &str) -> Result<(), ApiError> {
    let doc = tx.find(KIND, id, "id")?;
    must_run(&doc.object)?;
    subscriptions::end(tx, Schedule(&doc.object).subscription().unwrap_or_default());
    Ok(())
}

/// The subscription of a schedule has ended.
pub(super) fn ended(tx: &mut Tx, subscription: &str) {
    let doc = tx.get(Kind::Subscription, subscription);
    let Some(id) = doc.as_ref().and_then(|doc| Subscription(&doc.object).schedule()) else { return };
    let now = tx.now();
    tx.change(KIND, id, |doc| {
        doc.object["status"] = json!("canceled");
        doc.object["canceled_at"] = json!(now);
        doc.object["current_phase"] = Value::Null;
    });
    tx.emit("subscription_schedule.canceled", KIND, id);
}
