//! How times and amounts are written on screen: one way for every page, so that what the server renders and what
//! the browser does agree to the letter. Times are UTC, and say so.

use chrono::{DateTime, Datelike, Timelike, Utc};

use crate::domain::{Interval, Plan, Role, Status, group_digits};

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A limit of 0: the plan doesn't include the resource.
pub const NOT_INCLUDED: &str = "Not in this plan";

/// `3 Dec 2026 UTC`. Put together here: chrono's formatter would be a tenth of what the browser downloads.
pub fn date(at: DateTime<Utc>) -> String {
    format!("{} UTC", day(at))
}

/// `3 Dec 2026, 14:05 UTC`.
pub fn date_time(at: DateTime<Utc>) -> String {
    format!("{}, {:02}:{:02} UTC", day(at), at.hour(), at.minute())
}

fn day(at: DateTime<Utc>) -> String {
    format!("{} {} {}", at.day(), MONTHS[at.month0() as usize], at.year())
}

/// `3 Nov – 3 Dec 2026 UTC`, with both years where they differ.
pub fn span(start: DateTime<Utc>, end: DateTime<Utc>) -> String {
    if start.year() == end.year() {
        format!("{} {} – {}", start.day(), MONTHS[start.month0() as usize], date(end))
    } else {
        format!("{} – {}", day(start), date(end))
    }
}

/// `in 11 days`, `within a day`, `now`: whole days, a begun one counted in full.
pub fn until(from: DateTime<Utc>, to: DateTime<Utc>) -> String {
    let seconds = (to - from).num_seconds();
    match (seconds + 86_399).div_euclid(86_400) {
        ..=0 => "now".into(),
        1 => "within a day".into(),
        days => format!("in {days} days"),
    }
}

/// A limit in figures, `Unlimited`, or that there is none of it.
pub fn limit(limit: Option<i64>) -> String {
    match limit {
        None => "Unlimited".into(),
        Some(0) => NOT_INCLUDED.into(),
        Some(limit) => group_digits(limit),
    }
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

/// `1 member`, `2 members`: the count, and `one` or `many` of what is counted.
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
        assert_eq!(date(time), "3 Dec 2026 UTC");
        assert_eq!(date_time(time), "3 Dec 2026, 04:05 UTC");
        assert_eq!(span(at("2026-11-03T00:00:00Z"), time), "3 Nov – 3 Dec 2026 UTC");
        assert_eq!(span(at("2025-12-03T00:00:00Z"), time), "3 Dec 2025 – 3 Dec 2026 UTC");
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
