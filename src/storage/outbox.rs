//! E-mail on its way, and what became of it.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use uuid::Uuid;

use super::dialect::DialectStatement;
use super::{PageRequest, PageRows, Store, Tx};
use crate::domain::{MessageId, MessageState, NoticeId, OutboxMessage, Refusal, UserId};
use crate::error::{Error, Result};

/// Stands in a body where the link goes.
const PLACEHOLDER: &str = "{link}";

/// A message to put into the outbox.
#[derive(Clone, Debug, Default)]
pub struct NewMessage {
    pub recipient: String,
    pub subject: String,
    /// Plain text, with `{link}` where [`NewMessage::link`] goes.
    pub body: String,
    /// The same as HTML, with `{link}` too.
    pub html: String,
    /// A link that admits its reader. Kept apart from the body, and erased once the message is sent or the link
    /// has expired.
    pub link: Option<MessageLink>,
    /// The notice that it tells of; `None` for a message of its own.
    pub origin: Option<Origin>,
    /// Where its reader unsubscribes with one click; `None` for what has to be told.
    pub unsubscribe_url: Option<String>,
}

/// Which notice became a message, and to whom: nobody gets the same notice twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    pub notice: NoticeId,
    pub user: UserId,
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
    #[sqlx(rename = "filled_html")]
    pub html: String,
    #[sqlx(try_from = "String")]
    pub state: MessageState,
    /// How often sending it was tried.
    pub attempts: i64,
    pub created_at: DateTime<Utc>,
    pub sent_at: Option<DateTime<Utc>>,
}

impl OutboxRow {
    /// The message without its text.
    pub fn message(&self) -> OutboxMessage {
        OutboxMessage {
            id: self.id,
            recipient: self.recipient.clone(),
            subject: self.subject.clone(),
            state: self.state,
            attempts: self.attempts,
            created_at: self.created_at,
            sent_at: self.sent_at,
        }
    }
}

/// A message to send now.
#[derive(Clone, Debug, FromRow)]
pub struct DueMessage {
    pub id: MessageId,
    pub recipient: String,
    pub subject: String,
    body: String,
    html: String,
    secret: Option<String>,
    secret_expires_at: Option<DateTime<Utc>>,
    pub unsubscribe_url: Option<String>,
    /// How often it was tried, this time included.
    pub attempts: i64,
}

impl DueMessage {
    /// The plain text and the HTML to send at `now`. `None` where their link has expired: there is nothing left to send.
    pub fn content(&self, now: DateTime<Utc>) -> Option<(String, String)> {
        let link = match (self.secret_expires_at, &self.secret) {
            (None, _) => return Some((self.body.clone(), self.html.clone())),
            (Some(expires_at), Some(link)) if expires_at > now => link,
            (Some(_), _) => return None,
        };
        Some((self.body.replace(PLACEHOLDER, link), self.html.replace(PLACEHOLDER, link)))
    }
}

/// Claims the message that is longest due. On PostgreSQL a row that another process is claiming is passed over;
/// SQLite's writers come one after the other.
const CLAIM: DialectStatement = DialectStatement {
    sqlite: "UPDATE outbox SET attempts = attempts + 1, next_attempt_at = $2, claimed_until = $2
             WHERE id = (SELECT id FROM outbox WHERE state = 'waiting' AND next_attempt_at <= $1
                         ORDER BY next_attempt_at, id LIMIT 1)
             RETURNING id, recipient, subject, body, html, secret, secret_expires_at, unsubscribe_url, attempts",
    postgres: "UPDATE outbox SET attempts = attempts + 1, next_attempt_at = $2, claimed_until = $2
               WHERE id = (SELECT id FROM outbox WHERE state = 'waiting' AND next_attempt_at <= $1
                           ORDER BY next_attempt_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
               RETURNING id, recipient, subject, body, html, secret, secret_expires_at, unsubscribe_url, attempts",
};

impl Store {
    /// The latest messages, newest first.
    ///
    /// # Errors
    /// The database's.
    pub async fn outbox(&self, limit: usize) -> Result<Vec<OutboxRow>> {
        Ok(self.outbox_page(PageRequest { after: None, limit }).await?.rows)
    }

    /// One page of the messages, newest first.
    ///
    /// # Errors
    /// The database's.
    pub async fn outbox_page(&self, page: PageRequest<MessageId>) -> Result<PageRows<OutboxRow>> {
        let rows = on_db!(self, |pool| {
            sqlx::query_as(
                "SELECT id, recipient, subject, state, attempts, created_at, sent_at,
                     CASE WHEN state = 'kept' AND secret IS NOT NULL THEN REPLACE(body, '{link}', secret)
                          ELSE body END AS filled_body,
                     CASE WHEN state = 'kept' AND secret IS NOT NULL THEN REPLACE(html, '{link}', secret)
                          ELSE html END AS filled_html
                 FROM outbox WHERE id < $1 ORDER BY id DESC LIMIT $2",
            )
            .bind(page.after.unwrap_or(MessageId(Uuid::max())))
            .bind(page.rows())
            .fetch_all(pool)
            .await?
        });
        Ok(page.page(rows))
    }

    /// Has a message that was given up, put off or kept be sent at `now`, or when the worker that is sending it is done.
    ///
    /// # Errors
    /// [`Refusal::NotFound`]; [`Refusal::Conflict`] for one that was sent, or whose link has expired; the database's.
    pub async fn send_again(&self, id: MessageId, now: DateTime<Utc>) -> Result<OutboxMessage> {
        #[derive(FromRow)]
        struct Row {
            id: MessageId,
            recipient: String,
            subject: String,
            #[sqlx(try_from = "String")]
            state: MessageState,
            attempts: i64,
            created_at: DateTime<Utc>,
            sent_at: Option<DateTime<Utc>>,
        }
        let waiting: Option<Row> = write_db!(self, |pool| {
            sqlx::query_as(
                "UPDATE outbox SET state = 'waiting',
                     next_attempt_at = CASE WHEN claimed_until > $2 THEN claimed_until ELSE $2 END
                 WHERE id = $1 AND state <> 'sent'
                   AND (secret_expires_at IS NULL OR (secret IS NOT NULL AND secret_expires_at > $2))
                 RETURNING id, recipient, subject, state, attempts, created_at, sent_at",
            )
            .bind(id)
            .bind(now)
            .fetch_optional(pool)
            .await?
        });
        if let Some(Row { id, recipient, subject, state, attempts, created_at, sent_at }) = waiting {
            return Ok(OutboxMessage { id, recipient, subject, state, attempts, created_at, sent_at });
        }
        let why = match self.message_state(id).await? {
            MessageState::Sent => "The message was sent.",
            _ => "The message's link has expired: nothing is left to send.",
        };
        Err(Refusal::Conflict(why.into()).into())
    }

    /// Where a message stands.
    ///
    /// # Errors
    /// [`Refusal::NotFound`]; the database's.
    pub async fn message_state(&self, id: MessageId) -> Result<MessageState> {
        let state: Option<String> = on_db!(self, |pool| {
            sqlx::query_scalar("SELECT state FROM outbox WHERE id = $1").bind(id).fetch_optional(pool).await?
        });
        let state = state.ok_or_else(|| Refusal::NotFound("message".into()))?;
        MessageState::try_from(state).map_err(Error::Internal)
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
            sqlx::query("UPDATE outbox SET state = 'sent', sent_at = $2, secret = NULL, claimed_until = NULL WHERE id = $1")
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
            sqlx::query("UPDATE outbox SET state = 'failed', claimed_until = NULL WHERE id = $1 AND state = 'waiting'")
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
            sqlx::query("UPDATE outbox SET next_attempt_at = $2, claimed_until = NULL WHERE id = $1 AND state = 'waiting'")
                .bind(id)
                .bind(until)
                .execute(pool)
                .await?;
        });
        Ok(())
    }
}

impl Tx {
    /// Puts a message into the outbox: it is sent if, and only if, its cause commits. Left out where the same notice told the
    /// same user before.
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
                "INSERT INTO outbox (id, recipient, subject, body, html, secret, secret_expires_at, state, created_at,
                     next_attempt_at, notice_id, user_id, unsubscribe_url)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10, $11, $12)
                 ON CONFLICT (notice_id, user_id) DO NOTHING",
            )
            .bind(id)
            .bind(&message.recipient)
            .bind(&message.subject)
            .bind(&message.body)
            .bind(&message.html)
            .bind(message.link.as_ref().map(|link| &link.url))
            .bind(message.link.as_ref().map(|link| link.expires_at))
            .bind(state.as_str())
            .bind(now)
            .bind(message.origin.map(|origin| origin.notice))
            .bind(message.origin.map(|origin| origin.user))
            .bind(&message.unsubscribe_url)
            .execute(connection)
            .await?;
        });
        Ok(())
    }
}
