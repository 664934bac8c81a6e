//! A fresh database of each kind for every test.
//!
//! PostgreSQL takes part where `TOLLGATE_TEST_POSTGRES` gives the address of a cluster on which databases may
//! be made, such as `postgres://postgres@127.0.0.1:5432`.

use std::env;

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, TestRunner};
use sqlx::postgres::{PgConnection, PgPool, PgRow};
use sqlx::sqlite::{SqlitePool, SqliteRow};
use sqlx::{AssertSqlSafe, Connection, FromRow};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tollgate::storage::Store;
use uuid::Uuid;

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

    /// `None` where there is no cluster to make one on.
    pub async fn postgres() -> Option<Self> {
        let address = env::var("TOLLGATE_TEST_POSTGRES").ok()?;
        // A database named in it is where one would start from; here each test has its own.
        let (scheme, rest) = address.split_once("://").expect("TOLLGATE_TEST_POSTGRES is postgres://…");
        let cluster = format!("{scheme}://{}", rest.split('/').next().unwrap_or(rest));
        let name = format!("tollgate_test_{}", Uuid::now_v7().simple());
        on_cluster(&cluster, &format!("CREATE DATABASE {name}")).await;
        Some(Self { url: format!("{cluster}/{name}"), home: Home::Postgres { cluster, name } })
    }

    /// One of each kind there is.
    pub async fn each() -> Vec<Self> {
        [Some(Self::sqlite()), Self::postgres().await].into_iter().flatten().collect()
    }

    /// A store on the database, its schema up to date.
    pub async fn store(&self) -> Store {
        let store = Store::open(&self.url).await.expect("the database opens");
        store.migrate().await.expect("the migrations run");
        store
    }

    /// What a statement that changes nothing gives, past the store.
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

    /// Ends the database, whoever is still connected.
    pub async fn drop(self) {
        if let Home::Postgres { cluster, name } = self.home {
            on_cluster(&cluster, &format!("DROP DATABASE {name} WITH (FORCE)")).await;
        }
    }
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
