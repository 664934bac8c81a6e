//! Caps: the most that one member or one key of a group may spend in a period, and how much of it is spent.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use uuid::Uuid;

use super::summaries::{ShareCounters, live_allowances, share_columns};
use super::{Store, Tx};
use crate::domain::{Caps, GroupId, KeyId, Refusal, UserId};
use crate::error::Result;

/// What one member or one key has used, holds and may spend.
#[derive(Clone, Debug, FromRow)]
pub struct SubjectShare {
    /// A user's id or a key's.
    pub subject_id: Uuid,
    #[sqlx(flatten)]
    pub counters: ShareCounters,
}

impl Tx {
    /// Sets the caps of a member or a key of the group, whose row has to be locked: what was decided under it stands.
    ///
    /// # Errors
    /// The database's.
    pub async fn set_caps(&mut self, group: GroupId, subject: Uuid, caps: Caps) -> Result<()> {
        on_tx!(self, |connection| {
            sqlx::query(
                "INSERT INTO usage_caps (group_id, subject_id, llm_cap, voice_cap) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (group_id, subject_id) DO UPDATE SET
                     llm_cap = excluded.llm_cap, voice_cap = excluded.voice_cap",
            )
            .bind(group)
            .bind(subject)
            .bind(caps.llm)
            .bind(caps.voice)
            .execute(connection)
            .await?;
        });
        Ok(())
    }

    /// Whether the user is a member of the group.
    ///
    /// # Errors
    /// The database's.
    pub async fn is_member(&mut self, group: GroupId, user: UserId) -> Result<bool> {
        let found: i64 = on_tx!(self, |connection| {
            sqlx::query_scalar(
                "SELECT COUNT(*) FROM users WHERE id = $1 AND group_id = $2 AND removed_at IS NULL",
            )
            .bind(user)
            .bind(group)
            .fetch_one(connection)
            .await?
        });
        Ok(found > 0)
    }

    /// The member of the group that a key acts as.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] for a revoked key, one of another group, or none; the database's.
    pub async fn owner_of_key(&mut self, group: GroupId, key: KeyId) -> Result<UserId> {
        let owner: Option<UserId> = on_tx!(self, |connection| {
            sqlx::query_scalar(
                "SELECT u.id FROM api_keys k JOIN users u ON u.id = k.user_id
                 WHERE k.id = $1 AND u.group_id = $2 AND k.revoked_at IS NULL AND u.removed_at IS NULL",
            )
            .bind(key)
            .bind(group)
            .fetch_optional(connection)
            .await?
        });
        owner.ok_or_else(|| Refusal::NotFound("API key".into()).into())
    }
}

impl Store {
    /// What the group's members and keys have used and hold in the period that runs at `now`, and their caps. One that
    /// isn't listed has used nothing and has no cap.
    ///
    /// # Errors
    /// The database's.
    pub async fn shares(&self, group: GroupId, now: DateTime<Utc>) -> Result<Vec<SubjectShare>> {
        Ok(on_db!(self, |pool| {
            sqlx::query_as(concat!(
                "WITH a AS (",
                live_allowances!("= $1"),
                " LIMIT 1)
                 SELECT h.subject_id, ",
                share_columns!(),
                " FROM usage_shares h JOIN a ON a.group_id = h.group_id AND a.summary_id = h.summary_id
                 LEFT JOIN usage_caps c ON c.group_id = h.group_id AND c.subject_id = h.subject_id
                 WHERE h.group_id = $1
                 UNION ALL
                 SELECT c.subject_id, NULL, NULL, NULL, NULL, c.llm_cap, c.voice_cap
                 FROM usage_caps c WHERE c.group_id = $1 AND NOT EXISTS (
                     SELECT 1 FROM usage_shares h JOIN a ON a.group_id = h.group_id AND a.summary_id = h.summary_id
                     WHERE h.group_id = c.group_id AND h.subject_id = c.subject_id)"
            ))
            .bind(group)
            .bind(now)
            .fetch_all(pool)
            .await?
        }))
    }
}
