//! The ledger's rows, as they are looked into.

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{Map, Value};
use sqlx::FromRow;
use sqlx::types::Json;

use super::{PageRequest, PageRows, Store};
use crate::domain::{Details, GroupId, KeyId, LedgerEvent, UsageType, UserId};
use crate::error::Result;

/// Which of a group's events to show; all where nothing is set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFilter {
    pub usage_type: Option<UsageType>,
    pub user_id: Option<UserId>,
    /// Empty for events without a model.
    pub model: Option<String>,
    pub key_id: Option<KeyId>,
    pub from: Option<DateTime<Utc>>,
    /// Events before this.
    pub to: Option<DateTime<Utc>>,
}

/// Where an event stands in the list: newest first, and by their ids where they are of the same microsecond.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventPosition {
    pub occurred_at: DateTime<Utc>,
    pub id: String,
}

impl EventPosition {
    pub fn of(event: &LedgerEvent) -> Self {
        Self { occurred_at: event.created_at, id: event.id.clone() }
    }
}

#[derive(FromRow)]
struct Row {
    external_id: String,
    #[sqlx(try_from = "String")]
    usage_type: UsageType,
    tokens: i64,
    user_id: UserId,
    user_name: String,
    key_id: Option<KeyId>,
    key_name: Option<String>,
    model: Option<String>,
    details: Option<Json<Details>>,
    estimated: bool,
    metadata: Option<Json<Map<String, Value>>>,
    occurred_at: DateTime<Utc>,
    recorded_at: DateTime<Utc>,
}

impl From<Row> for LedgerEvent {
    fn from(row: Row) -> Self {
        Self {
            id: row.external_id,
            usage_type: row.usage_type,
            tokens_used: row.tokens,
            user_id: row.user_id,
            user: row.user_name,
            key_id: row.key_id,
            key: row.key_name,
            model: row.model,
            details: row.details.map(|details| details.0),
            estimated: row.estimated,
            created_at: row.occurred_at,
            recorded_at: row.recorded_at,
            metadata: row.metadata.map(|metadata| metadata.0),
        }
    }
}

/// Later than any event, and a time that both databases can compare.
fn end_of_time() -> DateTime<Utc> {
    NaiveDate::from_ymd_opt(9999, 12, 31).unwrap_or(NaiveDate::MAX).and_time(chrono::NaiveTime::MIN).and_utc()
}

impl Store {
    /// One page of the group's events, newest first.
    ///
    /// # Errors
    /// The database's.
    pub async fn events_page(
        &self,
        group: GroupId,
        filter: &EventFilter,
        page: PageRequest<EventPosition>,
    ) -> Result<PageRows<LedgerEvent>> {
        let from = filter.from.unwrap_or(DateTime::UNIX_EPOCH);
        let to = filter.to.unwrap_or_else(end_of_time);
        // Nothing stands behind the empty id, so that all of that time's events come after this position.
        let first = EventPosition { occurred_at: to, id: String::new() };
        let after = page.after.as_ref().unwrap_or(&first);
        let rows: Vec<Row> = on_db!(self, |pool| {
            sqlx::query_as(
                "SELECT e.external_id, e.usage_type, e.tokens, e.user_id, u.name AS user_name, e.key_id,
                     k.name AS key_name, e.model, e.details, e.estimated, e.metadata, e.occurred_at, e.recorded_at
                 FROM usage_events e JOIN users u ON u.id = e.user_id LEFT JOIN api_keys k ON k.id = e.key_id
                 WHERE e.group_id = $1 AND e.occurred_at >= $2 AND e.occurred_at < $3
                   AND (e.occurred_at, e.external_id) < ($4, $5)
                   AND ($6 IS NULL OR e.usage_type = $6)
                   AND ($7 IS NULL OR e.user_id = $7)
                   AND ($8 IS NULL OR COALESCE(e.model, '') = $8)
                   AND ($9 IS NULL OR e.key_id = $9)
                 ORDER BY e.occurred_at DESC, e.external_id DESC LIMIT $10",
            )
            .bind(group)
            .bind(from)
            .bind(to)
            .bind(after.occurred_at)
            .bind(&after.id)
            .bind(filter.usage_type.map(UsageType::as_str))
            .bind(filter.user_id)
            .bind(&filter.model)
            .bind(filter.key_id)
            .bind(page.rows())
            .fetch_all(pool)
            .await?
        });
        Ok(page.page(rows.into_iter().map(LedgerEvent::from).collect()))
    }
}
