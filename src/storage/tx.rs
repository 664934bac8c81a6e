//! A transaction as a value: begun by the store, passed to plain methods, committed by the caller. So what must commit
//! together (an invitation with its message, a webhook's mark with its effect) is composed by the service that needs it.
//!
//! Locks are taken in one order everywhere, so that two transactions never wait for each other: first the rows of the
//! groups concerned, in the order of their ids ([`Tx::lock_group`]), then anything that belongs to them.

use std::time::{Duration, Instant};

use sqlx::pool::PoolConnection;
use sqlx::{Database, Executor, PgConnection, Pool, Postgres, Sqlite};
use tokio::runtime::Handle;
use tokio::sync::OwnedMutexGuard;

use super::{Db, Store, TRUSTED};
use crate::domain::GroupId;
use crate::error::{Error, Result};

/// A transaction that may write. Dropped without [`Tx::commit`], it is rolled back.
#[derive(Debug)]
pub struct Tx(pub(super) TxInner);

/// Runs one body on whichever connection the transaction has.
#[derive(Debug)]
pub(super) enum TxInner {
    Sqlite(EngineTx<Sqlite>),
    Postgres(EngineTx<Postgres>),
}

/// A database that a [`Slot`] keeps a connection to.
pub trait Engine: Database {
    /// How long an idle connection is taken to be open without asking.
    const TRUSTED: Duration;
}

impl Engine for Sqlite {
    /// A file doesn't hang up. So the connection, which the ledger's writer may have told not to wait for the disk, never
    /// goes back to the pool, whose others always do.
    const TRUSTED: Duration = Duration::MAX;
}

impl Engine for Postgres {
    const TRUSTED: Duration = TRUSTED;
}

/// Where a connection waits for the next transaction of the same kind. Giving it back to the pool in between would
/// ask the database whether it is still there, each time, and on SQLite the next one to write would have to read anew what
/// this one has in its cache.
#[derive(Debug)]
pub struct Slot<DB: Engine>(Option<(PoolConnection<DB>, Instant)>);

impl<DB: Engine> Default for Slot<DB> {
    fn default() -> Self {
        Self(None)
    }
}

impl<DB: Engine> Slot<DB> {
    /// The connection that waits here, or else one of the pool's.
    async fn take(&mut self, pool: &Pool<DB>) -> sqlx::Result<PoolConnection<DB>> {
        match self.0.take() {
            Some((connection, since)) if since.elapsed() < DB::TRUSTED => Ok(connection),
            // The pool tests it as it comes back.
            waiting => {
                drop(waiting);
                pool.acquire().await
            }
        }
    }

    fn put(&mut self, connection: PoolConnection<DB>) {
        self.0 = Some((connection, Instant::now()));
    }

    /// Gives the connection that waits here back to the pool.
    pub fn empty(&mut self) {
        self.0 = None;
    }
}

/// A transaction, begun and ended by statements of our own.
///
/// sqlx counts how deep a connection's transactions are, and its count is wrong once the engine has ended one by
/// itself, as SQLite does where the disk is full: the connection would go back to the pool as one that can't begin
/// another. Here the engine alone knows, and a connection that can't be rolled back is closed.
#[derive(Debug)]
pub(super) struct EngineTx<DB: Engine>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    connection: Option<PoolConnection<DB>>,
    /// Where the connection goes afterwards; `None` for the pool. Locked until the transaction has ended.
    slot: Option<OwnedMutexGuard<Slot<DB>>>,
}

impl<DB: Engine> EngineTx<DB>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    async fn begin(
        pool: &Pool<DB>,
        begin: &'static str,
        slot: Option<OwnedMutexGuard<Slot<DB>>>,
    ) -> Result<Self> {
        // Made first: a caller that goes away while the engine begins leaves a transaction to roll back.
        let mut tx = Self::connect(pool, slot).await?;
        tx.connection()?.execute(begin).await?;
        Ok(tx)
    }

    /// A transaction that is yet to begin.
    async fn connect(pool: &Pool<DB>, mut slot: Option<OwnedMutexGuard<Slot<DB>>>) -> Result<Self> {
        let connection = match &mut slot {
            Some(slot) => slot.take(pool).await?,
            None => pool.acquire().await?,
        };
        Ok(Self { connection: Some(connection), slot })
    }

    /// # Errors
    /// Never: the connection leaves only with [`EngineTx::commit`] or the drop, which take the transaction with them.
    pub(super) fn connection(&mut self) -> Result<&mut DB::Connection> {
        self.connection.as_deref_mut().ok_or_else(|| Error::Internal("the transaction has ended".into()))
    }

    pub(super) async fn commit(mut self) -> Result<()> {
        // On failure the drop rolls back what the engine hasn't.
        self.connection()?.execute("COMMIT").await?;
        self.committed();
        Ok(())
    }

    /// The engine has committed.
    pub(super) fn committed(mut self) {
        if let (Some(connection), Some(slot)) = (self.connection.take(), &mut self.slot) {
            slot.put(connection);
        }
    }
}

impl<DB: Engine> Drop for EngineTx<DB>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else { return };
        let mut slot = self.slot.take();
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
            match &mut slot {
                _ if !ended => drop(connection.detach()),
                Some(slot) => slot.put(connection),
                None => {}
            }
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
                let slot = self.sqlite_writer.clone().lock_owned().await;
                const BEGIN: &str = "PRAGMA synchronous = FULL; BEGIN IMMEDIATE";
                TxInner::Sqlite(EngineTx::begin(pool, BEGIN, Some(slot)).await?)
            }
            Db::Postgres(pool) => TxInner::Postgres(EngineTx::begin(pool, "BEGIN", None).await?),
        }))
    }

    /// As [`Store::begin`], for the writer of the ledger, which begins one transaction after the other. On SQLite it begins
    /// with its first statements.
    pub(super) async fn begin_ledger(&self) -> Result<Tx> {
        match &self.db {
            Db::Sqlite(pool) => {
                let slot = self.sqlite_writer.clone().lock_owned().await;
                Ok(Tx(TxInner::Sqlite(EngineTx::connect(pool, Some(slot)).await?)))
            }
            Db::Postgres(pool) => {
                let slot = self.postgres_ledger.clone().lock_owned().await;
                Ok(Tx(TxInner::Postgres(EngineTx::begin(pool, "BEGIN", Some(slot)).await?)))
            }
        }
    }

    /// Begins a transaction that only reads, and sees the database as it stood at its first statement, however long
    /// it takes and whatever is written meanwhile.
    ///
    /// # Errors
    /// The database's.
    pub(super) async fn begin_snapshot(&self) -> Result<Tx> {
        Ok(Tx(match &self.db {
            Db::Sqlite(pool) => TxInner::Sqlite(EngineTx::begin(pool, "BEGIN", None).await?),
            Db::Postgres(pool) => {
                const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
                TxInner::Postgres(EngineTx::begin(pool, BEGIN, None).await?)
            }
        }))
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
            TxInner::Postgres(tx) => tx.commit().await,
        }
    }

    /// Lets this transaction take as long as it takes.
    ///
    /// # Errors
    /// The database's.
    pub(super) async fn lift_time_limits(&mut self) -> Result<()> {
        if let TxInner::Postgres(tx) = &mut self.0 {
            let connection = tx.connection()?;
            connection.execute("SET LOCAL statement_timeout = 0").await?;
            connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0").await?;
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
                let connection: &mut PgConnection = tx.connection()?;
                sqlx::query("SELECT id FROM groups WHERE id = $1 FOR NO KEY UPDATE")
                    .bind(group)
                    .execute(connection)
                    .await?;
            }
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
        store.sqlite_writer.lock().await.empty();
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

    #[tokio::test]
    async fn every_connection_of_the_pool_writes_to_the_disk_whatever_the_ledger_s_writer_did() {
        let (_folder, store) = store().await;
        let Db::Sqlite(pool) = &store.db else { panic!("not SQLite") };
        for commits in [true, false] {
            let mut tx = store.begin_ledger().await.unwrap();
            let TxInner::Sqlite(engine) = &mut tx.0 else { panic!("not SQLite") };
            let relaxed = "PRAGMA synchronous = NORMAL; BEGIN IMMEDIATE";
            engine.connection().unwrap().execute(relaxed).await.unwrap();
            if commits {
                tx.commit().await.unwrap()
            } else {
                drop(tx)
            }
            // Ended: the next writer has its turn.
            drop(store.sqlite_writer.lock().await);
            let others = pool.options().get_max_connections() - 1;
            let mut free = Vec::new();
            for _ in 0..others {
                free.push(pool.acquire().await.unwrap());
            }
            for connection in &mut free {
                let level: i64 =
                    sqlx::query_scalar("PRAGMA synchronous").fetch_one(&mut **connection).await.unwrap();
                assert_eq!(
                    level,
                    2,
                    "FULL, after a writer that {}",
                    if commits { "commits" } else { "gives up" }
                );
            }
        }
    }
}
