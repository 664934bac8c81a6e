//! Answers kept under a caller's `Idempotency-Key`.

use chrono::{DateTime, Utc};

use super::Store;
use crate::error::Result;

/// The table of kept answers. A view of the [`Store`].
#[derive(Clone, Copy, Debug)]
pub struct Idempotency<'a>(&'a Store);

/// What is known of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begin {
    /// Nothing: the request is to be run, and finished or abandoned.
    Fresh,
    /// The request was run; this was its answer, as [`Idempotency::finish`] was given it.
    Replay { status: u16, body: Vec<u8> },
    /// The key came with another request.
    Mismatch,
    /// The request is running.
    InProgress,
}

impl Store {
    pub fn idempotency(&self) -> Idempotency<'_> {
        Idempotency(self)
    }
}

/// After this long, a request that neither finished nor was abandoned was cut off with its server.
const STALE: chrono::Duration = chrono::Duration::minutes(5);

impl Idempotency<'_> {
    /// Claims the key in its scope for the request with this fingerprint, or says what became of it.
    pub async fn begin(
        &self,
        scope: &str,
        key_hash: [u8; 32],
        fingerprint: [u8; 32],
        now: DateTime<Utc>,
    ) -> Result<Begin> {
        type Row = (Vec<u8>, Option<i64>, Option<Vec<u8>>, DateTime<Utc>);
        let (inserted, row): (bool, Row) = in_tx!(self.0, |tx| {
            let inserted = sqlx::query(
                "INSERT INTO idempotency_keys (scope, key_hash, fingerprint, created_at) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (scope, key_hash) DO UPDATE SET created_at = excluded.created_at
                 WHERE idempotency_keys.status IS NULL AND idempotency_keys.created_at <= $5
                   AND idempotency_keys.fingerprint = excluded.fingerprint",
            )
            .bind(scope)
            .bind(key_hash.as_slice())
            .bind(fingerprint.as_slice())
            .bind(now)
            .bind(now - STALE)
            .execute(&mut *tx)
            .await?
            .rows_affected()
                == 1;
            let row = sqlx::query_as(
                "SELECT fingerprint, status, body, created_at FROM idempotency_keys
                 WHERE scope = $1 AND key_hash = $2",
            )
            .bind(scope)
            .bind(key_hash.as_slice())
            .fetch_one(&mut *tx)
            .await?;
            (inserted, row)
        });
        let (kept, status, body, _) = row;
        Ok(match (inserted, status) {
            (true, _) => Begin::Fresh,
            _ if kept != fingerprint => Begin::Mismatch,
            (false, None) => Begin::InProgress,
            (false, Some(status)) => {
                Begin::Replay { status: u16::try_from(status).unwrap_or(500), body: body.unwrap_or_default() }
            }
        })
    }

    /// Keeps the answer of a request that [`Idempotency::begin`] called fresh.
    pub async fn finish(&self, scope: &str, key_hash: [u8; 32], status: u16, body: &[u8]) -> Result<()> {
        write_db!(self.0, |pool| {
            sqlx::query(
                "UPDATE idempotency_keys SET status = $3, body = $4 WHERE scope = $1 AND key_hash = $2",
            )
            .bind(scope)
            .bind(key_hash.as_slice())
            .bind(i64::from(status))
            .bind(body)
            .execute(pool)
            .await?;
        });
        Ok(())
    }

    /// Deletes the claim of a request that failed for a reason that may pass, so that a repeat runs it again.
    pub async fn abandon(&self, scope: &str, key_hash: [u8; 32]) -> Result<()> {
        write_db!(self.0, |pool| {
            sqlx::query("DELETE FROM idempotency_keys WHERE scope = $1 AND key_hash = $2 AND status IS NULL")
                .bind(scope)
                .bind(key_hash.as_slice())
                .execute(pool)
                .await?;
        });
        Ok(())
    }
}
