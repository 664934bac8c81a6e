//! Moving house: every row of one database into another.

use chrono::{DateTime, Utc};
use serde_json::Value as Json;
use sqlx::{AssertSqlSafe, Row};
use uuid::Uuid;

use super::Store;
use crate::domain::Refusal;
use crate::error::Result;

/// How a column is read from one database and written to the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Id,
    Text,
    Count,
    Flag,
    Time,
    Bytes,
    Document,
}

use Kind::{Bytes, Count, Document, Flag, Id, Text, Time};

type Table = (&'static str, &'static [(&'static str, Kind)]);

/// Every table, those that others refer to first. A test holds this against the schema.
const TABLES: &[Table] = &[
    (
        "groups",
        &[
            ("id", Id),
            ("name", Text),
            ("stripe_customer_id", Text),
            ("seat_changes", Count),
            ("created_at", Time),
        ],
    ),
    (
        "users",
        &[
            ("id", Id),
            ("email", Text),
            ("name", Text),
            ("password_hash", Text),
            ("role", Text),
            ("group_id", Id),
            ("created_at", Time),
            ("removed_at", Time),
        ],
    ),
    (
        "api_keys",
        &[
            ("id", Id),
            ("user_id", Id),
            ("name", Text),
            ("prefix", Text),
            ("key_hash", Bytes),
            ("created_at", Time),
            ("last_used_at", Time),
        ],
    ),
    ("sessions", &[("id_hash", Bytes), ("data", Text), ("expires_at", Time)]),
    ("attempts", &[("subject_hash", Bytes), ("count", Count), ("since", Time)]),
    (
        "invitations",
        &[
            ("id", Id),
            ("group_id", Id),
            ("email", Text),
            ("role", Text),
            ("token_hash", Bytes),
            ("created_at", Time),
            ("expires_at", Time),
        ],
    ),
    (
        "plans",
        &[
            ("id", Id),
            ("name", Text),
            ("description", Text),
            ("price_minor", Count),
            ("currency", Text),
            ("billing_interval", Text),
            ("llm_tokens_limit", Count),
            ("voice_tokens_limit", Count),
            ("max_users", Count),
            ("features", Document),
            ("stripe_product_id", Text),
            ("stripe_price_id", Text),
            ("archived", Flag),
            ("created_at", Time),
            ("updated_at", Time),
        ],
    ),
    (
        "subscriptions",
        &[
            ("id", Id),
            ("group_id", Id),
            ("user_id", Id),
            ("plan_id", Id),
            ("status", Text),
            ("stripe_subscription_id", Text),
            ("stripe_price_id", Text),
            ("price_minor", Count),
            ("current_period_start", Time),
            ("current_period_end", Time),
            ("cancel_at_period_end", Flag),
            ("past_due_since", Time),
            ("sync_ticket", Count),
            ("synced_ticket", Count),
            ("created_at", Time),
            ("updated_at", Time),
        ],
    ),
    (
        "usage_summaries",
        &[
            ("id", Id),
            ("group_id", Id),
            ("subscription_id", Id),
            ("period_start", Time),
            ("period_end", Time),
            ("llm_used", Count),
            ("llm_held", Count),
            ("llm_limit", Count),
            ("voice_used", Count),
            ("voice_held", Count),
            ("voice_limit", Count),
            ("created_at", Time),
        ],
    ),
    (
        "usage_events",
        &[
            ("group_id", Id),
            ("external_id", Text),
            ("summary_id", Id),
            ("user_id", Id),
            ("usage_type", Text),
            ("tokens", Count),
            ("model", Text),
            ("metadata", Document),
            ("fingerprint", Bytes),
            ("occurred_at", Time),
            ("recorded_at", Time),
        ],
    ),
    (
        "webhook_events",
        &[
            ("id", Text),
            ("event_type", Text),
            ("subscription", Text),
            ("received_at", Time),
            ("processed_at", Time),
        ],
    ),
    (
        "idempotency_keys",
        &[
            ("scope", Text),
            ("key_hash", Bytes),
            ("fingerprint", Bytes),
            ("status", Count),
            ("body", Bytes),
            ("created_at", Time),
        ],
    ),
    (
        "outbox",
        &[
            ("id", Id),
            ("recipient", Text),
            ("subject", Text),
            ("body", Text),
            ("created_at", Time),
            ("sent_at", Time),
            ("attempts", Count),
            ("next_attempt_at", Time),
        ],
    ),
];

/// How many rows are held in memory at once.
const PAGE: i64 = 1_000;

/// One value on its way; `None` is SQL's null of that kind.
#[derive(Clone, Debug)]
enum Cell {
    Id(Option<Uuid>),
    Text(Option<String>),
    Count(Option<i64>),
    Flag(Option<bool>),
    Time(Option<DateTime<Utc>>),
    Bytes(Option<Vec<u8>>),
    Document(Option<Json>),
}

macro_rules! read_cell {
    ($row:expr, $index:expr, $kind:expr) => {
        match $kind {
            Kind::Id => Cell::Id($row.try_get($index)?),
            Kind::Text => Cell::Text($row.try_get($index)?),
            Kind::Count => Cell::Count($row.try_get($index)?),
            Kind::Flag => Cell::Flag($row.try_get($index)?),
            Kind::Time => Cell::Time($row.try_get($index)?),
            Kind::Bytes => Cell::Bytes($row.try_get($index)?),
            Kind::Document => Cell::Document($row.try_get($index)?),
        }
    };
}

macro_rules! bind_cell {
    ($query:expr, $cell:expr) => {
        match $cell {
            Cell::Id(value) => $query.bind(value),
            Cell::Text(value) => $query.bind(value),
            Cell::Count(value) => $query.bind(value),
            Cell::Flag(value) => $query.bind(value),
            Cell::Time(value) => $query.bind(value),
            Cell::Bytes(value) => $query.bind(value),
            Cell::Document(value) => $query.bind(value),
        }
    };
}

impl Store {
    /// Copies every row into `target`, whose schema is up to date and which nobody has used. All of it arrives,
    /// or nothing. Gives the rows of each table.
    ///
    /// # Errors
    /// [`Refusal::Conflict`] where the target is in use; either database's.
    pub async fn copy_into(&self, target: &Self) -> Result<Vec<(&'static str, u64)>> {
        if !target.is_empty().await? {
            return Err(Refusal::Conflict("The database to copy into is not empty.".into()).into());
        }
        let mut copied = Vec::new();
        in_tx!(target, |tx| {
            for (table, columns) in TABLES {
                let names: Vec<_> = columns.iter().map(|(name, _)| *name).collect();
                let places: Vec<_> = (1..=columns.len()).map(|place| format!("${place}")).collect();
                let insert =
                    format!("INSERT INTO {table} ({}) VALUES ({})", names.join(", "), places.join(", "));
                let mut rows = 0;
                loop {
                    let page = self.page(table, columns, rows).await?;
                    for row in &page {
                        let mut query = sqlx::query(AssertSqlSafe(insert.clone()));
                        for cell in row.clone() {
                            query = bind_cell!(query, cell);
                        }
                        query.execute(&mut *tx).await?;
                    }
                    rows += page.len() as i64;
                    if (page.len() as i64) < PAGE {
                        break;
                    }
                }
                copied.push((*table, rows.unsigned_abs()));
            }
        });
        Ok(copied)
    }

    /// Rows of a table in the order of its first two columns, which are unique together in every table.
    async fn page(&self, table: &str, columns: &[(&str, Kind)], offset: i64) -> Result<Vec<Vec<Cell>>> {
        let names: Vec<_> = columns.iter().map(|(name, _)| *name).collect();
        let select = format!(
            "SELECT {} FROM {table} ORDER BY {}, {} LIMIT {PAGE} OFFSET {offset}",
            names.join(", "),
            names[0],
            names[1]
        );
        on_db!(self, |pool| {
            let rows = sqlx::query(AssertSqlSafe(select)).fetch_all(pool).await?;
            rows.iter()
                .map(|row| {
                    columns
                        .iter()
                        .enumerate()
                        .map(|(index, (_, kind))| Ok(read_cell!(row, index, kind)))
                        .collect()
                })
                .collect()
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// The tables and columns of a migration, read from its text.
    fn declared(sql: &str) -> BTreeMap<String, Vec<String>> {
        let mut tables = BTreeMap::new();
        for statement in sql.split("CREATE TABLE ").skip(1) {
            let (name, rest) = statement.split_once(" (").unwrap();
            let body = rest.split("\n);").next().unwrap();
            let columns = body
                .lines()
                .filter(|line| line.starts_with("    ") && !line.starts_with("     "))
                .filter_map(|line| line.split_whitespace().next())
                .filter(|word| word.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
                .map(str::to_owned)
                .collect();
            tables.insert(name.to_owned(), columns);
        }
        tables
    }

    #[test]
    fn every_column_of_every_table_is_copied() {
        let copied: BTreeMap<_, _> = TABLES
            .iter()
            .map(|(table, columns)| {
                ((*table).to_owned(), columns.iter().map(|(name, _)| (*name).to_owned()).collect::<Vec<_>>())
            })
            .collect();
        for sql in [
            include_str!("../../migrations/sqlite/0001_initial.sql"),
            include_str!("../../migrations/postgres/0001_initial.sql"),
        ] {
            assert_eq!(declared(sql), copied);
        }
    }
}
