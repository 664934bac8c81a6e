//! What reports are made of, all of it read from one snapshot: whatever is recorded while a report is written, its rows
//! and its total are of one moment. Long lists are read page by page, each from where the last one ended.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use sqlx::types::Json;
use uuid::Uuid;

use super::{EventPosition, KeyName, Store, SumsBy, SumsRow, Tx};
use crate::domain::{Currency, Details, GroupId, KeyId, Period, SummaryId, UsageType, UserId};
use crate::error::Result;

/// The database as it stood when a report began.
#[derive(Debug)]
pub struct ReportSnapshot(Tx);

/// An event as a report has it.
#[derive(Clone, Debug, FromRow)]
pub struct ReportEventRow {
    pub external_id: String,
    pub occurred_at: DateTime<Utc>,
    pub recorded_at: DateTime<Utc>,
    pub summary_id: SummaryId,
    pub period_start: DateTime<Utc>,
    pub user_id: UserId,
    pub user_name: String,
    pub key_id: Option<KeyId>,
    pub model: Option<String>,
    #[sqlx(try_from = "String")]
    pub usage_type: UsageType,
    pub tokens: i64,
    pub estimated: bool,
    pub details: Option<Json<Details>>,
}

/// A period of a group, and the plan that it began under.
#[derive(Clone, Debug, FromRow)]
pub struct ReportPeriodRow {
    pub id: SummaryId,
    pub period_start: DateTime<Utc>,
    pub period_end: DateTime<Utc>,
    pub plan: String,
}

/// An invoice as a report has it. Amounts are in minor units of its currency.
#[derive(Clone, Debug, FromRow)]
pub struct ReportInvoiceRow {
    pub id: String,
    pub number: Option<String>,
    pub status: String,
    #[sqlx(try_from = "String")]
    pub currency: Currency,
    pub created_at: DateTime<Utc>,
    pub period_start: DateTime<Utc>,
    pub period_end: DateTime<Utc>,
    pub paid_at: Option<DateTime<Utc>>,
    pub billing_reason: Option<String>,
    pub subscription: Option<String>,
    pub subtotal: i64,
    pub tax: i64,
    pub total: i64,
    pub amount_due: i64,
    pub amount_paid: i64,
    pub credited: i64,
    pub refunded: i64,
    pub hosted_invoice_url: Option<String>,
    pub invoice_pdf: Option<String>,
}

impl Store {
    /// Begins to read for a report.
    ///
    /// # Errors
    /// The database's.
    pub async fn begin_report(&self) -> Result<ReportSnapshot> {
        let mut snapshot = self.begin_snapshot().await?;
        snapshot.lift_time_limits().await?;
        Ok(ReportSnapshot(snapshot))
    }

    /// The first `limit` groups by name.
    ///
    /// # Errors
    /// The database's.
    pub async fn group_names(&self, limit: i64) -> Result<Vec<(GroupId, String)>> {
        Ok(on_db!(self, |pool| {
            sqlx::query_as("SELECT id, name FROM groups ORDER BY name, id LIMIT $1")
                .bind(limit)
                .fetch_all(pool)
                .await?
        }))
    }
}

impl ReportSnapshot {
    /// At most `limit` groups with their names, after `after`, in the order of their ids.
    ///
    /// # Errors
    /// The database's.
    pub async fn groups(&mut self, after: Option<GroupId>, limit: i64) -> Result<Vec<(GroupId, String)>> {
        Ok(on_tx!(self.0, |connection| {
            sqlx::query_as("SELECT id, name FROM groups WHERE id > $1 ORDER BY id LIMIT $2")
                .bind(after.unwrap_or(GroupId(Uuid::nil())))
                .bind(limit)
                .fetch_all(connection)
                .await?
        }))
    }

    /// At most `limit` of the group's events of a window, the oldest first, after the one at `after`.
    ///
    /// # Errors
    /// The database's.
    pub async fn events(
        &mut self,
        group: GroupId,
        window: Period,
        after: Option<&EventPosition>,
        limit: i64,
    ) -> Result<Vec<ReportEventRow>> {
        // Every id stands behind the empty one.
        let first = EventPosition { occurred_at: window.start, id: String::new() };
        let after = after.unwrap_or(&first);
        Ok(on_tx!(self.0, |connection| {
            sqlx::query_as(
                "SELECT e.external_id, e.occurred_at, e.recorded_at, e.summary_id, s.period_start, e.user_id,
                     u.name AS user_name, e.key_id, e.model, e.usage_type, e.tokens, e.estimated, e.details
                 FROM usage_events e
                 JOIN usage_summaries s ON s.group_id = e.group_id AND s.id = e.summary_id
                 JOIN users u ON u.id = e.user_id
                 WHERE e.group_id = $1 AND e.occurred_at >= $2 AND e.occurred_at < $3
                   AND (e.occurred_at, e.external_id) > ($4, $5)
                 ORDER BY e.occurred_at, e.external_id LIMIT $6",
            )
            .bind(group)
            .bind(window.start)
            .bind(window.end)
            .bind(after.occurred_at)
            .bind(&after.id)
            .bind(limit)
            .fetch_all(connection)
            .await?
        }))
    }

    /// What the group's events of a window add up to, to the microsecond.
    ///
    /// # Errors
    /// The database's.
    pub async fn sums(&mut self, group: GroupId, window: Period, by: SumsBy) -> Result<Vec<SumsRow>> {
        self.0.window_sums(group, window, by).await
    }

    /// The names of everyone who is or was in the group.
    ///
    /// # Errors
    /// The database's.
    pub async fn member_names(&mut self, group: GroupId) -> Result<Vec<(UserId, String)>> {
        self.0.member_names(group).await
    }

    /// Every key that the group's users have or had.
    ///
    /// # Errors
    /// The database's.
    pub async fn key_names(&mut self, group: GroupId) -> Result<Vec<KeyName>> {
        self.0.key_names(group).await
    }

    /// The group's periods, the first first.
    ///
    /// # Errors
    /// The database's.
    pub async fn periods(&mut self, group: GroupId) -> Result<Vec<ReportPeriodRow>> {
        Ok(on_tx!(self.0, |connection| {
            sqlx::query_as(
                "SELECT s.id, s.period_start, s.period_end, p.name AS plan
                 FROM usage_summaries s JOIN plans p ON p.id = s.plan_id
                 WHERE s.group_id = $1 ORDER BY s.period_start, s.id",
            )
            .bind(group)
            .fetch_all(connection)
            .await?
        }))
    }

    /// At most `limit` of the group's invoices that were made in a window, the oldest first, after the one made then under
    /// that id.
    ///
    /// # Errors
    /// The database's.
    pub async fn invoices(
        &mut self,
        group: GroupId,
        window: Period,
        after: Option<(DateTime<Utc>, &str)>,
        limit: i64,
    ) -> Result<Vec<ReportInvoiceRow>> {
        let (after_time, after_id) = after.unwrap_or((window.start, ""));
        Ok(on_tx!(self.0, |connection| {
            sqlx::query_as(
                "SELECT i.id, i.number, i.status, i.currency, i.created_at, i.period_start, i.period_end, i.paid_at,
                     i.billing_reason, i.subscription, i.subtotal, i.tax, i.total, i.amount_due, i.amount_paid,
                     i.credited, i.hosted_invoice_url, i.invoice_pdf,
                     (SELECT CAST(COALESCE(SUM(r.amount), 0) AS BIGINT) FROM refunds r
                      WHERE r.group_id = i.group_id AND r.invoice_id = i.id
                        AND r.status NOT IN ('failed', 'canceled')) AS refunded
                 FROM invoices i
                 WHERE i.group_id = $1 AND i.created_at >= $2 AND i.created_at < $3 AND (i.created_at, i.id) > ($4, $5)
                 ORDER BY i.created_at, i.id LIMIT $6",
            )
            .bind(group)
            .bind(window.start)
            .bind(window.end)
            .bind(after_time)
            .bind(after_id)
            .bind(limit)
            .fetch_all(connection)
            .await?
        }))
    }
}
