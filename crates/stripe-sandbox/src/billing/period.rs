//! Billing periods.

use chrono::{DateTime, Days, Months, Utc};
use serde_json::Value;

/// How often something is billed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Interval {
    unit: Unit,
    count: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Day,
    Month,
}

impl Interval {
    /// Of a price's `recurring`: `{interval, interval_count}`.
    pub(crate) fn of(recurring: &Value) -> Self {
        let count = recurring["interval_count"].as_i64().unwrap_or(1);
        match recurring["interval"].as_str() {
            Some("day") => Self { unit: Unit::Day, count },
            Some("week") => Self { unit: Unit::Day, count: count * 7 },
            Some("year") => Self { unit: Unit::Month, count: count * 12 },
            _ => Self { unit: Unit::Month, count },
        }
    }

    /// Whether it is no longer than Stripe allows: three years.
    pub(crate) fn is_allowed(self) -> bool {
        let most = match self.unit {
            Unit::Day => 3 * 365,
            Unit::Month => 3 * 12,
        };
        (1..=most).contains(&self.count)
    }

    /// The end of the `n`th period after `anchor` (before it, if negative), in Unix seconds. Counted from the
    /// anchor itself, so that one at a month's end comes back to it: 31 January, 28 February, 31 March.
    /// Source: <https://docs.stripe.com/billing/subscriptions/billing-cycle>
    pub(crate) fn nth(self, anchor: i64, n: i64) -> i64 {
        let steps = u32::try_from(self.count * n.abs()).unwrap_or(u32::MAX);
        let moved =
            DateTime::from_timestamp(anchor, 0).and_then(|at: DateTime<Utc>| match (self.unit, n < 0) {
                (Unit::Day, false) => at.checked_add_days(Days::new(steps.into())),
                (Unit::Day, true) => at.checked_sub_days(Days::new(steps.into())),
                (Unit::Month, false) => at.checked_add_months(Months::new(steps)),
                (Unit::Month, true) => at.checked_sub_months(Months::new(steps)),
            });
        moved.map_or(anchor, |at| at.timestamp())
    }
}

impl Interval {
    /// The end of the period, counted from `anchor`, that is the first after `at`.
    pub(super) fn after(self, anchor: i64, at: i64) -> i64 {
        let longest = match self.unit {
            Unit::Day => 86_400,
            Unit::Month => 31 * 86_400,
        };
        // No later than the one that is sought, and not far from it.
        let mut n = (at - anchor).max(0) / (longest * self.count.max(1));
        while self.nth(anchor, n) <= at {
            n += 1;
        }
        self.nth(anchor, n)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn at(text: &str) -> i64 {
        text.parse::<DateTime<Utc>>().unwrap().timestamp()
    }

    fn interval(unit: &str, count: i64) -> Interval {
        Interval::of(&json!({"interval": unit, "interval_count": count}))
    }

    #[test]
    fn months_end_where_the_anchor_would() {
        let month = interval("month", 1);
        let anchor = at("2026-01-31T10:00:00Z");
        for (n, expected) in [
            (0, "2026-01-31T10:00:00Z"),
            (1, "2026-02-28T10:00:00Z"),
            (2, "2026-03-31T10:00:00Z"),
            (3, "2026-04-30T10:00:00Z"),
            (25, "2028-02-29T10:00:00Z"),
            (-1, "2025-12-31T10:00:00Z"),
            (-2, "2025-11-30T10:00:00Z"),
        ] {
            assert_eq!(month.nth(anchor, n), at(expected), "{n}");
        }
    }

    #[test]
    fn other_units() {
        let anchor = at("2024-02-29T00:00:00Z");
        assert_eq!(interval("year", 1).nth(anchor, 1), at("2025-02-28T00:00:00Z"));
        assert_eq!(interval("year", 1).nth(anchor, 4), at("2028-02-29T00:00:00Z"));
        assert_eq!(interval("week", 2).nth(anchor, 1), at("2024-03-14T00:00:00Z"));
        assert_eq!(interval("day", 3).nth(anchor, -1), at("2024-02-26T00:00:00Z"));
    }

    proptest! {
        #[test]
        fn periods_follow_each_other(anchor in 0i64..4_000_000_000, n in -40i64..40, count in 1i64..13) {
            let month = interval("month", count);
            prop_assert!(month.nth(anchor, n) < month.nth(anchor, n + 1));
        }

        #[test]
        fn the_period_after_a_time_is_the_first_that_ends_later(
            anchor in 0i64..4_000_000_000, n in 0i64..40, within in 0.0..1.0f64, count in 1i64..13, days in any::<bool>(),
        ) {
            let interval = interval(if days { "day" } else { "month" }, count);
            let (start, end) = (interval.nth(anchor, n), interval.nth(anchor, n + 1));
            let at = start + ((end - start - 1) as f64 * within) as i64;
            prop_assert_eq!(interval.after(anchor, at), end);
        }
    }
}
