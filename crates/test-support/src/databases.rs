//! A fresh database of each kind for every test.
//!
//! PostgreSQL's are made on the cluster whose address `TOLLGATE_TEST_POSTGRES` gives. `make test` starts one and sets
//! it; without it a test fails, rather than pass on one database only.

use std::collections::BTreeMap;
use std::env;

use chrono::{DateTime, SecondsFormat, Utc};
use proptest::strategy::Strategy;
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value;
use sqlx::postgres::{PgConnection, PgPool, PgRow};
use sqlx::sqlite::{SqlitePool, SqliteRow};
use sqlx::{AssertSqlSafe, ColumnIndex, Connection, Decode, FromRow, Row, Type};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tollgate::storage::Store;
use uuid::Uuid;

/// Names the cluster on which databases may be made.
const VARIABLE: &str = "TOLLGATE_TEST_POSTGRES";

/// An empty database without a schema.
pub struct Database {
    pub url: String,
    home: Home,
}

enum Home {
    /// Goes with its folder.
    Sqlite(#[allow(dead_code, reason = "held for its end")] TempDir),
    Postgres {
        cluster: String,
        name: String,
    },
}

impl Database {
    pub fn sqlite() -> Self {
        let folder = TempDir::new().expect("a folder for the database");
        let url = format!("sqlite://{}", folder.path().join("tollgate.db").display());
        Self { url, home: Home::Sqlite(folder) }
    }

    /// # Panics
    /// Where [`VARIABLE`] isn't set, and where no cluster answers there.
    pub async fn postgres() -> Self {
        let cluster = cluster();
        let name = format!("tollgate_test_{}", Uuid::now_v7().simple());
        on_cluster(&cluster, &format!("CREATE DATABASE {name}")).await;
        Self { url: format!("{cluster}/{name}"), home: Home::Postgres { cluster, name } }
    }

    /// One of each kind.
    pub async fn each() -> Vec<Self> {
        vec![Self::sqlite(), Self::postgres().await]
    }

    /// A store on the database, its schema up to date.
    pub async fn store(&self) -> Store {
        let store = Store::open(&self.url).await.expect("the database opens");
        store.migrate().await.expect("the migrations run");
        store
    }

    /// What a statement gives, past the store.
    pub async fn rows<T>(&self, sql: &'static str) -> Vec<T>
    where
        T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        match &self.home {
            Home::Sqlite(_) => {
                let pool = SqlitePool::connect(&self.url).await.expect("the database opens");
                let rows = sqlx::query_as(sql).fetch_all(&pool).await.expect(sql);
                pool.close().await;
                rows
            }
            Home::Postgres { .. } => {
                let pool = PgPool::connect(&self.url).await.expect("the database opens");
                let rows = sqlx::query_as(sql).fetch_all(&pool).await.expect(sql);
                pool.close().await;
                rows
            }
        }
    }

    /// Every row of every table, in an order of its own that is the same on both databases.
    pub async fn dump(&self) -> Dump {
        macro_rules! dump {
            ($pool:expr, $columns:expr, $as_text:expr) => {{
                let columns: Vec<(String, String, String)> =
                    sqlx::query_as($columns).fetch_all(&$pool).await.expect("the columns");
                let mut tables = BTreeMap::<String, Vec<String>>::new();
                for (table, column, column_type) in columns {
                    tables.entry(table).or_default().push($as_text(&column, &column_type));
                }
                let mut dump = Dump::new();
                for (table, columns) in tables {
                    let select = format!("SELECT {} FROM {table}", columns.join(", "));
                    let rows = sqlx::query(AssertSqlSafe(select)).fetch_all(&$pool).await.expect("the rows");
                    let cells = |row| (0..columns.len()).map(|at| normalised(cell(row, at))).collect();
                    let mut rows: Vec<Vec<_>> = rows.iter().map(cells).collect();
                    rows.sort();
                    dump.insert(table, rows);
                }
                $pool.close().await;
                dump
            }};
        }
        match &self.home {
            Home::Sqlite(_) => {
                let pool = SqlitePool::connect(&self.url).await.expect("the database opens");
                let as_text = |column: &str, column_type: &str| match column_type {
                    "BLOB" => format!("CASE WHEN {column} IS NOT NULL THEN LOWER(HEX({column})) END"),
                    _ => format!("CAST({column} AS TEXT)"),
                };
                dump!(pool, SQLITE_COLUMNS, as_text)
            }
            Home::Postgres { .. } => {
                let pool = PgPool::connect(&self.url).await.expect("the database opens");
                let as_text = |column: &str, column_type: &str| match column_type {
                    "uuid" => format!("REPLACE({column}::text, '-', '')"),
                    "bytea" => format!("ENCODE({column}, 'hex')"),
                    "boolean" => format!("{column}::int::text"),
                    "timestamp with time zone" => {
                        format!(r#"TO_CHAR({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"#)
                    }
                    _ => format!("{column}::text"),
                };
                dump!(pool, POSTGRES_COLUMNS, as_text)
            }
        }
    }

    /// Drops the database, and ends the connections that are still open.
    pub async fn drop(self) {
        if let Home::Postgres { cluster, name } = self.home {
            on_cluster(&cluster, &format!("DROP DATABASE {name} WITH (FORCE)")).await;
        }
    }
}

/// By table, the values of each row.
pub type Dump = BTreeMap<String, Vec<Vec<Option<String>>>>;

const SQLITE_COLUMNS: &str = "SELECT t.name, c.name, c.type FROM sqlite_master t JOIN pragma_table_info(t.name) c
     WHERE t.type = 'table' AND t.name NOT IN ('_sqlx_migrations', 'sqlite_sequence') ORDER BY t.name, c.name";
const POSTGRES_COLUMNS: &str = "SELECT table_name::text, column_name::text, data_type::text
     FROM information_schema.columns
     WHERE table_schema = 'public' AND table_name <> '_sqlx_migrations' ORDER BY table_name::text COLLATE \"C\", column_name::text COLLATE \"C\"";

fn cell<'r, R: Row>(row: &'r R, at: usize) -> Option<String>
where
    usize: ColumnIndex<R>,
    Option<String>: Decode<'r, R::Database> + Type<R::Database>,
{
    row.try_get(at).expect("a text")
}

/// The same text for the same value, however a database writes times and documents.
fn normalised(cell: Option<String>) -> Option<String> {
    let text = cell?;
    if let Ok(time) = DateTime::parse_from_rfc3339(&text) {
        return Some(time.with_timezone(&Utc).to_rfc3339_opts(SecondsFormat::Micros, true));
    }
    match serde_json::from_str::<Value>(&text) {
        Ok(document @ (Value::Object(_) | Value::Array(_))) => Some(document.to_string()),
        _ => Some(text),
    }
}

/// `postgres://user@host:port`.
fn cluster() -> String {
    let address = env::var(VARIABLE).unwrap_or_else(|_| {
        panic!(
            "{VARIABLE} isn't set. Tests run on PostgreSQL as on SQLite: give the address of a cluster on which \
             databases may be made, such as {VARIABLE}=postgres://postgres@127.0.0.1:5432, or go by `make test`, \
             which starts one."
        )
    });
    // A database named in it is where one would start from; here each test has its own.
    let (scheme, rest) = address.split_once("://").expect("TOLLGATE_TEST_POSTGRES is postgres://…");
    format!("{scheme}://{}", rest.split('/').next().unwrap_or(rest))
}

async fn on_cluster(cluster: &str, sql: &str) {
    let mut connection = PgConnection::connect(&format!("{cluster}/postgres"))
        .await
        .expect("TOLLGATE_TEST_POSTGRES is the address of a cluster that answers");
    sqlx::query(AssertSqlSafe(sql)).execute(&mut connection).await.expect(sql);
    connection.close().await.expect("the connection closes");
}

/// Runs a test on the address of an empty database of each kind.
pub async fn each_database<F: Future<Output = ()>>(test: impl Fn(String) -> F) {
    for database in Database::each().await {
        // Shown where the test fails.
        println!("on {}", database.url);
        test(database.url.clone()).await;
        database.drop().await;
    }
}

/// Runs a test on a migrated store of each kind.
pub async fn each_store<F: Future<Output = ()>>(test: impl Fn(Store) -> F) {
    for database in Database::each().await {
        println!("on {}", database.url);
        let store = database.store().await;
        test(store.clone()).await;
        store.close().await;
        database.drop().await;
    }
}

/// Holds a property against so many made-up cases, on a migrated store of each kind.
pub fn each_store_holds<S: Strategy>(
    cases: u32,
    strategy: S,
    property: impl AsyncFn(&Store, &Database, S::Value),
) {
    let runtime = Runtime::new().expect("a runtime");
    for database in runtime.block_on(Database::each()) {
        println!("on {}", database.url);
        let store = runtime.block_on(database.store());
        TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() })
            .run(&strategy, |case| {
                runtime.block_on(property(&store, &database, case));
                Ok(())
            })
            .expect("the property holds");
        runtime.block_on(store.close());
        runtime.block_on(database.drop());
    }
}
