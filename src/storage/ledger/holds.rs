//! Holds as they are kept.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::FromRow;
use uuid::Uuid;

use super::super::{PageRequest, PageRows, Store};
use super::HoldChange;
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

/// A hold, and the period it was granted in.
#[derive(Clone, Debug, PartialEq, FromRow)]
pub struct HoldRow {
    pub group_id: GroupId,
    pub id: String,
    pub summary_id: SummaryId,
    pub user_id: UserId,
    pub key_id: Option<KeyId>,
    #[sqlx(try_from = "String")]
    pub usage_type: UsageType,
    pub tokens: i64,
    #[sqlx(try_from = "String")]
    pub state: HoldState,
    /// SHA-256 of what was asked for.
    pub fingerprint: Vec<u8>,
    /// SHA-256 of how it was settled.
    pub settlement: Option<Vec<u8>>,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    pub ended_at: Option<DateTime<Utc>>,
    pub period_start: DateTime<Utc>,
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

    pub(super) fn change(&self) -> HoldChange<'_> {
        HoldChange {
            group_id: self.group_id,
            id: &self.id,
            summary_id: self.summary_id,
            user_id: self.user_id,
            key_id: self.key_id,
            usage_type: self.usage_type,
            tokens: self.tokens,
            state: self.state,
            fingerprint: &self.fingerprint,
            settlement: self.settlement.as_deref(),
            created_at: self.created_at,
            expires_at: self.expires_at,
            ended_at: self.ended_at,
        }
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
