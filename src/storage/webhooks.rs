//! The inbox of Stripe's events: each is kept once, tried until it is done or given up, and marked done with its effect.

use chrono::{DateTime, Utc};
use sqlx::FromRow;

use super::{Store, Tx};
use crate::domain::{GivenUpEvent, Refusal};
use crate::error::Result;

/// What an event is about, by Stripe's ids.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EventSubject<'a> {
    pub subscription: Option<&'a str>,
    /// Whose card the subscription is to be paid by.
    pub setup_intent: Option<&'a str>,
    /// Also of a credit note.
    pub invoice: Option<&'a str>,
    /// The payment that is refunded.
    pub payment_intent: Option<&'a str>,
}

/// An event to work on.
#[derive(Clone, Debug, FromRow)]
pub struct InboxEvent {
    pub id: String,
    pub event_type: String,
    /// The subscription it is about; `None` for an event that changes nothing here.
    pub subscription: Option<String>,
    /// The setup intent it is about, whose card the subscription is to be paid by.
    pub setup_intent: Option<String>,
    /// The invoice it is about, or whose credit note.
    pub invoice: Option<String>,
    /// The payment whose refund it is about.
    pub payment_intent: Option<String>,
    /// How often it was tried, this time included.
    pub attempts: i64,
}

impl Store {
    /// Keeps an event and counts its first attempt; it is due again at `retry_at`. One that was kept before and isn't
    /// done is tried again, also where it had been given up: someone had it sent anew. `None` for one that is done.
    ///
    /// # Errors
    /// The database's.
    pub async fn receive_event(
        &self,
        id: &str,
        event_type: &str,
        subject: EventSubject<'_>,
        now: DateTime<Utc>,
        retry_at: DateTime<Utc>,
    ) -> Result<Option<InboxEvent>> {
        Ok(write_db!(self, |pool| {
            sqlx::query_as(
                "INSERT INTO webhook_events (id, event_type, subscription, setup_intent, invoice, payment_intent,
                     received_at, attempts, next_attempt_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8)
                 ON CONFLICT (id) DO UPDATE SET attempts = webhook_events.attempts + 1,
                     next_attempt_at = excluded.next_attempt_at, given_up_at = NULL
                     WHERE webhook_events.processed_at IS NULL
                 RETURNING id, event_type, subscription, setup_intent, invoice, payment_intent, attempts",
            )
            .bind(id)
            .bind(event_type)
            .bind(subject.subscription)
            .bind(subject.setup_intent)
            .bind(subject.invoice)
            .bind(subject.payment_intent)
            .bind(now)
            .bind(retry_at)
            .fetch_optional(pool)
            .await?
        }))
    }

    /// Up to `limit` events that are due, those that failed least often first, so that they never wait for the others.
    ///
    /// # Errors
    /// The database's.
    pub async fn due_events(&self, now: DateTime<Utc>, limit: i64) -> Result<Vec<InboxEvent>> {
        Ok(on_db!(self, |pool| {
            sqlx::query_as(
                "SELECT id, event_type, subscription, setup_intent, invoice, payment_intent, attempts
                 FROM webhook_events
                 WHERE processed_at IS NULL AND given_up_at IS NULL AND next_attempt_at <= $1
                 ORDER BY attempts, next_attempt_at LIMIT $2",
            )
            .bind(now)
            .bind(limit)
            .fetch_all(pool)
            .await?
        }))
    }

    /// Counts an attempt on an event that is due, and puts the next one off to `retry_at`. Gives whether it is the
    /// caller's: another process may have begun before.
    ///
    /// # Errors
    /// The database's.
    pub async fn claim_event(&self, event: &InboxEvent, retry_at: DateTime<Utc>) -> Result<bool> {
        let claimed = write_db!(self, |pool| {
            sqlx::query(
                "UPDATE webhook_events SET attempts = attempts + 1, next_attempt_at = $3
                 WHERE id = $1 AND attempts = $2 AND processed_at IS NULL AND given_up_at IS NULL",
            )
            .bind(&event.id)
            .bind(event.attempts)
            .bind(retry_at)
            .execute(pool)
            .await?
            .rows_affected()
        });
        Ok(claimed == 1)
    }

    /// Notes what an attempt failed with and, where it was the last, when the event was given up.
    ///
    /// # Errors
    /// The database's.
    pub async fn note_failed_attempt(
        &self,
        id: &str,
        error: &str,
        given_up_at: Option<DateTime<Utc>>,
    ) -> Result<()> {
        write_db!(self, |pool| {
            sqlx::query(
                "UPDATE webhook_events SET last_error = $2, given_up_at = $3 WHERE id = $1 AND processed_at IS NULL",
            )
            .bind(id)
            .bind(error)
            .bind(given_up_at)
            .execute(pool)
            .await?;
        });
        Ok(())
    }

    /// How many events were given up.
    ///
    /// # Errors
    /// The database's.
    pub async fn events_given_up(&self) -> Result<i64> {
        Ok(on_db!(self, |pool| {
            sqlx::query_scalar("SELECT COUNT(*) FROM webhook_events WHERE given_up_at IS NOT NULL")
                .fetch_one(pool)
                .await?
        }))
    }
}

#[derive(FromRow)]
struct GivenUpRow {
    id: String,
    event_type: String,
    attempts: i64,
    received_at: DateTime<Utc>,
    last_error: Option<String>,
}

impl From<GivenUpRow> for GivenUpEvent {
    fn from(row: GivenUpRow) -> Self {
        let GivenUpRow { id, event_type, attempts, received_at, last_error } = row;
        Self { id, event_type, attempts, received_at, last_error: last_error.unwrap_or_default() }
    }
}

impl Store {
    /// The events that were given up, newest first, up to `limit`.
    ///
    /// # Errors
    /// The database's.
    pub async fn given_up_events(&self, limit: i64) -> Result<Vec<GivenUpEvent>> {
        let rows: Vec<GivenUpRow> = on_db!(self, |pool| {
            sqlx::query_as(
                "SELECT id, event_type, attempts, received_at, last_error FROM webhook_events
                 WHERE given_up_at IS NOT NULL ORDER BY given_up_at DESC, id LIMIT $1",
            )
            .bind(limit)
            .fetch_all(pool)
            .await?
        });
        Ok(rows.into_iter().map(GivenUpEvent::from).collect())
    }

    /// Counts one more attempt on an event that was given up, for the caller to make. Where that is cut off, the event is due
    /// again at `retry_at`.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] for one that wasn't given up; the database's.
    pub async fn revive_event(&self, id: &str, retry_at: DateTime<Utc>) -> Result<InboxEvent> {
        let revived = write_db!(self, |pool| {
            sqlx::query_as(
                "UPDATE webhook_events SET attempts = attempts + 1, next_attempt_at = $2, given_up_at = NULL
                 WHERE id = $1 AND given_up_at IS NOT NULL AND processed_at IS NULL
                 RETURNING id, event_type, subscription, setup_intent, invoice, payment_intent, attempts",
            )
            .bind(id)
            .bind(retry_at)
            .fetch_optional(pool)
            .await?
        });
        revived.ok_or_else(|| Refusal::NotFound("event".into()).into())
    }
}

impl Tx {
    /// Marks an event done, in the transaction of its effect.
    ///
    /// # Errors
    /// The database's.
    pub async fn mark_event_done(&mut self, id: &str, now: DateTime<Utc>) -> Result<()> {
        on_tx!(self, |connection| {
            sqlx::query(
                "UPDATE webhook_events SET processed_at = $2, given_up_at = NULL
                 WHERE id = $1 AND processed_at IS NULL",
            )
            .bind(id)
            .bind(now)
            .execute(connection)
            .await?;
        });
        Ok(())
    }
}
