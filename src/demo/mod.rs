//! The demo data: some twenty groups, three plans, and a year of what they bought, paid and used.
//!
//! Everything goes the way it goes for a customer, at the time it is said to have happened: the sandbox's test clock and
//! the services' clock are moved through the year, so that its invoices, its ledger and what is reported of it agree, and
//! the demo shows nothing the product can't do.

mod companies;
mod history;
mod plans;
mod usage;

use chrono::{Duration, SubsecRound as _};
use tracing::debug;

use crate::clock::Clock;
use crate::config::Config;
use crate::storage::{DemoClaim, Store};
use history::History;

/// How long a process may take over one step before another takes the loading over.
const CLAIM: Duration = Duration::seconds(15);
/// Before looking again whether another process is done.
const RECHECK: std::time::Duration = std::time::Duration::from_millis(200);

/// Loads the demo data into an unused database. Does nothing to any other. A process that is killed over it leaves a
/// part, which the next one completes; of two at once, one waits. The sandbox should have no webhook endpoint yet: what
/// happened in the past is written here, and needn't be delivered.
///
/// # Errors
/// Whatever kept a step of it from being taken; the text says which.
pub async fn load(config: &Config, store: &Store, clock: &Clock) -> anyhow::Result<()> {
    let progress = loop {
        let now = clock.now();
        match store.claim_demo_load(now, now + CLAIM).await? {
            DemoClaim::NotNeeded => return Ok(()),
            DemoClaim::Busy => tokio::time::sleep(RECHECK).await,
            DemoClaim::Claimed(progress) => break progress,
        }
    };
    // Stripe's times are whole seconds.
    let steps = history::steps(progress.began_at.trunc_subsecs(0))?;
    let history = History::begin(config, store, &steps).await?;
    let mut loaded = Ok(());
    for (index, step) in steps.iter().enumerate().skip(progress.steps_done) {
        debug!(?step, "of the demo data");
        loaded = Box::pin(history.take(step)).await;
        if loaded.is_err() {
            break;
        }
        store.note_demo_steps(clock.now() + CLAIM, index + 1, index + 1 == steps.len()).await?;
    }
    history.stop().await;
    loaded
}
