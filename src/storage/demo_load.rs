//! Whether the demo data is loaded, and by which process, so that it is loaded once, whatever is killed meanwhile.

use chrono::{DateTime, Utc};

use super::Store;
use crate::error::Result;

/// What becomes of a claim to load the demo data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DemoClaim {
    /// The caller is to load it, or to go on with what another began and didn't finish.
    Claimed,
    /// Another process is loading it.
    Busy,
    /// It is loaded, or the database is used for something else.
    NotNeeded,
}

impl Store {
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
                    "INSERT INTO demo_load (id, claimed_until) VALUES (1, $1) ON CONFLICT (id) DO NOTHING",
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
            let loaded: Option<bool> = sqlx::query_scalar("SELECT loaded FROM demo_load WHERE id = 1")
                .fetch_optional(connection)
                .await?;
            match (claimed, loaded) {
                (1, _) => DemoClaim::Claimed,
                (_, Some(false)) => DemoClaim::Busy,
                _ => DemoClaim::NotNeeded,
            }
        });
        tx.commit().await?;
        Ok(claim)
    }

    /// Keeps the claim until `until`; with `loaded`, for good.
    ///
    /// # Errors
    /// The database's.
    pub async fn extend_demo_load(&self, until: DateTime<Utc>, loaded: bool) -> Result<()> {
        write_db!(self, |pool| {
            sqlx::query("UPDATE demo_load SET claimed_until = $1, loaded = $2 WHERE id = 1")
                .bind(until)
                .bind(loaded)
                .execute(pool)
                .await?;
        });
        Ok(())
    }
}
