//! Whatever is in the ledger, each breakdown of each window is what a recount of its events gives: over several periods,
//! in zones with daylight saving, by day, member, model and key.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, Utc};
use chrono_tz::Tz;
use proptest::prelude::*;
use tollgate::clock::Clock;
use tollgate::domain::{
    Breakdown, BreakdownBy, Caller, EventInput, KeyId, OTHERS, Period, Status, Sums, UsageType, User,
};
use tollgate::metering::{BreakdownQuery, Metering};
use tollgate::storage::{NewKeyRow, Opened, Store};
use uuid::Uuid;

use crate::support::databases::{Database, each_store_holds};
use crate::support::seed::{Seed, at, event};

/// Ten days after a change to or from daylight saving in one of the zones.
const TIMES: [&str; 7] = [
    "2026-04-08T01:00:00Z",
    "2026-11-04T01:00:00Z",
    "2026-03-18T07:00:00Z",
    "2026-11-11T06:00:00Z",
    "2026-04-14T15:00:00Z",
    "2026-10-13T15:30:00Z",
    "2026-07-01T00:00:00Z",
];

/// Zones whose offsets are whole hours, half hours and quarters of one, and one that moves by half an hour.
const ZONES: [&str; 5] =
    ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"];

/// How far back events lie, in quarters of an hour: over two periods, and the hours of every change.
const QUARTERS: i64 = 34 * 96;
const MICROS: i64 = 15 * 60 * 1_000_000;

#[derive(Clone, Debug)]
struct Spent {
    /// Before now, in microseconds.
    ago: i64,
    voice: bool,
    tokens: i64,
    /// Recorded by the member or by the admin, in a session or with a key.
    by_admin: bool,
    with_key: bool,
    /// By the admin for the member.
    for_member: bool,
    model: usize,
}

#[derive(Clone, Debug)]
struct Case {
    now: usize,
    spent: Vec<Spent>,
    /// After how many of the events a new period begins in the middle of the current one.
    changed_after: Option<usize>,
    /// Before now, in microseconds: from and to.
    windows: Vec<(i64, i64)>,
}

/// A time before now: at a quarter's beginning, at either side of it, or anywhere.
fn ago() -> impl Strategy<Value = i64> {
    let within = prop_oneof![Just(0), Just(1), Just(MICROS - 1), 0..MICROS];
    // Often near each other, so that many share a quarter.
    (prop_oneof![0..QUARTERS, 0..8_i64], within).prop_map(|(quarter, within)| quarter * MICROS + within)
}

fn spent() -> impl Strategy<Value = Spent> {
    (ago(), any::<[bool; 4]>(), 1..1_000_i64, 0..3_usize).prop_map(
        |(ago, [voice, by_admin, with_key, for_member], tokens, model)| Spent {
            ago,
            voice,
            tokens,
            by_admin,
            with_key,
            for_member,
            model,
        },
    )
}

fn case() -> impl Strategy<Value = Case> {
    (
        0..TIMES.len(),
        prop::collection::vec(spent(), 1..40),
        prop::option::of(0..20_usize),
        prop::collection::vec((ago(), ago()), 3),
    )
        .prop_map(|(now, spent, changed_after, windows)| Case { now, spent, changed_after, windows })
}

/// A row of the ledger, as the database has it: type, tokens, user, model, key, when, period, group.
type Row = (String, i64, Uuid, Option<String>, Option<Uuid>, DateTime<Utc>, Uuid, Uuid);
const ROWS: &str =
    "SELECT usage_type, tokens, user_id, model, key_id, occurred_at, summary_id, group_id FROM usage_events";
/// Periods, the one that began last first.
const PERIODS: &str = "SELECT group_id, id FROM usage_summaries ORDER BY period_start DESC";

async fn key(store: &Store, user: &User) -> KeyId {
    let id = KeyId(Uuid::now_v7());
    let row = NewKeyRow {
        id,
        user_id: user.id,
        name: "Worker".into(),
        prefix: "tg_x".into(),
        key_hash: id.0.as_bytes().to_vec(),
    };
    store.add_key(&row, 10, at("2026-01-01T00:00:00Z")).await.expect("a key");
    id
}

/// The key of a row's bucket, as an admin sees it.
fn bucket(row: &Row, by: BreakdownBy, tz: Tz) -> String {
    match by {
        BreakdownBy::Day => row.5.with_timezone(&tz).date_naive().to_string(),
        BreakdownBy::Member => row.2.to_string(),
        BreakdownBy::Model => row.3.clone().unwrap_or_default(),
        BreakdownBy::Key => row.4.map(|key| key.to_string()).unwrap_or_default(),
    }
}

fn sums(row: &Row) -> Sums {
    match row.0.as_str() {
        "llm" => Sums { llm: row.1, voice: 0, events: 1 },
        _ => Sums { llm: 0, voice: row.1, events: 1 },
    }
}

fn recounted<'r>(rows: impl Iterator<Item = &'r Row>, by: BreakdownBy, tz: Tz) -> BTreeMap<String, Sums> {
    let mut recounted = BTreeMap::<String, Sums>::new();
    for row in rows {
        *recounted.entry(bucket(row, by, tz)).or_default() += sums(row);
    }
    recounted
}

/// The rows that have events, by their keys.
fn found(breakdown: &Breakdown) -> BTreeMap<String, Sums> {
    let rows = breakdown.rows.iter().filter(|row| row.events > 0);
    rows.map(|row| (row.key.clone().unwrap_or_default(), row.sums())).collect()
}

fn total<'s>(sums: impl IntoIterator<Item = &'s Sums>) -> Sums {
    let mut total = Sums::default();
    sums.into_iter().for_each(|each| total += *each);
    total
}

/// Records the case's events; gives the keys of the member and the admin.
async fn record(seed: &Seed, metering: &Metering, case: &Case) -> [KeyId; 2] {
    let keys = [key(&seed.store, &seed.member).await, key(&seed.store, &seed.admin).await];
    let now = seed.clock.now();
    for (index, spent) in case.spent.iter().enumerate() {
        if case.changed_after == Some(index) {
            let start = now - Duration::days(3);
            seed.stripe_says(Status::Active, Period { start, end: start + Duration::days(31) }).await;
        }
        let user = if spent.by_admin { &seed.admin } else { &seed.member };
        let key = spent.with_key.then_some(keys[usize::from(spent.by_admin)]);
        let usage_type = if spent.voice { UsageType::Voice } else { UsageType::Llm };
        let input = EventInput {
            created_at: Some(now - Duration::microseconds(spent.ago)),
            user_id: (spent.by_admin && spent.for_member).then_some(seed.member.id),
            model: [None, Some("small".into()), Some("large".into())][spent.model].clone(),
            ..event(&format!("event-{index}"), usage_type, spent.tokens)
        };
        let caller = Caller { user: user.clone(), key };
        metering.record(caller, vec![input]).await.expect("the event is recorded");
    }
    keys
}

async fn holds(store: &Store, database: &Database, case: Case) {
    let seed = Seed::with_clock(store, Clock::manual(at(TIMES[case.now]))).await;
    let now = seed.clock.now();
    // The period before the current one.
    let start = seed.period.start - Duration::days(31);
    let mut tx = store.begin().await.expect("a transaction");
    let earlier = Period { start, end: seed.period.start };
    tx.open_period(seed.group(), seed.subscription, earlier, Opened::ByStripe, now).await.expect("a period");
    tx.commit().await.expect("a commit");
    let metering = seed.metering();
    let keys = record(&seed, &metering, &case).await;
    assert!(store.check_sums(seed.group()).await.expect("a recount").is_right());

    let group = seed.group().0;
    let mut rows: Vec<Row> = database.rows(ROWS).await;
    rows.retain(|row| row.7 == group);
    let periods: Vec<(Uuid, Uuid)> = database.rows(PERIODS).await;
    let current = periods.iter().find(|(of, _)| *of == group).expect("a period").1;
    let usage = metering.usage(&seed.admin).await.expect("a usage");
    let micros = |ago: i64| now - Duration::microseconds(ago);
    let windows =
        case.windows.iter().map(|(one, other)| Some((micros(*one.max(other)), micros(*one.min(other)))));
    let windows = windows.filter(|window| window.is_none_or(|(from, to)| from < to));
    for window in windows.chain([None]) {
        let meant = |row: &&Row| match window {
            Some((from, to)) => from <= row.5 && row.5 < to,
            None => row.6 == current,
        };
        for by in BreakdownBy::ALL {
            for zone in ZONES.iter().take(if by == BreakdownBy::Day { ZONES.len() } else { 1 }) {
                let query = BreakdownQuery {
                    from: window.map(|(from, _)| from),
                    to: window.map(|(_, to)| to),
                    tz: (*zone).to_owned(),
                    ..BreakdownQuery::current(by)
                };
                let all = metering.breakdown(&seed.admin, query.clone()).await.expect("a breakdown");
                let expected = recounted(rows.iter().filter(meant), by, zone.parse().expect("a zone"));
                assert_eq!(found(&all), expected, "{query:?}");
                assert_eq!(all.total, total(expected.values()), "{query:?}");
                if window.is_none() {
                    let used = usage.resources.map(|resource| resource.used);
                    assert_eq!(all.total.tokens(), used, "the total is what the usage says");
                }

                let own = metering.breakdown(&seed.member, query.clone()).await.expect("a breakdown");
                assert_eq!((own.total, total(found(&own).values())), (all.total, all.total), "{query:?}");
                let shown: Vec<_> = found(&own).into_keys().filter(|key| key != OTHERS).collect();
                match by {
                    BreakdownBy::Day | BreakdownBy::Model => assert_eq!(found(&own), found(&all)),
                    BreakdownBy::Member => {
                        assert!(shown.iter().all(|key| *key == seed.member.id.to_string()))
                    }
                    BreakdownBy::Key => {
                        assert!(shown.iter().all(|key| key.is_empty() || *key == keys[0].to_string()));
                    }
                }

                let llm = BreakdownQuery { usage_type: Some(UsageType::Llm), ..query };
                let llm = metering.breakdown(&seed.admin, llm).await.expect("a breakdown");
                let rows = rows.iter().filter(meant).filter(|row| row.0 == "llm");
                assert_eq!(found(&llm), recounted(rows, by, zone.parse().expect("a zone")));
            }
        }
    }
    metering.stop().await;
}

#[test]
fn each_breakdown_is_what_a_recount_of_its_events_gives() {
    each_store_holds(12, case(), holds);
}
