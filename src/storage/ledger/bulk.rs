//! The rows of which a batch has many: events to look up and to write.
//!
//! Each database takes them as it takes them fastest: SQLite as bound values, PostgreSQL as one array for each column.

use chrono::{DateTime, Utc};
use sqlx::types::Json;
use sqlx::{PgConnection, QueryBuilder, Sqlite, SqliteConnection};
use uuid::Uuid;

use super::super::Tx;
use super::super::tx::TxInner;
use super::{EventKey, EventRow};
use crate::domain::GroupId;
use crate::error::Result;

/// Group, id and fingerprint of an event.
pub(super) type KnownEvent = (GroupId, String, Vec<u8>);

/// How many rows a statement takes on SQLite. Of a few sizes, so that each is prepared once; the largest has no more
/// values than a statement may have, 32,766.
const PARTS: [usize; 5] = [512, 64, 16, 4, 1];

impl Tx {
    /// Those of the events that were recorded before.
    pub(super) async fn known_events(&mut self, keys: &[EventKey<'_>]) -> Result<Vec<KnownEvent>> {
        match &mut self.0 {
            TxInner::Sqlite(tx) => known_on_sqlite(tx.connection()?, keys).await,
            TxInner::Postgres(tx) => known_on_postgres(tx, keys).await,
        }
    }

    /// Adds rows to the ledger.
    pub(super) async fn insert_events(&mut self, rows: &[EventRow<'_>], now: DateTime<Utc>) -> Result<()> {
        match &mut self.0 {
            TxInner::Sqlite(tx) => insert_on_sqlite(tx.connection()?, rows, now).await,
            TxInner::Postgres(tx) => insert_on_postgres(tx, rows, now).await,
        }
    }
}

/// Cuts rows into parts of the sizes that statements are prepared for.
fn parts<T>(mut rest: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let size = PARTS.into_iter().find(|size| *size <= rest.len())?;
        let (part, after) = rest.split_at(size);
        rest = after;
        Some(part)
    })
}

async fn known_on_sqlite(
    connection: &mut SqliteConnection,
    keys: &[EventKey<'_>],
) -> Result<Vec<KnownEvent>> {
    let mut known = Vec::new();
    for part in parts(keys) {
        let mut query = QueryBuilder::<Sqlite>::new("WITH w (g, i) AS (");
        query.push_values(part, |mut row, key| {
            row.push_bind(key.group).push_bind(key.id);
        });
        // CROSS JOIN keeps SQLite from scanning the ledger for each of the few.
        query.push(
            ") SELECT e.group_id, e.external_id, e.fingerprint FROM w CROSS JOIN usage_events e
             ON e.group_id = w.g AND e.external_id = w.i",
        );
        known.extend(query.build_query_as::<KnownEvent>().fetch_all(&mut *connection).await?);
    }
    Ok(known)
}

async fn known_on_postgres(connection: &mut PgConnection, keys: &[EventKey<'_>]) -> Result<Vec<KnownEvent>> {
    let groups: Vec<Uuid> = keys.iter().map(|key| key.group.into()).collect();
    let ids: Vec<&str> = keys.iter().map(|key| key.id).collect();
    Ok(sqlx::query_as(
        "SELECT e.group_id, e.external_id, e.fingerprint FROM UNNEST($1::uuid[], $2::text[]) AS w (g, i)
         JOIN usage_events e ON e.group_id = w.g AND e.external_id = w.i",
    )
    .bind(groups)
    .bind(ids)
    .fetch_all(connection)
    .await?)
}

async fn insert_on_sqlite(
    connection: &mut SqliteConnection,
    rows: &[EventRow<'_>],
    now: DateTime<Utc>,
) -> Result<()> {
    for part in parts(rows) {
        let mut query = QueryBuilder::<Sqlite>::new(
            "INSERT INTO usage_events (group_id, external_id, summary_id, user_id, key_id, usage_type, tokens, model,
                 details, estimated, metadata, fingerprint, occurred_at, recorded_at) ",
        );
        query.push_values(part, |mut values, row| {
            values
                .push_bind(row.key.group)
                .push_bind(row.key.id)
                .push_bind(row.summary_id)
                .push_bind(row.user_id)
                .push_bind(row.key_id)
                .push_bind(row.usage_type.as_str())
                .push_bind(row.tokens)
                .push_bind(row.model)
                .push_bind(row.details.map(Json))
                .push_bind(row.estimated)
                .push_bind(row.metadata.map(Json))
                .push_bind(row.fingerprint)
                .push_bind(row.occurred_at)
                .push_bind(now);
        });
        query.build().execute(&mut *connection).await?;
    }
    Ok(())
}

async fn insert_on_postgres(
    connection: &mut PgConnection,
    rows: &[EventRow<'_>],
    now: DateTime<Utc>,
) -> Result<()> {
    macro_rules! column {
        (|$row:ident| $value:expr) => {
            rows.iter().map(|$row| $value).collect::<Vec<_>>()
        };
    }
    sqlx::query(
        "INSERT INTO usage_events (group_id, external_id, summary_id, user_id, key_id, usage_type, tokens, model,
             details, estimated, metadata, fingerprint, occurred_at, recorded_at)
         SELECT w.*, $14 FROM UNNEST($1::uuid[], $2::text[], $3::uuid[], $4::uuid[], $5::uuid[], $6::text[],
             $7::bigint[], $8::text[], $9::jsonb[], $10::boolean[], $11::jsonb[], $12::bytea[], $13::timestamptz[]) AS w",
    )
    .bind(column!(|row| Uuid::from(row.key.group)))
    .bind(column!(|row| row.key.id))
    .bind(column!(|row| Uuid::from(row.summary_id)))
    .bind(column!(|row| Uuid::from(row.user_id)))
    .bind(column!(|row| row.key_id.map(Uuid::from)))
    .bind(column!(|row| row.usage_type.as_str()))
    .bind(column!(|row| row.tokens))
    .bind(column!(|row| row.model))
    .bind(column!(|row| row.details.map(Json)))
    .bind(column!(|row| row.estimated))
    .bind(column!(|row| row.metadata.map(Json)))
    .bind(column!(|row| row.fingerprint))
    .bind(column!(|row| row.occurred_at))
    .bind(now)
    .execute(connection)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_have_every_row_once_and_few_sizes() {
        for length in [0, 1, 3, 5, 63, 64, 600, 2_999] {
            let rows: Vec<usize> = (0..length).collect();
            let parts: Vec<&[usize]> = parts(&rows).collect();
            assert!(parts.iter().all(|part| PARTS.contains(&part.len())));
            assert_eq!(parts.concat(), rows);
        }
    }
}
