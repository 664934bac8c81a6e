//! Copying every row of one database into another, from SQLite to PostgreSQL or back.
//!
//! All of it is read in one snapshot, so that a database in use is copied as it stood when the copy began, and
//! table by table in the order of its key, each batch from where the last one ended.

use chrono::{DateTime, Utc};
use serde_json::Value as Json;
use sqlx::{AssertSqlSafe, QueryBuilder, Row};
use uuid::Uuid;

use super::{Store, Tx};
use crate::domain::Refusal;
use crate::error::Result;

/// How a column is read from one database and written to the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ColumnType {
    Id,
    Text,
    Count,
    Flag,
    Time,
    Bytes,
    Document,
}

use ColumnType::{Bytes, Count, Document, Flag, Id, Text, Time};

/// A table, and how its rows are found in order.
struct Table {
    name: &'static str,
    /// How many of the columns, the first ones, are the primary key.
    key: usize,
    columns: &'static [(&'static str, ColumnType)],
}

impl Table {
    fn names(&self) -> String {
        self.columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
    }

    /// Reads the first rows, or those after `$1, …`, in the order of the key.
    fn select(&self, after: bool) -> String {
        let key = self.columns[..self.key].iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        let condition = if after {
            let parameters = (1..=self.key).map(|at| format!("${at}")).collect::<Vec<_>>().join(", ");
            format!("WHERE ({key}) > ({parameters}) ")
        } else {
            String::new()
        };
        format!("SELECT {} FROM {} {condition}ORDER BY {key} LIMIT {BATCH}", self.names(), self.name)
    }
}

/// Every table, those that others refer to first. A test holds this against the schema.
const TABLES: &[Table] = &[
    Table {
        name: "groups",
        key: 1,
        columns: &[("id", Id), ("name", Text), ("stripe_customer_id", Text), ("created_at", Time)],
    },
    Table {
        name: "users",
        key: 1,
        columns: &[
            ("id", Id),
            ("email", Text),
            ("name", Text),
            ("password_hash", Text),
            ("role", Text),
            ("group_id", Id),
            ("created_at", Time),
            ("removed_at", Time),
        ],
    },
    Table {
        name: "api_keys",
        key: 1,
        columns: &[
            ("id", Id),
            ("user_id", Id),
            ("name", Text),
            ("prefix", Text),
            ("key_hash", Bytes),
            ("created_at", Time),
            ("last_used_at", Time),
            ("revoked_at", Time),
        ],
    },
    Table { name: "sessions", key: 1, columns: &[("id_hash", Bytes), ("data", Text), ("expires_at", Time)] },
    Table {
        name: "attempts",
        key: 1,
        columns: &[("subject_hash", Bytes), ("count", Count), ("since", Time)],
    },
    Table {
        name: "invitations",
        key: 1,
        columns: &[
            ("id", Id),
            ("group_id", Id),
            ("email", Text),
            ("role", Text),
            ("token_hash", Bytes),
            ("created_at", Time),
            ("expires_at", Time),
        ],
    },
    Table {
        name: "plans",
        key: 1,
        columns: &[
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
    },
    Table {
        name: "subscriptions",
        key: 1,
        columns: &[
            ("id", Id),
            ("group_id", Id),
            ("user_id", Id),
            ("plan_id", Id),
            ("status", Text),
            ("stripe_subscription_id", Text),
            ("stripe_price_id", Text),
            ("price_minor", Count),
            ("currency", Text),
            ("billing_interval", Text),
            ("current_period_start", Time),
            ("current_period_end", Time),
            ("cancel_at_period_end", Flag),
            ("past_due_since", Time),
            ("sync_ticket", Count),
            ("synced_ticket", Count),
            ("created_at", Time),
            ("updated_at", Time),
        ],
    },
    Table {
        name: "subscription_reservations",
        key: 1,
        columns: &[
            ("group_id", Id),
            ("id", Id),
            ("user_id", Id),
            ("plan_id", Id),
            ("stripe_price_id", Text),
            ("price_minor", Count),
            ("currency", Text),
            ("billing_interval", Text),
            ("created_at", Time),
            ("recoverable_at", Time),
        ],
    },
    Table {
        name: "usage_summaries",
        key: 2,
        columns: &[
            ("group_id", Id),
            ("id", Id),
            ("subscription_id", Id),
            ("plan_id", Id),
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
    },
    Table {
        name: "usage_events",
        key: 2,
        columns: &[
            ("group_id", Id),
            ("external_id", Text),
            ("summary_id", Id),
            ("user_id", Id),
            ("key_id", Id),
            ("usage_type", Text),
            ("tokens", Count),
            ("model", Text),
            ("details", Document),
            ("estimated", Flag),
            ("metadata", Document),
            ("fingerprint", Bytes),
            ("occurred_at", Time),
            ("recorded_at", Time),
        ],
    },
    Table {
        name: "usage_quarters",
        key: 6,
        columns: &[
            ("group_id", Id),
            ("summary_id", Id),
            ("quarter", Count),
            ("user_id", Id),
            ("model", Text),
            ("key_id", Id),
            ("llm", Count),
            ("voice", Count),
            ("llm_events", Count),
            ("voice_events", Count),
        ],
    },
    Table {
        name: "usage_shares",
        key: 3,
        columns: &[
            ("group_id", Id),
            ("summary_id", Id),
            ("subject_id", Id),
            ("llm_used", Count),
            ("llm_held", Count),
            ("voice_used", Count),
            ("voice_held", Count),
        ],
    },
    Table {
        name: "usage_caps",
        key: 2,
        columns: &[("group_id", Id), ("subject_id", Id), ("llm_cap", Count), ("voice_cap", Count)],
    },
    Table {
        name: "usage_holds",
        key: 2,
        columns: &[
            ("group_id", Id),
            ("id", Text),
            ("summary_id", Id),
            ("user_id", Id),
            ("key_id", Id),
            ("usage_type", Text),
            ("tokens", Count),
            ("state", Text),
            ("fingerprint", Bytes),
            ("settlement", Bytes),
            ("created_at", Time),
            ("expires_at", Time),
            ("ended_at", Time),
        ],
    },
    Table {
        name: "webhook_events",
        key: 1,
        columns: &[
            ("id", Text),
            ("event_type", Text),
            ("subscription", Text),
            ("received_at", Time),
            ("processed_at", Time),
            ("attempts", Count),
            ("next_attempt_at", Time),
            ("last_error", Text),
            ("given_up_at", Time),
        ],
    },
    Table {
        name: "idempotency_keys",
        key: 2,
        columns: &[
            ("scope", Text),
            ("key_hash", Bytes),
            ("fingerprint", Bytes),
            ("status", Count),
            ("body", Bytes),
            ("created_at", Time),
        ],
    },
    Table { name: "demo_load", key: 1, columns: &[("id", Count), ("claimed_until", Time), ("loaded", Flag)] },
    Table {
        name: "outbox",
        key: 1,
        columns: &[
            ("id", Id),
            ("recipient", Text),
            ("subject", Text),
            ("body", Text),
            ("secret", Text),
            ("secret_expires_at", Time),
            ("state", Text),
            ("attempts", Count),
            ("created_at", Time),
            ("sent_at", Time),
            ("next_attempt_at", Time),
        ],
    },
];

/// How many rows are held in memory at once, and written with one statement. The widest table has 18 columns, and
/// PostgreSQL takes 65,535 parameters, SQLite 32,766.
const BATCH: usize = 1_000;

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
    ($row:expr, $index:expr, $column_type:expr) => {
        match $column_type {
            ColumnType::Id => Cell::Id($row.try_get($index)?),
            ColumnType::Text => Cell::Text($row.try_get($index)?),
            ColumnType::Count => Cell::Count($row.try_get($index)?),
            ColumnType::Flag => Cell::Flag($row.try_get($index)?),
            ColumnType::Time => Cell::Time($row.try_get($index)?),
            ColumnType::Bytes => Cell::Bytes($row.try_get($index)?),
            ColumnType::Document => Cell::Document($row.try_get($index)?),
        }
    };
}

macro_rules! bind_cell_to {
    ($values:expr, $cell:expr) => {
        match $cell {
            Cell::Id(value) => $values.push_bind(value),
            Cell::Text(value) => $values.push_bind(value),
            Cell::Count(value) => $values.push_bind(value),
            Cell::Flag(value) => $values.push_bind(value),
            Cell::Time(value) => $values.push_bind(value),
            Cell::Bytes(value) => $values.push_bind(value),
            Cell::Document(value) => $values.push_bind(value),
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

type CopiedRow = Vec<Cell>;

impl Store {
    /// Copies every row into `target`, whose schema is up to date and which is unused. All of it arrives, or nothing.
    /// Gives the number of rows of each table.
    ///
    /// # Errors
    /// [`Refusal::Conflict`] where the target is in use; either database's.
    pub async fn copy_into(&self, target: &Self) -> Result<Vec<(&'static str, u64)>> {
        if !target.is_empty().await? {
            return Err(Refusal::Conflict("The database to copy into is not empty.".into()).into());
        }
        let mut source = self.begin_snapshot().await?;
        let mut copy = target.begin().await?;
        copy.lift_time_limits().await?;
        let mut copied = Vec::new();
        for table in TABLES {
            let mut count = 0;
            let mut batch = source.read_batch(table, None).await?;
            while let Some(last) = batch.last().cloned() {
                copy.write_batch(table, &batch).await?;
                count += batch.len() as u64;
                if batch.len() < BATCH {
                    break;
                }
                batch = source.read_batch(table, Some(&last[..table.key])).await?;
            }
            copied.push((table.name, count));
        }
        copy.commit().await?;
        Ok(copied)
    }
}

impl Tx {
    /// Reads rows after the one with this key, in the order of the key.
    async fn read_batch(&mut self, table: &Table, after: Option<&[Cell]>) -> Result<Vec<CopiedRow>> {
        let select = table.select(after.is_some());
        on_tx!(self, |connection| {
            let mut query = sqlx::query(AssertSqlSafe(select));
            for cell in after.into_iter().flatten() {
                query = bind_cell!(query, cell.clone());
            }
            let rows = query.fetch_all(connection).await?;
            rows.iter()
                .map(|row| {
                    let cells = table.columns.iter().enumerate();
                    cells.map(|(index, (_, column_type))| Ok(read_cell!(row, index, column_type))).collect()
                })
                .collect()
        })
    }

    async fn write_batch(&mut self, table: &Table, rows: &[CopiedRow]) -> Result<()> {
        on_tx!(self, |connection| {
            let mut insert = QueryBuilder::new(format!("INSERT INTO {} ({}) ", table.name, table.names()));
            insert.push_values(rows, |mut values, row| {
                for cell in row {
                    bind_cell_to!(values, cell.clone());
                }
            });
            insert.build().execute(connection).await?;
        });
        Ok(())
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
            .map(|table| {
                (
                    table.name.to_owned(),
                    table.columns.iter().map(|(name, _)| (*name).to_owned()).collect::<Vec<_>>(),
                )
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
