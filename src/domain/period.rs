//! Billing periods: months and years counted from an anchor, as Stripe counts them.

use chrono::{DateTime, Months, Utc};
use serde::{Deserialize, Serialize};

use super::Interval;

/// A half-open span of time, `start <= t < end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Period {
    pub start: DateTime<Utc>,
    pub end: DateTime<Utc>,
}

impl Period {
    pub fn contains(&self, at: DateTime<Utc>) -> bool {
        self.start <= at && at < self.end
    }

    /// The period of the same rhythm that contains `at`, for an `at` at or after this period's end.
    /// Each boundary is counted from this period's start, so that a month that begins on the 31st
    /// goes 31 January, 28 February, 31 March rather than drifting to the 28th.
    pub fn following(&self, interval: Interval, at: DateTime<Utc>) -> Self {
        let step = interval.months();
        let mut current = *self;
        let mut count = 1;
        while current.end <= at {
            count += 1;
            let Some(end) = self.start.checked_add_months(Months::new(step * count)) else { break };
            current = Self { start: current.end, end: end.max(current.end) };
            if current.start == current.end {
                break;
            }
        }
        current
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn a_month_from_the_31st_is_clamped_and_comes_back() {
        let january = Period { start: at("2026-01-31T09:00:00Z"), end: at("2026-02-28T09:00:00Z") };
        let february = january.following(Interval::Month, at("2026-02-28T09:00:00Z"));
        assert_eq!(february, Period { start: january.end, end: at("2026-03-31T09:00:00Z") });
        let may = january.following(Interval::Month, at("2026-06-01T00:00:00Z"));
        assert_eq!(may, Period { start: at("2026-05-31T09:00:00Z"), end: at("2026-06-30T09:00:00Z") });
    }

    #[test]
    fn a_period_that_is_not_over_is_its_own_answer() {
        let period = Period { start: at("2026-01-01T00:00:00Z"), end: at("2026-02-01T00:00:00Z") };
        assert_eq!(period.following(Interval::Month, at("2026-01-31T23:59:59Z")), period);
    }

    #[test]
    fn the_end_belongs_to_the_next_period() {
        let period = Period { start: at("2026-01-01T00:00:00Z"), end: at("2026-02-01T00:00:00Z") };
        assert!(period.contains(period.start) && !period.contains(period.end));
    }
}
