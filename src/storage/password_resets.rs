//! Links that set a new password. A transaction takes a link before it changes the user it is for, so that none waits for
//! another that waits for it.

use chrono::{DateTime, Utc};

use super::{Store, Tx};
use crate::domain::{MessageId, Refusal};
use crate::error::Result;

/// A link to keep; of its token, only the hash.
#[derive(Clone, Debug)]
pub struct NewPasswordReset {
    /// Lower case; of an account or not.
    pub email: String,
    /// SHA-256 of the token.
    pub token_hash: Vec<u8>,
    pub expires_at: DateTime<Utc>,
}

impl Store {
    /// The address of the link whose token has this hash, where it still works and there is an account for it.
    ///
    /// # Errors
    /// The database's.
    pub async fn password_reset(&self, token_hash: &[u8], now: DateTime<Utc>) -> Result<Option<String>> {
        Ok(on_db!(self, |pool| {
            sqlx::query_scalar(
                "SELECT r.email FROM password_resets r JOIN users u ON u.email = r.email AND u.removed_at IS NULL
                 WHERE r.token_hash = $1 AND r.expires_at > $2",
            )
            .bind(token_hash)
            .bind(now)
            .fetch_optional(pool)
            .await?
        }))
    }
}

impl Tx {
    /// Keeps a link in place of the one that was there for the address.
    ///
    /// # Errors
    /// The database's.
    pub async fn put_password_reset(&mut self, reset: &NewPasswordReset, now: DateTime<Utc>) -> Result<()> {
        on_tx!(self, |connection| {
            sqlx::query(
                "INSERT INTO password_resets (email, token_hash, created_at, expires_at) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (email) DO UPDATE SET token_hash = excluded.token_hash,
                     created_at = excluded.created_at, expires_at = excluded.expires_at",
            )
            .bind(&reset.email)
            .bind(&reset.token_hash)
            .bind(now)
            .bind(reset.expires_at)
            .execute(connection)
            .await?;
        });
        Ok(())
    }

    /// Takes back a message to an address that no account has. Done for every address, it takes as long for each.
    ///
    /// # Errors
    /// The database's.
    pub async fn discard_message_to_nobody(&mut self, message: MessageId) -> Result<()> {
        on_tx!(self, |connection| {
            sqlx::query(
                "DELETE FROM outbox WHERE id = $1
                 AND NOT EXISTS (SELECT 1 FROM users u WHERE u.email = outbox.recipient AND u.removed_at IS NULL)",
            )
            .bind(message)
            .execute(connection)
            .await?;
        });
        Ok(())
    }

    /// Takes a link, which works no more, and gives its address.
    ///
    /// # Errors
    /// [`Refusal::ResetGone`] where it has expired, was used or another took its place; the database's.
    pub async fn take_password_reset(&mut self, token_hash: &[u8], now: DateTime<Utc>) -> Result<String> {
        let taken: Option<String> = on_tx!(self, |connection| {
            sqlx::query_scalar(
                "DELETE FROM password_resets WHERE token_hash = $1 AND expires_at > $2 RETURNING email",
            )
            .bind(token_hash)
            .bind(now)
            .fetch_optional(connection)
            .await?
        });
        taken.ok_or_else(|| Refusal::ResetGone.into())
    }

    /// Has the link for this address, if there is one, work no more.
    ///
    /// # Errors
    /// The database's.
    pub async fn discard_password_reset(&mut self, email: &str) -> Result<()> {
        on_tx!(self, |connection| {
            sqlx::query("DELETE FROM password_resets WHERE email = $1")
                .bind(email)
                .execute(connection)
                .await?;
        });
        Ok(())
    }
}
