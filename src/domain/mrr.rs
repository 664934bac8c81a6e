//! Monthly recurring revenue (MRR): the monthly part of what a subscription's price is, while it is paid.
//!
//! As Stripe has it: of `active` and `past_due` subscriptions, from their prices. So trials, discounts, taxes, credits and
//! what is metered don't count. Source: <https://support.stripe.com/questions/calculating-monthly-recurring-revenue-(mrr)-in-billing>.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike, Duration, DurationRound, Months, NaiveDate, NaiveTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Interval, Status};

/// What a subscription adds to monthly recurring revenue, in minor units: of a yearly price the twelfth, half a unit
/// rounded to even.
pub fn mrr(price_minor: i64, interval: Interval, status: Status) -> i64 {
    if !matches!(status, Status::Active | Status::PastDue) {
        return 0;
    }
    let months = i64::from(interval.months());
    let (whole, rest) = (price_minor.div_euclid(months), price_minor.rem_euclid(months));
    let rounds_up = rest * 2 > months || (rest * 2 == months && whole % 2 == 1);
    whole + i64::from(rounds_up)
}

/// What a change of a subscription is to its group's monthly recurring revenue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub enum MovementKind {
    /// A group that never paid before pays.
    New,
    /// A group that paid before, and then no more, pays again.
    Reactivation,
    /// A group pays more than before.
    Expansion,
    /// A group pays less than before.
    Contraction,
    /// A group pays no more.
    Churn,
}

impl MovementKind {
    pub const ALL: [Self; 5] =
        [Self::New, Self::Reactivation, Self::Expansion, Self::Contraction, Self::Churn];

    /// What the step from `before` to `after` is for a group that paid at some time before, or never. `None` where its
    /// revenue stays the same. A group has one live subscription, so its revenue is that subscription's.
    pub fn of(before: i64, after: i64, paid_before: bool) -> Option<Self> {
        match (before, after) {
            _ if before == after => None,
            (0, _) if paid_before => Some(Self::Reactivation),
            (0, _) => Some(Self::New),
            (_, 0) => Some(Self::Churn),
            _ if after > before => Some(Self::Expansion),
            _ => Some(Self::Contraction),
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Reactivation => "reactivation",
            Self::Expansion => "expansion",
            Self::Contraction => "contraction",
            Self::Churn => "churn",
        }
    }
}

impl fmt::Display for MovementKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for MovementKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| format!("{text:?} is not a movement"))
    }
}

/// When a change counts that came to be at `at` and was learnt of at `learnt`: then, unless a month ended in between,
/// which stays as it was seen; so it counts when it was learnt. Months are those of any time zone, since each reader
/// has its own.
pub fn counts_at(at: DateTime<Utc>, learnt: DateTime<Utc>) -> DateTime<Utc> {
    if at < learnt && !month_ended(at, learnt) { at } else { learnt }
}

/// Whether somewhere a month began after `after`, by `until`. Time zones are between 12 hours behind UTC and 14 ahead of it,
/// by quarters of an hour.
fn month_ended(after: DateTime<Utc>, until: DateTime<Utc>) -> bool {
    let quarter = Duration::minutes(15);
    let floor = |at: DateTime<Utc>| at.duration_trunc(quarter).unwrap_or(at);
    let (first, last) = (floor(after) + quarter, floor(until));
    if first > last {
        return false;
    }
    let month = after.date_naive().with_day(1).unwrap_or(NaiveDate::MIN);
    // The month's own beginning may still lie ahead in the west, as the next one's may be past in the east.
    (0..=1).any(|months| {
        let begins = (month + Months::new(months)).and_time(NaiveTime::MIN).and_utc();
        first <= begins + Duration::hours(12) && last >= begins - Duration::hours(14)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_year_s_twelfth_is_rounded_once_half_to_even() {
        for (price, monthly) in
            [(12_000, 1_000), (0, 0), (6, 0), (18, 2), (30, 2), (7, 1), (17, 1), (99_999, 8_333)]
        {
            assert_eq!(mrr(price, Interval::Year, Status::Active), monthly, "{price}");
        }
        assert_eq!(mrr(2_999, Interval::Month, Status::PastDue), 2_999);
        for status in Status::ALL {
            let pays = matches!(status, Status::Active | Status::PastDue);
            assert_eq!(mrr(2_999, Interval::Month, status) > 0, pays, "{status}");
        }
    }

    #[test]
    fn a_movement_is_named_by_what_the_group_paid_before() {
        for (before, after, paid_before, kind) in [
            (0, 10, false, Some(MovementKind::New)),
            (0, 10, true, Some(MovementKind::Reactivation)),
            (10, 20, true, Some(MovementKind::Expansion)),
            (20, 10, true, Some(MovementKind::Contraction)),
            (10, 0, true, Some(MovementKind::Churn)),
            (10, 10, true, None),
            (0, 0, false, None),
        ] {
            assert_eq!(MovementKind::of(before, after, paid_before), kind, "{before} to {after}");
        }
        for kind in MovementKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
    }

    #[test]
    fn what_is_learnt_after_a_month_was_over_counts_when_it_was_learnt() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        for (happened, learnt, counts) in [
            ("2026-03-10T12:00:00Z", "2026-03-20T12:00:00Z", true),
            // Months begin at the quarter itself: what happened with it is of the new one.
            ("2026-04-01T00:00:00Z", "2026-04-01T00:00:05Z", true),
            ("2026-03-31T23:59:58Z", "2026-04-01T00:00:03Z", false),
            // It is April in Kiritimati already.
            ("2026-03-31T09:50:00Z", "2026-03-31T10:10:00Z", false),
            // And March is over on Baker Island at last.
            ("2026-04-01T11:50:00Z", "2026-04-01T12:10:00Z", false),
            ("2026-04-01T12:10:00Z", "2026-04-29T12:10:00Z", true),
            ("2026-03-10T12:00:00Z", "2026-05-20T12:00:00Z", false),
            ("2026-12-31T09:00:00Z", "2027-01-02T09:00:00Z", false),
            // A test clock of Stripe's may be ahead.
            ("2026-03-21T12:00:00Z", "2026-03-20T12:00:00Z", false),
        ] {
            let expected = if counts { happened } else { learnt };
            assert_eq!(counts_at(at(happened), at(learnt)), at(expected), "{happened}, learnt at {learnt}");
        }
    }
}
