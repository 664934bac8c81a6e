//! What the server costs, as ratios.
//!
//! Each row measures two things in turns, in the same run, and fails where one costs more than so many times
//! the other: a limit on a ratio holds on a slow machine as on a fast one. Every row is measured on SQLite
//! and, where `TOLLGATE_TEST_POSTGRES` names a cluster, on PostgreSQL.
//!
//! - Recording, against the same engine writing the same rows with no server (`engine` says how).
//! - Reading, against a bare axum route that answers as many bytes.
//! - Reading with a million events in the ledger, against reading with a hundred.
//!
//! The server and the bare route are processes of their own; with the callers they share this machine's cores.

#[path = "../../tests/it/support/databases.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod databases;
#[path = "../../tests/it/support/process.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod process;
#[path = "../../tests/it/support/seed.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod seed;

mod bare;
mod client;
mod engine;
mod report;
mod subject;

use std::process::ExitCode;

use bare::Bare;
use databases::Database;
use engine::Engine;
use report::Report;
use subject::Subject;

/// Callers that report usage at the same time, one event each or a batch each.
const REPORTERS: usize = 64;
const BATCH_REPORTERS: usize = 16;
const BATCH: usize = 100;
/// Callers that read at the same time.
const READERS: usize = 16;
/// Events in the ledger that is read.
const FEW: i64 = 100;
const MANY: i64 = 1_000_000;

/// How many times slower than its counterpart each row may be.
mod limit {
    pub const RECORD_ONE: f64 = 12.0;
    pub const RECORD_BATCH: f64 = 4.0;
    pub const READ_JSON: f64 = 12.0;
    pub const READ_PAGE: f64 = 60.0;
    pub const READ_MANY: f64 = 1.25;
}

#[tokio::main]
async fn main() -> ExitCode {
    if bare::is_asked_for() {
        bare::serve().await;
        return ExitCode::SUCCESS;
    }
    let mut report = Report::default();
    recording("SQLite", Database::sqlite(), Database::sqlite(), &mut report).await;
    reading("SQLite", Database::sqlite(), Database::sqlite(), &mut report).await;
    if let (Some(one), Some(two)) = (Database::postgres().await, Database::postgres().await) {
        recording("PostgreSQL", one, two, &mut report).await;
    } else {
        println!("PostgreSQL is left out: TOLLGATE_TEST_POSTGRES names no cluster.");
    }
    if let (Some(one), Some(two)) = (Database::postgres().await, Database::postgres().await) {
        reading("PostgreSQL", one, two, &mut report).await;
    }
    report.outcome()
}

async fn recording(kind: &str, database: Database, other: Database, report: &mut Report) {
    let subject = Subject::start(&database).await;
    let engine = Engine::open(&other).await;
    let (one, batch) = (subject.record(1), subject.record(BATCH));
    report
        .row(kind, "record events one by one", "the engine alone", limit::RECORD_ONE)
        .measure(
            async |time| one.per_second(REPORTERS, time).await,
            async |time| engine.events_per_second(REPORTERS, time).await,
        )
        .await;
    report
        .row(kind, "record events in batches of 100", "the engine alone", limit::RECORD_BATCH)
        .measure(
            async |time| batch.per_second(BATCH_REPORTERS, time).await * BATCH as f64,
            async |time| engine.events_per_second(BATCH_REPORTERS * BATCH, time).await,
        )
        .await;
    engine.close().await;
    drop(subject);
    database.drop().await;
    other.drop().await;
}

async fn reading(kind: &str, small: Database, large: Database, report: &mut Report) {
    let (few, many) = (Subject::start(&small).await, Subject::start(&large).await);
    engine::fill(&small, FEW).await;
    engine::fill(&large, MANY).await;
    let reads = [
        ("GET usage/", few.usage(), many.usage(), limit::READ_JSON),
        ("GET /usage, the page", few.page(), many.page(), limit::READ_PAGE),
    ];
    for (name, few, many, limit) in reads {
        let bare = Bare::start(few.answer_size().await);
        let bare_call = bare.call();
        report
            .row(kind, name, "a bare route", limit)
            .measure(
                async |time| few.per_second(READERS, time).await,
                async |time| bare_call.per_second(READERS, time).await,
            )
            .await;
        report
            .row(kind, name, "with 100 events", limit::READ_MANY)
            .measure(
                async |time| many.per_second(READERS, time).await,
                async |time| few.per_second(READERS, time).await,
            )
            .await;
    }
    drop((few, many));
    small.drop().await;
    large.drop().await;
}
