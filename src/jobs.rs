//! What runs beside the requests: the outbox, the webhook inbox, comparing with Stripe, clearing away.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use crate::notify::{Mailer, MailerError};
use crate::services::Services;

/// How often what has no more use is cleared away, and everything is compared with Stripe.
const HOUSEKEEPING: Duration = Duration::from_secs(3_600);

/// Starts the workers; each ends when `stop` is cancelled.
///
/// # Errors
/// [`MailerError`] where the SMTP server's address can't be used.
pub fn spawn(
    tasks: &mut JoinSet<()>,
    services: &Services,
    stop: &CancellationToken,
) -> Result<(), MailerError> {
    if let Some(smtp_url) = &services.config.smtp_url {
        let mailer = Mailer::new(services.outbox.clone(), smtp_url, &services.config.public_url)?;
        tasks.spawn(mailer.run(stop.clone()));
    }
    let (billing, inbox_stop) = (services.billing.clone(), stop.clone());
    tasks.spawn(async move { billing.run_inbox(inbox_stop).await });
    tasks.spawn(housekeeping(services.clone(), stop.clone()));
    Ok(())
}

async fn housekeeping(services: Services, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(HOUSEKEEPING) => {}
        }
        if let Err(error) = services.store.sweep(services.clock.now()).await {
            error!(%error, "clearing away failed");
        }
        match services.billing.reconcile().await {
            Ok(sum) if sum.repaired > 0 => info!(repaired = sum.repaired, "subscriptions were behind Stripe"),
            Ok(_) => {}
            Err(error) => error!(%error, "comparing with Stripe failed"),
        }
    }
}
