//! How a subscription schedule runs: it begins, its phases follow each other, it ends.
//!
//! Source: <https://docs.stripe.com/billing/subscriptions/subscription-schedules>

use serde_json::{Value, json};

use super::items::{Change, Wanted};
use super::pending_update::Update;
use super::{create, subscriptions};
use crate::engine::objects::{Schedule, Subscription, ids};
use crate::engine::{ApiError, Doc, Kind, Tx, new_id};

const KIND: Kind = Kind::SubscriptionSchedule;
/// How long before its end a schedule's end is announced, in seconds; a shorter one's at once.
/// Source: <https://docs.stripe.com/api/events/types#event_types-subscription_schedule.expiring>
const NOTICE: i64 = 7 * 86_400;

/// When a schedule has to be seen to next, in Unix seconds.
pub(super) fn at(doc: &Doc) -> Option<i64> {
    let schedule = Schedule(&doc.object);
    if schedule.is_running() {
        let end = schedule.ends_at()?;
        return Some(if doc.hidden["expiry_announced"] == true { end } else { end - NOTICE });
    }
    schedule.starts_at().filter(|_| !schedule.is_over())
}

/// Does what is due.
pub(super) fn perform(tx: &mut Tx, id: &str) {
    let Some(doc) = tx.get(KIND, id) else { return };
    let schedule = Schedule(&doc.object);
    let is_due = |at: Option<i64>| at.is_some_and(|at| at <= tx.now());
    if !schedule.is_running() {
        if begin(tx, id).is_err() {
            // Assumed: what can't begin any more, such as with a price that was archived since, doesn't.
            close(tx, id, "canceled");
        }
    } else if is_due(schedule.ends_at()) {
        finish(tx, id);
    } else {
        tx.change(KIND, id, |doc| doc.hidden["expiry_announced"] = json!(true));
        tx.emit("subscription_schedule.expiring", KIND, id);
    }
}

/// Begins with the first phase: its subscription starts, and is charged an hour later.
///
/// # Errors
/// Whatever refuses the subscription.
pub(super) fn begin(tx: &mut Tx, id: &str) -> Result<(), ApiError> {
    let doc = tx.find(KIND, id, "id")?;
    let first = &doc.object["phases"][0];
    let items = first["items"].as_array().into_iter().flatten();
    let items: Vec<Value> = items
        .map(|item| json!({"price": item["price"], "quantity": item["quantity"], "metadata": item["metadata"]}))
        .collect();
    let params = json!({"customer": doc.object["customer"], "items": items});
    let subscription = create::by_schedule(tx, &params, id)?;
    tx.update(KIND, id, "subscription_schedule.updated", |doc| {
        doc.object["status"] = json!("active");
        doc.object["subscription"] = json!(subscription);
        doc.object["current_phase"] =
            json!({"start_date": first["start_date"], "end_date": first["end_date"]});
    });
    set_end(tx, id);
    Ok(())
}

/// Has the subscription end with its schedule, if it is to.
pub(super) fn set_end(tx: &mut Tx, id: &str) {
    let Some(doc) = tx.get(KIND, id) else { return };
    let schedule = Schedule(&doc.object);
    let Some(subscription) = schedule.subscription() else { return };
    let end = schedule.ends_at().filter(|_| schedule.cancels());
    tx.update(Kind::Subscription, subscription, "customer.subscription.updated", |doc| {
        doc.object["cancel_at"] = json!(end);
    });
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
    let Some(next) = phases.into_iter().flatten().find(|phase| phase["start_date"] == now) else {
        if Schedule(&schedule.object).ends_at().is_some_and(|end| end <= now) {
            finish(tx, &id);
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

/// The last phase is over. A schedule is completed by that, and its subscription is released from it or ends. Assumed: that
/// it is both completed and released is told, and its status is the latter.
fn finish(tx: &mut Tx, id: &str) {
    let Some(doc) = tx.get(KIND, id) else { return };
    let schedule = Schedule(&doc.object);
    if schedule.cancels() {
        subscriptions::end(tx, schedule.subscription().unwrap_or_default());
        return;
    }
    let now = tx.now();
    tx.change(KIND, id, |doc| doc.object["completed_at"] = json!(now));
    tx.emit("subscription_schedule.completed", KIND, id);
    release(tx, id, true);
}

/// Lets the subscription go on without its schedule, which takes back that it is to end with it, unless that is kept.
pub(super) fn release(tx: &mut Tx, id: &str, keeps_end: bool) {
    let Some(doc) = tx.get(KIND, id) else { return };
    let schedule = Schedule(&doc.object);
    let now = tx.now();
    let ends = schedule.cancels();
    tx.change(KIND, id, |doc| {
        doc.object["status"] = json!("released");
        doc.object["released_at"] = json!(now);
        doc.object["released_subscription"] = doc.object["subscription"].take();
        doc.object["current_phase"] = Value::Null;
    });
    tx.change(Kind::Subscription, schedule.subscription().unwrap_or_default(), |doc| {
        doc.object["schedule"] = Value::Null;
        if ends && !keeps_end {
            doc.object["cancel_at"] = Value::Null;
        }
    });
    tx.emit("subscription_schedule.released", KIND, id);
}

/// The subscription of a schedule has ended: with it as planned, for want of payment, or before.
pub(super) fn ended(tx: &mut Tx, subscription: &str) {
    let Some(doc) = tx.get(Kind::Subscription, subscription) else { return };
    let Some(id) = Subscription(&doc.object).schedule() else { return };
    let Some(schedule) = tx.get(KIND, id) else { return };
    let view = Schedule(&schedule.object);
    let as_planned = view.cancels() && view.ends_at().is_some_and(|end| end <= tx.now());
    let unpaid = doc.object["cancellation_details"]["reason"] == "payment_failed";
    close(
        tx,
        id,
        if as_planned {
            "completed"
        } else if unpaid {
            "aborted"
        } else {
            "canceled"
        },
    );
}

/// Ends a schedule by the event of this name.
pub(super) fn close(tx: &mut Tx, id: &str, how: &str) {
    let now = tx.now();
    let (status, time) =
        if how == "completed" { ("completed", "completed_at") } else { ("canceled", "canceled_at") };
    tx.change(KIND, id, |doc| {
        doc.object["status"] = json!(status);
        doc.object[time] = json!(now);
        doc.object["current_phase"] = Value::Null;
    });
    tx.emit(&format!("subscription_schedule.{how}"), KIND, id);
}
