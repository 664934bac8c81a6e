//! What is asked for, read from the words it was asked in.

use chrono::{
    DateTime, Datelike, Days, Duration, LocalResult, NaiveDate, NaiveTime, SubsecRound, TimeZone, Utc,
};
use chrono_tz::Tz;

use crate::domain::{FieldErrors, GroupId, Period, Refusal, ReportBy, ReportFormat};

/// The years whose times both databases compare alike.
const YEARS: std::ops::RangeInclusive<i32> = 1970..=9998;

/// A report's parameters as they were written. Left out and empty are the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReportFields {
    pub format: Option<String>,
    pub by: Option<String>,
    pub from: Option<String>,
    pub to: Option<String>,
    pub tz: Option<String>,
    pub group_id: Option<String>,
}

/// Which usage to report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageQuery {
    pub format: ReportFormat,
    pub by: ReportBy,
    pub window: Period,
    pub tz: Tz,
    pub group: Option<GroupId>,
}

/// Which invoices to report, by when they were made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvoicesQuery {
    pub format: ReportFormat,
    pub window: Period,
    pub group: Option<GroupId>,
}

/// The time zones that a person chooses from, UTC first: those named by a place.
pub fn time_zones() -> impl Iterator<Item = &'static str> {
    const AREAS: [&str; 9] = [
        "Africa/",
        "America/",
        "Antarctica/",
        "Asia/",
        "Atlantic/",
        "Australia/",
        "Europe/",
        "Indian/",
        "Pacific/",
    ];
    let places = chrono_tz::TZ_VARIANTS.iter().map(|tz| tz.name());
    std::iter::once("UTC").chain(places.filter(|name| AREAS.iter().any(|area| name.starts_with(area))))
}

/// An end of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moment {
    At(DateTime<Utc>),
    /// When the day begins, wherever that is.
    Day(NaiveDate),
}

pub(super) fn given(field: &Option<String>) -> Option<&str> {
    field.as_deref().map(str::trim).filter(|text| !text.is_empty())
}

impl ReportFields {
    /// # Errors
    /// [`Refusal::Invalid`], which names every field that is wrong.
    pub fn usage(&self) -> Result<UsageQuery, Refusal> {
        let mut errors = FieldErrors::new();
        let format = self.format(&mut errors);
        let by = given(&self.by).map_or(Ok(ReportBy::Day), str::parse);
        let by = errors.take("by", by);
        let tz = zone(&self.tz, &mut errors);
        let window = self.window(tz, &mut errors);
        let group = self.group(&mut errors);
        errors.into_result()?;
        Ok(UsageQuery { format, by: by.unwrap_or(ReportBy::Day), window, tz, group })
    }

    /// # Errors
    /// [`Refusal::Invalid`], which names every field that is wrong.
    pub fn invoices(&self) -> Result<InvoicesQuery, Refusal> {
        let mut errors = FieldErrors::new();
        let format = self.format(&mut errors);
        let tz = zone(&self.tz, &mut errors);
        let window = self.window(tz, &mut errors);
        let group = self.group(&mut errors);
        errors.into_result()?;
        Ok(InvoicesQuery { format, window, group })
    }

    fn format(&self, errors: &mut FieldErrors) -> ReportFormat {
        let format = given(&self.format).map_or(Ok(ReportFormat::Csv), str::parse);
        errors.take("format", format).unwrap_or(ReportFormat::Csv)
    }

    fn group(&self, errors: &mut FieldErrors) -> Option<GroupId> {
        let group = given(&self.group_id)?.parse().map_err(|_| "Must be an id.");
        errors.take("group_id", group)
    }

    /// From the beginning and to the end of all time, where it isn't said otherwise.
    fn window(&self, tz: Tz, errors: &mut FieldErrors) -> Period {
        let last =
            NaiveDate::from_ymd_opt(9999, 1, 1).unwrap_or(NaiveDate::MAX).and_time(NaiveTime::MIN).and_utc();
        let from = instant("from", &self.from, tz, errors);
        let to = instant("to", &self.to, tz, errors);
        let window = Period { start: from.unwrap_or(DateTime::UNIX_EPOCH), end: to.unwrap_or(last) };
        if window.start >= window.end {
            errors.add("to", "The window has to end after it begins.");
        }
        window
    }
}

/// The time zone that was asked for, or UTC.
pub(super) fn zone(tz: &Option<String>, errors: &mut FieldErrors) -> Tz {
    let tz = given(tz).map_or(Ok(Tz::UTC), |name| {
        name.parse().map_err(|_| "Must be the IANA name of a time zone, such as Europe/Berlin.")
    });
    errors.take("tz", tz).unwrap_or(Tz::UTC)
}

/// An end of a window, if one is given that there can be.
pub(super) fn instant(
    field: &'static str,
    text: &Option<String>,
    tz: Tz,
    errors: &mut FieldErrors,
) -> Option<DateTime<Utc>> {
    let at = moment(given(text)?).map(|moment| moment.at(tz)).and_then(|at| {
        let years = format!("Must be in the years {} to {}.", YEARS.start(), YEARS.end());
        if YEARS.contains(&at.year()) { Ok(at) } else { Err(years) }
    });
    errors.take(field, at)
}

/// A time, rounded up to the microsecond that times are kept in, or a day.
fn moment(text: &str) -> Result<Moment, String> {
    if let Ok(day) = text.parse::<NaiveDate>() {
        return Ok(Moment::Day(day));
    }
    // A `+` that wasn't escaped arrives as a space.
    let at = DateTime::parse_from_rfc3339(&text.replace(' ', "+"))
        .map_err(
            |_| "Must be a day, such as 2026-11-24, or a time as in RFC 3339, such as 2026-11-24T00:00:00Z.",
        )?
        .to_utc();
    let kept = at.trunc_subsecs(6);
    Ok(Moment::At(if kept < at { kept + Duration::microseconds(1) } else { kept }))
}

impl Moment {
    /// When that is.
    fn at(self, tz: Tz) -> DateTime<Utc> {
        match self {
            Self::At(at) => at,
            Self::Day(day) => day_start(day, tz),
        }
    }
}

/// When a day begins: later where the clocks skip its midnight.
pub(super) fn day_start(day: NaiveDate, tz: Tz) -> DateTime<Utc> {
    const QUARTERS: i32 = 96;
    let midnight = day.and_time(NaiveTime::MIN);
    for quarter in 0..=QUARTERS {
        match tz.from_local_datetime(&(midnight + Duration::minutes(15) * quarter)) {
            LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => return at.to_utc(),
            LocalResult::None => {}
        }
    }
    // A zone that skipped the whole day: it begins with the next one.
    day.checked_add_days(Days::new(1)).unwrap_or(day).and_time(NaiveTime::MIN).and_utc()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(pairs: &[(&str, &str)]) -> ReportFields {
        let of =
            |name: &str| pairs.iter().find(|(known, _)| *known == name).map(|(_, text)| (*text).to_owned());
        ReportFields {
            format: of("format"),
            by: of("by"),
            from: of("from"),
            to: of("to"),
            tz: of("tz"),
            group_id: of("group_id"),
        }
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (field, text) in [
            ("format", "pdf"),
            ("by", "week"),
            ("from", "yesterday"),
            ("from", "1969-12-31T23:59:59Z"),
            ("to", "9999-06-01"),
            ("tz", "Mars/Base"),
            ("group_id", "1"),
        ] {
            let Err(Refusal::Invalid(errors)) = fields(&[(field, text)]).usage() else {
                panic!("{field}={text} passes");
            };
            assert_eq!(
                errors.iter().map(|error| error.field.as_str()).collect::<Vec<_>>(),
                [field],
                "{text}"
            );
        }
        let backwards = fields(&[("from", "2026-11-02"), ("to", "2026-11-02")]).invoices();
        assert!(matches!(backwards, Err(Refusal::Invalid(errors)) if errors[0].field == "to"));
    }

    #[test]
    fn nothing_said_is_everything_by_day() {
        let query = fields(&[("from", ""), ("group_id", " ")]).usage().unwrap();
        assert_eq!(
            (query.format, query.by, query.tz, query.group),
            (ReportFormat::Csv, ReportBy::Day, Tz::UTC, None)
        );
        assert_eq!(query.window, Period { start: DateTime::UNIX_EPOCH, end: at("9999-01-01T00:00:00Z") });
    }

    #[test]
    fn a_day_begins_at_its_zone_s_midnight_and_may_have_23_or_25_hours() {
        let hours = |tz: &str, from: &str, to: &str| {
            let window = fields(&[("tz", tz), ("from", from), ("to", to)]).usage().unwrap().window;
            (window.end - window.start).num_hours()
        };
        assert_eq!(hours("Europe/Berlin", "2026-03-29", "2026-03-30"), 23);
        assert_eq!(hours("Europe/Berlin", "2026-10-25", "2026-10-26"), 25);
        assert_eq!(hours("Europe/Berlin", "2026-10-26", "2026-10-27"), 24);
        let from = |tz: &str, day: &str| fields(&[("tz", tz), ("from", day)]).usage().unwrap().window.start;
        assert_eq!(from("Asia/Kolkata", "2026-01-02"), at("2026-01-01T18:30:00Z"));
        // Midnight was skipped there.
        assert_eq!(from("America/Sao_Paulo", "2018-11-04"), at("2018-11-04T03:00:00Z"));
    }
}
