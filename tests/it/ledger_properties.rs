//! However events arrive, each counts once: in any order, repeated, split into requests, at the same time,
//! by two writers on one database.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Duration, Utc};
use futures::future::join_all;
use proptest::prelude::*;
use tollgate::domain::{EventInput, Period, UsageType};
use tollgate::storage::Store;

use crate::ledger_checks::assert_sums_agree;
use crate::support::databases::{Database, each_store_holds};
use crate::support::seed::{Seed, event};

/// What makes event `i`: its kind and its tokens follow from `i`, so that every repeat has the same body.
#[derive(Clone, Debug)]
struct Request {
    /// Which of the two writers takes it.
    second: bool,
    events: Vec<usize>,
}

const EVENTS: usize = 30;

fn requests() -> impl Strategy<Value = Vec<Request>> {
    let request = (any::<bool>(), prop::collection::vec(0..EVENTS, 1..12))
        .prop_map(|(second, events)| Request { second, events });
    prop::collection::vec(request, 1..16)
}

/// Event `i`, around the boundaries of two periods: none of them is recorded in its time's neighbour.
fn input(i: usize, period: Period, now: DateTime<Utc>) -> EventInput {
    let tick = Duration::microseconds(1);
    let times = [None, Some(period.start), Some(period.end - tick), Some(period.end), Some(now)];
    let usage_type = if i.is_multiple_of(2) { UsageType::Llm } else { UsageType::Voice };
    EventInput {
        created_at: times[i % times.len()],
        ..event(&format!("event-{i}"), usage_type, 1 << (i / 2))
    }
}

async fn holds(store: &Store, database: &Database, requests: Vec<Request>) {
    let seed = Seed::new(store).await;
    // A day into the next period, which the first event to need it opens.
    seed.clock.advance(seed.period.end + Duration::days(1) - seed.clock.now());
    let now = seed.clock.now();
    let (first, second) = (seed.metering(), seed.metering());
    let answers = join_all(requests.iter().map(|request| {
        let events = request.events.iter().map(|i| input(*i, seed.period, now)).collect();
        let metering = if request.second { second.clone() } else { first.clone() };
        let member = seed.member.clone();
        async move { tokio::spawn(async move { metering.record(&member, events).await }).await }
    }))
    .await;
    let (mut accepted, mut duplicates) = (0, 0);
    for answer in answers {
        let recorded = answer.expect("the task ends").expect("the events are recorded");
        accepted += recorded.accepted;
        duplicates += recorded.duplicates;
    }
    let sent: usize = requests.iter().map(|request| request.events.len()).sum();
    let distinct: BTreeSet<usize> = requests.iter().flat_map(|request| request.events.clone()).collect();
    assert_eq!((accepted, accepted + duplicates), (distinct.len() as u64, sent as u64));

    let mut expected: BTreeMap<DateTime<Utc>, [i64; 2]> = BTreeMap::new();
    for i in distinct {
        let event = input(i, seed.period, now);
        let start = match event.created_at {
            Some(at) if seed.period.contains(at) => seed.period.start,
            _ => seed.period.end,
        };
        expected.entry(start).or_default()[i % 2] += event.tokens_used;
    }
    let usage = first.usage(&seed.member).await.expect("a usage");
    let sums = |start| expected.get(&start).copied().unwrap_or_default();
    assert_eq!(usage.period_start, seed.period.end);
    assert_eq!([usage.resources.llm.used, usage.resources.voice.used], sums(seed.period.end));
    let history = first.history(&seed.member).await.expect("a history");
    assert_eq!([history[0].resources.llm.used, history[0].resources.voice.used], sums(seed.period.start));
    assert_sums_agree(database).await;
    first.stop().await;
    second.stop().await;
}

#[test]
fn however_events_arrive_each_counts_once() {
    each_store_holds(24, requests(), holds);
}
