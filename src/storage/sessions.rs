//! Sessions of browsers: rows found by a hash of the cookie, so that a stolen database opens none.

use chrono::{DateTime, Utc};

use super::Store;
use crate::error::Result;

impl Store {
    /// Writes a session, over what was there.
    pub async fn put_session(&self, id_hash: &[u8], data: &str, expires_at: DateTime<Utc>) -> Result<()> {
        write_db!(self, |pool| {
            sqlx::query(
                "INSERT INTO sessions (id_hash, data, expires_at) VALUES ($1, $2, $3)
                 ON CONFLICT (id_hash) DO UPDATE SET data = excluded.data, expires_at = excluded.expires_at",
            )
            .bind(id_hash)
            .bind(data)
            .bind(expires_at)
            .execute(pool)
            .await?;
        });
        Ok(())
    }

    /// Writes a session unless one is there; says whether it did.
    pub async fn add_session(&self, id_hash: &[u8], data: &str, expires_at: DateTime<Utc>) -> Result<bool> {
        Ok(write_db!(self, |pool| {
            sqlx::query(
                "INSERT INTO sessions (id_hash, data, expires_at) VALUES ($1, $2, $3)
                 ON CONFLICT (id_hash) DO NOTHING",
            )
            .bind(id_hash)
            .bind(data)
            .bind(expires_at)
            .execute(pool)
            .await?
            .rows_affected()
                == 1
        }))
    }

    /// A session that has not expired, and when it will.
    pub async fn session(
        &self,
        id_hash: &[u8],
        now: DateTime<Utc>,
    ) -> Result<Option<(String, DateTime<Utc>)>> {
        Ok(on_db!(self, |pool| {
            sqlx::query_as("SELECT data, expires_at FROM sessions WHERE id_hash = $1 AND expires_at > $2")
                .bind(id_hash)
                .bind(now)
                .fetch_optional(pool)
                .await?
        }))
    }

    pub async fn delete_session(&self, id_hash: &[u8]) -> Result<()> {
        write_db!(self, |pool| {
            sqlx::query("DELETE FROM sessions WHERE id_hash = $1").bind(id_hash).execute(pool).await?;
        });
        Ok(())
    }
}
