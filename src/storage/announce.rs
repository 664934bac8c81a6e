//! Telling other processes that a group's usage changed: PostgreSQL's NOTIFY and LISTEN. SQLite serves one
//! process, which tells itself.

use sqlx::postgres::PgListener;
use uuid::Uuid;

use super::{Db, Store};
use crate::error::Result;

/// The channel. A payload is the group's id, a space, and the id of the process that tells.
const CHANNEL: &str = "tollgate_usage";

/// Something heard from another process, or missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// This group's usage or subscription changed, says this process.
    Changed { group: Uuid, teller: Uuid },
    /// The connection was lost and is back: whatever was said meanwhile is not known.
    Gap,
}

/// A connection that hears what processes tell each other.
#[derive(Debug)]
pub struct Hearing(PgListener);

impl Hearing {
    /// Waits for the next word.
    ///
    /// # Errors
    /// The database's, where the connection can't be made again at once.
    pub async fn next(&mut self) -> Result<Heard> {
        loop {
            let Some(notification) = self.0.try_recv().await? else { return Ok(Heard::Gap) };
            if let Some(heard) = parse(notification.payload()) {
                return Ok(heard);
            }
            tracing::warn!(payload = notification.payload(), "unknown word on the channel {CHANNEL}");
        }
    }
}

fn parse(payload: &str) -> Option<Heard> {
    let (group, teller) = payload.split_once(' ')?;
    Some(Heard::Changed { group: group.parse().ok()?, teller: teller.parse().ok()? })
}

impl Store {
    /// Tells the other processes that something about the group changed outside the ledger.
    pub async fn announce(&self, group: Uuid, teller: Uuid) -> Result<()> {
        if let Db::Postgres(pool) = &self.db {
            sqlx::query("SELECT pg_notify('tollgate_usage', $1)")
                .bind(format!("{group} {teller}"))
                .execute(pool)
                .await?;
        }
        Ok(())
    }

    /// Begins to hear what other processes tell; `None` where there can be no others.
    pub async fn hear(&self) -> Result<Option<Hearing>> {
        match &self.db {
            Db::Sqlite(_) => Ok(None),
            Db::Postgres(pool) => {
                let mut listener = PgListener::connect_with(pool).await?;
                listener.listen(CHANNEL).await?;
                Ok(Some(Hearing(listener)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_names_the_group_and_the_teller() {
        let (group, teller) = (Uuid::now_v7(), Uuid::now_v7());
        assert_eq!(parse(&format!("{group} {teller}")), Some(Heard::Changed { group, teller }));
        assert_eq!(parse("something else"), None);
    }
}
