//! Periods' sums as the usage page last read them, for the many who look at the same page.
//!
//! What was read is right for as long as the period's sums are the same: each event adds to them. In a group that spends
//! all the time it is read anew at most so often that reading takes a small share of the time, so that a page of a large
//! group, whose sums take longer, is behind by a little longer.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::domain::{BreakdownBy, PerType, SummaryId};
use crate::error::Result;
use crate::storage::SumsRow;

/// How many times as long as reading took it is kept, whatever was recorded meanwhile.
const REST: u32 = 20;
/// Sums that weren't read for so long are evicted.
const IDLE: Duration = Duration::from_secs(60);
/// Nothing is kept for longer, since a recount may put sums right without anything having been used.
const LIFE: Duration = Duration::from_secs(300);
/// The most periods and breakdowns to keep.
const CAPACITY: u64 = 2_000;

/// Cheap to clone; clones share what is kept.
#[derive(Clone, Debug)]
pub struct KeptSums(Cache<(SummaryId, BreakdownBy), Arc<Mutex<Option<Kept>>>>);

#[derive(Debug)]
struct Kept {
    /// The period's sums when this was read.
    used: PerType<i64>,
    read_at: Instant,
    took: Duration,
    rows: Arc<Vec<SumsRow>>,
}

impl Kept {
    fn is_near_enough(&self, used: PerType<i64>, now: Instant) -> bool {
        self.used == used || now.duration_since(self.read_at) < self.took * REST
    }
}

impl Default for KeptSums {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(CAPACITY).time_to_idle(IDLE).time_to_live(LIFE).build())
    }
}

impl KeptSums {
    /// The sums of a period that has `used` so much, read anew where they have to be, once for all who wait.
    ///
    /// # Errors
    /// What reading fails with.
    pub async fn get(
        &self,
        period: SummaryId,
        by: BreakdownBy,
        used: PerType<i64>,
        read: impl Future<Output = Result<Vec<SumsRow>>>,
    ) -> Result<Arc<Vec<SumsRow>>> {
        let place = self.0.get_with((period, by), Arc::default);
        let mut place = place.lock().await;
        if let Some(kept) = &*place
            && kept.is_near_enough(used, Instant::now())
        {
            return Ok(Arc::clone(&kept.rows));
        }
        let began = Instant::now();
        let rows = Arc::new(read.await?);
        *place = Some(Kept { used, read_at: Instant::now(), took: began.elapsed(), rows: Arc::clone(&rows) });
        Ok(rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_right_until_more_is_used_and_near_enough_for_as_long_as_reading_allows() {
        let (read_at, took) = (Instant::now(), Duration::from_millis(10));
        let used = |llm| PerType { llm, voice: 0 };
        let kept = Kept { used: used(1), read_at, took, rows: Arc::default() };
        let after = |milliseconds| read_at + Duration::from_millis(milliseconds);
        assert!(kept.is_near_enough(used(1), after(60_000)), "nothing was used meanwhile");
        assert!(kept.is_near_enough(used(2), after(199)), "it was read just now");
        assert!(!kept.is_near_enough(used(2), after(200)));
    }

    #[tokio::test]
    async fn what_nothing_was_added_to_is_read_once() {
        let (kept, period) = (KeptSums::default(), SummaryId(uuid::Uuid::now_v7()));
        let used = PerType::default();
        kept.get(period, BreakdownBy::Day, used, async { Ok(Vec::new()) }).await.unwrap();
        kept.get(period, BreakdownBy::Day, used, async { panic!("read again") }).await.unwrap();
    }
}
