//! The inbox of Stripe's events: each is kept once, and marked done with its effect.

use chrono::{DateTime, Utc};

use super::Store;
use crate::error::Result;

impl Store {
    /// Keeps an event. Says whether it still is to be processed: false for one that was done before.
    pub async fn receive_event(
        &self,
        id: &str,
        event_type: &str,
        subscription: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<bool> {
        on_db!(self, |pool| {
            sqlx::query(
                "INSERT INTO webhook_events (id, event_type, subscription, received_at) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (id) DO NOTHING",
            )
            .bind(id)
            .bind(event_type)
            .bind(subscription)
            .bind(now)
            .execute(pool)
            .await?;
        });
        Ok(on_db!(self, |pool| {
            sqlx::query_scalar("SELECT processed_at IS NULL FROM webhook_events WHERE id = $1")
                .bind(id)
                .fetch_one(pool)
                .await?
        }))
    }

    /// Marks an event done that changes nothing here.
    pub async fn mark_event_done(&self, id: &str, now: DateTime<Utc>) -> Result<()> {
        on_db!(self, |pool| {
            sqlx::query("UPDATE webhook_events SET processed_at = $2 WHERE id = $1 AND processed_at IS NULL")
                .bind(id)
                .bind(now)
                .execute(pool)
                .await?;
        });
        Ok(())
    }

    /// Events that were kept before `before` and are not done: their server stopped, or Stripe didn't answer.
    pub async fn pending_events(&self, before: DateTime<Utc>) -> Result<Vec<(String, Option<String>)>> {
        Ok(on_db!(self, |pool| {
            sqlx::query_as(
                "SELECT id, subscription FROM webhook_events
                 WHERE processed_at IS NULL AND received_at <= $1 ORDER BY received_at LIMIT 100",
            )
            .bind(before)
            .fetch_all(pool)
            .await?
        }))
    }
}
