//! How these pages write dates and prices.

use chrono::DateTime;
use serde_json::Value;

use crate::billing::amount;
use crate::money;

/// A day, of a Unix time, in UTC; empty where there is none.
pub(super) fn day(value: &Value) -> String {
    let time = value.as_i64().and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    time.map(|time| time.format("%-d %b %Y").to_string()).unwrap_or_default()
}

/// An amount in the currency of `object`, as `$29.99`.
pub(super) fn sum(minor: &Value, object: &Value) -> String {
    let currency = object["currency"].as_str().unwrap_or("usd");
    money::with_sign(minor.as_i64().unwrap_or_default(), currency)
}

/// What a quantity of a price costs, and how often.
pub(super) fn price(price: &Value, quantity: i64) -> String {
    let whole = money::with_sign(amount(price, quantity), price["currency"].as_str().unwrap_or("usd"));
    match (price["recurring"]["interval"].as_str(), price["recurring"]["interval_count"].as_i64()) {
        (Some(interval), Some(count)) if count > 1 => format!("{whole} every {count} {interval}s"),
        (Some(interval), _) => format!("{whole} per {interval}"),
        _ => whole,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn prices_say_how_often() {
        let mut of = json!({"unit_amount": 2999, "currency": "usd", "recurring": {"interval": "month", "interval_count": 1}});
        assert_eq!(price(&of, 2), "$59.98 per month");
        of["recurring"]["interval_count"] = json!(3);
        assert_eq!(price(&of, 1), "$29.99 every 3 months");
        assert_eq!(day(&json!(1_769_860_800)), "31 Jan 2026");
        assert_eq!(day(&Value::Null), "");
    }
}
