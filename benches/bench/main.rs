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
//! - The SuperAdmin's lists of ten thousand groups, with ten million events in the ledger (PostgreSQL alone).
//! - Downloading a report of a million events: its time, and the memory it takes.
//! - The Stripe sandbox, against a bare route; its pages among thousands of objects, against pages among a hundred; and what
//!   it takes of memory and time when it is full.
//!
//! The server and the bare routes are processes of their own; with the callers they share this machine's cores.
//!
//! `SQLite`, `PostgreSQL`, `recording`, `groups`, `gateway`, `reading`, `operator` and `sandbox` as arguments leave out the
//! others. `TOLLGATE_BENCH_EVENTS` is how many events `operator` puts into the ledger, where ten million take too long.
#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measurement that can't go on fails, and prints"
)]

mod bare;
mod client;
mod engine;
mod operator;
mod report;
mod sandbox;
mod subject;
mod writer;

use std::env;
use std::process::ExitCode;
use std::time::Duration;

use bare::Bare;
use client::Call;
use engine::Engine;
use report::{Report, percentile};
use sandbox::Sandbox;
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

/// What a report of a million events may take, and how much more memory the server may have meanwhile.
const REPORT: Duration = Duration::from_secs(60);
const REPORT_MEMORY: u64 = 64 << 20;

/// What is in the database that a SuperAdmin looks over, and what a page of it may take at the median.
const ALL_GROUPS: i64 = 10_000;
const ALL_EVENTS: i64 = 10_000_000;
const OPERATOR_PAGE: Duration = Duration::from_millis(500);

/// What the sandbox has in it when it is full, and what it may then take: of memory, for a page of any list at this percentile,
/// and to bring so many subscriptions a month on.
const CUSTOMERS: usize = 10_000;
const SUBSCRIPTIONS: usize = 3_000;
const MEMORY: u64 = 300 << 20;
const PAGE: Duration = Duration::from_millis(10);
const MONTH_OF: usize = 1_000;
const MONTH: Duration = Duration::from_secs(10);

const SANDBOX: &str = "Sandbox";
const SQLITE: &str = "SQLite";
const POSTGRES: &str = "PostgreSQL";

/// How many times slower than its counterpart each row may be, on either database. PostgreSQL is a process of its own on
/// the same cores, which the bare routes never ask.
mod limit {
    pub const WRITE_IN_PROCESS: f64 = 1.25;
    pub const RECORD_BATCH: f64 = 1.67;
    pub const RECORD_ONE: f64 = 2.5;
    pub const HOLD_AND_SETTLE: f64 = 2.0;
    pub const ONE_GROUP: f64 = 1.25;
    pub const GATEWAY: f64 = 10.0;
    pub const READ_JSON: f64 = 3.33;
    pub const READ_PAGE: f64 = 3.33;
    pub const SANDBOX_GET: f64 = 3.33;
    pub const SANDBOX_POST: f64 = 10.0;
}

/// How many times slower a read may be with many events than with few.
const READ_MANY: f64 = 1.25;

#[tokio::main]
async fn main() -> ExitCode {
    if bare::is_asked_for() {
        bare::serve().await;
        return ExitCode::SUCCESS;
    }
    let mut report = Report::default();
    for kind in [SQLITE, POSTGRES].into_iter().filter(|kind| is_wanted(kind)) {
        if is_wanted("recording") {
            recording(kind, database(kind).await, database(kind).await, &mut report).await;
        }
        if is_wanted("groups") {
            groups(kind, database(kind).await, database(kind).await, &mut report).await;
        }
        if is_wanted("gateway") {
            gateway(kind, database(kind).await, &mut report).await;
        }
        if is_wanted("reading") {
            reading(kind, database(kind).await, database(kind).await, &mut report).await;
        }
        if kind == POSTGRES && is_wanted("operator") {
            operator(kind, database(kind).await, &mut report).await;
        }
    }
    if is_wanted("sandbox") {
        stripe_sandbox(&mut report).await;
    }
    report.outcome()
}

/// Whether the command line asks for this, by leaving out others of its kind or by naming none.
fn is_wanted(name: &str) -> bool {
    let among = |names: &[&str]| {
        let asked: Vec<String> =
            env::args().skip(1).filter(|asked| names.contains(&asked.as_str())).collect();
        names.contains(&name) && (asked.is_empty() || asked.iter().any(|asked| asked == name))
    };
    among(&[SQLITE, POSTGRES]) || among(&["recording", "groups", "gateway", "reading", "operator", "sandbox"])
}

async fn database(kind: &str) -> Database {
    if kind == SQLITE { Database::sqlite() } else { Database::postgres().await }
}

async fn recording(kind: &str, database: Database, other: Database, report: &mut Report) {
    let engine = Engine::open(&other).await;
    let writer = Writer::open(&database, 1).await;
    report
        .row(kind, "the writer, batches of 100", "the engine alone", limit::WRITE_IN_PROCESS)
        .measure(
            async |time| writer.events_per_second(BATCH_REPORTERS, BATCH, time).await,
            async |time| engine.events_per_second(BATCH_REPORTERS * BATCH, time).await,
        )
        .await;
    if kind == SQLITE {
        let times = writer.hold_times(REPORTERS as usize, Duration::from_secs(5)).await;
        report.time(kind, "p99 of a hold while 64 callers write", percentile(&times, 99), HOLD_P99);
    }
    writer.close().await;
    let subject = Subject::start(&database).await;
    let (one, batch, pairs) = (subject.record(1), subject.record(LARGE_BATCH), subject.hold_and_settle());
    report
        .row(kind, "POST events/, batches of 1,000", "the engine alone", limit::RECORD_BATCH)
        .measure(
            async |time| batch.per_second(LARGE_REPORTERS, time).await * LARGE_BATCH as f64,
            async |time| engine.events_per_second(2 * LARGE_BATCH, time).await,
        )
        .await;
    engine.close().await;
    let bare = Bare::start(one.answer_size().await);
    let bare_call = bare.post();
    report
        .row(kind, "POST events/, one by one", "a bare route", limit::RECORD_ONE)
        .measure(
            async |time| one.per_second(REPORTERS, time).await,
            async |time| bare_call.per_second(REPORTERS, time).await,
        )
        .await;
    report
        .row(kind, "hold and settle, pairs", "events one by one", limit::HOLD_AND_SETTLE)
        .measure(
            async |time| pairs.per_second(REPORTERS, time).await / 2.0,
            async |time| one.per_second(REPORTERS, time).await,
        )
        .await;
    drop((subject, bare));
    database.drop().await;
    other.drop().await;
}

async fn groups(kind: &str, one: Database, many: Database, report: &mut Report) {
    let (busy, spread) = (Writer::open(&one, 1).await, Writer::open(&many, GROUPS).await);
    report
        .row(kind, "the writer, one by one, one group", "a thousand groups", limit::ONE_GROUP)
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
async fn gateway(kind: &str, database: Database, report: &mut Report) {
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
        .row(kind, "questions through the gateway", "the model server", limit::GATEWAY)
        .measure(
            async |time| through.per_second(CLIENTS, time).await,
            async |time| direct.per_second(CLIENTS, time).await,
        )
        .await;
    drop((subject, model));
    database.drop().await;
}

async fn reading(kind: &str, small: Database, large: Database, report: &mut Report) {
    let (few, many) = (Subject::start(&small).await, Subject::start(&large).await);
    engine::fill(&small, FEW, TOKENS).await;
    engine::fill(&large, MANY, TOKENS).await;
    let reads = [
        ("GET usage/", few.usage(), many.usage(), "a bare route", limit::READ_JSON),
        ("GET /usage, the page", few.page(), many.page(), "a bare page of Leptos", limit::READ_PAGE),
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
    for format in ["csv", "jsonl", "xlsx"] {
        let (time, memory) = many.export(format).await;
        let name = format!("a report of a million events, {format}");
        report.time(kind, &name, time, REPORT);
        report.memory(kind, &name, memory, REPORT_MEMORY);
    }
    drop((few, many));
    small.drop().await;
    large.drop().await;
}

/// What a SuperAdmin opens, one page after the other.
async fn operator(kind: &str, database: Database, report: &mut Report) {
    let subject = Subject::start(&database).await;
    let events = env::var("TOLLGATE_BENCH_EVENTS").ok().and_then(|events| events.parse().ok());
    operator::fill(&database, ALL_GROUPS, events.unwrap_or(ALL_EVENTS)).await;
    for (path, order) in operator::PAGES {
        let page = subject.page_of_superadmin(path);
        let times = page.times(1, None, Duration::from_secs(3)).await;
        report.time(kind, &format!("p50 of {path}, by {order}"), percentile(&times, 50), OPERATOR_PAGE);
    }
    drop(subject);
    database.drop().await;
}

async fn stripe_sandbox(report: &mut Report) {
    let (few, full) = (Sandbox::start(100, 100).await, Sandbox::start(CUSTOMERS, SUBSCRIPTIONS).await);
    report.memory(SANDBOX, "10,000 customers, 3,000 subscriptions", full.memory(), MEMORY);
    let customer = full.get(&format!("customers/{}", full.customer().await));
    let bare = Bare::start(customer.answer_size().await);
    let calls = [
        ("GET /v1/customers/{id}", customer, bare.get(), limit::SANDBOX_GET),
        ("POST /v1/customers", full.make_customer(), bare.post(), limit::SANDBOX_POST),
    ];
    for (name, call, bare, limit) in calls {
        report
            .row(SANDBOX, name, "a bare route", limit)
            .measure(
                async |time| call.per_second(READERS, time).await,
                async |time| bare.per_second(READERS, time).await,
            )
            .await;
    }
    for list in ["customers", "subscriptions", "invoices", "charges", "events", "events?type=invoice.paid"] {
        let path = format!("{list}{}limit=100", if list.contains('?') { '&' } else { '?' });
        let (few, full) = (few.get(&path), full.get(&path));
        let times = full.times(1, None, Duration::from_secs(1)).await;
        report.time(SANDBOX, &format!("p50 of a page of 100, {list}"), percentile(&times, 50), PAGE);
        report
            .row(SANDBOX, &format!("pages of {list}"), "with 100 customers", READ_MANY)
            .measure(async |time| full.per_second(1, time).await, async |time| few.per_second(1, time).await)
            .await;
    }
    report.time(SANDBOX, "a month of 1,000 subscriptions", few.month(MONTH_OF).await, MONTH);
}
