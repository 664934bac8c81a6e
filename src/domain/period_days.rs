//! A period day by day.

use chrono::{DateTime, NaiveDate, Utc};

use super::{PerType, Period, Sums};

/// A period, and what was used on each calendar day (UTC) that it touches.
#[derive(Clone, Debug)]
pub struct PeriodDays {
    pub period: Period,
    pub days: Vec<Sums>,
}

impl PeriodDays {
    /// The days of a period, of sums of what was used from a time on.
    pub fn new(period: Period, sums: impl Iterator<Item = (DateTime<Utc>, Sums)>) -> Self {
        let first = period.start.date_naive();
        // The end isn't part of the period: at midnight, its day isn't either.
        let last = (period.end - chrono::Duration::microseconds(1)).date_naive();
        let last_index = index(first, last);
        let mut days = vec![Sums::default(); last_index + 1];
        for (at, sums) in sums {
            // An event that lies outside of what the period is by now counts all the same.
            days[index(first, at.date_naive()).min(last_index)] += sums;
        }
        Self { period, days }
    }

    /// Which of the days contains `at`.
    pub fn index(&self, at: DateTime<Utc>) -> usize {
        index(self.period.start.date_naive(), at.date_naive()).min(self.days.len() - 1)
    }

    /// The date of a day.
    pub fn date(&self, index: usize) -> NaiveDate {
        self.period.start.date_naive() + chrono::Duration::days(index as i64)
    }

    /// What was used on each whole day that is over at `now`: neither on the one the period began in nor today.
    pub fn whole_days(&self, now: DateTime<Utc>) -> PerType<Vec<i64>> {
        let whole = self.days.get(1..self.index(now)).unwrap_or_default();
        PerType::of(|kind| whole.iter().map(|day| day.tokens()[kind]).collect())
    }
}

/// Days from `first` to `day`; 0 for an earlier one.
fn index(first: NaiveDate, day: NaiveDate) -> usize {
    usize::try_from((day - first).num_days()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn days(start: &str, end: &str) -> PeriodDays {
        PeriodDays::new(Period { start: at(start), end: at(end) }, std::iter::empty())
    }

    #[test]
    fn a_period_has_the_days_that_it_touches() {
        let count = |start: &str, end: &str| days(start, end).days.len();
        assert_eq!(count("2026-11-07T09:12:00Z", "2026-12-07T09:12:00Z"), 31);
        assert_eq!(count("2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"), 30);
        let days = days("2026-11-07T09:12:00Z", "2026-12-07T09:12:00Z");
        assert_eq!((days.index(days.period.start), days.index(at("2026-11-08T00:00:00Z"))), (0, 1));
        assert_eq!(days.index(at("2027-01-01T00:00:00Z")), 30);
        assert_eq!(days.date(30), at("2026-12-07T09:12:00Z").date_naive());
    }

    #[test]
    fn neither_the_first_day_nor_today_is_whole() {
        let days = days("2026-11-07T09:12:00Z", "2026-12-07T09:12:00Z");
        let whole = |now: &str| days.whole_days(at(now)).llm.len();
        assert_eq!(whole("2026-11-07T10:00:00Z"), 0);
        assert_eq!(whole("2026-11-08T23:59:59Z"), 0);
        assert_eq!(whole("2026-11-11T00:00:00Z"), 3);
    }
}
