//! One body for both databases.

/// Runs one body on whichever pool the store has. The body is compiled once for each database, so a
/// statement that either doesn't know is found by the first test that runs it.
macro_rules! on_db {
    ($store:expr, |$pool:ident| $body:expr) => {
        match &$store.db {
            $crate::storage::Db::Sqlite($pool) => $body,
            $crate::storage::Db::Postgres($pool) => $body,
        }
    };
}

/// Runs one body inside a transaction that may write, commits it, and gives the body's value. Leaving the
/// body early, by `?` or `return`, rolls back.
///
/// SQLite takes its write lock at once: a transaction that reads first and asks for the lock later is
/// refused where another wrote in between.
macro_rules! in_tx {
    ($store:expr, |$tx:ident| $body:expr) => {
        match &$store.db {
            $crate::storage::Db::Sqlite(pool) => {
                let mut $tx = pool.begin_with("BEGIN IMMEDIATE").await?;
                let value = $body;
                $tx.commit().await?;
                value
            }
            $crate::storage::Db::Postgres(pool) => {
                let mut $tx = pool.begin().await?;
                let value = $body;
                $tx.commit().await?;
                value
            }
        }
    };
}
