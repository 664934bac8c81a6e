//! E-mail waiting to be sent.

use chrono::{DateTime, Utc};
use sqlx::FromRow;

use crate::domain::MessageId;

use super::{Store, Tx};
use crate::error::Result;

/// A message as it is kept.
#[derive(Clone, Debug, FromRow)]
pub struct OutboxRow {
    pub id: MessageId,
    pub recipient: String,
    pub subject: String,
    pub body: String,
    pub created_at: DateTime<Utc>,
    pub sent_at: Option<DateTime<Utc>>,
}

/// A message to send now, and how often that was tried before.
#[derive(Clone, Debug, FromRow)]
pub struct Due {
    pub id: MessageId,
    pub recipient: String,
    pub subject: String,
    pub body: String,
    pub attempts: i64,
}

impl Store {
    /// The latest messages, newest first.
    pub async fn outbox(&self, limit: i64) -> Result<Vec<OutboxRow>> {
        Ok(on_db!(self, |pool| {
            sqlx::query_as(
                "SELECT id, recipient, subject, body, created_at, sent_at FROM outbox
                 ORDER BY created_at DESC, id DESC LIMIT $1",
            )
            .bind(limit)
            .fetch_all(pool)
            .await?
        }))
    }

    /// Claims one message that is due, so that no other process sends it: it is due again at `retry_at`
    /// unless [`Store::mark_sent`] is told before.
    pub async fn claim_due_message(
        &self,
        now: DateTime<Utc>,
        retry_at: DateTime<Utc>,
    ) -> Result<Option<Due>> {
        Ok(in_tx!(self, |tx| {
            sqlx::query_as(
                "UPDATE outbox SET attempts = attempts + 1, next_attempt_at = $2
                 WHERE id = (SELECT id FROM outbox WHERE sent_at IS NULL AND next_attempt_at <= $1
                             ORDER BY next_attempt_at LIMIT 1)
                   AND sent_at IS NULL AND next_attempt_at <= $1
                 RETURNING id, recipient, subject, body, attempts",
            )
            .bind(now)
            .bind(retry_at)
            .fetch_optional(&mut *tx)
            .await?
        }))
    }

    pub async fn mark_sent(&self, id: MessageId, now: DateTime<Utc>) -> Result<()> {
        write_db!(self, |pool| {
            sqlx::query("UPDATE outbox SET sent_at = $2 WHERE id = $1")
                .bind(id)
                .bind(now)
                .execute(pool)
                .await?;
        });
        Ok(())
    }

    /// Puts off the next try of a message that could not be sent.
    pub async fn put_off(&self, id: MessageId, until: DateTime<Utc>) -> Result<()> {
        write_db!(self, |pool| {
            sqlx::query("UPDATE outbox SET next_attempt_at = $2 WHERE id = $1")
                .bind(id)
                .bind(until)
                .execute(pool)
                .await?;
        });
        Ok(())
    }
}

impl Tx {
    /// Puts a message into the outbox: it is sent if, and only if, what it tells of commits.
    ///
    /// # Errors
    /// The database's.
    pub async fn add_to_outbox(
        &mut self,
        id: MessageId,
        to: &str,
        subject: &str,
        body: &str,
        now: DateTime<Utc>,
    ) -> Result<()> {
        on_tx!(self, |connection| {
            sqlx::query(
                "INSERT INTO outbox (id, recipient, subject, body, created_at, next_attempt_at)
                 VALUES ($1, $2, $3, $4, $5, $5)",
            )
            .bind(id)
            .bind(to)
            .bind(subject)
            .bind(body)
            .bind(now)
            .execute(connection)
            .await?;
        });
        Ok(())
    }
}
