//! Deleting what has no more use.

use chrono::{DateTime, Duration, Utc};

use super::Store;
use crate::error::Result;

/// How long a counted attempt, and the answer under an idempotency key, are of use.
const DAY: Duration = Duration::hours(24);
/// How long what was done is kept for an operator to look into: messages, webhook events and
/// holds.
const MONTH: Duration = Duration::days(30);
/// How long a conversation is kept after its last message.
const YEAR: Duration = Duration::days(365);

impl Store {
    /// Deletes what has no more use at `now`: expired sessions, invitations and password resets, counted attempts and
    /// idempotency keys of more than a day, messages, notices, webhook events and holds that were done 30 days ago,
    /// conversations that didn't change for a year. A notice that isn't to be told again, of an invoice that may stay open for
    /// long, is kept for a year. Erases links that have expired.
    /// Safe to run at any time, also from several processes at once.
    ///
    /// # Errors
    /// The database's; what was deleted before stays deleted.
    pub async fn sweep(&self, now: DateTime<Utc>) -> Result<()> {
        let (yesterday, last_month, last_year) = (now - DAY, now - MONTH, now - YEAR);
        write_db!(self, |pool| {
            sqlx::query("DELETE FROM sessions WHERE expires_at <= $1").bind(now).execute(pool).await?;
            sqlx::query("DELETE FROM invitations WHERE expires_at <= $1").bind(now).execute(pool).await?;
            sqlx::query("DELETE FROM password_resets WHERE expires_at <= $1").bind(now).execute(pool).await?;
            sqlx::query("DELETE FROM attempts WHERE since <= $1").bind(yesterday).execute(pool).await?;
            sqlx::query("DELETE FROM idempotency_keys WHERE created_at <= $1")
                .bind(yesterday)
                .execute(pool)
                .await?;
            sqlx::query(
                "UPDATE outbox SET secret = NULL WHERE secret IS NOT NULL AND secret_expires_at <= $1",
            )
            .bind(now)
            .execute(pool)
            .await?;
            sqlx::query(
                "DELETE FROM outbox WHERE state <> 'waiting' AND COALESCE(sent_at, created_at) <= $1",
            )
            .bind(last_month)
            .execute(pool)
            .await?;
            sqlx::query(
                "DELETE FROM notices WHERE expanded_at <= $1 AND (subject IS NULL OR expanded_at <= $2)
                 AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.notice_id = notices.id)",
            )
            .bind(last_month)
            .bind(last_year)
            .execute(pool)
            .await?;
            sqlx::query("DELETE FROM usage_holds WHERE state <> 'open' AND ended_at <= $1")
                .bind(last_month)
                .execute(pool)
                .await?;
            sqlx::query("DELETE FROM webhook_events WHERE processed_at <= $1")
                .bind(last_month)
                .execute(pool)
                .await?;
            sqlx::query("DELETE FROM chat_conversations WHERE updated_at <= $1")
                .bind(last_year)
                .execute(pool)
                .await?;
        });
        Ok(())
    }
}
