//! How times and amounts are written on screen: one way for everybody, so that the server's page and the
//! browser's agree to the letter. Times are UTC.

use chrono::{DateTime, Datelike, Timelike, Utc};

use crate::domain::{Interval, Plan, Role, Status, group_digits};

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// `3 Dec 2026`. Written by hand: chrono's formatter would be a tenth of what the browser downloads.
pub fn date(at: DateTime<Utc>) -> String {
    format!("{} {} {}", at.day(), MONTHS[at.month0() as usize], at.year())
}

/// `3 Dec 2026, 14:05 UTC`.
pub fn date_time(at: DateTime<Utc>) -> String {
    format!("{}, {:02}:{:02} UTC", date(at), at.hour(), at.minute())
}

/// For a `<time>`'s `datetime`.
pub fn machine(at: DateTime<Utc>) -> String {
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
        at.year(),
        at.month(),
        at.day(),
        at.hour(),
        at.minute(),
        at.second()
    )
}

/// `3 Nov – 3 Dec 2026`, with both years where they differ.
pub fn span(start: DateTime<Utc>, end: DateTime<Utc>) -> String {
    if start.year() == end.year() {
        format!("{} {} – {}", start.day(), MONTHS[start.month0() as usize], date(end))
    } else {
        format!("{} – {}", date(start), date(end))
    }
}

/// `in 11 days`, `tomorrow`, `today`: whole days, a begun one counted in full.
pub fn until(from: DateTime<Utc>, to: DateTime<Utc>) -> String {
    let seconds = (to - from).num_seconds();
    match (seconds + 86_399).div_euclid(86_400) {
        ..=0 => "now".into(),
        1 => "within a day".into(),
        days => format!("in {days} days"),
    }
}

/// A limit in figures, or `Unlimited`.
pub fn limit(count: Option<i64>) -> String {
    count.map_or_else(|| "Unlimited".into(), group_digits)
}

/// `per month`.
pub fn per(interval: Interval) -> &'static str {
    match interval {
        Interval::Month => "per month",
        Interval::Year => "per year",
    }
}

/// `$29.99 per month`.
pub fn price(plan: &Plan) -> String {
    format!("{} {}", plan.price, per(plan.interval))
}

/// One of `one`, several of `many`, with the number in front.
pub fn plural(count: i64, one: &str, many: &str) -> String {
    format!("{} {}", group_digits(count), if count == 1 { one } else { many })
}

pub fn role(role: Role) -> &'static str {
    match role {
        Role::SuperAdmin => "SuperAdmin",
        Role::Admin => "Admin",
        Role::Member => "Member",
    }
}

pub fn status(status: Status) -> &'static str {
    match status {
        Status::Incomplete => "Awaiting payment",
        Status::IncompleteExpired => "Expired",
        Status::Trialing => "Trial",
        Status::Active => "Active",
        Status::PastDue => "Payment overdue",
        Status::Canceled => "Canceled",
        Status::Unpaid => "Unpaid",
        Status::Paused => "Paused",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn times_are_written_alike_everywhere() {
        let time = at("2026-12-03T04:05:06Z");
        assert_eq!(date(time), "3 Dec 2026");
        assert_eq!(date_time(time), "3 Dec 2026, 04:05 UTC");
        assert_eq!(machine(time), "2026-12-03T04:05:06Z");
        assert_eq!(span(at("2026-11-03T00:00:00Z"), time), "3 Nov – 3 Dec 2026");
        assert_eq!(span(at("2025-12-03T00:00:00Z"), time), "3 Dec 2025 – 3 Dec 2026");
    }

    #[test]
    fn a_begun_day_counts() {
        let now = at("2026-11-23T07:00:00Z");
        assert_eq!(until(now, at("2026-12-04T09:12:00Z")), "in 12 days");
        assert_eq!(until(now, at("2026-11-25T07:00:00Z")), "in 2 days");
        assert_eq!(until(now, at("2026-11-24T07:00:00Z")), "within a day");
        assert_eq!(until(now, now), "now");
    }
}
