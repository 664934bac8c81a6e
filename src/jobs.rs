//! Every background task of a process, in one list. Each ends when the token that it was started with is cancelled; the
//! metering, which writes what the last requests record, when it is closed.

use std::collections::HashMap;
use std::time::Duration;

use tokio::task::{Id, JoinSet};
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use crate::error::Error;
use crate::metering::MeteringTask;
use crate::metrics;
use crate::notify::{Mailer, MailerError};
use crate::services::Services;

/// How often what has no more use is deleted, and everything is compared with Stripe.
const HOUSEKEEPING: Duration = Duration::from_secs(3_600);
/// How often Stripe is asked about subscriptions whose period is over, and overage that is due is put on invoices.
const PERIODS: Duration = Duration::from_secs(30);
/// How often the invoices of groups that became customers are read.
const NEW_CUSTOMERS: Duration = Duration::from_secs(30);
/// How often holds whose time is over are freed: each is within 5 s.
const HOLDS: Duration = Duration::from_secs(1);
/// How often histograms are folded where nothing reads the metrics.
const METRICS_UPKEEP: Duration = Duration::from_secs(60);

/// Starts them all.
///
/// # Errors
/// [`MailerError`] where the SMTP server's address can't be used.
pub fn start(
    services: &Services,
    metering: MeteringTask,
    stop: &CancellationToken,
) -> Result<Jobs, MailerError> {
    let mut jobs = Jobs::default();
    jobs.spawn("metering", metering.run());
    if let Some(smtp_url) = &services.config.smtp_url {
        let mailer = Mailer::new(services.outbox.clone(), smtp_url, &services.config.public_url)?;
        jobs.spawn("e-mail", mailer.run(stop.clone()));
    }
    let (outbox, notices_stop) = (services.outbox.clone(), stop.clone());
    jobs.spawn("notices", async move { outbox.run_notices(notices_stop).await });
    let (billing, inbox_stop) = (services.billing.clone(), stop.clone());
    jobs.spawn("webhook inbox", async move { billing.run_inbox(inbox_stop).await });
    let freeing = services.clone();
    jobs.spawn("holds", every(HOLDS, stop.clone(), async move || free_due_holds(&freeing).await));
    let sweeping = services.clone();
    jobs.spawn("sweep", every(HOUSEKEEPING, stop.clone(), async move || sweep(&sweeping).await));
    let renewing = services.clone();
    jobs.spawn("periods", every(PERIODS, stop.clone(), async move || turn_periods(&renewing).await));
    let reading = services.clone();
    jobs.spawn(
        "invoices",
        at_once_and_every(NEW_CUSTOMERS, stop.clone(), async move || read_invoices(&reading).await),
    );
    let comparing = services.clone();
    jobs.spawn("reconcile", every(HOUSEKEEPING, stop.clone(), async move || reconcile(&comparing).await));
    jobs.spawn("metrics", every(METRICS_UPKEEP, stop.clone(), async || metrics::upkeep()));
    Ok(jobs)
}

/// Does `work` again and again until `stop` is cancelled, which also breaks it off: it has to be safe to do again.
async fn every(interval: Duration, stop: CancellationToken, work: impl AsyncFn()) {
    let forever = async {
        loop {
            sleep(interval).await;
            work().await;
        }
    };
    stop.run_until_cancelled(forever).await;
}

/// As [`every`], and first of all now.
async fn at_once_and_every(interval: Duration, stop: CancellationToken, work: impl AsyncFn()) {
    if stop.run_until_cancelled(work()).await.is_some() {
        every(interval, stop, work).await;
    }
}

async fn read_invoices(services: &Services) {
    if let Err(error) = services.billing.read_new_customers_invoices().await {
        error!(%error, "the customers whose invoices are to be read can't be");
    }
}

async fn free_due_holds(services: &Services) {
    match services.metering.free_due_holds().await {
        // The last holds of a server that stops are freed by the next one.
        Ok(()) | Err(Error::Stopping(_)) => {}
        Err(error) => error!(%error, "holds whose time is over could not be freed"),
    }
}

async fn sweep(services: &Services) {
    if let Err(error) = services.store.sweep(services.clock.now()).await {
        error!(%error, "what has no more use could not be deleted");
    }
}

async fn turn_periods(services: &Services) {
    if let Err(error) = services.billing.fetch_overdue().await {
        error!(%error, "subscriptions whose period is over could not be read");
    }
    if let Err(error) = services.billing.charge_overage(None).await {
        error!(%error, "overage could not be charged");
    }
}

async fn reconcile(services: &Services) {
    match services.billing.reconcile().await {
        Ok(sum) if sum.repaired + sum.invoices_repaired > 0 => {
            info!(
                subscriptions = sum.repaired,
                invoices = sum.invoices_repaired,
                "some were behind Stripe, and are put right"
            );
        }
        Ok(_) => {}
        Err(error) => error!(%error, "comparing with Stripe failed"),
    }
}

/// Running background tasks, by name.
#[derive(Debug, Default)]
pub struct Jobs {
    tasks: JoinSet<()>,
    names: HashMap<Id, &'static str>,
}

impl Jobs {
    /// Starts one more.
    pub fn spawn(&mut self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        let id = self.tasks.spawn(task).id();
        self.names.insert(id, name);
    }

    /// Waits until all have ended, at the latest until `deadline`, and breaks off those left. Gives their names.
    pub async fn finish(mut self, deadline: Instant) -> Vec<&'static str> {
        while let Ok(Some(ended)) = timeout_at(deadline, self.tasks.join_next_with_id()).await {
            let id = ended.as_ref().map_or_else(|error| error.id(), |(id, ())| *id);
            let name = self.names.remove(&id).unwrap_or("unknown");
            if let Err(error) = ended {
                error!(name, %error, "a background task failed");
            }
        }
        let mut left: Vec<_> = self.names.into_values().collect();
        left.sort_unstable();
        left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_does_not_end_in_time_is_named() {
        let stop = CancellationToken::new();
        let mut jobs = Jobs::default();
        jobs.spawn("endless", std::future::pending());
        jobs.spawn("often", every(Duration::from_secs(1), stop.clone(), async || {}));
        jobs.spawn("failing", async { panic!("as asked") });
        stop.cancel();
        assert_eq!(jobs.finish(Instant::now() + Duration::from_millis(100)).await, ["endless"]);
    }
}
