//! Groups as the SuperAdmin sees them: a list to search, filter and sort, and who looked into which.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::{Currency, GroupId, Level, Money, PerType, PlanRef, Resource, Status, UsageType};

/// What a list of groups is in the order of. Groups without such a figure come last, whichever way it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GroupSortKey {
    Name,
    /// By the share of its limit that the fuller resource has reached.
    Usage,
    /// By currency, then amount: amounts of different currencies aren't compared.
    Mrr,
    /// By when the first resource runs out.
    RunOut,
    LastActivity,
    CreatedAt,
    /// By the plan's name.
    Plan,
    Status,
}

impl GroupSortKey {
    pub const ALL: [Self; 8] = [
        Self::Name,
        Self::Usage,
        Self::Mrr,
        Self::RunOut,
        Self::LastActivity,
        Self::CreatedAt,
        Self::Plan,
        Self::Status,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Usage => "usage",
            Self::Mrr => "mrr",
            Self::RunOut => "run_out",
            Self::LastActivity => "last_activity",
            Self::CreatedAt => "created_at",
            Self::Plan => "plan",
            Self::Status => "status",
        }
    }
}

/// The order of a list of groups: a word for what it goes by, with `-` before it to begin with the most. Those that have
/// the same are in the order of their ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GroupSort {
    pub key: GroupSortKey,
    pub descending: bool,
}

impl GroupSort {
    pub const BY_NAME: Self = Self { key: GroupSortKey::Name, descending: false };
}

impl fmt::Display for GroupSort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.descending { "-" } else { "" })?;
        f.write_str(self.key.as_str())
    }
}

impl FromStr for GroupSort {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (word, descending) = text.strip_prefix('-').map_or((text, false), |word| (word, true));
        let known = GroupSortKey::ALL.into_iter().find(|key| key.as_str() == word);
        let words = || GroupSortKey::ALL.map(GroupSortKey::as_str).join(", ");
        let key = known
            .ok_or_else(|| format!("Must be one of {}, with - before it to turn the order.", words()))?;
        Ok(Self { key, descending })
    }
}

/// The status of groups to list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupStatus {
    /// Of the group's subscription, or of the one it had last.
    Is(Status),
    /// The group never had a subscription.
    NoSubscription,
}

impl GroupStatus {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Is(status) => status.as_str(),
            Self::NoSubscription => "none",
        }
    }
}

impl FromStr for GroupStatus {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == Self::NoSubscription.as_str() {
            return Ok(Self::NoSubscription);
        }
        let words = || Status::ALL.map(Status::as_str).join(", ");
        text.parse().map(Self::Is).map_err(|_| format!("Must be none or one of {}.", words()))
    }
}

/// A group in the SuperAdmin's list. What can't be said is null, never 0.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct GroupSummary {
    pub id: GroupId,
    pub name: String,
    pub created_at: DateTime<Utc>,
    /// Of its subscription, or of the one it had last; null where it never had one.
    pub plan: Option<PlanRef>,
    /// As the plan.
    pub status: Option<Status>,
    /// The current period's; null without an allowance.
    pub usage: Option<GroupUsage>,
    /// That of the resource nearer to its limit; null without an allowance.
    pub level: Option<Level>,
    pub seats: Seats,
    /// The monthly part of what is paid, a decimal; null without a subscription, `0` in a trial.
    pub mrr: Option<String>,
    /// Of `mrr`.
    #[cfg_attr(feature = "ssr", schema(value_type = Option<String>, pattern = "^[a-z]{3}$"))]
    pub currency: Option<Currency>,
    /// When its latest tokens were spent, to the minute; null where none ever were.
    pub last_activity: Option<DateTime<Utc>>,
    /// When the first resource runs out at the pace of the period so far; null where none does within the period, and in
    /// its first days, which say too little.
    pub run_out: Option<RunOut>,
}

impl GroupSummary {
    /// The monthly part of what is paid.
    pub fn mrr(&self) -> Option<Money> {
        Money::parse(self.mrr.as_deref()?, self.currency?).ok()
    }
}

/// What a group has used in its current period.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct GroupUsage {
    pub period_start: DateTime<Utc>,
    pub period_end: DateTime<Utc>,
    #[serde(flatten)]
    #[cfg_attr(feature = "ssr", schema(value_type = super::UsageResources))]
    pub resources: PerType<Resource>,
}

/// The seats of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Seats {
    /// Taken by members and open invitations.
    pub used: i64,
    /// Null for unlimited, and without a subscription.
    pub limit: Option<i64>,
}

/// Which resource runs out first, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct RunOut {
    pub usage_type: UsageType,
    pub at: DateTime<Utc>,
}

/// How a group was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub enum VisitVia {
    Page,
    Api,
}

impl VisitVia {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Api => "api",
        }
    }
}

impl TryFrom<String> for VisitVia {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let known = [Self::Page, Self::Api].into_iter().find(|via| via.as_str() == text);
        known.ok_or_else(|| format!("{text:?} is no way to look at a group"))
    }
}

/// A SuperAdmin's look at a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct GroupVisit {
    pub created_at: DateTime<Utc>,
    /// Who looked, by name and address as they are now.
    pub user: String,
    pub email: String,
    pub via: VisitVia,
    /// Why; null where the API was asked without a reason.
    pub reason: Option<String>,
}

/// The longest reason, in characters.
pub const MAX_REASON: usize = 500;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_read_as_it_is_written() {
        for key in GroupSortKey::ALL {
            for descending in [false, true] {
                let sort = GroupSort { key, descending };
                assert_eq!(sort.to_string().parse(), Ok(sort));
            }
        }
        for wrong in ["", "-", "--name", "Name", "seats"] {
            assert!(wrong.parse::<GroupSort>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_status_is_stripes_word_or_none() {
        for status in Status::ALL.map(GroupStatus::Is).into_iter().chain([GroupStatus::NoSubscription]) {
            assert_eq!(status.as_str().parse(), Ok(status));
        }
        assert!("gone".parse::<GroupStatus>().is_err());
    }
}
