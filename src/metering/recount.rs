//! Holding everything that is kept beside the ledger against the ledger.

use tracing::{info, warn};

use super::Metering;
use crate::error::Result;

/// Groups that are read at a time.
const PAGE: i64 = 200;

/// What recounting found and put right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recounted {
    pub groups: u64,
    /// Groups in which something differed.
    pub groups_repaired: u64,
    /// Periods' sums that differed.
    pub periods: u64,
    /// Members' and keys' parts of a period that differed.
    pub shares: u64,
    /// Sums by quarter of an hour that differed.
    pub quarters: u64,
    /// Groups that could not be recounted; the log says why.
    pub failed: u64,
}

impl Metering {
    /// Recounts every group's sums from its ledger and its open holds, and puts right what differs. The trouble of one
    /// group never keeps the others from being recounted.
    ///
    /// # Errors
    /// The database's, where the groups can't be read.
    pub async fn reconcile(&self) -> Result<Recounted> {
        let mut sum = Recounted::default();
        let mut after = None;
        loop {
            let groups = self.store.groups_after(after, PAGE).await?;
            let Some(last) = groups.last() else { return Ok(sum) };
            after = Some(*last);
            for group in groups {
                sum.groups += 1;
                let found = match self.store.recount(group).await {
                    Ok(found) => found,
                    Err(error) => {
                        warn!(%group, %error, "not recounted");
                        sum.failed += 1;
                        continue;
                    }
                };
                if found.is_right() {
                    continue;
                }
                for period in &found.periods {
                    let (kept, counted) = (period.kept, period.counted);
                    info!(%group, period = %period.period_start, ?kept, ?counted, "a period's sums differed from the ledger");
                }
                info!(%group, periods = found.periods.len(), shares = found.shares, quarters = found.quarters,
                    "recounted, and put right");
                sum.groups_repaired += 1;
                sum.periods += found.periods.len() as u64;
                sum.shares += found.shares;
                sum.quarters += found.quarters;
                self.feed.notify(group);
                if let Err(error) = self.store.notify_change(group, self.id).await {
                    warn!(%error, "other processes could not be notified of a change");
                }
            }
        }
    }
}
