//! Whether the demo data is loaded, and by which process, so that it is loaded once, whatever is killed meanwhile.

use chrono::{DateTime, Utc};
use sqlx::FromRow;

use super::Store;
use crate::error::Result;

/// What becomes of a claim to load the demo data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DemoClaim {
    /// The caller is to load it, or to go on with what another began and didn't finish.
    Claimed(DemoProgress),
    /// Another process is loading it.
    Busy,
    /// It is loaded, or the database is used for something else.
    NotNeeded,
}

/// How far the loading is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DemoProgress {
    /// When it was begun, which the demo's times count back from.
    pub began_at: DateTime<Utc>,
    /// How many steps are done.
    pub steps_done: usize,
}

#[derive(FromRow)]
struct Row {
    began_at: DateTime<Utc>,
    steps_done: i64,
    loaded: bool,
}

impl Store {
    /// Whether the demo data is still to be loaded, as a whole or the rest of it.
    ///
    /// # Errors
    /// The database's.
    pub async fn needs_demo_load(&self) -> Result<bool> {
        let loaded: Option<bool> = on_db!(self, |pool| {
            sqlx::query_scalar("SELECT loaded FROM demo_load WHERE id = 1").fetch_optional(pool).await?
        });
        Ok(match loaded {
            Some(loaded) => !loaded,
            None => self.is_empty().await?,
        })
    }

    /// Claims the loading of the demo data until `until`, where the database is unused or holds a part of it.
    ///
    /// # Errors
    /// The database's.
    pub async fn claim_demo_load(&self, now: DateTime<Utc>, until: DateTime<Utc>) -> Result<DemoClaim> {
        let unused = self.is_empty().await?;
        let mut tx = self.begin().await?;
        let claim = on_tx!(tx, |connection| {
            if unused {
                sqlx::query(
                    "INSERT INTO demo_load (id, began_at, claimed_until) VALUES (1, $1, $1) ON CONFLICT (id) DO NOTHING",
                )
                .bind(now)
                .execute(&mut *connection)
                .await?;
            }
            let claimed = sqlx::query(
                "UPDATE demo_load SET claimed_until = $2 WHERE id = 1 AND NOT loaded AND claimed_until <= $1",
            )
            .bind(now)
            .bind(until)
            .execute(&mut *connection)
            .await?
            .rows_affected();
            let row: Option<Row> =
                sqlx::query_as("SELECT began_at, steps_done, loaded FROM demo_load WHERE id = 1")
                    .fetch_optional(connection)
                    .await?;
            match row {
                Some(row) if claimed == 1 => DemoClaim::Claimed(DemoProgress {
                    began_at: row.began_at,
                    steps_done: usize::try_from(row.steps_done).unwrap_or_default(),
                }),
                Some(row) if !row.loaded => DemoClaim::Busy,
                _ => DemoClaim::NotNeeded,
            }
        });
        tx.commit().await?;
        Ok(claim)
    }

    /// Notes that so many steps are done, and keeps the claim until `until`; with `loaded`, for good.
    ///
    /// # Errors
    /// The database's.
    pub async fn note_demo_steps(&self, until: DateTime<Utc>, steps_done: usize, loaded: bool) -> Result<()> {
        write_db!(self, |pool| {
            sqlx::query("UPDATE demo_load SET claimed_until = $1, steps_done = $2, loaded = $3 WHERE id = 1")
                .bind(until)
                .bind(steps_done as i64)
                .bind(loaded)
                .execute(pool)
                .await?;
        });
        Ok(())
    }
}
