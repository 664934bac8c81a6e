//! Meters: what is counted of what customers use.
//!
//! Source: <https://docs.stripe.com/api/billing/meter>

use serde_json::{Value, json};

use crate::billing::meters::used;
use crate::engine::objects::{Meter, MeterEvent};
use crate::engine::{ApiError, Kind, Tx, new_id};
use crate::http::{Call, Field, Route, Shape, get, list, matches, opt, page, page_of_values, post, req, set};

const KIND: Kind = Kind::Meter;
const PATH: &str = "/v1/billing/meters";
const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

const STATUS: Shape = Shape::Enum(&["active", "inactive"]);
const WINDOW: Shape = Shape::Enum(&["day", "hour"]);
const CREATE: &[Field] = &[
    opt(
        "customer_mapping",
        Shape::Object(&[req("event_payload_key", Shape::Text), req("type", Shape::Enum(&["by_id"]))]),
    ),
    req("default_aggregation", Shape::Object(&[req("formula", Shape::Enum(&["count", "last", "sum"]))])),
    req("display_name", Shape::Text),
    req("event_name", Shape::Text),
    opt("event_time_window", WINDOW),
    opt("value_settings", Shape::Object(&[req("event_payload_key", Shape::Text)])),
];
const SUMMARIES: &[Field] = &[
    req("customer", Shape::Text),
    req("end_time", Shape::Int),
    req("start_time", Shape::Int),
    opt("value_grouping_window", WINDOW),
];

pub(super) const ROUTES: &[Route] = &[
    list(PATH, &[opt("status", STATUS)], |call| {
        let params = call.params;
        page(call.tx, KIND, PATH, params, |doc| matches(&doc.object, params, "status"))
    }),
    post(PATH, CREATE, create),
    get("/v1/billing/meters/{id}", &[], |call| {
        call.tx.find(KIND, call.id(), "id").map(|doc| doc.object.clone())
    }),
    post("/v1/billing/meters/{id}", &[opt("display_name", Shape::Text)], |call| {
        let id = call.tx.find(KIND, call.id(), "id")?.id().to_owned();
        let (now, params) = (call.tx.now(), call.params);
        call.tx.update(KIND, &id, "billing.meter.updated", |doc| {
            set(&mut doc.object, params, "display_name");
            doc.object["updated"] = json!(now);
        });
        Ok(call.tx.shown(KIND, &id))
    }),
    post("/v1/billing/meters/{id}/deactivate", &[], |call| switch(call, false)),
    post("/v1/billing/meters/{id}/reactivate", &[], |call| switch(call, true)),
    list("/v1/billing/meters/{id}/event_summaries", SUMMARIES, summaries),
];

fn create(call: &mut Call) -> Result<Value, ApiError> {
    let (tx, params) = (&mut *call.tx, call.params);
    let event_name = params["event_name"].as_str().unwrap_or_default();
    check_free(tx, event_name)?;
    let id = new_id(KIND);
    let customer_key = params["customer_mapping"]["event_payload_key"].as_str();
    let value_key = params["value_settings"]["event_payload_key"].as_str();
    let object = json!({
        "id": id,
        "object": "billing.meter",
        "created": tx.now(),
        "customer_mapping": {"event_payload_key": customer_key.unwrap_or("stripe_customer_id"), "type": "by_id"},
        "default_aggregation": {"formula": params["default_aggregation"]["formula"]},
        "display_name": params["display_name"],
        "event_name": event_name,
        "event_time_window": params["event_time_window"],
        "livemode": false,
        "status": "active",
        "status_transitions": {"deactivated_at": null},
        "updated": tx.now(),
        "value_settings": {"event_payload_key": value_key.unwrap_or("value")},
    });
    tx.insert(KIND, object, Value::Null);
    tx.emit("billing.meter.created", KIND, &id);
    Ok(tx.shown(KIND, &id))
}

/// That no other meter counts the events of this name.
fn check_free(tx: &Tx, event_name: &str) -> Result<(), ApiError> {
    let taken =
        tx.all_with(KIND, "status", "active").find(|doc| Meter(&doc.object).event_name() == event_name);
    match taken {
        Some(other) => {
            let message = format!("There is already an active meter for `{event_name}`: {}.", other.id());
            Err(ApiError::invalid(message).param("event_name"))
        }
        None => Ok(()),
    }
}

fn switch(call: &mut Call, active: bool) -> Result<Value, ApiError> {
    let doc = call.tx.find(KIND, call.id(), "id")?;
    let meter = Meter(&doc.object);
    let (status, event) = if active {
        ("active", "billing.meter.reactivated")
    } else {
        ("inactive", "billing.meter.deactivated")
    };
    if meter.is_active() == active {
        return Err(ApiError::invalid(format!("The meter is {status} already.")).param("id"));
    }
    if active {
        check_free(call.tx, meter.event_name())?;
    }
    let now = call.tx.now();
    call.tx.change(KIND, doc.id(), |doc| {
        doc.object["status"] = json!(status);
        doc.object["status_transitions"]["deactivated_at"] = json!((!active).then_some(now));
        doc.object["updated"] = json!(now);
    });
    call.tx.emit(event, KIND, doc.id());
    Ok(call.tx.shown(KIND, doc.id()))
}

/// What a customer has used: in all, or by the windows that it was used in, the newest first.
fn summaries(call: &mut Call) -> Result<Value, ApiError> {
    let doc = call.tx.find(KIND, call.id(), "id")?;
    let (tx, params) = (&*call.tx, call.params);
    let customer = tx.find(Kind::Customer, params["customer"].as_str().unwrap_or_default(), "customer")?;
    let window = match params["value_grouping_window"].as_str() {
        Some("day") => Some(DAY),
        Some(_) => Some(HOUR),
        None => None,
    };
    let mut bounds = [0, 0];
    for (bound, param) in bounds.iter_mut().zip(["start_time", "end_time"]) {
        *bound = params[param].as_i64().unwrap_or_default();
        if *bound % window.unwrap_or(MINUTE) != 0 {
            let message = format!("`{param}` must be aligned with {} boundaries.", boundaries(window));
            return Err(ApiError::invalid(message).param(param));
        }
    }
    let [start, end] = bounds;
    if start >= end {
        return Err(ApiError::invalid("`end_time` must be after `start_time`.").param("end_time"));
    }
    let summary = |(start, end): (i64, i64)| {
        json!({
            "id": format!("mtrusg_test_{}{start:x}{end:x}", customer.id().trim_start_matches("cus_")),
            "object": "billing.meter_event_summary",
            "aggregated_value": used(tx, &doc.object, customer.id(), (start, end)),
            "end_time": end,
            "livemode": false,
            "meter": doc.id(),
            "start_time": start,
        })
    };
    let data: Vec<Value> = match window {
        None => vec![summary((start, end))],
        Some(width) => {
            let events = tx.all_with(Kind::MeterEvent, "customer", customer.id());
            let mut starts: Vec<i64> = events
                .filter(|event| MeterEvent(&event.object).event_name() == Meter(&doc.object).event_name())
                .map(|event| MeterEvent(&event.object).timestamp())
                .filter(|at| (start..end).contains(at))
                .map(|at| at - at.rem_euclid(width))
                .collect();
            starts.sort_unstable_by(|one, other| other.cmp(one));
            starts.dedup();
            starts.into_iter().map(|start| summary((start, start + width))).collect()
        }
    };
    page_of_values(&data, KIND, &format!("{PATH}/{}/event_summaries", doc.id()), params)
}

fn boundaries(window: Option<i64>) -> &'static str {
    match window {
        Some(DAY) => "day",
        Some(_) => "hour",
        None => "minute",
    }
}
