//! The database engine writing the ledger's rows with no server around it: what no server can beat.
//!
//! One connection, which is all that SQLite lets write, and as many events in a transaction as callers wait
//! at the same time in the row it is held against: the best a group commit could do. Each transaction inserts
//! its events with one statement of plain sqlx, adds to the sums of the period, of the member and of the quarter of an
//! hour, and commits, as durably as the server does: to the disk.

use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use sqlx::postgres::PgPool;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Postgres, QueryBuilder, Sqlite};
use tollgate::clock::Clock;
use tollgate::domain::{GroupId, SummaryId, UserId};
use uuid::Uuid;

use tollgate_test_support::databases::Database;
use tollgate_test_support::seed::Seed;

/// Of each event.
pub const TOKENS: i64 = 12;

enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// An engine with a group, a user and a period to write for.
pub struct Engine {
    pool: Pool,
    group: GroupId,
    user: UserId,
    summary: SummaryId,
    now: DateTime<Utc>,
    count: AtomicU64,
}

impl Engine {
    pub async fn open(database: &Database) -> Self {
        let store = database.store().await;
        let seed = Seed::with_clock(&store, Clock::system()).await;
        let group = seed.member.group.as_ref().expect("a group").id;
        let now = seed.clock.now();
        let allowance = store
            .allowance(group, seed.member.id, now)
            .await
            .expect("the database answers")
            .expect("a subscription");
        let summary = allowance.0.summary_id.expect("an open period");
        store.close().await;
        Self {
            pool: pool(database).await,
            group,
            user: seed.member.id,
            summary,
            now,
            count: AtomicU64::new(0),
        }
    }

    /// How many events a second it writes, so many in a transaction.
    pub async fn events_per_second(&self, in_transaction: usize, time: Duration) -> f64 {
        let begun = Instant::now();
        let mut events = 0;
        while begun.elapsed() < time {
            self.write(in_transaction).await.expect("the events are written");
            events += in_transaction;
        }
        events as f64 / begun.elapsed().as_secs_f64()
    }

    pub async fn close(self) {
        match self.pool {
            Pool::Sqlite(pool) => pool.close().await,
            Pool::Postgres(pool) => pool.close().await,
        }
    }

    async fn write(&self, events: usize) -> sqlx::Result<()> {
        let first = self.count.fetch_add(events as u64, Ordering::Relaxed);
        let numbers = first..first + events as u64;
        let tokens = TOKENS * events as i64;
        macro_rules! write {
            ($pool:expr, $database:ty) => {{
                let mut tx = $pool.begin().await?;
                let mut insert = QueryBuilder::<$database>::new(
                    "INSERT INTO usage_events (group_id, external_id, summary_id, user_id, usage_type, tokens, model,
                         estimated, fingerprint, occurred_at, recorded_at) ",
                );
                insert.push_values(numbers, |mut row, number| {
                    row.push_bind(self.group)
                        .push_bind(format!("call-{events}-{number}"))
                        .push_bind(self.summary)
                        .push_bind(self.user)
                        .push_bind("llm")
                        .push_bind(TOKENS)
                        .push_bind("gpt-4o")
                        .push_bind(false)
                        .push_bind(vec![7_u8; 32])
                        .push_bind(self.now)
                        .push_bind(self.now);
                });
                insert.build().execute(&mut *tx).await?;
                sqlx::query("UPDATE usage_summaries SET llm_used = llm_used + $1 WHERE group_id = $2 AND id = $3")
                    .bind(tokens)
                    .bind(self.group)
                    .bind(self.summary)
                    .execute(&mut *tx)
                    .await?;
                sqlx::query(
                    "INSERT INTO usage_shares (group_id, summary_id, subject_id, llm_used, llm_held, voice_used, voice_held)
                     VALUES ($1, $2, $3, $4, 0, 0, 0)
                     ON CONFLICT (group_id, summary_id, subject_id)
                         DO UPDATE SET llm_used = usage_shares.llm_used + excluded.llm_used",
                )
                .bind(self.group)
                .bind(self.summary)
                .bind(self.user)
                .bind(tokens)
                .execute(&mut *tx)
                .await?;
                sqlx::query(
                    "INSERT INTO usage_quarters (group_id, summary_id, quarter, user_id, model, key_id, llm, voice, llm_events, voice_events)
                     VALUES ($1, $2, $3, $4, 'gpt-4o', $5, $6, 0, $7, 0)
                     ON CONFLICT (group_id, summary_id, quarter, user_id, model, key_id) DO UPDATE SET
                         llm = usage_quarters.llm + excluded.llm, llm_events = usage_quarters.llm_events + excluded.llm_events",
                )
                .bind(self.group)
                .bind(self.summary)
                .bind(self.now.timestamp() / 900)
                .bind(self.user)
                .bind(Uuid::nil())
                .bind(tokens)
                .bind(events as i64)
                .execute(&mut *tx)
                .await?;
                tx.commit().await
            }};
        }
        match &self.pool {
            Pool::Sqlite(pool) => write!(pool, Sqlite),
            Pool::Postgres(pool) => write!(pool, Postgres),
        }
    }
}

/// One connection, with the server's settings.
async fn pool(database: &Database) -> Pool {
    if database.url.starts_with("sqlite:") {
        let options = SqliteConnectOptions::from_str(&database.url)
            .expect("an address")
            .foreign_keys(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(60));
        let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await;
        Pool::Sqlite(pool.expect("the database opens"))
    } else {
        Pool::Postgres(PgPool::connect(&database.url).await.expect("the database opens"))
    }
}

/// Puts so many events into the open period of the database's one subscription, past the server. They add up to
/// `tokens`.
pub async fn fill(database: &Database, events: i64, tokens: i64) {
    const COLUMNS: &str = "group_id, external_id, summary_id, user_id, usage_type, tokens, estimated, fingerprint, \
                           occurred_at, recorded_at";
    const SUBJECT: &str =
        "usage_summaries u JOIN subscriptions s ON s.id = u.subscription_id WHERE u.llm_limit IS NULL";
    const SUM: &str = "UPDATE usage_summaries SET llm_used = $1";
    let row = |fingerprint: &str| {
        format!(
            "u.group_id, 'filled-' || n.i, u.id, s.user_id, 'llm', $2, FALSE, {fingerprint}, u.created_at, u.created_at"
        )
    };
    let sql = match database.url.starts_with("sqlite:") {
        true => format!(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
             INSERT INTO usage_events ({COLUMNS}) SELECT {} FROM n, {SUBJECT}",
            row("s.id")
        ),
        false => format!(
            "INSERT INTO usage_events ({COLUMNS}) SELECT {} FROM generate_series(1, $1) AS n (i), {SUBJECT}",
            row("decode(md5(n.i::text), 'hex')")
        ),
    };
    macro_rules! fill {
        ($pool:expr) => {{
            let insert = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(events).bind(tokens / events);
            insert.execute(&$pool).await.expect("the events");
            sqlx::query(SUM).bind(tokens).execute(&$pool).await.expect("their sum");
            $pool.close().await;
        }};
    }
    match pool(database).await {
        Pool::Sqlite(pool) => fill!(pool),
        Pool::Postgres(pool) => fill!(pool),
    }
}
