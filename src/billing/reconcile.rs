//! Comparing everything with Stripe, and repairing what a lost webhook or a crash left behind.

use tracing::{info, warn};

use super::Billing;
use super::invoices::Refunds;
use super::sync::{Pulled, gone};
use crate::error::Result;
use crate::storage::SubscriptionRow;

/// Subscriptions that are read at a time.
const PAGE: i64 = 200;

/// What a comparison with Stripe found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reconciled {
    /// Subscriptions, and purchases that were cut off, that were compared.
    pub compared: u64,
    /// Those that were behind, and are put right.
    pub repaired: u64,
    /// Invoices that were compared, and those that were missing, different or gone, and are put right.
    pub invoices_compared: u64,
    pub invoices_repaired: u64,
    /// Those that could not be compared or put right; the log says why.
    pub failed: u64,
    /// Webhook events that were tried in vain too often, as of now.
    pub events_given_up: u64,
}

impl Billing {
    /// Compares every live subscription, every purchase that was cut off and every invoice with Stripe, and repairs what is
    /// behind. The trouble of one never keeps the others from being compared.
    ///
    /// # Errors
    /// The database's, where what there is to compare can't be read.
    pub async fn reconcile(&self) -> Result<Reconciled> {
        let mut sum = Reconciled::default();
        for reservation in self.cut_off().await? {
            sum.add(reservation.id, self.recover(&reservation).await);
        }
        let mut after = None;
        loop {
            let page = self.store.live_subscriptions(after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.subscription_id);
            for row in page {
                let outcome = self.compare(&row).await;
                sum.add(row.subscription_id, outcome);
            }
        }
        let charges = self.compare_overage().await?;
        sum.compared += charges.compared;
        sum.repaired += charges.repaired;
        sum.failed += charges.failed;
        self.compare_invoices(&mut sum).await?;
        sum.events_given_up = self.store.events_given_up().await?.unsigned_abs();
        Ok(sum)
    }

    async fn compare_invoices(&self, sum: &mut Reconciled) -> Result<()> {
        let refunds = match self.refunds().await {
            Ok(refunds) => refunds,
            Err(error) => {
                warn!(%error, "refunds can't be read, so invoices aren't compared with Stripe");
                sum.failed += 1;
                return Ok(());
            }
        };
        let mut after = None;
        loop {
            let page = self.store.customers_after(after, PAGE).await?;
            let Some(&(last, _)) = page.last() else { return Ok(()) };
            after = Some(last);
            for (group, customer) in page {
                match self.read_invoices(group, &customer, Some(&refunds)).await {
                    Ok(read) => {
                        if read.repaired > 0 {
                            info!(%group, invoices = read.repaired, "were behind Stripe, and are put right");
                        }
                        sum.invoices_compared += read.compared;
                        sum.invoices_repaired += read.repaired;
                    }
                    Err(error) => {
                        warn!(%group, %error, "its invoices are not compared with Stripe");
                        sum.failed += 1;
                    }
                }
            }
        }
    }

    async fn refunds(&self) -> Result<Refunds> {
        let mut refunds = Refunds::new();
        for refund in self.stripe.refunds().await? {
            if let Some(payment) = &refund.payment_intent {
                refunds.entry(payment.id().to_string()).or_default().push(refund);
            }
        }
        Ok(refunds)
    }

    /// Fetches the subscriptions whose period is over, but of which no webhook has come since. What Stripe doesn't answer
    /// for is asked again the next time; until then the months go on by the calendar. Gives how many were put right.
    ///
    /// # Errors
    /// The database's, where they can't be read.
    pub async fn fetch_overdue(&self) -> Result<u64> {
        let overdue = self.store.overdue_subscriptions(self.clock.now(), PAGE).await?;
        let mut sum = Reconciled::default();
        for row in overdue {
            let outcome = self.compare(&row).await;
            sum.add(row.subscription_id, outcome);
        }
        Ok(sum.repaired)
    }

    /// Gives whether the subscription was behind, and is put right.
    async fn compare(&self, row: &SubscriptionRow) -> Result<bool> {
        let stripe_id = &row.stripe_subscription_id;
        let pulled = self.pull(row.group_id, row.subscription_id, stripe_id, None).await?;
        let Pulled { state, written, .. } = pulled.ok_or_else(|| gone(stripe_id))?;
        let behind = state.status != row.status
            || state.period.start != row.current_period_start
            || state.period.end != row.current_period_end
            || state.anchor != row.billing_anchor
            || state.cancel_at_period_end != row.cancel_at_period_end
            || state.trial_end != row.trial_end
            || state.stripe_price_id != row.sold_price_id;
        Ok(written && behind)
    }
}

impl Reconciled {
    fn add(&mut self, id: crate::domain::SubscriptionId, outcome: Result<bool>) {
        self.compared += 1;
        match outcome {
            Ok(false) => {}
            Ok(true) => {
                info!(subscription = %id, "was behind Stripe, and is put right");
                self.repaired += 1;
            }
            Err(error) => {
                warn!(subscription = %id, %error, "not compared with Stripe");
                self.failed += 1;
            }
        }
    }
}
