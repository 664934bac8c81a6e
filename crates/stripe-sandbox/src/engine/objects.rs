//! Typed views of the objects whose fields the code decides by. An object is a document, kept as the API shows it;
//! a view names what is read of it, once.

mod credit_note;
mod customer;
mod dispute;
mod intent;
mod invoice;
mod meters;
mod price;
mod subscription;

use serde::Deserialize;
use serde_json::Value;

pub(crate) use credit_note::CreditNote;
pub(crate) use customer::{Customer, Discount};
pub(crate) use dispute::{Dispute, DisputeStatus};
pub(crate) use intent::{Charge, Intent, IntentStatus};
pub(crate) use invoice::{Invoice, InvoiceStatus};
pub(crate) use meters::{Meter, MeterEvent};
pub(crate) use price::{Price, quantity};
pub(crate) use subscription::{Schedule, Subscription, SubscriptionStatus};

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn status<'a, Status: Deserialize<'a>>(object: &'a Value) -> Option<Status> {
    Status::deserialize(&object["status"]).ok()
}

/// The ids of a list of them.
pub(crate) fn ids(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}

/// A test clock.
#[derive(Clone, Copy)]
pub(crate) struct TestClock<'a>(pub(crate) &'a Value);

impl TestClock<'_> {
    /// Unix seconds.
    pub(crate) fn frozen_time(self) -> Option<i64> {
        self.0["frozen_time"].as_i64()
    }

    /// Where it is being advanced to, in Unix seconds; `None` if it stands.
    pub(crate) fn target(self) -> Option<i64> {
        self.0["status_details"]["advancing"]["target_frozen_time"].as_i64()
    }
}

/// Who a payment method is kept with.
pub(crate) fn owner(method: &Value) -> Option<&str> {
    method["customer"].as_str()
}
