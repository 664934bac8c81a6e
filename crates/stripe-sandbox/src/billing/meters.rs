//! What customers have used of what a meter counts.
//!
//! Source: <https://docs.stripe.com/billing/subscriptions/usage-based>

use serde_json::Value;

use super::lines::Line;
use crate::engine::objects::{Meter, MeterEvent, Price, Subscription};
use crate::engine::{Kind, Tx};

/// What a customer has used from `start` on until before `end`, in Unix seconds, as the meter counts it. Negative where more
/// was taken back than used.
pub(crate) fn used(tx: &Tx, meter: &Value, customer: &str, (start, end): (i64, i64)) -> i64 {
    let meter = Meter(meter);
    let counted = tx.all_with(Kind::MeterEvent, "customer", customer).filter_map(|doc| {
        let event = MeterEvent(&doc.object);
        let counts = event.event_name() == meter.event_name() && (start..end).contains(&event.timestamp());
        counts.then(|| (event.timestamp(), event.value(meter.value_key())))
    });
    match meter.formula() {
        "count" => i64::try_from(counted.count()).unwrap_or(i64::MAX),
        // The newest come first; of several at one moment, the one that was reported last counts.
        "last" => counted.fold(None, newest).map_or(0, |(_, value)| value),
        _ => counted.fold(0_i64, |sum, (_, value)| sum.saturating_add(value)),
    }
}

fn newest(best: Option<(i64, i64)>, next: (i64, i64)) -> Option<(i64, i64)> {
    match best {
        Some(best) if best.0 >= next.0 => Some(best),
        _ => Some(next),
    }
}

/// What an item of a metered price was used in a period, which is what it is charged for: nothing where it is negative.
pub(super) fn billed(tx: &Tx, customer: &str, price: &Value, period: (i64, i64)) -> i64 {
    let meter = price["recurring"]["meter"].as_str().and_then(|id| tx.get(Kind::Meter, id));
    meter.map_or(0, |meter| used(tx, &meter.object, customer, period).max(0))
}

/// Lines for what a subscription's metered items were used in their period, which is over at `end`. In a trial it is free.
pub(super) fn lines<'a>(
    tx: &Tx,
    subscription: Subscription<'a>,
    items: &'a [Value],
    end: i64,
) -> Vec<Line<'a>> {
    let metered = items.iter().filter(|item| Price(&item["price"]).is_metered());
    metered
        .map(|item| {
            let period = (item["current_period_start"].as_i64().unwrap_or(end), end);
            Line {
                subscription: subscription.id(),
                item,
                period,
                used: Some(billed(tx, subscription.customer(), &item["price"], period)),
                free: subscription.is_trial().then_some("Trial period for"),
            }
        })
        .collect()
}
