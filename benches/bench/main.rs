//! What the server costs, as ratios.
//!
//! Each row measures two things alternately, in the same run, and fails where one costs more than so many times
//! the other: a limit on a ratio holds on a slow machine as on a fast one. Every row is measured on SQLite
//! and on PostgreSQL, whose cluster `TOLLGATE_TEST_POSTGRES` names (`make bench` starts one).
//!
//! - The writer of the ledger in this process, and batches over HTTP, against the same engine writing the same rows with
//!   no server (`engine` says how).
//! - Single events and holds, against a bare axum route that reads the same JSON and answers as many bytes.
//! - Reading, against a bare route and a bare page of Leptos of the same size.
//! - The gateway, against the model server behind it called directly.
//! - One busy group against a thousand; reading with a million events in the ledger, against reading with a hundred.
//!
//! The server and the bare routes are processes of their own; with the callers they share this machine's cores.
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
mod writer;

use std::process::ExitCode;
use std::time::Duration;

use bare::Bare;
use client::Call;
use engine::Engine;
use report::{Report, percentile};
use subject::Subject;
use tollgate_test_support::databases::Database;
use writer::Writer;

/// Callers that report usage at the same time, one event each or a batch each.
const REPORTERS: u32 = 64;
const BATCH_REPORTERS: usize = 16;
const BATCH: usize = 100;
const LARGE_BATCH: usize = 1_000;
/// Callers that report in large batches: the writer is kept busy, and no more.
const LARGE_REPORTERS: u32 = 4;
/// Groups that record, where many do.
const GROUPS: usize = 1_000;
/// Callers that read at the same time.
const READERS: u32 = 16;
/// Events in the ledger that is read.
const FEW: i64 = 100;
const MANY: i64 = 1_000_000;
/// What they add up to, few or many: the page says other things where other levels are reached.
const TOKENS: i64 = 1_000_000;
/// Clients of the gateway, and how often each asks where they keep a pace: 1,000 requests a second in all.
const CLIENTS: u32 = 64;
const PACE: Duration = Duration::from_millis(64);
/// What the gateway may add to the time of a request, with its hold and its settlement on disk: so much at this percentile.
const ADDED: [(usize, Duration); 2] = [(50, Duration::from_millis(1)), (99, Duration::from_millis(5))];
/// How long a hold may take while others write, on SQLite.
const HOLD_P99: Duration = Duration::from_millis(5);

/// How many times slower than its counterpart each row may be.
struct Limits {
    write_in_process: f64,
    record_batch: f64,
    record_one: f64,
    hold_and_settle: f64,
    one_group: f64,
    gateway: f64,
    read_json: f64,
    read_page: f64,
}

const SQLITE: Limits = Limits {
    write_in_process: 1.25,
    record_batch: 1.67,
    record_one: 2.5,
    hold_and_settle: 2.0,
    one_group: 1.25,
    gateway: 10.0,
    read_json: 3.33,
    read_page: 3.33,
};

/// PostgreSQL is a process of its own on the same cores, which the bare routes never ask.
const POSTGRES: Limits = Limits { ..SQLITE };

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
    groups("SQLite", Database::sqlite(), Database::sqlite(), &SQLITE, &mut report).await;
    gateway("SQLite", Database::sqlite(), &SQLITE, &mut report).await;
    reading("SQLite", Database::sqlite(), Database::sqlite(), &SQLITE, &mut report).await;
    let (one, other) = (Database::postgres().await, Database::postgres().await);
    recording("PostgreSQL", one, other, &POSTGRES, &mut report).await;
    let (one, other) = (Database::postgres().await, Database::postgres().await);
    groups("PostgreSQL", one, other, &POSTGRES, &mut report).await;
    gateway("PostgreSQL", Database::postgres().await, &POSTGRES, &mut report).await;
    let (small, large) = (Database::postgres().await, Database::postgres().await);
    reading("PostgreSQL", small, large, &POSTGRES, &mut report).await;
    report.outcome()
}

async fn recording(kind: &str, database: Database, other: Database, limits: &Limits, report: &mut Report) {
    let engine = Engine::open(&other).await;
    let writer = Writer::open(&database, 1).await;
    report
        .row(kind, "the writer, batches of 100", "the engine alone", limits.write_in_process)
        .measure(
            async |time| writer.events_per_second(BATCH_REPORTERS, BATCH, time).await,
            async |time| engine.events_per_second(BATCH_REPORTERS * BATCH, time).await,
        )
        .await;
    if kind == "SQLite" {
        let times = writer.hold_times(REPORTERS as usize, Duration::from_secs(5)).await;
        report.time(kind, "p99 of a hold while 64 callers write", percentile(&times, 99), HOLD_P99);
    }
    writer.close().await;
    let subject = Subject::start(&database).await;
    let (one, batch, pairs) = (subject.record(1), subject.record(LARGE_BATCH), subject.hold_and_settle());
    report
        .row(kind, "POST events/, batches of 1,000", "the engine alone", limits.record_batch)
        .measure(
            async |time| batch.per_second(LARGE_REPORTERS, time).await * LARGE_BATCH as f64,
            async |time| engine.events_per_second(2 * LARGE_BATCH, time).await,
        )
        .await;
    engine.close().await;
    let bare = Bare::start(one.answer_size().await);
    let bare_call = bare.post();
    report
        .row(kind, "POST events/, one by one", "a bare route", limits.record_one)
        .measure(
            async |time| one.per_second(REPORTERS, time).await,
            async |time| bare_call.per_second(REPORTERS, time).await,
        )
        .await;
    report
        .row(kind, "hold and settle, pairs", "events one by one", limits.hold_and_settle)
        .measure(
            async |time| pairs.per_second(REPORTERS, time).await / 2.0,
            async |time| one.per_second(REPORTERS, time).await,
        )
        .await;
    drop((subject, bare));
    database.drop().await;
    other.drop().await;
}

async fn groups(kind: &str, one: Database, many: Database, limits: &Limits, report: &mut Report) {
    let (busy, spread) = (Writer::open(&one, 1).await, Writer::open(&many, GROUPS).await);
    report
        .row(kind, "the writer, one by one, one group", "a thousand groups", limits.one_group)
        .measure(
            async |time| busy.events_per_second(REPORTERS as usize, 1, time).await,
            async |time| spread.events_per_second(REPORTERS as usize, 1, time).await,
        )
        .await;
    busy.close().await;
    spread.close().await;
    one.drop().await;
    many.drop().await;
}

/// The gateway, between callers and a model server that answers at once. The load generator and the model server share
/// the machine with it.
async fn gateway(kind: &str, database: Database, limits: &Limits, report: &mut Report) {
    let model = Bare::start(0);
    let subject = Subject::start_with(&database, Some(&model.base_url())).await;
    let (through, direct) = (subject.ask(), model.model());
    let pace = async |call: &Call| call.times(CLIENTS, Some(PACE), Duration::from_secs(5)).await;
    pace(&through).await;
    let (through_times, direct_times) = (pace(&through).await, pace(&direct).await);
    for (per_cent, limit) in ADDED {
        let added = percentile(&through_times, per_cent).saturating_sub(percentile(&direct_times, per_cent));
        report.time(kind, &format!("what the gateway adds, p{per_cent} at 1,000 requests/s"), added, limit);
    }
    report
        .row(kind, "questions through the gateway", "the model server", limits.gateway)
        .measure(
            async |time| through.per_second(CLIENTS, time).await,
            async |time| direct.per_second(CLIENTS, time).await,
        )
        .await;
    drop((subject, model));
    database.drop().await;
}

async fn reading(kind: &str, small: Database, large: Database, limits: &Limits, report: &mut Report) {
    let (few, many) = (Subject::start(&small).await, Subject::start(&large).await);
    engine::fill(&small, FEW, TOKENS).await;
    engine::fill(&large, MANY, TOKENS).await;
    let reads = [
        ("GET usage/", few.usage(), many.usage(), "a bare route", limits.read_json),
        ("GET /usage, the page", few.page(), many.page(), "a bare page of Leptos", limits.read_page),
    ];
    for (name, few, many, against, limit) in reads {
        let bare = Bare::start(few.answer_size().await);
        let bare_call = if against == "a bare route" { bare.get() } else { bare.page() };
        report
            .row(kind, name, against, limit)
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
