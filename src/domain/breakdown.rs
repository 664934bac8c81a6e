//! What the ledger adds up to by day, member, model or key, and the events behind it.

use std::fmt;
use std::ops::AddAssign;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Details, KeyId, PerType, UsageType, UserId};

/// The key of the row that stands for what a member may not see apart: other members' tokens, or other members' keys.
pub const OTHERS: &str = "others";

/// What a breakdown has a row for each of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub enum BreakdownBy {
    Day,
    Member,
    Model,
    Key,
}

impl BreakdownBy {
    pub const ALL: [Self; 4] = [Self::Day, Self::Member, Self::Model, Self::Key];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Member => "member",
            Self::Model => "model",
            Self::Key => "key",
        }
    }
}

impl fmt::Display for BreakdownBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for BreakdownBy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|by| by.as_str() == text);
        known.ok_or_else(|| "Must be day, member, model or key.".into())
    }
}

/// Tokens of each kind, and the events that they were recorded by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Sums {
    pub llm: i64,
    pub voice: i64,
    pub events: i64,
}

impl Sums {
    /// LLM and voice tokens.
    pub fn tokens(&self) -> PerType<i64> {
        PerType { llm: self.llm, voice: self.voice }
    }

    /// Tokens of both kinds together, for putting rows in order.
    pub fn weight(&self) -> i64 {
        self.llm.saturating_add(self.voice)
    }
}

impl AddAssign for Sums {
    fn add_assign(&mut self, other: Self) {
        self.llm += other.llm;
        self.voice += other.voice;
        self.events += other.events;
    }
}

/// One row of a breakdown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct BreakdownRow {
    /// A day (`2026-11-24`), a member's id, a model, or a key's id. Null for events without a model or a key. `others`
    /// for what a member may not see apart.
    pub key: Option<String>,
    /// The day, the member's or the key's name as it is now (also after they are gone), the model.
    pub label: String,
    pub llm: i64,
    pub voice: i64,
    pub events: i64,
}

impl BreakdownRow {
    pub fn sums(&self) -> Sums {
        Sums { llm: self.llm, voice: self.voice, events: self.events }
    }
}

/// What the ledger of a window adds up to. The rows of each breakdown of the same window add up to the same total.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Breakdown {
    pub by: BreakdownBy,
    pub from: DateTime<Utc>,
    /// The window ends before this.
    pub to: DateTime<Utc>,
    /// The time zone of the days.
    pub tz: String,
    pub total: Sums,
    /// Days in their order, from the first that has events to the last, without gaps; anything else by tokens, most
    /// first, `others` last.
    pub rows: Vec<BreakdownRow>,
}

/// An event of the ledger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct LedgerEvent {
    /// The caller's own; of a settled hold, its id behind `hold:`.
    pub id: String,
    pub usage_type: UsageType,
    pub tokens_used: i64,
    pub user_id: UserId,
    /// The member's name as it is now.
    pub user: String,
    /// The key it was recorded with; null for a session.
    pub key_id: Option<KeyId>,
    /// The key's name, also after it was revoked.
    pub key: Option<String>,
    pub model: Option<String>,
    pub details: Option<Details>,
    /// Whether the count is an estimate that no provider confirmed.
    pub estimated: bool,
    /// When the tokens were spent: within the period that they count in, as that stood when they were recorded.
    pub created_at: DateTime<Utc>,
    pub recorded_at: DateTime<Utc>,
    #[cfg_attr(feature = "ssr", schema(value_type = Option<Object>))]
    pub metadata: Option<Map<String, Value>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_breakdown_is_read_as_it_is_written() {
        for by in BreakdownBy::ALL {
            assert_eq!(by.to_string().parse(), Ok(by));
        }
        assert!("week".parse::<BreakdownBy>().is_err());
    }
}
