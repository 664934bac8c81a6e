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

/// Runs one body on whichever connection a transaction has.
macro_rules! on_tx {
    ($tx:expr, |$connection:ident| $body:expr) => {
        match &mut $tx.0 {
            $crate::storage::tx::TxInner::Sqlite(tx) => {
                let $connection: &mut sqlx::SqliteConnection = tx.connection()?;
                $body
            }
            $crate::storage::tx::TxInner::Postgres(tx) => {
                let $connection: &mut sqlx::PgConnection = tx.connection()?;
                $body
            }
        }
    };
}

/// SQL's `Status::is_live`: whether the subscription in the table of this name is its group's one.
macro_rules! is_live {
    ($table:literal) => {
        concat!($table, ".status NOT IN ('canceled', 'incomplete_expired')")
    };
}

/// As `on_db!`, for statements that write, each a transaction of its own.
macro_rules! write_db {
    ($store:expr, |$pool:ident| $body:expr) => {
        match &$store.db {
            $crate::storage::Db::Sqlite($pool) => {
                let _held = $store.sqlite_writer.lock().await;
                $body
            }
            $crate::storage::Db::Postgres($pool) => $body,
        }
    };
}

/// Runs one body inside a transaction of its own, commits it, and gives the body's value. Leaving the body early, by
/// `?` or `return`, rolls back.
macro_rules! in_tx {
    ($store:expr, |$connection:ident| $body:expr) => {{
        let mut transaction = $store.begin().await?;
        let value = on_tx!(transaction, |$connection| $body);
        transaction.commit().await?;
        value
    }};
}
