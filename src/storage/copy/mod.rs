//! Copying every row of one database into another, from SQLite to PostgreSQL or back.
//!
//! All of it is read in one snapshot, so that a database in use is copied as it stood when the copy began, and
//! table by table in the order of its key, each batch from where the last one ended.

mod table;
mod tables;

use chrono::{DateTime, Utc};
use serde_json::Value as Json;
use sqlx::{AssertSqlSafe, QueryBuilder, Row};
use uuid::Uuid;

use self::table::{ColumnType, Table};
use self::tables::TABLES;
use super::{Store, Tx};
use crate::domain::Refusal;
use crate::error::Result;

/// How many rows are held in memory at once, and written with one statement. The widest table has 20 columns, and
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
        source.lift_time_limits().await?;
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
            include_str!("../../../migrations/sqlite/0001_initial.sql"),
            include_str!("../../../migrations/postgres/0001_initial.sql"),
        ] {
            assert_eq!(declared(sql), copied);
        }
    }
}
