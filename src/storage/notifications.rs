//! Notifying other processes that a group's usage or subscription changed: PostgreSQL's NOTIFY and LISTEN. SQLite
//! serves one process, which needs none.

use std::fmt;
use std::str::FromStr;

use sqlx::postgres::PgListener;
use uuid::Uuid;

use crate::domain::GroupId;

use super::{Db, Store};
use crate::error::Result;

/// One process of possibly many on this database: the sender of a notification, which skips its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessId(Uuid);

impl ProcessId {
    /// A new one, for a process that starts.
    #[allow(clippy::new_without_default, reason = "no two are equal, which a default would be")]
    pub fn new() -> Self {
        Self(Uuid::now_v7())
    }
}

impl fmt::Display for ProcessId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for ProcessId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        text.parse().map(Self)
    }
}

/// The channel. A payload is the group's id, a space, and the id of the process that sent it.
const CHANNEL: &str = "tollgate_usage";

/// What a listener receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notification {
    /// This group's usage or subscription changed, by the process `origin`.
    Changed { group: GroupId, origin: ProcessId },
    /// The connection was lost and is back: what was sent meanwhile is not known.
    Lagged,
}

/// A connection that listens to what processes send each other.
#[derive(Debug)]
pub struct Listener(PgListener);

impl Listener {
    /// Waits for the next notification.
    ///
    /// # Errors
    /// The database's, where the connection can't be made again at once.
    pub async fn next(&mut self) -> Result<Notification> {
        loop {
            let Some(received) = self.0.try_recv().await? else { return Ok(Notification::Lagged) };
            if let Some(notification) = parse(received.payload()) {
                return Ok(notification);
            }
            tracing::warn!(payload = received.payload(), "unknown payload on the channel {CHANNEL}");
        }
    }
}

fn parse(payload: &str) -> Option<Notification> {
    let (group, origin) = payload.split_once(' ')?;
    Some(Notification::Changed { group: group.parse().ok()?, origin: origin.parse().ok()? })
}

impl Store {
    /// Notifies the other processes that something about the group changed outside the ledger.
    pub async fn notify_change(&self, group: GroupId, origin: ProcessId) -> Result<()> {
        if let Db::Postgres(pool) = &self.db {
            sqlx::query("SELECT pg_notify('tollgate_usage', $1)")
                .bind(format!("{group} {origin}"))
                .execute(pool)
                .await?;
        }
        Ok(())
    }

    /// Begins to listen to the other processes; `None` where there can be no others.
    pub async fn listen(&self) -> Result<Option<Listener>> {
        match &self.db {
            Db::Sqlite(_) => Ok(None),
            Db::Postgres(pool) => {
                let mut listener = PgListener::connect_with(pool).await?;
                listener.listen(CHANNEL).await?;
                Ok(Some(Listener(listener)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_names_the_group_and_its_origin() {
        let (group, origin) = (GroupId(Uuid::now_v7()), ProcessId::new());
        assert_eq!(parse(&format!("{group} {origin}")), Some(Notification::Changed { group, origin }));
        assert_eq!(parse("something else"), None);
    }
}
