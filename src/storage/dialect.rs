//! Where the two databases differ.

use super::tx::{Tx, TxInner};

/// A statement that the two databases write differently, with the same parameters and the same columns. Rows go in as
/// one JSON parameter, so that a statement is prepared once whatever the number of rows.
pub struct DialectStatement {
    pub sqlite: &'static str,
    pub postgres: &'static str,
}

impl DialectStatement {
    /// The statement as the transaction's database has it.
    pub fn of(&self, tx: &Tx) -> &'static str {
        match tx.0 {
            TxInner::Sqlite(_) => self.sqlite,
            TxInner::Postgres(_) => self.postgres,
        }
    }
}

/// Whether `error` is a unique index refusing a second row. With `constraint`, only that index of
/// PostgreSQL's, or on SQLite (which names columns, not indexes) the one whose columns end in `column`.
pub fn is_unique_violation(error: &sqlx::Error, constraint: &str, column: &str) -> bool {
    error.as_database_error().is_some_and(|error| {
        error.is_unique_violation()
            && error.constraint().map_or_else(|| error.message().contains(column), |name| name == constraint)
    })
}

/// Whether `error` is a foreign key refusing a row that nothing is there for, or the end of one that something names.
pub fn is_foreign_key_violation(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.is_foreign_key_violation())
}

/// Whether running the transaction again may help: PostgreSQL gave up one of two that waited for each other.
pub fn is_worth_a_retry(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(|error| error.code()).is_some_and(|code| {
        // serialization_failure, deadlock_detected (PostgreSQL); SQLITE_BUSY and its snapshot kind.
        matches!(code.as_ref(), "40001" | "40P01" | "5" | "517")
    })
}
