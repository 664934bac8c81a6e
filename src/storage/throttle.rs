//! Attempts, counted for each subject: an address, a client, a group.

use chrono::{DateTime, Utc};
use sqlx::FromRow;

use super::Store;
use crate::error::Result;

/// How many attempts were made, and since when they are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromRow)]
pub struct AttemptCount {
    pub count: i64,
    pub since: DateTime<Utc>,
}

impl Store {
    /// Counts one more attempt, and gives the count with it. The count begins anew where it began at
    /// `window_start` or before.
    pub async fn count_attempt(
        &self,
        subject_hash: &[u8],
        now: DateTime<Utc>,
        window_start: DateTime<Utc>,
    ) -> Result<AttemptCount> {
        Ok(write_db!(self, |pool| {
            sqlx::query_as(
                "INSERT INTO attempts (subject_hash, count, since) VALUES ($1, 1, $2)
                 ON CONFLICT (subject_hash) DO UPDATE SET
                     count = CASE WHEN attempts.since <= $3 THEN 1 ELSE attempts.count + 1 END,
                     since = CASE WHEN attempts.since <= $3 THEN excluded.since ELSE attempts.since END
                 RETURNING count, since",
            )
            .bind(subject_hash)
            .bind(now)
            .bind(window_start)
            .fetch_one(pool)
            .await?
        }))
    }

    /// Takes one attempt back.
    pub async fn discard_attempt(&self, subject_hash: &[u8]) -> Result<()> {
        write_db!(self, |pool| {
            sqlx::query("UPDATE attempts SET count = count - 1 WHERE subject_hash = $1 AND count > 0")
                .bind(subject_hash)
                .execute(pool)
                .await?;
        });
        Ok(())
    }

    /// Begins a subject's count anew.
    pub async fn clear_attempts(&self, subject_hash: &[u8]) -> Result<()> {
        write_db!(self, |pool| {
            sqlx::query("DELETE FROM attempts WHERE subject_hash = $1")
                .bind(subject_hash)
                .execute(pool)
                .await?;
        });
        Ok(())
    }
}
