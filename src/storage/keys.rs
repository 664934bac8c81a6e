//! API keys.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{PageRequest, PageRows, Store};
use crate::domain::{ApiKey, KeyId, Refusal, UserId};
use crate::error::Result;

/// A key to add; of the key itself, only its hash.
#[derive(Clone, Debug)]
pub struct NewKeyRow {
    pub id: KeyId,
    pub user_id: UserId,
    pub name: String,
    pub prefix: String,
    /// SHA-256 of the key.
    pub key_hash: Vec<u8>,
}

impl Store {
    /// Adds a key where its user has fewer than `most`.
    ///
    /// # Errors
    /// [`Refusal::TooManyKeys`]; the database's.
    pub async fn add_key(&self, key: &NewKeyRow, most: i64, now: DateTime<Utc>) -> Result<()> {
        let added = write_db!(self, |pool| {
            sqlx::query(
                "INSERT INTO api_keys (id, user_id, name, prefix, key_hash, created_at)
                 SELECT $1, $2, $3, $4, $5, $6 WHERE (SELECT COUNT(*) FROM api_keys WHERE user_id = $2 AND revoked_at IS NULL) < $7",
            )
            .bind(key.id)
            .bind(key.user_id)
            .bind(&key.name)
            .bind(&key.prefix)
            .bind(&key.key_hash)
            .bind(now)
            .bind(most)
            .execute(pool)
            .await?
            .rows_affected()
        });
        if added == 0 { Err(Refusal::TooManyKeys(most).into()) } else { Ok(()) }
    }

    /// The user's keys, newest first.
    ///
    /// # Errors
    /// The database's.
    pub async fn keys(&self, user: UserId) -> Result<Vec<ApiKey>> {
        Ok(self.keys_page(user, PageRequest::all()).await?.rows)
    }

    /// One page of [`Store::keys`].
    ///
    /// # Errors
    /// The database's.
    pub async fn keys_page(&self, user: UserId, page: PageRequest<KeyId>) -> Result<PageRows<ApiKey>> {
        type Row = (KeyId, String, String, DateTime<Utc>, Option<DateTime<Utc>>);
        let rows: Vec<Row> = on_db!(self, |pool| {
            sqlx::query_as(
                "SELECT id, name, prefix, created_at, last_used_at FROM api_keys
                 WHERE user_id = $1 AND revoked_at IS NULL AND id < $2 ORDER BY id DESC LIMIT $3",
            )
            .bind(user)
            .bind(page.after.unwrap_or(KeyId(Uuid::max())))
            .bind(page.rows())
            .fetch_all(pool)
            .await?
        });
        let keys = rows
            .into_iter()
            .map(|(id, name, prefix, created_at, last_used_at)| ApiKey {
                id,
                name,
                prefix,
                created_at,
                last_used_at,
            })
            .collect();
        Ok(page.page(keys))
    }

    /// Revokes one of the user's keys, at once.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] where it isn't the user's; the database's.
    pub async fn revoke_key(&self, user: UserId, id: KeyId, now: DateTime<Utc>) -> Result<()> {
        let gone = write_db!(self, |pool| {
            sqlx::query(
                "UPDATE api_keys SET revoked_at = $3 WHERE id = $1 AND user_id = $2 AND revoked_at IS NULL",
            )
            .bind(id)
            .bind(user)
            .bind(now)
            .execute(pool)
            .await?
            .rows_affected()
        });
        if gone == 0 { Err(Refusal::NotFound("API key".into()).into()) } else { Ok(()) }
    }
}
