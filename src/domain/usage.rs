//! How much of an allowance is used, and what that means.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{OverageUsage, PerType, Plan, PlanId, Status, SubscriptionId};

/// What tokens were spent on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub enum UsageType {
    Llm,
    Voice,
}

impl UsageType {
    pub const ALL: [Self; 2] = [Self::Llm, Self::Voice];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Llm => "llm",
            Self::Voice => "voice",
        }
    }

    pub fn other(self) -> Self {
        match self {
            Self::Llm => Self::Voice,
            Self::Voice => Self::Llm,
        }
    }

    /// The name people see, and assistive technology announces.
    pub fn label(self) -> &'static str {
        match self {
            Self::Llm => "LLM tokens",
            Self::Voice => "Voice tokens",
        }
    }

    /// The same name inside a sentence.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Llm => "LLM tokens",
            Self::Voice => "voice tokens",
        }
    }
}

impl fmt::Display for UsageType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for UsageType {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "llm" => Ok(Self::Llm),
            "voice" => Ok(Self::Voice),
            _ => Err("Must be llm or voice.".into()),
        }
    }
}

impl TryFrom<String> for UsageType {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

/// The share of a limit from which on its users are warned, in per cent.
pub const WARNING_PERCENTAGE: i64 = 80;

/// How near a limit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub enum Level {
    Ok,
    /// At 80 % or more.
    Warning,
    /// At 100 % or more.
    Limit,
}

impl Level {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Limit => "limit",
        }
    }

    pub const ALL: [Self; 3] = [Self::Ok, Self::Warning, Self::Limit];

    /// Decided on whole numbers, so that 79,999 of 100,000 is never rounded up into a warning. A limit of 0 is
    /// a resource that the plan doesn't include: there is nothing to run out of.
    pub fn of(used: i64, limit: Option<i64>) -> Self {
        match limit {
            Some(0) => Self::Ok,
            Some(limit) if used >= limit => Self::Limit,
            Some(limit) if i128::from(used) * 100 >= i128::from(limit) * i128::from(WARNING_PERCENTAGE) => {
                Self::Warning
            }
            _ => Self::Ok,
        }
    }
}

impl FromStr for Level {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|level| level.as_str() == text);
        known.ok_or_else(|| "Must be ok, warning or limit.".into())
    }
}

/// One resource's share of the current period.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Resource {
    /// Tokens recorded in this period.
    pub used: i64,
    /// Tokens reserved by holds that are still open.
    pub held: i64,
    /// Null for unlimited, 0 for a resource that isn't in the plan.
    pub limit: Option<i64>,
    /// `limit - used - held`, never below 0; null for unlimited.
    pub remaining: Option<i64>,
    /// Used share of the limit in per cent, rounded half up to one decimal; above 100 when overspent; 0 for a
    /// limit of 0; null for unlimited.
    pub percentage: Option<f64>,
    pub level: Level,
}

impl Resource {
    pub fn new(used: i64, held: i64, limit: Option<i64>) -> Self {
        Self {
            used,
            held,
            limit,
            remaining: limit.map(|limit| limit.saturating_sub(used).saturating_sub(held).max(0)),
            percentage: limit.map(|limit| share(used, limit, 1_000) as f64 / 10.0),
            level: Level::of(used, limit),
        }
    }

    /// Whether the plan includes this resource at all.
    pub fn is_included(&self) -> bool {
        self.limit != Some(0)
    }

    /// Used share in whole per cent, as the screen shows it: rounded half up, but never up to a threshold that
    /// isn't reached, so that the figure and the level beside it agree. Null for unlimited, and for a resource
    /// that isn't in the plan.
    pub fn whole_percentage(&self) -> Option<i64> {
        let limit = self.limit.filter(|limit| *limit > 0)?;
        let percentage = share(self.used, limit, 100);
        Some(match self.level {
            Level::Ok => percentage.min(WARNING_PERCENTAGE - 1),
            Level::Warning => percentage.min(99),
            Level::Limit => percentage,
        })
    }

    /// Whether there is a token left to spend.
    pub fn has_left(&self) -> bool {
        self.remaining.is_none_or(|left| left > 0)
    }
}

/// `used / limit` in parts of `scale`, rounded half up. Of a limit of 0 no share is used.
fn share(used: i64, limit: i64, scale: i64) -> i64 {
    if limit <= 0 {
        return 0;
    }
    let (used, limit) = (i128::from(used), i128::from(limit));
    i64::try_from((used * i128::from(scale) * 2 + limit) / (limit * 2)).unwrap_or(i64::MAX)
}

/// What a usage says of each resource, for the API's document, where a generic type has no name.
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[allow(dead_code, reason = "for the document")]
pub struct UsageResources {
    llm: Resource,
    voice: Resource,
}

/// A plan by its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct PlanRef {
    pub id: PlanId,
    pub name: String,
}

/// A group's allowance in the current period, and how much of it is used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Usage {
    pub subscription_id: SubscriptionId,
    pub plan: PlanRef,
    pub status: Status,
    pub period_start: DateTime<Utc>,
    pub period_end: DateTime<Utc>,
    /// When these numbers were read.
    pub as_of: DateTime<Utc>,
    #[serde(flatten)]
    #[cfg_attr(feature = "ssr", schema(value_type = UsageResources))]
    pub resources: PerType<Resource>,
    /// What lies beyond the limits; null where the plan sells none of it.
    // No page's code reads it, so browsers needn't load what would.
    #[serde(skip_deserializing)]
    pub overage: Option<OverageUsage>,
    /// The caller's own part of it; null for a caller who belongs to another group.
    #[serde(default)]
    pub you: Option<PerType<Share>>,
}

/// One member's or one key's part of a resource in the current period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Share {
    /// Tokens recorded.
    pub used: i64,
    /// Tokens reserved by holds that are still open.
    pub held: i64,
    /// The cap; null for none.
    pub limit: Option<i64>,
    /// `limit - used - held`, never below 0; null without a cap.
    pub remaining: Option<i64>,
}

impl Share {
    pub fn new(used: i64, held: i64, limit: Option<i64>) -> Self {
        let remaining = limit.map(|limit| limit.saturating_sub(used).saturating_sub(held).max(0));
        Self { used, held, limit, remaining }
    }

    /// How near the cap is: as [`Level::of`], but that a cap of 0 is one that is reached.
    pub fn level(&self) -> Level {
        match self.limit {
            Some(limit) if self.used >= limit => Level::Limit,
            limit => Level::of(self.used, limit),
        }
    }
}

impl Usage {
    /// What is at 80 % or above, with the message that people are warned with.
    pub fn warnings(&self) -> Vec<Warning> {
        self.resources
            .iter()
            .filter_map(|(usage_type, resource)| {
                let message = match resource.level {
                    Level::Ok => return None,
                    Level::Warning => "Warning - approaching limit",
                    Level::Limit => "Limit reached - upgrade required",
                };
                Some(Warning {
                    usage_type,
                    level: resource.level,
                    percentage: resource.percentage.unwrap_or(0.0),
                    message: message.to_owned(),
                })
            })
            .collect()
    }
}

/// A resource at 80 % or above.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Warning {
    pub usage_type: UsageType,
    pub level: Level,
    pub percentage: f64,
    pub message: String,
}

/// Whether tokens may be spent, and what the group should be warned of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct LimitCheck {
    /// Which resources may be spent.
    pub allowed: PerType<bool>,
    pub usage: Usage,
    pub warnings: Vec<Warning>,
    /// The next plan up, where there is a warning and such a plan; else null.
    pub suggested_plan: Option<Plan>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_of_the_contract() {
        let llm = Resource::new(75_234, 0, Some(100_000));
        assert_eq!(
            (llm.percentage, llm.whole_percentage(), llm.remaining),
            (Some(75.2), Some(75), Some(24_766))
        );
        assert_eq!(llm.level, Level::Ok);
        let voice = Resource::new(42_891, 0, Some(50_000));
        assert_eq!(
            (voice.percentage, voice.whole_percentage(), voice.remaining),
            (Some(85.8), Some(86), Some(7_109))
        );
        assert_eq!(voice.level, Level::Warning);
    }

    #[test]
    fn a_level_is_decided_on_whole_numbers() {
        for (used, limit, level) in [
            (0, 100, Level::Ok),
            (79_999, 100_000, Level::Ok),
            (80_000, 100_000, Level::Warning),
            (99_999, 100_000, Level::Warning),
            (100_000, 100_000, Level::Limit),
            (100_001, 100_000, Level::Limit),
            (4, 5, Level::Warning),
            (i64::MAX, i64::MAX, Level::Limit),
        ] {
            assert_eq!(Level::of(used, Some(limit)), level, "{used} of {limit}");
        }
        assert_eq!(Level::of(i64::MAX, None), Level::Ok);
    }

    #[test]
    fn an_overspent_allowance_has_nothing_left_and_says_how_far_over() {
        let resource = Resource::new(150, 10, Some(100));
        assert_eq!((resource.remaining, resource.percentage), (Some(0), Some(150.0)));
        assert!(!resource.has_left());
    }

    #[test]
    fn a_half_is_rounded_up() {
        assert_eq!(Resource::new(5, 0, Some(1_000)).whole_percentage(), Some(1));
        assert_eq!(Resource::new(5, 0, Some(10_000)).percentage, Some(0.1));
    }

    #[test]
    fn the_screen_never_rounds_up_to_a_threshold_that_is_not_reached() {
        for (used, percentage, whole, level) in [
            (399, 79.8, 79, Level::Ok),
            (400, 80.0, 80, Level::Warning),
            (499, 99.8, 99, Level::Warning),
            (500, 100.0, 100, Level::Limit),
            (503, 100.6, 101, Level::Limit),
        ] {
            let resource = Resource::new(used, 0, Some(500));
            let shown = (resource.percentage, resource.whole_percentage(), resource.level);
            assert_eq!(shown, (Some(percentage), Some(whole), level), "{used} of 500");
        }
    }

    #[test]
    fn a_limit_of_0_is_not_in_the_plan_and_no_reason_for_a_warning() {
        for used in [0, 7] {
            let resource = Resource::new(used, 0, Some(0));
            assert!(!resource.is_included() && !resource.has_left());
            let shown = (resource.level, resource.percentage, resource.whole_percentage());
            assert_eq!(shown, (Level::Ok, Some(0.0), None));
        }
        assert!(Resource::new(0, 0, None).is_included());
    }

    #[test]
    fn what_is_unlimited_has_neither_limit_nor_percentage() {
        let resource = Resource::new(1_000_000, 0, None);
        assert_eq!((resource.limit, resource.remaining, resource.percentage), (None, None, None));
        assert_eq!(resource.level, Level::Ok);
        assert!(resource.has_left());
    }
}
