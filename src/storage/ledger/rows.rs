//! The rows that a decision writes. All but the events go in as one JSON parameter for each kind, so a statement is
//! prepared once whatever the number of rows; the one-letter names are those the statements read.

use std::ops::AddAssign;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::domain::{Details, GroupId, KeyId, Notice, NoticeId, PerType, SummaryId, UsageType, UserId};

/// An event's name in its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct EventKey<'a> {
    #[serde(rename = "g")]
    pub group: GroupId,
    #[serde(rename = "i")]
    pub id: &'a str,
}

/// A row of the ledger.
#[derive(Clone, Debug)]
pub struct EventRow<'a> {
    pub key: EventKey<'a>,
    pub summary_id: SummaryId,
    pub user_id: UserId,
    pub key_id: Option<KeyId>,
    pub usage_type: UsageType,
    pub tokens: i64,
    /// How many of them lie beyond the limit and are charged. Kept in the period's sum alone.
    pub overage: i64,
    pub model: Option<&'a str>,
    pub details: Option<&'a Details>,
    pub estimated: bool,
    pub metadata: Option<&'a Map<String, Value>>,
    pub fingerprint: &'a [u8],
    pub occurred_at: DateTime<Utc>,
}

/// Tokens to add to a period's sums; below 0 to take away from what is held.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct SumRow {
    #[serde(rename = "g")]
    pub group_id: GroupId,
    #[serde(rename = "s")]
    pub summary_id: SummaryId,
    #[serde(flatten)]
    pub delta: Delta,
    /// Thresholds that the group is told of with this, in per cent; 0 for none.
    #[serde(flatten)]
    pub notified: Notified,
}

/// The highest threshold told of, for each kind of token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Notified {
    #[serde(rename = "ln")]
    pub llm: i64,
    #[serde(rename = "vn")]
    pub voice: i64,
}

/// What a group is to be told.
#[derive(Clone, Debug, Serialize)]
pub struct NoticeRow {
    #[serde(rename = "i")]
    pub id: NoticeId,
    #[serde(rename = "g")]
    pub group_id: GroupId,
    /// What it is told of once, where its cause can be met again.
    pub once: Option<String>,
    #[serde(flatten)]
    pub notice: Notice,
}

/// Tokens to add to what one member or one key has used and holds in a period.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct ShareRow {
    #[serde(rename = "g")]
    pub group_id: GroupId,
    #[serde(rename = "s")]
    pub summary_id: SummaryId,
    #[serde(rename = "i")]
    pub subject_id: Uuid,
    #[serde(flatten)]
    pub delta: Delta,
}

/// A change of what is used and what is held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delta {
    pub used: PerType<i64>,
    pub held: PerType<i64>,
    /// Tokens beyond the limit that are charged.
    pub overage: PerType<i64>,
}

impl Delta {
    /// Tokens used; below 0 to take them back.
    pub fn used(kind: UsageType, tokens: i64) -> Self {
        let mut delta = Self::default();
        delta.used[kind] = tokens;
        delta
    }

    /// Tokens held; below 0 to free them.
    pub fn held(kind: UsageType, tokens: i64) -> Self {
        let mut delta = Self::default();
        delta.held[kind] = tokens;
        delta
    }

    /// Of the tokens used, so many charged as overage; below 0 to take them back.
    pub fn with_overage(mut self, kind: UsageType, tokens: i64) -> Self {
        self.overage[kind] = tokens;
        self
    }
}

impl AddAssign for Delta {
    fn add_assign(&mut self, other: Self) {
        self.used += other.used;
        self.held += other.held;
        self.overage += other.overage;
    }
}

impl Serialize for Delta {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Row {
            l: i64,
            v: i64,
            lh: i64,
            vh: i64,
            lo: i64,
            vo: i64,
        }
        let Self { used, held, overage } = self;
        Row { l: used.llm, v: used.voice, lh: held.llm, vh: held.voice, lo: overage.llm, vo: overage.voice }
            .serialize(serializer)
    }
}

/// When a group's latest event occurred.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ActivityRow {
    #[serde(rename = "g")]
    pub group_id: GroupId,
    #[serde(rename = "a", serialize_with = "as_stored")]
    pub last_event_at: DateTime<Utc>,
}

/// Tokens and events to add to a quarter of an hour's sums.
#[derive(Clone, Debug, Serialize)]
pub struct QuarterRow<'a> {
    #[serde(rename = "g")]
    pub group_id: GroupId,
    #[serde(rename = "s")]
    pub summary_id: SummaryId,
    /// Quarters of an hour since 1970-01-01T00:00:00Z.
    #[serde(rename = "q")]
    pub quarter: i64,
    #[serde(rename = "u")]
    pub user_id: UserId,
    /// Empty for none.
    #[serde(rename = "m")]
    pub model: &'a str,
    /// The nil UUID for none.
    #[serde(rename = "k")]
    pub key_id: Uuid,
    #[serde(rename = "l")]
    pub llm: i64,
    #[serde(rename = "v")]
    pub voice: i64,
    #[serde(rename = "ln")]
    pub llm_events: i64,
    #[serde(rename = "vn")]
    pub voice_events: i64,
}

/// Bytes in hexadecimal digits.
pub(super) fn as_hex<S: Serializer>(bytes: &impl AsRef<[u8]>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&hex::encode(bytes))
}

pub(super) fn as_hex_if_any<S: Serializer>(
    bytes: &Option<impl AsRef<[u8]>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    bytes.as_ref().map(hex::encode).serialize(serializer)
}

/// The very text that sqlx writes for a time on SQLite, which compares times as texts.
pub(super) fn as_stored<S: Serializer>(at: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&stored(*at))
}

pub(super) fn as_stored_if_any<S: Serializer>(
    at: &Option<DateTime<Utc>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    at.map(stored).serialize(serializer)
}

/// The same, for a list.
pub(in crate::storage) fn stored(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, false)
}
