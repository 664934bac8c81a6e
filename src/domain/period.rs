//! Billing periods and the usage periods in them: months and years counted from an anchor, as Stripe counts them.

use chrono::{DateTime, Datelike, Duration, Months, Utc};
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

    /// The moment in the period that is nearest to `at`.
    pub fn nearest(&self, at: DateTime<Utc>) -> DateTime<Utc> {
        at.min(self.end - Duration::microseconds(1)).max(self.start)
    }
}

/// The longest month there is. A billing period that is no longer is one usage period, wherever its anchor lies.
const MONTH: Duration = Duration::days(31);

/// The rhythm in which a subscription is charged, and in which its tokens are renewed.
///
/// Each boundary is counted from the anchor, so that months anchored on the 31st go 31 January, 28 February, 31 March
/// rather than drifting to the 28th. Source: <https://docs.stripe.com/billing/subscriptions/billing-cycle>.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cycle {
    /// The billing period that Stripe named last.
    pub billing: Period,
    /// What months and years are counted from. Of a trial, its end.
    pub anchor: DateTime<Utc>,
    pub interval: Interval,
}

impl Cycle {
    /// The rhythm whose first billing period begins with its anchor.
    pub fn from_anchor(anchor: DateTime<Utc>, interval: Interval) -> Self {
        let first = Self { billing: Period { start: anchor, end: anchor }, anchor, interval };
        let end = first.boundary(i64::from(interval.months()));
        Self { billing: Period { start: anchor, end }, ..first }
    }

    /// The usage period that contains `at`: a month of the billing period, which at its ends may be shorter. After the
    /// billing period, one of those that follow it by the calendar; before it, its first.
    pub fn usage_period(&self, at: DateTime<Utc>) -> Period {
        let at = at.max(self.billing.start);
        let billing = self.billing_period(at);
        if billing.end - billing.start <= MONTH {
            return billing;
        }
        let month = self.month(at);
        Period {
            start: self.boundary(month).max(billing.start),
            end: self.boundary(month + 1).min(billing.end),
        }
    }

    /// The usage periods from one that begins at `from` to the last that begins before `until`.
    pub fn usage_periods(self, from: DateTime<Utc>, until: DateTime<Utc>) -> impl Iterator<Item = Period> {
        let first = Some(self.usage_period(from)).filter(|period| period.start == from);
        std::iter::successors(first, move |last| {
            Some(self.usage_period(last.end)).filter(|next| next.start == last.end)
        })
        .take_while(move |period| period.start < until)
    }

    fn billing_period(&self, at: DateTime<Utc>) -> Period {
        if at < self.billing.end {
            return self.billing;
        }
        let step = i64::from(self.interval.months());
        let count = self.month(at).div_euclid(step) * step;
        Period { start: self.boundary(count).max(self.billing.end), end: self.boundary(count + step) }
    }

    /// How many months after the anchor the month begins that contains `at`.
    fn month(&self, at: DateTime<Utc>) -> i64 {
        let months = |time: DateTime<Utc>| i64::from(time.year()) * 12 + i64::from(time.month0());
        let count = months(at) - months(self.anchor);
        if self.boundary(count) <= at { count } else { count - 1 }
    }

    /// So many months after the anchor, or at the month's last day where it has no such.
    fn boundary(&self, months: i64) -> DateTime<Utc> {
        let count = Months::new(u32::try_from(months.unsigned_abs()).unwrap_or(u32::MAX));
        let (counted, last) = if months < 0 {
            (self.anchor.checked_sub_months(count), DateTime::<Utc>::MIN_UTC)
        } else {
            (self.anchor.checked_add_months(count), DateTime::<Utc>::MAX_UTC)
        };
        counted.unwrap_or(last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn period(start: &str, end: &str) -> Period {
        Period { start: at(start), end: at(end) }
    }

    fn cycle(start: &str, end: &str, interval: Interval) -> Cycle {
        Cycle { billing: period(start, end), anchor: at(start), interval }
    }

    /// The days on which the usage periods begin.
    fn days(cycle: Cycle, until: &str) -> Vec<String> {
        cycle
            .usage_periods(cycle.billing.start, at(until))
            .map(|period| period.start.format("%F").to_string())
            .collect()
    }

    #[test]
    fn a_month_from_the_31st_is_clamped_and_comes_back() {
        let january = cycle("2026-01-31T09:00:00Z", "2026-02-28T09:00:00Z", Interval::Month);
        assert_eq!(
            days(january, "2026-06-01T00:00:00Z"),
            ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"]
        );
        // Also where Stripe named the short month last.
        let february = Cycle { billing: period("2026-02-28T09:00:00Z", "2026-03-31T09:00:00Z"), ..january };
        assert_eq!(
            february.usage_period(at("2026-04-01T00:00:00Z")),
            period("2026-03-31T09:00:00Z", "2026-04-30T09:00:00Z")
        );
    }

    #[test]
    fn a_year_has_twelve_usage_periods_and_goes_on_by_its_anchor() {
        let leap = cycle("2024-02-29T09:00:00Z", "2025-02-28T09:00:00Z", Interval::Year);
        let found = days(leap, "2025-04-01T00:00:00Z");
        assert_eq!(found.len(), 14);
        assert_eq!(found[..3], ["2024-02-29", "2024-03-29", "2024-04-29"]);
        assert_eq!(found[11..], ["2025-01-29", "2025-02-28", "2025-03-29"]);
    }

    #[test]
    fn a_trial_of_up_to_a_month_is_one_usage_period_and_a_longer_one_is_its_months() {
        let trial = |end: &str| Cycle {
            billing: period("2026-02-01T09:00:00Z", end),
            anchor: at(end),
            interval: Interval::Month,
        };
        for end in ["2026-02-15T09:00:00Z", "2026-03-03T09:00:00Z"] {
            let trial = trial(end);
            assert_eq!(trial.usage_period(trial.billing.start), trial.billing);
            assert_eq!(trial.usage_period(at(end)).start, at(end));
        }
        let long = days(trial("2026-04-02T09:00:00Z"), "2026-04-03T00:00:00Z");
        assert_eq!(long, ["2026-02-01", "2026-02-02", "2026-03-02", "2026-04-02"]);
    }

    #[test]
    fn periods_touch_and_what_isnt_over_is_its_own_answer() {
        for interval in [Interval::Month, Interval::Year] {
            let end =
                if interval == Interval::Month { "2026-02-28T12:00:00Z" } else { "2027-01-31T12:00:00Z" };
            let cycle = cycle("2026-01-31T12:00:00Z", end, interval);
            for hours in 0..30_000 {
                let time = cycle.billing.start + Duration::hours(hours);
                let found = cycle.usage_period(time);
                assert!(found.contains(time), "{time} is in {found:?}");
                assert_eq!(cycle.usage_period(found.end).start, found.end);
            }
        }
    }

    #[test]
    fn before_the_billing_period_there_is_its_first_and_unaligned_times_have_none() {
        let year = cycle("2026-01-31T09:00:00Z", "2027-01-31T09:00:00Z", Interval::Year);
        assert_eq!(year.usage_period(at("2025-01-01T00:00:00Z")).start, year.billing.start);
        assert_eq!(year.usage_periods(at("2026-02-01T00:00:00Z"), at("2026-06-01T00:00:00Z")).count(), 0);
    }
}
