//! The database: the only module that speaks SQL.
//!
//! Owns: the pool, the migrations, every statement. Doesn't own: any rule beyond what a constraint can say.
//! One SQL text serves SQLite and PostgreSQL; where they differ, the statement stands in both dialects ([`dialect`]).
//!
//! A method of [`Store`] is a transaction of its own. What has to commit together is composed by the caller, of
//! methods of [`Tx`] between [`Store::begin`] and [`Tx::commit`].

#[macro_use]
mod macros;
mod analytics;
mod caps;
mod conversations;
mod copy;
mod demo_load;
mod dialect;
mod events;
mod group_list;
mod group_visits;
mod groups;
mod idempotency;
mod invitations;
mod invoices;
mod keys;
mod ledger;
mod members;
mod movements;
mod notices;
mod notification_settings;
mod notifications;
mod outbox;
mod overage;
mod paging;
mod password_resets;
mod plans;
mod quarters;
mod recount;
mod reports;
mod reservations;
mod sessions;
mod shared_reads;
mod subscriptions;
mod summaries;
mod sweep;
mod throttle;
mod turns;
mod tx;
mod users;
mod webhooks;

use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Connection, Executor, Postgres, Sqlite};
use thiserror::Error;
use tokio::sync::{Mutex, Notify};

pub use analytics::{
    AnalyticsSnapshot, FigureKey, FigureQuery, FigureSource, FunnelSums, MovementSums, OverageSums, PlanSums,
    TokenSums,
};
pub use caps::SubjectShare;
pub use conversations::NewMessageRow;
pub use demo_load::{DemoClaim, DemoProgress};
pub use events::{EventFilter, EventPosition};
pub use group_list::{GroupFilter, GroupList, GroupPosition, GroupRow};
pub use idempotency::{Begin, Idempotency};
pub use invitations::{InvitationRow, NewInvitationRow};
pub use invoices::{Fetched, InvoiceWritten};
pub use keys::NewKeyRow;
pub use ledger::{
    ActivityRow, Changes, Decision, Delta, Durability, EventKey, EventRow, Found, HoldKey, HoldRow,
    HoldState, MissingPeriod, NoticeRow, Notified, QuarterRow, ShareRow, SumRow, Wanted, latest_expiry,
};
pub use notices::{OpenNotice, Recipient};
pub use notification_settings::Unsubscribable;
pub use notifications::{Listener, Notification, ProcessId};
pub use outbox::{DueMessage, MessageLink, NewMessage, Origin, OutboxRow};
pub use overage::{ChargeProblem, EndedPeriod, OverageCharge, OverageRow};
pub use paging::{PageRequest, PageRows};
pub use password_resets::NewPasswordReset;
pub use plans::{PlanKey, PlanRow};
pub use quarters::{KeyName, SumsBy, SumsRow, quarter};
pub use recount::{PeriodDifference, PeriodSums, Recount};
pub use reports::{ReportEventRow, ReportInvoiceRow, ReportPeriodRow, ReportSnapshot};
pub use reservations::ReservationRow;
pub use sessions::SessionRow;
pub use shared_reads::SharedReads;
pub use subscriptions::{Standing, StateChange, StripeState, SubscriptionRow};
pub use summaries::{AllowanceRow, Counters, Opened, ShareCounters, SummaryRow};
pub use throttle::AttemptCount;
use tx::Slot;
pub use tx::Tx;
pub use users::{Credentials, NewUser, UserChange};
pub use webhooks::{EventSubject, InboxEvent};

static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

/// How long a request waits for a connection before the database counts as out of reach.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long an idle connection is taken to be open without asking. Each was asked when it was given back; under load
/// asking again would double the round trips.
const TRUSTED: Duration = Duration::from_secs(1);
/// How long one statement may take on PostgreSQL before it is given up, and a transaction sit idle between two: a caller
/// has long gone by then. SQLite runs in this process, and its statements are short.
const STATEMENT_TIMEOUT: &str = "20s";
/// Statements that are kept prepared on each connection to SQLite.
const STATEMENTS: usize = 256;
/// How long a writer waits for SQLite's one write lock, where another process has it.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Clone, Debug)]
pub(crate) enum Db {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// A handle on the database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    pub(crate) db: Db,
    /// Who writes to SQLite next, first come, first served: its own lock is polled, and under load a writer may wait for
    /// seconds while later ones get it. With it goes the connection that transactions write through.
    sqlite_writer: Arc<Mutex<Slot<Sqlite>>>,
    /// The connection of the ledger's writer.
    postgres_ledger: Arc<Mutex<Slot<Postgres>>>,
    /// Told of each commit of this process that left notices.
    notices_added: Arc<Notify>,
}

/// Why a database can't be used. Shown to the operator who starts the server; names no credentials.
#[derive(Debug, Error)]
pub enum OpenError {
    #[error("DATABASE_URL must begin with sqlite:// or postgres://")]
    Scheme,
    #[error("DATABASE_URL: can't create the folder {0}: {1}")]
    Folder(String, std::io::Error),
    #[error("DATABASE_URL: can't open the database: {0}")]
    Connect(#[from] sqlx::Error),
    #[error("DATABASE_URL: the migrations failed: {0}")]
    Migrate(MigrateError),
    /// A migration that was applied isn't the one this program has: nothing is released yet, and the first one changes.
    #[error(
        "DATABASE_URL: another version of Tollgate made this database, and this one can't bring its schema up to date; \
         move it away to begin with an empty one"
    )]
    OtherVersion,
}

impl From<MigrateError> for OpenError {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::VersionMismatch(_) | MigrateError::VersionMissing(_) => Self::OtherVersion,
            error => Self::Migrate(error),
        }
    }
}

impl Store {
    /// Opens `sqlite://PATH` (made if it isn't there) or `postgres://…`, without touching the schema.
    ///
    /// # Errors
    /// [`OpenError`], naming what is wrong with the address or the server behind it.
    pub async fn open(database_url: &str) -> Result<Self, OpenError> {
        if database_url.starts_with("sqlite:") {
            let options = SqliteConnectOptions::from_str(database_url)?;
            if let Some(folder) = options.get_filename().parent().filter(|folder| *folder != Path::new("")) {
                std::fs::create_dir_all(folder)
                    .map_err(|error| OpenError::Folder(folder.display().to_string(), error))?;
            }
            let options = options
                .create_if_missing(true)
                .foreign_keys(true)
                .journal_mode(SqliteJournalMode::Wal)
                // An acknowledged event is on disk, whatever fails next; group commit shares the cost.
                .synchronous(SqliteSynchronous::Full)
                .busy_timeout(BUSY_TIMEOUT)
                .statement_cache_capacity(STATEMENTS);
            let pool = SqlitePoolOptions::new()
                .max_connections(8)
                .acquire_timeout(ACQUIRE_TIMEOUT)
                // A file doesn't hang up.
                .test_before_acquire(false)
                .connect_with(options)
                .await?;
            Ok(Self::on(Db::Sqlite(pool)))
        } else if database_url.starts_with("postgres://") || database_url.starts_with("postgresql://") {
            let options = PgConnectOptions::from_str(database_url)?.options([
                ("statement_timeout", STATEMENT_TIMEOUT),
                ("idle_in_transaction_session_timeout", STATEMENT_TIMEOUT),
            ]);
            let pool = PgPoolOptions::new()
                .max_connections(16)
                .acquire_timeout(ACQUIRE_TIMEOUT)
                .test_before_acquire(false)
                .before_acquire(|connection, past| {
                    Box::pin(async move {
                        if past.idle_for >= TRUSTED {
                            connection.ping().await?;
                        }
                        Ok(true)
                    })
                })
                .connect_with(options)
                .await?;
            Ok(Self::on(Db::Postgres(pool)))
        } else {
            Err(OpenError::Scheme)
        }
    }

    fn on(db: Db) -> Self {
        Self {
            db,
            sqlite_writer: Arc::default(),
            postgres_ledger: Arc::default(),
            notices_added: Arc::default(),
        }
    }

    /// Brings the schema up to date. Safe to run twice and from several processes at once.
    ///
    /// # Errors
    /// [`OpenError::Migrate`] where a migration fails, or the schema is newer than this program.
    pub async fn migrate(&self) -> Result<(), OpenError> {
        match &self.db {
            Db::Sqlite(pool) => SQLITE.run(pool).await?,
            Db::Postgres(pool) => {
                // A migration may take as long as it takes.
                let mut connection = pool.acquire().await?.detach();
                connection.execute("SET statement_timeout = 0").await?;
                POSTGRES.run(&mut connection).await?;
            }
        }
        Ok(())
    }

    /// Whether the database answers and its schema is this program's.
    ///
    /// # Errors
    /// The database's, where it doesn't answer.
    pub async fn is_ready(&self) -> sqlx::Result<bool> {
        let applied: i64 = on_db!(self, |pool| {
            sqlx::query_scalar("SELECT COUNT(*) FROM _sqlx_migrations WHERE success").fetch_one(pool).await?
        });
        Ok(applied >= POSTGRES.iter().count() as i64)
    }

    /// Whether this database is unused: it has no users and no plans.
    ///
    /// # Errors
    /// The database's.
    pub async fn is_empty(&self) -> sqlx::Result<bool> {
        let rows: i64 = on_db!(self, |pool| {
            sqlx::query_scalar("SELECT (SELECT COUNT(*) FROM users) + (SELECT COUNT(*) FROM plans)")
                .fetch_one(pool)
                .await?
        });
        Ok(rows == 0)
    }

    /// Waits for what is under way and closes every connection.
    pub async fn close(&self) {
        // Locked until it is closed: nothing else gets what the writers had.
        let (mut sqlite, mut postgres) = tokio::join!(self.sqlite_writer.lock(), self.postgres_ledger.lock());
        sqlite.empty();
        postgres.empty();
        on_db!(self, |pool| pool.close().await);
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    #[tokio::test]
    async fn a_database_of_another_version_is_left_alone_and_the_error_says_what_to_do() {
        let folder = TempDir::new().unwrap();
        let store = Store::open(&format!("sqlite://{}/t.db", folder.path().display())).await.unwrap();
        store.migrate().await.unwrap();
        on_db!(store, |pool| {
            sqlx::query("UPDATE _sqlx_migrations SET checksum = $1")
                .bind(vec![0_u8; 48])
                .execute(pool)
                .await
                .unwrap();
        });
        let error = store.migrate().await.unwrap_err();
        assert!(matches!(error, OpenError::OtherVersion), "{error}");
        assert!(error.to_string().starts_with("DATABASE_URL: ") && !error.to_string().contains('\n'));
    }
}
