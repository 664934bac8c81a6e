//! The writer of the ledger in this process, called as the server calls it, with no HTTP.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures::future::join_all;
use tollgate::clock::Clock;
use tollgate::domain::{Caller, EventInput, HoldInput, Settlement, UsageType};
use tollgate::metering::Metering;
use tollgate::storage::Store;

use crate::engine::TOKENS;
use tollgate_test_support::databases::Database;
use tollgate_test_support::seed::{GRACE_DAYS, Seed, event};

/// Groups with a member each, and what records for them.
pub struct Writer {
    store: Store,
    metering: Metering,
    callers: Vec<Caller>,
    count: AtomicU64,
}

impl Writer {
    pub async fn open(database: &Database, groups: usize) -> Self {
        let store = database.store().await;
        let mut callers = Vec::with_capacity(groups);
        for _ in 0..groups {
            let seed = Seed::with_clock(&store, Clock::system()).await;
            // No limit: what is measured is never refused.
            seed.change_limits(None, None).await;
            seed.renew().await;
            callers.push(Caller::from(&seed.member));
        }
        let metering = Metering::start(store.clone(), Clock::system(), GRACE_DAYS);
        Self { store, metering, callers, count: AtomicU64::new(0) }
    }

    /// How many events a second this many callers record, so many at once each; each asks again when it is answered.
    pub async fn events_per_second(&self, callers: usize, batch: usize, time: Duration) -> f64 {
        let begun = Instant::now();
        let recorded = join_all((0..callers).map(async |caller| {
            let caller = &self.callers[caller % self.callers.len()];
            let mut recorded = 0;
            while begun.elapsed() < time {
                let first = self.count.fetch_add(batch as u64, Ordering::Relaxed);
                let events = (first..first + batch as u64).map(|number| new_event(batch, number)).collect();
                self.metering.record(caller.clone(), events).await.expect("the events are recorded");
                recorded += batch;
            }
            recorded
        }))
        .await;
        recorded.into_iter().sum::<usize>() as f64 / begun.elapsed().as_secs_f64()
    }

    /// How long each hold took while this many callers record events one by one, in ascending order.
    pub async fn hold_times(&self, callers: usize, time: Duration) -> Vec<Duration> {
        let begun = Instant::now();
        let holds = async {
            let mut times = Vec::new();
            while begun.elapsed() < time {
                let input = HoldInput {
                    id: None,
                    usage_type: UsageType::Llm,
                    tokens: TOKENS,
                    expires_in: None,
                    wait: None,
                };
                let asked = Instant::now();
                let hold = self.metering.hold(&self.callers[0], input).await.expect("a hold");
                times.push(asked.elapsed());
                let settlement = Settlement::of(TOKENS);
                self.metering.settle(&self.callers[0], &hold.id, settlement).await.expect("it settles");
            }
            times
        };
        let (mut times, _) = tokio::join!(holds, self.events_per_second(callers, 1, time));
        times.sort();
        times
    }

    pub async fn close(self) {
        self.metering.stop().await;
        self.store.close().await;
    }
}

fn new_event(batch: usize, number: u64) -> EventInput {
    EventInput {
        model: Some("gpt-4o".into()),
        ..event(&format!("call-{batch}-{number}"), UsageType::Llm, TOKENS)
    }
}
