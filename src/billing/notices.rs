//! What a group is told of its subscription, written in the transaction that writes the change itself.
//!
//! Told is what changed between the row as it was and as Stripe has it now, so that it doesn't matter how many webhooks come
//! and in which order. What can be met again without a change, an open invoice or a trial about to end, is told once by
//! its name.

use chrono::{DateTime, Duration, SecondsFormat, Utc};
use stripe_shared::Subscription as StripeSubscription;
use tracing::warn;

use super::Billing;
use super::payment_method::waiting_invoice;
use super::stripe::Settled;
use crate::domain::{Amount, GroupId, Money, Notice, Refusal, Status, grace_end};
use crate::error::Result;
use crate::storage::{InboxEvent, StateChange, StripeState, Tx};

/// How long before its end a trial is told of, as Stripe does by `customer.subscription.trial_will_end`.
const BEFORE_TRIAL_END: Duration = Duration::days(3);

/// An invoice that waits to be paid.
#[derive(Clone, Debug)]
pub(super) struct Due {
    invoice: String,
    amount: Option<Amount>,
    /// Whether the bank asks its cardholder; `None` where that wasn't looked up.
    needs_approval: Option<bool>,
}

impl Billing {
    /// The invoice that keeps a subscription from being paid, if one does. What its payment waits for is looked up at Stripe
    /// where the group wasn't told of it yet, or where an event says that it was tried again.
    ///
    /// # Errors
    /// The database's.
    pub(super) async fn due(
        &self,
        group: GroupId,
        found: &StripeSubscription,
        status: Status,
        event: Option<&InboxEvent>,
    ) -> Result<Option<Due>> {
        if !is_behind(status) {
            return Ok(None);
        }
        let invoice = found.latest_invoice.as_ref().and_then(|invoice| invoice.as_object());
        let (Some(invoice), Some(id)) = (invoice, waiting_invoice(found)) else { return Ok(None) };
        let currency = invoice.currency.to_string().parse().ok();
        let amount = currency.map(|currency| Money::new(invoice.amount_remaining, currency).into());
        let tried = event.is_some_and(|event| event.event_type.starts_with("invoice.payment_"));
        let look_up = tried || !self.store.was_told_of(group, id).await?;
        let needs_approval = match &invoice.confirmation_secret {
            Some(secret) if look_up => match self.stripe.settled(&secret.client_secret).await {
                Ok(settled) => Some(asks_the_cardholder(&settled)),
                Err(error) => {
                    warn!(%error, invoice = id, "what a payment waits for isn't known");
                    None
                }
            },
            // Nothing can be asked of the cardholder.
            None if look_up => Some(false),
            _ => None,
        };
        Ok(Some(Due { invoice: id.to_owned(), amount, needs_approval }))
    }

    /// Puts down what the group is to be told of a change.
    ///
    /// # Errors
    /// The database's.
    pub(super) async fn put_down_notices(
        &self,
        tx: &mut Tx,
        group: GroupId,
        change: &StateChange,
        told_by: ToldBy<'_>,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let StateChange { before, after } = change;
        let ToldBy { state, due, event } = told_by;
        // While a purchase isn't paid, who makes it is there to see what becomes of it.
        if matches!(before.status, Status::Incomplete) || matches!(after.status, Status::Incomplete) {
            return Ok(());
        }
        let plan = tx.plan(after.plan).await?.name;
        let price = state.price.map(Amount::from);
        let mut told: Vec<(Notice, Option<String>)> = Vec::new();
        if before.plan != after.plan && after.status.is_live() {
            let from = tx.plan(before.plan).await?.name;
            told.push((Notice::PlanChanged { from, to: plan.clone(), price: price.clone() }, None));
        }
        if after.cancel_at_period_end && !before.cancel_at_period_end && after.status.is_live() {
            let ends_at = state.period.end;
            told.push((Notice::SubscriptionEnding { plan: plan.clone(), ends_at }, None));
        }
        if after.status == Status::Canceled {
            told.push((Notice::SubscriptionEnded { plan: plan.clone() }, None));
        }
        if let Some(trial_end) = self.ending_trial(change, state, event, now) {
            let once = trial_end.to_rfc3339_opts(SecondsFormat::Secs, true);
            told.push((Notice::TrialEnding { plan: plan.clone(), trial_end, price }, Some(once)));
        }
        if is_behind(after.status) {
            let access_until = after
                .past_due_since
                .filter(|_| self.config.grace_days > 0)
                .map(|since| grace_end(since, self.config.grace_days));
            match due {
                Some(Due { invoice, amount, needs_approval: Some(true) }) => {
                    told.push((Notice::PaymentApproval { plan, due: amount, access_until }, Some(invoice)))
                }
                Some(Due { invoice, amount, needs_approval: Some(false) }) => {
                    told.push((Notice::PaymentFailed { plan, due: amount, access_until }, Some(invoice)))
                }
                Some(Due { needs_approval: None, .. }) => {}
                None if !is_behind(before.status) => {
                    told.push((Notice::PaymentFailed { plan, due: None, access_until }, None));
                }
                None => {}
            }
        }
        for (notice, once) in told {
            tx.add_notice(group, &notice, once.as_deref(), now).await?;
        }
        Ok(())
    }

    /// When the trial ends, where that is soon, or Stripe, whose test clocks run ahead, says that it is.
    fn ending_trial(
        &self,
        change: &StateChange,
        state: &StripeState,
        event: Option<&InboxEvent>,
        now: DateTime<Utc>,
    ) -> Option<DateTime<Utc>> {
        let trial_end = state.trial_end?;
        let goes_on = change.after.status == Status::Trialing && !change.after.cancel_at_period_end;
        let says_so = event.is_some_and(|event| event.event_type == "customer.subscription.trial_will_end");
        let soon = trial_end > now && trial_end - now <= BEFORE_TRIAL_END;
        (goes_on && (says_so || soon)).then_some(trial_end)
    }
}

/// What a change is told by, beside the change itself.
pub(super) struct ToldBy<'a> {
    pub(super) state: &'a StripeState,
    pub(super) due: Option<Due>,
    /// The event that asked for it.
    pub(super) event: Option<&'a InboxEvent>,
}

/// Whether the bank wants its cardholder's approval. Where nobody was there to give it, as at a renewal, Stripe calls that
/// a decline.
fn asks_the_cardholder(settled: &Settled) -> bool {
    match settled {
        Settled::NeedsAction => true,
        Settled::Refused(Refusal::CardDeclined { decline_code, .. }) => {
            decline_code.as_deref() == Some("authentication_required")
        }
        Settled::Paid | Settled::Refused(_) => false,
    }
}

/// Whether an invoice that should be paid isn't.
fn is_behind(status: Status) -> bool {
    matches!(status, Status::PastDue | Status::Unpaid)
}
