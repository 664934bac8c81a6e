//! What the server costs, as ratios.
//!
//! Each row measures two things alternately, in the same run, and fails where one costs more than so many times
//! the other: a limit on a ratio holds on a slow machine as on a fast one. Every row is measured on SQLite
//! and on PostgreSQL, whose cluster `TOLLGATE_TEST_POSTGRES` names (`make bench` starts one).
//!
//! - Recording, against the same engine writing the same rows with no server (`engine` says how).
//! - Reading, against a bare axum route that answers as many bytes.
//! - Reading with a million events in the ledger, against reading with a hundred.
//!
//! The server and the bare route are processes of their own; with the callers they share this machine's cores.
#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measurement that can't go on fails, and prints"
)]

mod bare;
mod client;
mod engine;
mod report;
mod subject;

use std::process::ExitCode;

use bare::Bare;
use engine::Engine;
use report::Report;
use subject::Subject;
use tollgate_test_support::databases::Database;

/// Callers that report usage at the same time, one event each or a batch each.
const REPORTERS: usize = 64;
const BATCH_REPORTERS: usize = 16;
const BATCH: usize = 100;
/// Callers that read at the same time.
const READERS: usize = 16;
/// Events in the ledger that is read.
const FEW: i64 = 100;
const MANY: i64 = 1_000_000;
/// What they add up to, few or many: the page says other things where other levels are reached.
const TOKENS: i64 = 1_000_000;

/// How many times slower than its counterpart each row may be: about half as much again as when it was set.
struct Limits {
    record_one: f64,
    record_batch: f64,
    read_json: f64,
    read_page: f64,
}

const SQLITE: Limits = Limits { record_one: 12.0, record_batch: 4.0, read_json: 12.0, read_page: 40.0 };

/// PostgreSQL is a process of its own on the same cores, which the bare route never asks.
const POSTGRES: Limits = Limits { read_json: 20.0, read_page: 75.0, ..SQLITE };

/// How many times slower a read may be with many events than with few.
const READ_MANY: f64 = 1.25;

#[tokio::main]
async fn main() -> ExitCode {
    if bare::is_asked_for() {
        bare::serve().await;
        return ExitCode::SUCCESS;
    }
    let mut report = Report::default();
    recording("SQLite", Database::sqlite(), Database::sqlite(), &SQLITE, &mut report).await;
    reading("SQLite", Database::sqlite(), Database::sqlite(), &SQLITE, &mut report).await;
    let (one, other) = (Database::postgres().await, Database::postgres().await);
    recording("PostgreSQL", one, other, &POSTGRES, &mut report).await;
    let (small, large) = (Database::postgres().await, Database::postgres().await);
    reading("PostgreSQL", small, large, &POSTGRES, &mut report).await;
    report.outcome()
}

async fn recording(kind: &str, database: Database, other: Database, limits: &Limits, report: &mut Report) {
    let subject = Subject::start(&database).await;
    let engine = Engine::open(&other).await;
    let (one, batch) = (subject.record(1), subject.record(BATCH));
    report
        .row(kind, "record events one by one", "the engine alone", limits.record_one)
        .measure(
            async |time| one.per_second(REPORTERS, time).await,
            async |time| engine.events_per_second(REPORTERS, time).await,
        )
        .await;
    report
        .row(kind, "record events in batches of 100", "the engine alone", limits.record_batch)
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

async fn reading(kind: &str, small: Database, large: Database, limits: &Limits, report: &mut Report) {
    let (few, many) = (Subject::start(&small).await, Subject::start(&large).await);
    engine::fill(&small, FEW, TOKENS).await;
    engine::fill(&large, MANY, TOKENS).await;
    let reads = [
        ("GET usage/", few.usage(), many.usage(), limits.read_json),
        ("GET /usage, the page", few.page(), many.page(), limits.read_page),
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
            .row(kind, name, "with 100 events", READ_MANY)
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
