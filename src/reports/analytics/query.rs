//! Which figures are asked for, read from the words they were asked in.

use chrono::{DateTime, Datelike, Days, Duration, Months, NaiveDate, Utc};
use chrono_tz::Tz;

use super::super::query::{day_start, given, instant, zone};
use crate::domain::{AnalyticsInterval, Currency, FieldErrors, Figure, Period, PlanId, Refusal, UsageType};
use crate::storage::{FigureQuery, FigureSource};

/// How many intervals a window may have.
const MAX_INTERVALS: usize = 400;
/// How many months a window has where it isn't said otherwise, the current one among them.
const DEFAULT_MONTHS: u32 = 12;

/// The parameters of the figures as they were written. Left out and empty are the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AnalyticsFields {
    pub from: Option<String>,
    pub to: Option<String>,
    pub interval: Option<String>,
    pub tz: Option<String>,
}

/// The parameters of a figure's rows as they were written. Left out and empty are the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FigureFields {
    pub figure: Option<String>,
    pub currency: Option<String>,
    pub from: Option<String>,
    pub to: Option<String>,
    pub tz: Option<String>,
    pub plan_id: Option<String>,
}

/// Which figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnalyticsQuery {
    pub window: Period,
    pub interval: AnalyticsInterval,
    pub tz: Tz,
    /// What the window is made of, one after the other.
    pub intervals: Vec<Period>,
}

impl AnalyticsFields {
    /// # Errors
    /// [`Refusal::Invalid`], which names every field that is wrong.
    pub fn query(&self, now: DateTime<Utc>) -> Result<AnalyticsQuery, Refusal> {
        let mut errors = FieldErrors::new();
        let tz = zone(&self.tz, &mut errors);
        let interval = given(&self.interval).map_or(Ok(AnalyticsInterval::Month), str::parse);
        let interval = errors.take("interval", interval).unwrap_or(AnalyticsInterval::Month);
        let mut window = window(&self.from, &self.to, interval, tz, now, &mut errors);
        // What is still to come can't be had: the window ends with the interval of now.
        window.end = window.end.min(interval_end(interval, now, tz));
        let mut intervals = Vec::new();
        let mut start = window.start;
        while start < window.end && intervals.len() <= MAX_INTERVALS {
            let end = interval_end(interval, start, tz).min(window.end);
            intervals.push(Period { start, end });
            start = end;
        }
        if intervals.len() > MAX_INTERVALS {
            let most = format!("The window has more than {MAX_INTERVALS} {}s.", interval.as_str());
            errors.add("interval", most);
        }
        errors.into_result()?;
        Ok(AnalyticsQuery { window, interval, tz, intervals })
    }
}

impl FigureFields {
    /// # Errors
    /// [`Refusal::Invalid`], which names every field that is wrong.
    pub fn query(&self, now: DateTime<Utc>) -> Result<FigureQuery, Refusal> {
        let mut errors = FieldErrors::new();
        let tz = zone(&self.tz, &mut errors);
        let required = || Err("Is required.".to_owned());
        let figure = errors.take("figure", given(&self.figure).map_or_else(required, str::parse));
        let currency = given(&self.currency).map_or(Ok(Currency::USD), str::parse);
        let currency = errors.take("currency", currency).unwrap_or(Currency::USD);
        let plan = given(&self.plan_id).map(|id| id.parse::<PlanId>().map_err(|_| "Must be an id."));
        let plan = plan.and_then(|plan| errors.take("plan_id", plan));
        let window = window(&self.from, &self.to, AnalyticsInterval::Month, tz, now, &mut errors);
        errors.into_result()?;
        Ok(FigureQuery { source: source(figure.unwrap_or(Figure::Mrr)), window, currency, plan })
    }
}

/// What a figure is made of.
fn source(figure: Figure) -> FigureSource {
    match figure {
        Figure::New | Figure::Reactivation | Figure::Expansion | Figure::Contraction | Figure::Churn => {
            FigureSource::Movements(figure.as_str())
        }
        Figure::Mrr | Figure::AverageRevenue => FigureSource::Subscriptions(Figure::Mrr.as_str()),
        Figure::Active | Figure::Trialing | Figure::PastDue => FigureSource::Subscriptions(figure.as_str()),
        Figure::SignedUp => FigureSource::SignUps,
        Figure::CheckedOut | Figure::Paid | Figure::TrialStarted | Figure::TrialConverted => {
            FigureSource::Funnel(figure.as_str())
        }
        Figure::LlmTokens => FigureSource::Periods(UsageType::Llm),
        Figure::VoiceTokens => FigureSource::Periods(UsageType::Voice),
        Figure::Overage => FigureSource::Charges,
    }
}

/// The window that was asked for; else twelve months to the end of the interval of now.
fn window(
    from: &Option<String>,
    to: &Option<String>,
    interval: AnalyticsInterval,
    tz: Tz,
    now: DateTime<Utc>,
    errors: &mut FieldErrors,
) -> Period {
    let from = instant("from", from, tz, errors);
    let end = instant("to", to, tz, errors).unwrap_or_else(|| interval_end(interval, now, tz));
    let start = from.unwrap_or_else(|| {
        let last = (end.min(now) - Duration::microseconds(1)).with_timezone(&tz).date_naive();
        let first = first_day(AnalyticsInterval::Month, last);
        day_start(first.checked_sub_months(Months::new(DEFAULT_MONTHS - 1)).unwrap_or(first), tz)
    });
    if start > now {
        errors.add("from", "Must not be in the future.");
    } else if start >= end {
        errors.add("to", "The window has to end after it begins.");
    }
    Period { start, end }
}

/// The first day of the interval that a day is in.
fn first_day(interval: AnalyticsInterval, day: NaiveDate) -> NaiveDate {
    match interval {
        AnalyticsInterval::Month => day.with_day(1),
        AnalyticsInterval::Week => {
            day.checked_sub_days(Days::new(day.weekday().num_days_from_monday().into()))
        }
        AnalyticsInterval::Day => Some(day),
    }
    .unwrap_or(day)
}

/// When the interval ends that `at` is in.
fn interval_end(interval: AnalyticsInterval, at: DateTime<Utc>, tz: Tz) -> DateTime<Utc> {
    let day = at.with_timezone(&tz).date_naive();
    let first = first_day(interval, day);
    let next = match interval {
        AnalyticsInterval::Month => first.checked_add_months(Months::new(1)),
        AnalyticsInterval::Week => first.checked_add_days(Days::new(7)),
        AnalyticsInterval::Day => first.checked_add_days(Days::new(1)),
    };
    // A day that the clocks skip begins with the next one, which must not be met again and again.
    let end = day_start(next.unwrap_or(NaiveDate::MAX), tz);
    if end > at { end } else { at + Duration::days(1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn fields(from: &str, to: &str, interval: &str, tz: &str) -> AnalyticsFields {
        let [from, to, interval, tz] = [from, to, interval, tz].map(|text| Some(text.to_owned()));
        AnalyticsFields { from, to, interval, tz }
    }

    const NOW: &str = "2026-11-15T12:00:00Z";

    #[test]
    fn nothing_said_is_twelve_months_with_the_current_one() {
        let query = AnalyticsFields::default().query(at(NOW)).unwrap();
        assert_eq!(
            query.window,
            Period { start: at("2025-12-01T00:00:00Z"), end: at("2026-12-01T00:00:00Z") }
        );
        assert_eq!(query.intervals.len(), 12);
        assert_eq!(query.intervals[1].start, at("2026-01-01T00:00:00Z"));
    }

    #[test]
    fn intervals_are_those_of_the_time_zone_and_follow_each_other() {
        for (interval, count) in [("month", 3), ("week", 9), ("day", 57)] {
            let query = fields("2026-09-10", "2026-11-06", interval, "Europe/Berlin").query(at(NOW)).unwrap();
            assert_eq!(query.intervals.len(), count, "{interval}");
            assert_eq!(query.intervals[0].start, at("2026-09-09T22:00:00Z"));
            assert_eq!(query.intervals[count - 1].end, at("2026-11-05T23:00:00Z"));
            assert!(query.intervals.windows(2).all(|pair| pair[0].end == pair[1].start), "{interval}");
        }
        let months = fields("2026-10-01", "2026-12-01", "month", "Europe/Berlin").query(at(NOW)).unwrap();
        // With the hour that October has more.
        assert_eq!(months.intervals[0].end, at("2026-10-31T23:00:00Z"));
        let weeks = fields("2026-11-04", "", "week", "").query(at(NOW)).unwrap();
        assert_eq!(weeks.intervals[0].end, at("2026-11-09T00:00:00Z"), "a Monday");
    }

    #[test]
    fn what_is_still_to_come_is_no_part_of_it() {
        let query = fields("2026-10-01", "2027-06-01", "month", "").query(at(NOW)).unwrap();
        assert_eq!(query.window.end, at("2026-12-01T00:00:00Z"));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (wrong, field) in [
            (fields("soon", "", "", ""), "from"),
            (fields("2027-01-01", "", "", ""), "from"),
            (fields("", "never", "", ""), "to"),
            (fields("2026-11-01", "2026-11-01", "", ""), "to"),
            (fields("", "", "year", ""), "interval"),
            (fields("2020-01-01", "", "day", ""), "interval"),
            (fields("1970-01-01", "", "month", ""), "interval"),
            (fields("", "", "", "Mars/Base"), "tz"),
        ] {
            let Err(Refusal::Invalid(errors)) = wrong.query(at(NOW)) else { panic!("{wrong:?} passes") };
            assert_eq!(
                errors.iter().map(|error| error.field.as_str()).collect::<Vec<_>>(),
                [field],
                "{wrong:?}"
            );
        }
        let rows =
            FigureFields { currency: Some("euro".into()), plan_id: Some("1".into()), ..Default::default() };
        let Err(Refusal::Invalid(errors)) = rows.query(at(NOW)) else { panic!("passes") };
        let named: Vec<_> = errors.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(named, ["figure", "currency", "plan_id"]);
    }
}
