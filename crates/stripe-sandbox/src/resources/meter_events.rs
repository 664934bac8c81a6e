//! What is reported to meters, and taken back.
//!
//! Source: <https://docs.stripe.com/api/billing/meter-event>. Stripe looks at what is reported later, and tells of what is
//! wrong with it by an event of another version of its API; here it is refused at once. Assumed: 35 days back and five
//! minutes ahead, which the documents give for a timestamp, are by the customer's clock.

use std::sync::Arc;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::engine::objects::{Meter, MeterEvent};
use crate::engine::{ApiError, Doc, Kind, Tx, new_id};
use crate::http::{Call, Field, Route, Shape, opt, post, req};

const KIND: Kind = Kind::MeterEvent;
const DAY: i64 = 86_400;
/// How far back what is reported may lie, and how far ahead, in seconds.
const PAST: i64 = 35 * DAY;
const AHEAD: i64 = 300;
/// How long an identifier stays one event's, and an event can be taken back, in seconds.
const UNIQUE_FOR: i64 = DAY;

const CREATE: &[Field] = &[
    req("event_name", Shape::Text),
    opt("identifier", Shape::Text),
    req("payload", Shape::Map),
    opt("timestamp", Shape::Int),
];
const ADJUST: &[Field] = &[
    opt("cancel", Shape::Object(&[opt("identifier", Shape::Text)])),
    req("event_name", Shape::Text),
    req("type", Shape::Enum(&["cancel"])),
];

pub(super) const ROUTES: &[Route] = &[
    post("/v1/billing/meter_events", CREATE, create),
    post("/v1/billing/meter_event_adjustments", ADJUST, adjust),
];

fn create(call: &mut Call) -> Result<Value, ApiError> {
    let (tx, params) = (&mut *call.tx, call.params);
    let event_name = params["event_name"].as_str().unwrap_or_default();
    let meter = meter(tx, event_name)?;
    let meter = Meter(&meter.object);
    let payload = &params["payload"];
    let at = |key: &str| format!("payload[{key}]");
    let key = meter.customer_key();
    let customer = payload[key].as_str().ok_or_else(|| ApiError::required(&at(key)))?;
    let customer = tx.find(Kind::Customer, customer, &at(key))?.id().to_owned();
    tx.keep_time_of(&customer, true)?;
    if meter.formula() != "count" {
        let key = meter.value_key();
        let value = payload[key].as_str().ok_or_else(|| ApiError::required(&at(key)))?;
        if value.parse::<i64>().is_err() {
            return Err(ApiError::invalid(format!("Invalid integer: {value}")).param(&at(key)));
        }
    }
    let now = tx.now();
    let timestamp = params["timestamp"].as_i64().unwrap_or(now);
    if !(now - PAST..=now + AHEAD).contains(&timestamp) {
        let message =
            "The timestamp must be within the past 35 calendar days, and at most 5 minutes in the future.";
        return Err(ApiError::invalid(message).param("timestamp"));
    }
    let identifier = params["identifier"].as_str().map_or_else(|| Uuid::now_v7().to_string(), str::to_owned);
    if reported(tx, event_name, &identifier).is_some() {
        let message = format!("An event already exists with identifier {identifier}.");
        return Err(ApiError::invalid(message).param("identifier"));
    }
    let object = json!({
        "id": new_id(KIND),
        "object": "billing.meter_event",
        "created": now,
        "customer": customer,
        "event_name": event_name,
        "identifier": identifier,
        "livemode": false,
        "payload": payload,
        "timestamp": timestamp,
    });
    let mut shown = object.clone();
    tx.insert(KIND, object, Value::Null);
    if let Some(shown) = shown.as_object_mut() {
        // What it is found by.
        shown.retain(|field, _| field != "id" && field != "customer");
    }
    Ok(shown)
}

fn adjust(call: &mut Call) -> Result<Value, ApiError> {
    let (tx, params) = (&mut *call.tx, call.params);
    let event_name = params["event_name"].as_str().unwrap_or_default();
    meter(tx, event_name)?;
    let given = params["cancel"]["identifier"].as_str();
    let identifier = given.ok_or_else(|| ApiError::required("cancel[identifier]"))?;
    let Some(event) = reported(tx, event_name, identifier) else {
        let message = format!("No event with identifier {identifier} was reported within the last 24 hours.");
        return Err(ApiError::invalid(message).param("cancel[identifier]"));
    };
    tx.remove(KIND, event.id());
    Ok(json!({
        "object": "billing.meter_event_adjustment",
        "cancel": {"identifier": identifier},
        "event_name": event_name,
        "livemode": false,
        "status": "complete",
        "type": "cancel",
    }))
}

/// The meter that counts the events of a name.
fn meter(tx: &Tx, event_name: &str) -> Result<Arc<Doc>, ApiError> {
    let mut active = tx.all_with(Kind::Meter, "status", "active");
    active.find(|doc| Meter(&doc.object).event_name() == event_name).ok_or_else(|| {
        ApiError::invalid(format!("No active meter found for event name {event_name}.")).param("event_name")
    })
}

/// An event with this identifier of the last 24 hours, by the time of its customer.
fn reported(tx: &mut Tx, event_name: &str, identifier: &str) -> Option<Arc<Doc>> {
    let all: Vec<Arc<Doc>> = tx.all_with(KIND, "identifier", identifier).collect();
    all.into_iter().find(|doc| {
        let event = MeterEvent(&doc.object);
        tx.follow_time_of(event.customer());
        event.event_name() == event_name && event.created() > tx.now() - UNIQUE_FOR
    })
}
