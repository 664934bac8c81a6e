//! The operator's figures: recurring revenue and how it moved, subscriptions, churn, the funnel, plans, tokens, overage.

use std::collections::BTreeMap;
use std::str::FromStr;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Serialize, Serializer};

use super::{Currency, Figure, GroupId, Money, PerType, PlanRef, Status};

/// What a step of the roll-forward is long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub enum AnalyticsInterval {
    Month,
    /// From Monday.
    Week,
    Day,
}

impl AnalyticsInterval {
    pub const ALL: [Self; 3] = [Self::Month, Self::Week, Self::Day];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Month => "month",
            Self::Week => "week",
            Self::Day => "day",
        }
    }
}

impl FromStr for AnalyticsInterval {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|interval| interval.as_str() == text);
        known.ok_or_else(|| "Must be month, week or day.".into())
    }
}

fn decimal<S: Serializer>(money: &Money, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&money.decimal())
}

fn decimal_or_null<S: Serializer>(money: &Option<Money>, serializer: S) -> Result<S::Ok, S::Error> {
    money.map(Money::decimal).serialize(serializer)
}

/// How MRR went from the start of a time to its end: `start + new + reactivation + expansion - contraction - churn = end`,
/// exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct RollForward {
    #[serde(serialize_with = "decimal")]
    #[cfg_attr(feature = "ssr", schema(value_type = String))]
    pub start: Money,
    #[serde(serialize_with = "decimal")]
    #[cfg_attr(feature = "ssr", schema(value_type = String))]
    pub new: Money,
    #[serde(serialize_with = "decimal")]
    #[cfg_attr(feature = "ssr", schema(value_type = String))]
    pub reactivation: Money,
    #[serde(serialize_with = "decimal")]
    #[cfg_attr(feature = "ssr", schema(value_type = String))]
    pub expansion: Money,
    /// To be taken off.
    #[serde(serialize_with = "decimal")]
    #[cfg_attr(feature = "ssr", schema(value_type = String))]
    pub contraction: Money,
    /// To be taken off.
    #[serde(serialize_with = "decimal")]
    #[cfg_attr(feature = "ssr", schema(value_type = String))]
    pub churn: Money,
    #[serde(serialize_with = "decimal")]
    #[cfg_attr(feature = "ssr", schema(value_type = String))]
    pub end: Money,
}

impl RollForward {
    /// The steps between start and end, those to be taken off below zero.
    pub fn steps(&self) -> [(Figure, Money); 5] {
        let taken = |money: Money| Money::new(-money.minor, money.currency);
        [
            (Figure::New, self.new),
            (Figure::Reactivation, self.reactivation),
            (Figure::Expansion, self.expansion),
            (Figure::Contraction, taken(self.contraction)),
            (Figure::Churn, taken(self.churn)),
        ]
    }
}

/// Subscriptions at the end of a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct SubscriptionCounts {
    pub active: i64,
    pub trialing: i64,
    pub past_due: i64,
}

/// Who stopped paying.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct ChurnFigures {
    /// How often a group stopped paying.
    pub groups: i64,
    /// Per cent of the groups that paid at the start, rounded to one decimal; null where none did.
    pub group_rate: Option<f64>,
    /// Per cent of the MRR at the start, rounded to one decimal; null where there was none.
    pub mrr_rate: Option<f64>,
}

/// Tokens of one kind in the usage periods that ended in a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct TokenFigures {
    /// In periods with a limit; null where no such period ended.
    pub used: Option<i64>,
    /// What these periods allowed; null where no such period ended.
    pub sold: Option<i64>,
    /// In periods without a limit; null where no such period ended.
    pub used_unlimited: Option<i64>,
}

/// The figures of a time, in one currency.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct TimeFigures {
    /// The day that it begins on, in the time zone.
    pub day: NaiveDate,
    pub from: DateTime<Utc>,
    /// The time ends before this.
    pub to: DateTime<Utc>,
    /// Whether the time is over. What is over doesn't change any more, if it is made of whole months.
    pub is_over: bool,
    pub mrr: RollForward,
    pub subscriptions: SubscriptionCounts,
    /// Groups with MRR, at the end.
    pub paying_groups: i64,
    pub churn: ChurnFigures,
    /// Null where no group pays.
    #[serde(serialize_with = "decimal_or_null")]
    #[cfg_attr(feature = "ssr", schema(value_type = Option<String>))]
    pub average_revenue: Option<Money>,
    pub tokens: PerType<TokenFigures>,
    #[serde(serialize_with = "decimal")]
    #[cfg_attr(feature = "ssr", schema(value_type = String))]
    pub overage: Money,
}

/// How far the groups came that signed up in the window, by its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Funnel {
    /// In any currency, or none.
    pub signed_up: i64,
    pub checked_out: i64,
    pub paid: i64,
    pub trial_started: i64,
    pub trial_converted: i64,
}

/// A plan at the window's end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct PlanFigures {
    pub plan: PlanRef,
    pub subscriptions: SubscriptionCounts,
    /// What its subscriptions add to MRR.
    #[serde(serialize_with = "decimal")]
    #[cfg_attr(feature = "ssr", schema(value_type = String))]
    pub mrr: Money,
}

/// All figures in one currency.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct CurrencyAnalytics {
    /// Lower-case ISO 4217 code, of all amounts in here.
    #[cfg_attr(feature = "ssr", schema(value_type = String))]
    pub currency: Currency,
    /// The window as a whole.
    pub total: TimeFigures,
    /// The window's months, weeks or days in the time zone; the first and the last may be parts of one.
    pub intervals: Vec<TimeFigures>,
    pub funnel: Funnel,
    /// The one with the most MRR first.
    pub plans: Vec<PlanFigures>,
}

/// The operator's figures of a window.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct AnalyticsReport {
    pub from: DateTime<Utc>,
    /// The window ends before this.
    pub to: DateTime<Utc>,
    pub interval: AnalyticsInterval,
    pub tz: String,
    /// What has happened since isn't counted yet.
    pub as_of: DateTime<Utc>,
    /// Groups that signed up in the window.
    pub signed_up: i64,
    /// Each on its own: amounts in different currencies are never added.
    pub currencies: Vec<CurrencyAnalytics>,
    /// What each figure is, by its name.
    #[cfg_attr(feature = "ssr", schema(value_type = std::collections::HashMap<String, String>))]
    pub definitions: BTreeMap<Figure, &'static str>,
}

/// One of the rows that a figure is made of. What doesn't apply to the figure is null.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct FigureRow {
    /// When it counts: of a movement; of a group's step; of a usage period, its end; of a subscription, since when it is so.
    pub at: DateTime<Utc>,
    pub group_id: GroupId,
    pub group: String,
    pub status: Option<Status>,
    /// The plan's name before the movement.
    pub plan_before: Option<String>,
    /// The plan's name.
    pub plan: Option<String>,
    /// MRR before the movement.
    #[serde(serialize_with = "decimal_or_null")]
    #[cfg_attr(feature = "ssr", schema(value_type = Option<String>))]
    pub mrr_before: Option<Money>,
    /// MRR of the subscription, after the movement.
    #[serde(serialize_with = "decimal_or_null")]
    #[cfg_attr(feature = "ssr", schema(value_type = Option<String>))]
    pub mrr: Option<Money>,
    /// Tokens that were used in a period.
    pub used: Option<i64>,
    /// Tokens that the period allowed; null also where it has no limit.
    pub limit: Option<i64>,
    /// What was charged.
    #[serde(serialize_with = "decimal_or_null")]
    #[cfg_attr(feature = "ssr", schema(value_type = Option<String>))]
    pub amount: Option<Money>,
}

/// `part` of `whole` in per cent, rounded to one decimal; `None` of nothing.
pub fn share(part: i64, whole: i64) -> Option<f64> {
    (whole > 0).then(|| (part as f64 / whole as f64 * 1_000.0).round() / 10.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_nothing_is_none() {
        assert_eq!(share(1, 3), Some(33.3));
        assert_eq!(share(0, 3), Some(0.0));
        assert_eq!(share(0, 0), None);
    }
}
