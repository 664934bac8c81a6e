//! Meters, and what is reported to them.

use serde_json::Value;

use super::text;

/// A meter.
#[derive(Clone, Copy)]
pub(crate) struct Meter<'a>(pub(crate) &'a Value);

impl<'a> Meter<'a> {
    pub(crate) fn is_active(self) -> bool {
        self.0["status"] == "active"
    }

    pub(crate) fn event_name(self) -> &'a str {
        text(&self.0["event_name"])
    }

    /// `sum`, `count` or `last`.
    pub(crate) fn formula(self) -> &'a str {
        text(&self.0["default_aggregation"]["formula"])
    }

    /// Where an event's payload names its customer.
    pub(crate) fn customer_key(self) -> &'a str {
        text(&self.0["customer_mapping"]["event_payload_key"])
    }

    /// Where an event's payload has what was used.
    pub(crate) fn value_key(self) -> &'a str {
        text(&self.0["value_settings"]["event_payload_key"])
    }
}

/// What was used of something at a moment.
#[derive(Clone, Copy)]
pub(crate) struct MeterEvent<'a>(pub(crate) &'a Value);

impl<'a> MeterEvent<'a> {
    pub(crate) fn event_name(self) -> &'a str {
        text(&self.0["event_name"])
    }

    pub(crate) fn customer(self) -> &'a str {
        text(&self.0["customer"])
    }

    /// When it was reported, in Unix seconds.
    pub(crate) fn created(self) -> i64 {
        self.0["created"].as_i64().unwrap_or_default()
    }

    /// When it was used, in Unix seconds.
    pub(crate) fn timestamp(self) -> i64 {
        self.0["timestamp"].as_i64().unwrap_or_default()
    }

    /// The whole number that its payload has under a key; 0 where it has none.
    pub(crate) fn value(self, key: &str) -> i64 {
        self.0["payload"][key].as_str().and_then(|value| value.parse().ok()).unwrap_or_default()
    }
}
