//! The file that keeps the documents.

use std::path::Path;
use std::sync::Arc;

use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

use super::kind::Kind;
use super::state::{Doc, DueAt, State, Writes};
use crate::error::StartError;

/// Counts up when what is written could no longer be read by an older version.
const FORMAT: i64 = 1;

/// A SQLite file with one row per document.
pub(crate) struct Disk(SqlitePool);

impl Disk {
    /// Opens the file, or makes it and its folder.
    ///
    /// # Errors
    /// If it can't be opened, or was written by a version that this one doesn't know.
    pub(crate) async fn open(path: &Path) -> Result<Self, StartError> {
        if let Some(folder) = path.parent() {
            tokio::fs::create_dir_all(folder).await.map_err(StartError::Folder)?;
        }
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full);
        // One writer at a time is what SQLite can do and what the sandbox does.
        let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await?;
        let found: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&pool).await?;
        if found > FORMAT {
            return Err(StartError::Format(format!("its format is {found}, the newest known is {FORMAT}")));
        }
        sqlx::query(
            "CREATE TABLE IF NOT EXISTS documents (
                kind TEXT NOT NULL, id TEXT NOT NULL, seq INTEGER NOT NULL, created INTEGER, data TEXT NOT NULL,
                PRIMARY KEY (kind, id)
            ) STRICT, WITHOUT ROWID",
        )
        .execute(&pool)
        .await?;
        sqlx::query("PRAGMA user_version = 1").execute(&pool).await?;
        Ok(Self(pool))
    }

    pub(super) async fn load(&self, due_at: DueAt) -> Result<State, StartError> {
        let rows: Vec<(String, String, i64, String)> =
            sqlx::query_as("SELECT kind, id, seq, data FROM documents ORDER BY seq")
                .fetch_all(&self.0)
                .await?;
        let mut state = State::new(due_at);
        for (name, id, seq, data) in rows {
            let kind =
                Kind::of_object(&name).ok_or_else(|| StartError::Format(format!("a kind {name:?}")))?;
            let doc: Doc = serde_json::from_str(&data)
                .map_err(|error| StartError::Format(format!("{name} {id}: {error}")))?;
            state.put(kind, id, Some(Arc::new(Doc { seq, ..doc })));
        }
        Ok(state)
    }

    /// Writes all of it or none.
    pub(super) async fn write(&self, writes: &Writes) -> Result<(), sqlx::Error> {
        let mut tx = self.0.begin().await?;
        for ((kind, id), doc) in writes {
            match doc {
                Some(doc) => {
                    let data =
                        serde_json::to_string(doc).map_err(|error| sqlx::Error::Encode(error.into()))?;
                    sqlx::query(
                        "INSERT INTO documents (kind, id, seq, created, data) VALUES ($1, $2, $3, $4, $5)
                         ON CONFLICT (kind, id) DO UPDATE SET seq = excluded.seq, data = excluded.data",
                    )
                    .bind(kind.object())
                    .bind(id)
                    .bind(doc.seq)
                    .bind(doc.object["created"].as_i64())
                    .bind(data)
                    .execute(&mut *tx)
                    .await?;
                }
                None => {
                    sqlx::query("DELETE FROM documents WHERE kind = $1 AND id = $2")
                        .bind(kind.object())
                        .bind(id)
                        .execute(&mut *tx)
                        .await?;
                }
            }
        }
        tx.commit().await
    }

    pub(super) async fn close(&self) {
        self.0.close().await;
    }
}
