//! What a period will have used when it ends, and when its allowance runs out, if it goes on as it has so far.

use chrono::{DateTime, Duration, NaiveTime, Utc};

use super::Period;

/// The fewest whole days that say anything of how days differ.
pub const LEAST_DAYS: usize = 3;

/// A period with [`LEAST_DAYS`] whole days at `now` began before this: the day it began in isn't one, nor is today.
pub fn forecast_begins_before(now: DateTime<Utc>) -> DateTime<Utc> {
    now.date_naive().and_time(NaiveTime::MIN).and_utc() - Duration::days(LEAST_DAYS as i64)
}

/// How many standard deviations to either side hold four of five outcomes of a normal distribution.
const FOUR_OF_FIVE: f64 = 1.2816;

/// What is to be expected at a period's end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Forecast {
    /// Tokens used by then, at the pace so far.
    pub expected: i64,
    /// Four times of five it is no less than this,
    pub low: i64,
    /// and no more than this.
    pub high: i64,
    /// When the allowance runs out; none where it isn't expected to within the period.
    pub runs_out: Option<RunsOut>,
}

/// When an allowance runs out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunsOut {
    /// At the pace so far.
    pub expected: DateTime<Utc>,
    pub earliest: DateTime<Utc>,
    /// None where it may also last until the period's end.
    pub latest: Option<DateTime<Utc>>,
}

impl Forecast {
    /// The forecast of a `period` of which `used` tokens are used at `now`, `days` of them on each whole day that is over.
    ///
    /// Goes by the mean pace of the time that has passed. The range is the prediction interval of a sum of days that
    /// differ as those of the period have: with `n` days known and `d` to come, its variance is `s²·d·(1 + d/n)`.
    ///
    /// None where there is too little to say: less than [`LEAST_DAYS`], nothing used, or the period over.
    pub fn of(
        period: Period,
        days: &[i64],
        used: i64,
        limit: Option<i64>,
        now: DateTime<Utc>,
    ) -> Option<Self> {
        let elapsed = seconds(now - period.start);
        let left = seconds(period.end - now);
        if days.len() < LEAST_DAYS || used <= 0 || elapsed <= 0.0 || left <= 0.0 {
            return None;
        }
        let pace = used as f64 / elapsed;
        let (known, to_come) = (days.len() as f64, left / DAY);
        let mean = days.iter().map(|tokens| *tokens as f64).sum::<f64>() / known;
        let variance = days.iter().map(|tokens| (*tokens as f64 - mean).powi(2)).sum::<f64>() / (known - 1.0);
        let spread = FOUR_OF_FIVE * (variance * to_come * (1.0 + to_come / known)).sqrt();
        let more = pace * left;
        // What is used already stays used.
        let (least, most) = ((more - spread).max(0.0), more + spread);
        // From a number of tokens to come by the period's end to the time at which the allowance is used up.
        let at = |more: f64| {
            let remaining = (limit? - used).max(0) as f64;
            (more >= remaining).then(|| now + Duration::seconds((left * remaining / more) as i64))
        };
        let runs_out = at(more).filter(|_| limit.is_some_and(|limit| used < limit)).map(|expected| RunsOut {
            expected,
            earliest: at(most).unwrap_or(expected),
            latest: at(least),
        });
        let total = |more: f64| used.saturating_add(more.round() as i64);
        Some(Self { expected: total(more), low: total(least), high: total(most), runs_out })
    }
}

/// The seconds of a day.
const DAY: f64 = 86_400.0;

fn seconds(duration: Duration) -> f64 {
    duration.num_milliseconds() as f64 / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn november() -> Period {
        Period { start: at("2026-11-01T00:00:00Z"), end: at("2026-12-01T00:00:00Z") }
    }

    #[test]
    fn an_even_pace_goes_on_and_has_no_range() {
        let forecast =
            Forecast::of(november(), &[100; 10], 1_000, Some(2_000), at("2026-11-11T00:00:00Z")).unwrap();
        let on_the_21st = at("2026-11-21T00:00:00Z");
        assert_eq!(
            forecast,
            Forecast {
                expected: 3_000,
                low: 3_000,
                high: 3_000,
                runs_out: Some(RunsOut {
                    expected: on_the_21st,
                    earliest: on_the_21st,
                    latest: Some(on_the_21st)
                }),
            }
        );
    }

    #[test]
    fn days_that_differ_make_a_range_around_the_same_pace() {
        let days = [50, 150, 50, 150, 50, 150, 50, 150, 50, 150];
        let forecast =
            Forecast::of(november(), &days, 1_000, Some(2_900), at("2026-11-11T00:00:00Z")).unwrap();
        assert_eq!(forecast.expected, 3_000);
        // s = 52.7, and so 1.2816 · 52.7 · √(20 · 3) = 523.
        assert_eq!((forecast.low, forecast.high), (2_477, 3_523));
        let runs_out = forecast.runs_out.unwrap();
        assert!(runs_out.earliest < runs_out.expected && runs_out.expected == at("2026-11-30T00:00:00Z"));
        assert_eq!(runs_out.latest, None, "it may last as well");
    }

    #[test]
    fn what_is_used_stays_used() {
        let forecast =
            Forecast::of(november(), &[0, 0, 0, 900], 900, None, at("2026-11-05T00:00:00Z")).unwrap();
        assert!(forecast.low >= 900 && forecast.runs_out.is_none(), "{forecast:?}");
    }

    #[test]
    fn an_allowance_that_lasts_has_no_end() {
        let lasts = |limit| {
            Forecast::of(november(), &[100; 10], 1_000, limit, at("2026-11-11T00:00:00Z")).unwrap().runs_out
        };
        assert_eq!(lasts(Some(3_001)), None);
        assert_eq!(lasts(None), None);
        assert!(lasts(Some(3_000)).is_some());
        assert_eq!(lasts(Some(1_000)), None, "it has run out already");
    }

    #[test]
    fn too_little_says_nothing() {
        let of = |days: &[i64], used, now| Forecast::of(november(), days, used, Some(100), at(now));
        assert_eq!(of(&[5, 5], 10, "2026-11-03T00:00:00Z"), None);
        assert_eq!(of(&[0, 0, 0], 0, "2026-11-04T00:00:00Z"), None);
        assert_eq!(of(&[5; 30], 150, "2026-12-01T00:00:00Z"), None);
        assert!(of(&[5, 5, 5], 15, "2026-11-04T00:00:00Z").is_some());
    }

    #[test]
    fn the_largest_counts_are_no_trouble() {
        let most = super::super::MAX_COUNT;
        let forecast =
            Forecast::of(november(), &[most / 3, 0, most / 3], most, Some(most), at("2026-11-04T00:00:00Z"));
        assert!(forecast.is_some_and(|forecast| forecast.high >= most));
    }
}
