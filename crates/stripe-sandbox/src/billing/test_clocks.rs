//! Test clocks: what advancing one asks for, and what becomes of its customers.
//!
//! Source: <https://docs.stripe.com/billing/testing/test-clocks/api-advanced-usage>. Stripe has three customers on a clock at
//! most, and three subscriptions of each. There is no such limit here: an application's demo has all of its customers on one.

use serde_json::{Value, json};

use super::Interval;
use crate::engine::objects::{Price, Subscription, TestClock};
use crate::engine::{ApiError, Cause, Kind, Sandbox, Tx, new_id};

/// Why a clock could not be advanced.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AdvanceError {
    #[error("{0}")]
    Refused(String),
    #[error("the sandbox's database could not be written")]
    Storage,
}

impl Sandbox {
    /// As [`advance`], by hand.
    ///
    /// # Errors
    /// As [`advance`], in words; or the disk's.
    pub(crate) async fn advance_clock(&self, id: &str, to: i64) -> Result<(), AdvanceError> {
        let advanced = self.transact(Cause::default(), |tx| {
            let advanced = tx.keep_time_of(id, true).and_then(|()| advance(tx, id, to));
            (advanced.is_ok(), advanced)
        });
        match advanced.await {
            Ok(advanced) => advanced.map_err(|error| AdvanceError::Refused(error.message())),
            Err(_) => Err(AdvanceError::Storage),
        }
    }
}

const KIND: Kind = Kind::TestClock;
const DAY: i64 = 86_400;
/// After which a clock is deleted.
const LIFE: i64 = 30 * DAY;

/// Makes a clock that stands at `frozen_time`. Returns its id.
pub(crate) fn create(tx: &mut Tx, name: &Value, frozen_time: i64) -> String {
    let id = new_id(KIND);
    let object = json!({
        "id": id,
        "object": KIND.object(),
        "created": tx.now(),
        "deletes_after": tx.now() + LIFE,
        "frozen_time": frozen_time,
        "livemode": false,
        "name": name,
        "status": "ready",
        "status_details": {},
    });
    tx.insert(KIND, object, Value::Null);
    tx.emit("test_helpers.test_clock.created", KIND, &id);
    id
}

/// Begins to advance a clock. It is where it is to go once all that falls due until then is done.
///
/// # Errors
/// If the time isn't ahead of it, or is further ahead than Stripe allows.
pub(crate) fn advance(tx: &mut Tx, id: &str, to: i64) -> Result<(), ApiError> {
    let doc = tx.find(KIND, id, "id")?;
    let now = TestClock(&doc.object).frozen_time().unwrap_or_default();
    if to <= now {
        let message = "The test clock can only be advanced to a time after its current frozen time.";
        return Err(ApiError::invalid(message).param("frozen_time"));
    }
    if to > furthest(tx, id, now) {
        let message = "You cannot advance a test clock more than two intervals from its current frozen time. The interval \
                       is the shortest of the clock's subscriptions, or a year if it has none.";
        return Err(ApiError::invalid(message).param("frozen_time"));
    }
    tx.change(KIND, id, |doc| {
        doc.object["status"] = json!("advancing");
        doc.object["status_details"] = json!({"advancing": {"target_frozen_time": to}});
    });
    tx.emit("test_helpers.test_clock.advancing", KIND, id);
    Ok(())
}

/// Two intervals of the shortest subscription ahead, or two years if there is none.
fn furthest(tx: &Tx, clock: &str, now: i64) -> i64 {
    let mine = tx
        .all_with(Kind::Subscription, "test_clock", clock)
        .filter(|doc| !Subscription(&doc.object).is_over());
    let intervals =
        mine.flat_map(|doc| tx.items_of(&doc)).map(|item| Interval::of(Price(&item["price"]).recurring()));
    let year = Interval::of(&json!({"interval": "year", "interval_count": 1}));
    intervals.map(|interval| interval.nth(now, 2)).min().unwrap_or(year.nth(now, 2))
}

/// The clock is where it was to go.
pub(super) fn arrive(tx: &mut Tx, id: &str) {
    let Some(to) = tx.get(KIND, id).and_then(|doc| TestClock(&doc.object).target()) else { return };
    tx.change(KIND, id, |doc| {
        doc.object["frozen_time"] = json!(to);
        doc.object["status"] = json!("ready");
        doc.object["status_details"] = json!({});
    });
    tx.emit("test_helpers.test_clock.ready", KIND, id);
}
