//! A transaction as a value: begun by the store, passed to plain methods, committed by the caller. So what must commit
//! together (an invitation with its message, a webhook's mark with its effect) is composed by the service that needs it.
//!
//! Locks are taken in one order everywhere, so that two transactions never wait for each other: first the rows of the
//! groups concerned, in the order of their ids ([`Tx::lock_group`]), then anything that belongs to them.

use sqlx::pool::PoolConnection;
use sqlx::{Executor, PgConnection, Postgres, Sqlite, SqliteConnection};
use tokio::runtime::Handle;
use tokio::sync::OwnedMutexGuard;

use super::{Db, Store};
use crate::domain::GroupId;
use crate::error::{Error, Result};

/// A transaction that may write. Dropped without [`Tx::commit`], it is rolled back.
#[derive(Debug)]
pub struct Tx(pub(super) TxInner);

/// Runs one body on whichever connection the transaction has.
#[derive(Debug)]
pub(super) enum TxInner {
    Sqlite(SqliteTx),
    Postgres(sqlx::Transaction<'static, Postgres>),
}

/// A transaction on SQLite, begun and ended by statements of our own.
///
/// sqlx counts how deep a connection's transactions are, and its count is wrong once the engine has ended one by
/// itself, as SQLite does where the disk is full: the connection would go back to the pool as one that can't begin
/// another. Here the engine alone knows, and a connection that can't be rolled back is closed.
#[derive(Debug)]
pub(super) struct SqliteTx {
    connection: Option<PoolConnection<Sqlite>>,
    /// Held until the transaction has ended; `None` for one that only reads.
    write_lock: Option<OwnedMutexGuard<()>>,
}

impl SqliteTx {
    async fn begin(
        connection: PoolConnection<Sqlite>,
        begin: &'static str,
        write_lock: Option<OwnedMutexGuard<()>>,
    ) -> Result<Self> {
        // Made first: a caller that goes away while the engine begins leaves a transaction to roll back.
        let mut tx = Self { connection: Some(connection), write_lock };
        tx.connection()?.execute(begin).await?;
        Ok(tx)
    }

    /// # Errors
    /// Never: the connection leaves only with [`SqliteTx::commit`] or the drop, which take the transaction with them.
    pub(super) fn connection(&mut self) -> Result<&mut SqliteConnection> {
        self.connection.as_deref_mut().ok_or_else(|| Error::Internal("the transaction has ended".into()))
    }

    async fn commit(mut self) -> Result<()> {
        // On failure the drop rolls back what the engine hasn't.
        self.connection()?.execute("COMMIT").await?;
        self.connection = None;
        Ok(())
    }
}

impl Drop for SqliteTx {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else { return };
        let write_lock = self.write_lock.take();
        let Ok(runtime) = Handle::try_current() else {
            // Closing rolls back too.
            drop(connection.detach());
            return;
        };
        runtime.spawn(async move {
            let ended = match connection.execute("ROLLBACK").await {
                Ok(_) => true,
                // The engine ended it before.
                Err(error) => error.to_string().contains("no transaction is active"),
            };
            if !ended {
                drop(connection.detach());
            }
            drop(write_lock);
        });
    }
}

impl Store {
    /// Begins a transaction that may write.
    ///
    /// SQLite takes its write lock at once: a transaction that reads first and asks for the lock later is refused
    /// where another wrote in between.
    ///
    /// # Errors
    /// The database's, where no connection is free in time or the lock can't be had.
    pub async fn begin(&self) -> Result<Tx> {
        Ok(Tx(match &self.db {
            Db::Sqlite(pool) => {
                let lock = self.write_lock.clone().lock_owned().await;
                TxInner::Sqlite(SqliteTx::begin(pool.acquire().await?, "BEGIN IMMEDIATE", Some(lock)).await?)
            }
            Db::Postgres(pool) => TxInner::Postgres(pool.begin().await?),
        }))
    }

    /// Begins a transaction that only reads, and sees the database as it stood at its first statement, however long
    /// it takes and whatever is written meanwhile.
    ///
    /// # Errors
    /// The database's.
    pub(super) async fn begin_snapshot(&self) -> Result<Tx> {
        let mut snapshot = Tx(match &self.db {
            Db::Sqlite(pool) => TxInner::Sqlite(SqliteTx::begin(pool.acquire().await?, "BEGIN", None).await?),
            Db::Postgres(pool) => {
                TxInner::Postgres(pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?)
            }
        });
        snapshot.lift_time_limits().await?;
        Ok(snapshot)
    }
}

impl Tx {
    /// Makes what was written last, all of it.
    ///
    /// # Errors
    /// The database's; nothing is written then.
    pub async fn commit(self) -> Result<()> {
        match self.0 {
            TxInner::Sqlite(tx) => tx.commit().await,
            TxInner::Postgres(tx) => Ok(tx.commit().await?),
        }
    }

    /// Lets this transaction take as long as it takes.
    ///
    /// # Errors
    /// The database's.
    pub(super) async fn lift_time_limits(&mut self) -> Result<()> {
        if let TxInner::Postgres(tx) = &mut self.0 {
            tx.execute("SET LOCAL statement_timeout = 0").await?;
            tx.execute("SET LOCAL idle_in_transaction_session_timeout = 0").await?;
        }
        Ok(())
    }

    /// Queues for the group's row: what is read of the group after this stays true until the commit. Every transaction
    /// that decides by what it finds of a group begins with it; see the module's order of locks.
    ///
    /// # Errors
    /// The database's.
    pub async fn lock_group(&mut self, group: GroupId) -> Result<()> {
        match &mut self.0 {
            // SQLite's writers queue for the whole database.
            TxInner::Sqlite(_) => {}
            TxInner::Postgres(tx) => {
                let connection: &mut PgConnection = tx;
                sqlx::query("SELECT id FROM groups WHERE id = $1 FOR NO KEY UPDATE")
                    .bind(group)
                    .execute(connection)
                    .await?;
            }
        }
        Ok(())
    }

    /// As [`Tx::lock_group`], for several: their ids as a JSON array, which is locked in the order that every transaction
    /// keeps.
    ///
    /// # Errors
    /// The database's.
    pub(super) async fn lock_groups(&mut self, groups: &str) -> Result<()> {
        if let TxInner::Postgres(tx) = &mut self.0 {
            let connection: &mut PgConnection = tx;
            sqlx::query(
                "SELECT id FROM groups WHERE id IN (SELECT value::uuid FROM json_array_elements_text($1::json))
                 ORDER BY id FOR NO KEY UPDATE",
            )
            .bind(groups)
            .execute(connection)
            .await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use chrono::Utc;
    use sqlx::Executor;
    use tempfile::TempDir;
    use uuid::Uuid;

    use super::*;

    async fn store() -> (TempDir, Store) {
        let folder = TempDir::new().unwrap();
        let store = Store::open(&format!("sqlite://{}/t.db", folder.path().display())).await.unwrap();
        store.migrate().await.unwrap();
        (folder, store)
    }

    /// Limits how many pages the database may have, on every connection of the pool: what a full disk does, without
    /// one.
    async fn limit_pages(store: &Store, pages: i64) {
        let Db::Sqlite(pool) = &store.db else { panic!("not SQLite") };
        let mut all = Vec::new();
        for _ in 0..pool.options().get_max_connections() {
            all.push(pool.acquire().await.unwrap());
        }
        for connection in &mut all {
            let limit = format!("PRAGMA max_page_count = {pages}");
            connection.execute(sqlx::AssertSqlSafe(limit)).await.unwrap();
        }
    }

    async fn add_big_group(store: &Store) -> Result<()> {
        let mut tx = store.begin().await?;
        let name = "x".repeat(200_000);
        tx.add_group(GroupId(Uuid::now_v7()), &name, clock_now()).await?;
        tx.commit().await
    }

    fn clock_now() -> chrono::DateTime<Utc> {
        crate::clock::Clock::system().now()
    }

    #[tokio::test]
    async fn a_full_disk_is_over_when_there_is_space_again() {
        let (_folder, store) = store().await;
        limit_pages(&store, 1).await;
        // More often than there are connections, so that each has met it.
        for _ in 0..20 {
            assert!(add_big_group(&store).await.is_err());
        }
        limit_pages(&store, 1_000_000).await;
        for _ in 0..20 {
            add_big_group(&store).await.unwrap();
        }
    }

    #[tokio::test]
    async fn what_is_dropped_is_rolled_back_and_lets_the_next_one_write() {
        let (_folder, store) = store().await;
        let mut tx = store.begin().await.unwrap();
        tx.add_group(GroupId(Uuid::now_v7()), "gone", clock_now()).await.unwrap();
        drop(tx);
        add_big_group(&store).await.unwrap();
        assert_eq!(store.group_by_name("gone").await.unwrap(), None);
    }
}
