//! Holds as they are kept.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::FromRow;
use uuid::Uuid;

use super::super::{PageRequest, PageRows, Store};
use super::rows::{as_hex, as_hex_if_any, as_stored, as_stored_if_any};
use crate::domain::{GroupId, KeyId, OpenHold, Period, SummaryId, UsageType, UserId};
use crate::error::Result;

/// What became of a hold. Only an open one counts in what is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum HoldState {
    Open,
    /// What was spent of it is recorded.
    Settled,
    /// Given back by its caller.
    Released,
    /// Freed since its time was over. It may still be settled.
    Expired,
}

impl TryFrom<String> for HoldState {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "open" => Ok(Self::Open),
            "settled" => Ok(Self::Settled),
            "released" => Ok(Self::Released),
            "expired" => Ok(Self::Expired),
            _ => Err(format!("{text:?} is not a state of a hold")),
        }
    }
}

/// A hold, and the period it was granted in. It is written as one JSON parameter with others, under the one-letter names
/// that the statement reads.
#[derive(Clone, Debug, PartialEq, FromRow, Serialize)]
pub struct HoldRow {
    #[serde(rename = "g")]
    pub group_id: GroupId,
    #[serde(rename = "i")]
    pub id: String,
    #[serde(rename = "s")]
    pub summary_id: SummaryId,
    #[serde(rename = "u")]
    pub user_id: UserId,
    #[serde(rename = "k")]
    pub key_id: Option<KeyId>,
    #[serde(rename = "y")]
    #[sqlx(try_from = "String")]
    pub usage_type: UsageType,
    #[serde(rename = "t")]
    pub tokens: i64,
    #[serde(rename = "w")]
    #[sqlx(try_from = "String")]
    pub state: HoldState,
    /// SHA-256 of what was asked for.
    #[serde(rename = "f", serialize_with = "as_hex")]
    pub fingerprint: Vec<u8>,
    /// SHA-256 of how it was settled.
    #[serde(rename = "p", serialize_with = "as_hex_if_any")]
    pub settlement: Option<Vec<u8>>,
    #[serde(rename = "c", serialize_with = "as_stored")]
    pub created_at: DateTime<Utc>,
    #[serde(rename = "x", serialize_with = "as_stored")]
    pub expires_at: DateTime<Utc>,
    #[serde(rename = "z", serialize_with = "as_stored_if_any")]
    pub ended_at: Option<DateTime<Utc>>,
    #[serde(skip)]
    pub period_start: DateTime<Utc>,
    #[serde(skip)]
    pub period_end: DateTime<Utc>,
}

impl HoldRow {
    pub fn period(&self) -> Period {
        Period { start: self.period_start, end: self.period_end }
    }

    /// Whose caps it counts in: its member's and its key's.
    pub fn subjects(&self) -> impl Iterator<Item = Uuid> {
        [Some(Uuid::from(self.user_id)), self.key_id.map(Uuid::from)].into_iter().flatten()
    }
}

/// What the list of open holds is found by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldKey(pub String);

#[derive(FromRow)]
struct OpenHoldRow {
    id: String,
    #[sqlx(try_from = "String")]
    usage_type: UsageType,
    tokens: i64,
    user_id: UserId,
    key_id: Option<KeyId>,
    created_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
}

impl From<OpenHoldRow> for OpenHold {
    fn from(row: OpenHoldRow) -> Self {
        let OpenHoldRow { id, usage_type, tokens, user_id, key_id, created_at, expires_at } = row;
        Self { id, usage_type, tokens, user_id, key_id, created_at, expires_at }
    }
}

impl Store {
    /// One page of the group's open holds, or of one user's among them, in the order of their ids.
    ///
    /// # Errors
    /// The database's.
    pub async fn open_holds_page(
        &self,
        group: GroupId,
        user: Option<UserId>,
        page: PageRequest<HoldKey>,
    ) -> Result<PageRows<OpenHold>> {
        let rows: Vec<OpenHoldRow> = on_db!(self, |pool| {
            sqlx::query_as(
                "SELECT id, usage_type, tokens, user_id, key_id, created_at, expires_at FROM usage_holds
                 WHERE group_id = $1 AND state = 'open' AND id > $2 AND ($3 IS NULL OR user_id = $3)
                 ORDER BY id LIMIT $4",
            )
            .bind(group)
            .bind(page.after.as_ref().map_or("", |key| key.0.as_str()))
            .bind(user)
            .bind(page.rows())
            .fetch_all(pool)
            .await?
        });
        Ok(page.page(rows.into_iter().map(OpenHold::from).collect()))
    }

    /// Up to `most` groups that have an open hold whose time is over at `now`, or later than any hold's may be.
    ///
    /// # Errors
    /// The database's.
    pub async fn groups_with_due_holds(
        &self,
        now: DateTime<Utc>,
        latest: DateTime<Utc>,
        most: i64,
    ) -> Result<Vec<GroupId>> {
        Ok(on_db!(self, |pool| {
            sqlx::query_scalar(
                "SELECT DISTINCT group_id FROM usage_holds
                 WHERE state = 'open' AND (expires_at <= $1 OR expires_at > $2) LIMIT $3",
            )
            .bind(now)
            .bind(latest)
            .bind(most)
            .fetch_all(pool)
            .await?
        }))
    }
}
