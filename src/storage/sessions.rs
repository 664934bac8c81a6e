//! Sessions of browsers: rows found by a hash of the cookie, so that a stolen database opens none.

use chrono::{DateTime, Duration, Utc};
use sqlx::FromRow;
use uuid::Uuid;

use super::{PageRequest, PageRows, Store, Tx};
use crate::domain::{Refusal, SessionId, UserId};
use crate::error::Result;

/// How old the note of a session's last use may be.
const SEEN: Duration = Duration::minutes(1);

/// A session.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct SessionRow {
    /// SHA-256 of the cookie.
    pub id_hash: Vec<u8>,
    pub id: SessionId,
    pub user_id: UserId,
    /// In words.
    pub user_agent: String,
    pub created_at: DateTime<Utc>,
    /// To the minute.
    pub last_seen_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

impl Store {
    /// Writes a session unless there is one with its cookie; says whether it did.
    pub async fn add_session(&self, session: &SessionRow) -> Result<bool> {
        Ok(write_db!(self, |pool| {
            sqlx::query(
                "INSERT INTO sessions (id_hash, id, user_id, user_agent, created_at, last_seen_at, expires_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id_hash) DO NOTHING",
            )
            .bind(&session.id_hash)
            .bind(session.id)
            .bind(session.user_id)
            .bind(&session.user_agent)
            .bind(session.created_at)
            .bind(session.last_seen_at)
            .bind(session.expires_at)
            .execute(pool)
            .await?
            .rows_affected()
                == 1
        }))
    }

    /// Has a session last until another time. One that has ended stays ended.
    pub async fn extend_session(&self, id_hash: &[u8], expires_at: DateTime<Utc>) -> Result<()> {
        write_db!(self, |pool| {
            sqlx::query("UPDATE sessions SET expires_at = $2 WHERE id_hash = $1")
                .bind(id_hash)
                .bind(expires_at)
                .execute(pool)
                .await?;
        });
        Ok(())
    }

    /// A session that has not expired. Notes its use, to the minute.
    pub async fn session(&self, id_hash: &[u8], now: DateTime<Utc>) -> Result<Option<SessionRow>> {
        let row: Option<SessionRow> = on_db!(self, |pool| {
            sqlx::query_as(
                "SELECT id_hash, id, user_id, user_agent, created_at, last_seen_at, expires_at FROM sessions
                 WHERE id_hash = $1 AND expires_at > $2",
            )
            .bind(id_hash)
            .bind(now)
            .fetch_optional(pool)
            .await?
        });
        if row.as_ref().is_some_and(|row| now - row.last_seen_at >= SEEN) {
            write_db!(self, |pool| {
                sqlx::query(
                    "UPDATE sessions SET last_seen_at = $2 WHERE id_hash = $1 AND last_seen_at <= $3",
                )
                .bind(id_hash)
                .bind(now)
                .bind(now - SEEN)
                .execute(pool)
                .await?;
            });
        }
        Ok(row)
    }

    /// Ends the session of a cookie, if it is one.
    pub async fn delete_session(&self, id_hash: &[u8]) -> Result<()> {
        write_db!(self, |pool| {
            sqlx::query("DELETE FROM sessions WHERE id_hash = $1").bind(id_hash).execute(pool).await?;
        });
        Ok(())
    }

    /// One page of the user's sessions that have not expired, newest first.
    ///
    /// # Errors
    /// The database's.
    pub async fn sessions_page(
        &self,
        user: UserId,
        now: DateTime<Utc>,
        page: PageRequest<SessionId>,
    ) -> Result<PageRows<SessionRow>> {
        let rows = on_db!(self, |pool| {
            sqlx::query_as(
                "SELECT id_hash, id, user_id, user_agent, created_at, last_seen_at, expires_at FROM sessions
                 WHERE user_id = $1 AND expires_at > $2 AND id < $3 ORDER BY id DESC LIMIT $4",
            )
            .bind(user)
            .bind(now)
            .bind(page.after.unwrap_or(SessionId(Uuid::max())))
            .bind(page.rows())
            .fetch_all(pool)
            .await?
        });
        Ok(page.page(rows))
    }

    /// Ends one of the user's sessions.
    ///
    /// # Errors
    /// [`Refusal::NotFound`], also for another user's session; the database's.
    pub async fn end_session(&self, user: UserId, id: SessionId) -> Result<()> {
        let ended = write_db!(self, |pool| {
            sqlx::query("DELETE FROM sessions WHERE id = $1 AND user_id = $2")
                .bind(id)
                .bind(user)
                .execute(pool)
                .await?
                .rows_affected()
        });
        if ended == 0 { Err(Refusal::NotFound("session".into()).into()) } else { Ok(()) }
    }
}

impl Tx {
    /// Ends the user's sessions, all but the one whose cookie has the hash `kept`, if one is given.
    ///
    /// # Errors
    /// The database's.
    pub async fn end_sessions(&mut self, user: UserId, kept: Option<&[u8]>) -> Result<()> {
        on_tx!(self, |connection| {
            sqlx::query("DELETE FROM sessions WHERE user_id = $1 AND id_hash <> $2")
                .bind(user)
                // No hash is empty.
                .bind(kept.unwrap_or_default())
                .execute(connection)
                .await?;
        });
        Ok(())
    }
}
