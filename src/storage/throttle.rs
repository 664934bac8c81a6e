//! Failed log-ins, counted for each subject (an address, a network peer).

use chrono::{DateTime, Utc};

use super::Store;
use crate::error::Result;

/// How often a subject failed, and since when that is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failures {
    pub count: i64,
    pub since: DateTime<Utc>,
}

impl Store {
    pub async fn login_failures(&self, subject_hash: &[u8]) -> Result<Option<Failures>> {
        let row: Option<(i64, DateTime<Utc>)> = on_db!(self, |pool| {
            sqlx::query_as("SELECT failures, since FROM login_failures WHERE subject_hash = $1")
                .bind(subject_hash)
                .fetch_optional(pool)
                .await?
        });
        Ok(row.map(|(count, since)| Failures { count, since }))
    }

    /// Counts one more failure; the count begins anew where it began before `window_start`.
    pub async fn count_login_failure(
        &self,
        subject_hash: &[u8],
        now: DateTime<Utc>,
        window_start: DateTime<Utc>,
    ) -> Result<()> {
        on_db!(self, |pool| {
            sqlx::query(
                "INSERT INTO login_failures (subject_hash, failures, since) VALUES ($1, 1, $2)
                 ON CONFLICT (subject_hash) DO UPDATE SET
                     failures = CASE WHEN login_failures.since < $3 THEN 1 ELSE login_failures.failures + 1 END,
                     since = CASE WHEN login_failures.since < $3 THEN excluded.since ELSE login_failures.since END",
            )
            .bind(subject_hash)
            .bind(now)
            .bind(window_start)
            .execute(pool)
            .await?;
        });
        Ok(())
    }

    pub async fn forget_login_failures(&self, subject_hash: &[u8]) -> Result<()> {
        on_db!(self, |pool| {
            sqlx::query("DELETE FROM login_failures WHERE subject_hash = $1")
                .bind(subject_hash)
                .execute(pool)
                .await?;
        });
        Ok(())
    }
}
