//! E-mail on its way, and what became of it.

use chrono::{DateTime, Utc};
use sqlx::FromRow;

use super::dialect::DialectStatement;
use super::{Store, Tx};
use crate::domain::MessageId;
use crate::error::{Error, Result};

/// Where a message stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageState {
    /// To be sent, now or at its next attempt.
    Waiting,
    /// A mail server has taken it.
    Sent,
    /// Given up: refused for good, or tried too often.
    Failed,
    /// Written while no mail server was set. It isn't sent; the SuperAdmin reads it.
    Kept,
}

impl MessageState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Kept => "kept",
        }
    }
}

impl TryFrom<String> for MessageState {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        let states = [Self::Waiting, Self::Sent, Self::Failed, Self::Kept];
        let known = states.into_iter().find(|state| state.as_str() == text);
        known.ok_or_else(|| Error::Internal(format!("unknown state of a message: {text}")))
    }
}

/// Stands in a body where the link goes.
const PLACEHOLDER: &str = "{link}";

/// A message to put into the outbox.
#[derive(Clone, Debug)]
pub struct NewMessage {
    pub recipient: String,
    pub subject: String,
    /// Plain text, with `{link}` where [`NewMessage::link`] goes.
    pub body: String,
    /// A link that admits its reader. Kept apart from the body, and erased once the message is sent or the link
    /// has expired.
    pub link: Option<MessageLink>,
}

/// A secret link, and until when it admits.
#[derive(Clone, Debug)]
pub struct MessageLink {
    pub url: String,
    pub expires_at: DateTime<Utc>,
}

/// A message as it is kept.
#[derive(Clone, Debug, FromRow)]
pub struct OutboxRow {
    pub id: MessageId,
    pub recipient: String,
    pub subject: String,
    /// With `{link}` filled in where the message is kept and its link still admits: then no one else delivers it.
    #[sqlx(rename = "filled_body")]
    pub body: String,
    #[sqlx(try_from = "String")]
    pub state: MessageState,
    /// How often sending it was tried.
    pub attempts: i64,
    pub created_at: DateTime<Utc>,
    pub sent_at: Option<DateTime<Utc>>,
}

/// A message to send now.
#[derive(Clone, Debug, FromRow)]
pub struct DueMessage {
    pub id: MessageId,
    pub recipient: String,
    pub subject: String,
    body: String,
    secret: Option<String>,
    secret_expires_at: Option<DateTime<Utc>>,
    /// How often it was tried, this time included.
    pub attempts: i64,
}

impl DueMessage {
    /// The text to send at `now`. `None` where its link has expired: there is nothing left to send.
    pub fn text(&self, now: DateTime<Utc>) -> Option<String> {
        match (self.secret_expires_at, &self.secret) {
            (None, _) => Some(self.body.clone()),
            (Some(expires_at), Some(link)) if expires_at > now => Some(self.body.replace(PLACEHOLDER, link)),
            (Some(_), _) => None,
        }
    }
}

/// Claims the message that is longest due. On PostgreSQL a row that another process is claiming is passed over;
/// SQLite's writers come one after the other.
const CLAIM: DialectStatement = DialectStatement {
    sqlite: "UPDATE outbox SET attempts = attempts + 1, next_attempt_at = $2
             WHERE id = (SELECT id FROM outbox WHERE state = 'waiting' AND next_attempt_at <= $1
                         ORDER BY next_attempt_at, id LIMIT 1)
             RETURNING id, recipient, subject, body, secret, secret_expires_at, attempts",
    postgres: "UPDATE outbox SET attempts = attempts + 1, next_attempt_at = $2
               WHERE id = (SELECT id FROM outbox WHERE state = 'waiting' AND next_attempt_at <= $1
                           ORDER BY next_attempt_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
               RETURNING id, recipient, subject, body, secret, secret_expires_at, attempts",
};

impl Store {
    /// The latest messages, newest first.
    ///
    /// # Errors
    /// The database's.
    pub async fn outbox(&self, limit: i64) -> Result<Vec<OutboxRow>> {
        Ok(on_db!(self, |pool| {
            sqlx::query_as(
                "SELECT id, recipient, subject, state, attempts, created_at, sent_at,
                     CASE WHEN state = 'kept' AND secret IS NOT NULL THEN REPLACE(body, '{link}', secret)
                          ELSE body END AS filled_body
                 FROM outbox ORDER BY created_at DESC, id DESC LIMIT $1",
            )
            .bind(limit)
            .fetch_all(pool)
            .await?
        }))
    }

    /// Claims one message that is due, so that no other process sends it: it is due again at `retry_at`
    /// unless its state changes before.
    ///
    /// # Errors
    /// The database's.
    pub async fn claim_due_message(
        &self,
        now: DateTime<Utc>,
        retry_at: DateTime<Utc>,
    ) -> Result<Option<DueMessage>> {
        let mut tx = self.begin().await?;
        let claim = CLAIM.of(&tx);
        let due = on_tx!(tx, |connection| {
            sqlx::query_as(claim).bind(now).bind(retry_at).fetch_optional(connection).await?
        });
        tx.commit().await?;
        Ok(due)
    }

    /// Marks a message sent, and erases its link.
    ///
    /// # Errors
    /// The database's.
    pub async fn mark_sent(&self, id: MessageId, now: DateTime<Utc>) -> Result<()> {
        write_db!(self, |pool| {
            sqlx::query("UPDATE outbox SET state = 'sent', sent_at = $2, secret = NULL WHERE id = $1")
                .bind(id)
                .bind(now)
                .execute(pool)
                .await?;
        });
        Ok(())
    }

    /// Gives a message up.
    ///
    /// # Errors
    /// The database's.
    pub async fn mark_failed(&self, id: MessageId) -> Result<()> {
        write_db!(self, |pool| {
            sqlx::query("UPDATE outbox SET state = 'failed' WHERE id = $1 AND state = 'waiting'")
                .bind(id)
                .execute(pool)
                .await?;
        });
        Ok(())
    }

    /// Puts off the next try of a message that could not be sent.
    ///
    /// # Errors
    /// The database's.
    pub async fn put_off(&self, id: MessageId, until: DateTime<Utc>) -> Result<()> {
        write_db!(self, |pool| {
            sqlx::query("UPDATE outbox SET next_attempt_at = $2 WHERE id = $1 AND state = 'waiting'")
                .bind(id)
                .bind(until)
                .execute(pool)
                .await?;
        });
        Ok(())
    }
}

impl Tx {
    /// Puts a message into the outbox: it is sent if, and only if, its cause commits.
    ///
    /// # Errors
    /// The database's.
    pub async fn add_to_outbox(
        &mut self,
        id: MessageId,
        message: &NewMessage,
        state: MessageState,
        now: DateTime<Utc>,
    ) -> Result<()> {
        on_tx!(self, |connection| {
            sqlx::query(
                "INSERT INTO outbox (id, recipient, subject, body, secret, secret_expires_at, state, created_at,
                     next_attempt_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)",
            )
            .bind(id)
            .bind(&message.recipient)
            .bind(&message.subject)
            .bind(&message.body)
            .bind(message.link.as_ref().map(|link| &link.url))
            .bind(message.link.as_ref().map(|link| link.expires_at))
            .bind(state.as_str())
            .bind(now)
            .execute(connection)
            .await?;
        });
        Ok(())
    }
}
