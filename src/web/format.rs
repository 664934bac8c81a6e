//! How times and amounts are written on screen: one way for every page, so that what the server renders and what
//! the browser does agree to the letter. Times are UTC, and say so.

use chrono::{DateTime, Datelike, NaiveDate, Timelike, Utc};

use crate::domain::{
    CancellationReason, Forecast, Interval, OveragePrices, PaymentMethod, Plan, Resource, Role, Status,
    UsageType, group_digits,
};

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

/// `3 Dec 2026`, where it is said nearby that days are of UTC.
pub fn day(at: DateTime<Utc>) -> String {
    format!("{} {}", day_of_year(at.date_naive()), at.year())
}

/// `3 Dec`.
pub fn day_of_year(day: NaiveDate) -> String {
    format!("{} {}", day.day(), MONTHS[day.month0() as usize])
}

/// `Dec 2026`.
pub fn month(day: NaiveDate) -> String {
    format!("{} {}", MONTHS[day.month0() as usize], day.year())
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

/// `At this pace 125 % (110 to 140 %) by 6 Dec, runs out on 30 Nov (28 Nov to 3 Dec).` Days are UTC.
pub fn forecast(forecast: &Forecast, limit: Option<i64>, end: DateTime<Utc>) -> String {
    let date = |at: DateTime<Utc>| day_of_year(at.date_naive());
    let share = |used| Resource::new(used, 0, limit).whole_percentage();
    let amount = match (share(forecast.expected), share(forecast.low), share(forecast.high)) {
        (Some(expected), Some(low), Some(high)) if low < high => format!("{expected} % ({low} to {high} %)"),
        (Some(expected), ..) => format!("{expected} %"),
        _ if forecast.low < forecast.high => format!(
            "{} ({} to {})",
            group_digits(forecast.expected),
            group_digits(forecast.low),
            group_digits(forecast.high)
        ),
        _ => group_digits(forecast.expected),
    };
    let by = date(end);
    let Some(runs_out) = forecast.runs_out else { return format!("At this pace {amount} by {by}.") };
    let (on, earliest) = (date(runs_out.expected), date(runs_out.earliest));
    let range = match runs_out.latest.map(date) {
        Some(latest) if latest == earliest => String::new(),
        Some(latest) => format!(" ({earliest} to {latest})"),
        None => format!(" ({earliest} at the earliest)"),
    };
    format!("At this pace {amount} by {by}, runs out on {on}{range}.")
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

/// `14 days free, then $29.99 a month`; `None` for a plan without a trial.
pub fn trial(plan: &Plan) -> Option<String> {
    let per = match plan.interval {
        Interval::Month => "a month",
        Interval::Year => "a year",
    };
    let days = plural(plan.trial_days, "day", "days");
    (plan.trial_days > 0).then(|| format!("{days} free, then {} {per}", plan.price))
}

/// `Beyond that, $0.02 for 1,000 LLM tokens`, for each resource that is sold so.
pub fn overage_lines(prices: Option<&OveragePrices>) -> Vec<String> {
    let line = |prices: &OveragePrices, kind: UsageType| {
        let package = prices.packages[kind]?;
        let tokens = plural(package.per, kind.noun().trim_end_matches('s'), kind.noun());
        Some(format!("Beyond that, {} for {tokens}", prices.money(package.price)))
    };
    prices
        .map(|prices| UsageType::ALL.into_iter().filter_map(|kind| line(prices, kind)).collect())
        .unwrap_or_default()
}

/// `1 member`, `2 members`: the count, and `one` or `many` of what is counted.
pub fn plural(count: i64, one: &str, many: &str) -> String {
    format!("{} {}", group_digits(count), if count == 1 { one } else { many })
}

/// `Visa •••• 4242`, or what else it is.
pub fn payment_method(method: &PaymentMethod) -> String {
    let kind = match method.kind.as_str() {
        "amex" => "American Express".to_owned(),
        "diners" => "Diners Club".to_owned(),
        "eftpos_au" => "Eftpos".to_owned(),
        "jcb" => "JCB".to_owned(),
        "mastercard" => "Mastercard".to_owned(),
        "sepa_debit" => "SEPA direct debit".to_owned(),
        "unionpay" => "UnionPay".to_owned(),
        "unknown" => "Card".to_owned(),
        other => {
            let mut letters = other.chars();
            let first = letters.next().map(|letter| letter.to_ascii_uppercase());
            first.into_iter().chain(letters).map(|letter| if letter == '_' { ' ' } else { letter }).collect()
        }
    };
    match &method.last4 {
        Some(last4) => format!("{kind} •••• {last4}"),
        None => kind,
    }
}

pub fn cancellation_reason(reason: CancellationReason) -> &'static str {
    match reason {
        CancellationReason::TooExpensive => "It is too expensive",
        CancellationReason::MissingFeatures => "Something is missing",
        CancellationReason::SwitchedService => "We use another service",
        CancellationReason::Unused => "We don't use it enough",
        CancellationReason::CustomerService => "The support wasn't good",
        CancellationReason::TooComplex => "It is too hard to use",
        CancellationReason::LowQuality => "The quality wasn't good",
        CancellationReason::Other => "Another reason",
    }
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
    use crate::domain::RunsOut;

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
    fn a_forecast_says_how_much_by_when_and_how_sure_it_is() {
        let runs_out = RunsOut {
            expected: at("2026-11-30T12:00:00Z"),
            earliest: at("2026-11-28T01:00:00Z"),
            latest: Some(at("2026-12-03T23:00:00Z")),
        };
        let over = Forecast { expected: 1_250, low: 1_100, high: 1_400, runs_out: Some(runs_out) };
        let end = at("2026-12-06T09:00:00Z");
        assert_eq!(
            forecast(&over, Some(1_000), end),
            "At this pace 125 % (110 to 140 %) by 6 Dec, runs out on 30 Nov (28 Nov to 3 Dec)."
        );
        let unsure = Forecast { runs_out: Some(RunsOut { latest: None, ..runs_out }), low: 900, ..over };
        assert_eq!(
            forecast(&unsure, Some(1_000), end),
            "At this pace 125 % (90 to 140 %) by 6 Dec, runs out on 30 Nov (28 Nov at the earliest)."
        );
        let even = Forecast { expected: 500, low: 500, high: 500, runs_out: None };
        assert_eq!(forecast(&even, Some(1_000), end), "At this pace 50 % by 6 Dec.");
        let unlimited = Forecast { runs_out: None, ..over };
        assert_eq!(forecast(&unlimited, None, end), "At this pace 1,250 (1,100 to 1,400) by 6 Dec.");
    }

    #[test]
    fn a_card_is_known_by_its_brand_and_last_digits() {
        let shown = |kind: &str, last4: Option<&str>| {
            payment_method(&PaymentMethod { kind: kind.into(), last4: last4.map(Into::into), expiry: None })
        };
        assert_eq!(shown("visa", Some("4242")), "Visa •••• 4242");
        assert_eq!(shown("amex", Some("0005")), "American Express •••• 0005");
        assert_eq!(shown("us_bank_account", None), "Us bank account");
        assert_eq!(shown("link", None), "Link");
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
