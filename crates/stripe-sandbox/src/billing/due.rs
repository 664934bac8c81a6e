//! What falls due, and when.
//!
//! Everything that time alone brings about is here: [`at`] says when a document is due, [`perform`] does it,
//! at the time it was due however late it is noticed.

use std::time::Duration;

use super::{
    checkout, collection, invoices, pending_update, renewal, schedule_run, subscriptions, test_clocks,
    upcoming,
};
use crate::engine::objects::{Invoice, InvoiceStatus, Subscription, SubscriptionStatus};
use crate::engine::{Doc, Kind, Sandbox, Schedule, Tx};
use crate::payments::{charge, dispute};

/// How long a first payment may take. Source: <https://docs.stripe.com/billing/subscriptions/overview>
const INCOMPLETE_SECONDS: i64 = 23 * 3600;
/// How often the clock is looked at while something is to come: it may be one that a test moves.
const LOOK: Duration = Duration::from_secs(1);

/// What falls due, for the engine to keep an eye on.
pub(crate) const SCHEDULE: Schedule = Schedule { at, perform };

/// When the document has to be seen to next, in Unix seconds of its own clock.
fn at(kind: Kind, doc: &Doc) -> Option<i64> {
    match kind {
        Kind::Subscription => {
            let subscription = Subscription(&doc.object);
            match subscription.status()? {
                SubscriptionStatus::Incomplete => {
                    expiry(subscription).into_iter().chain(subscription.cancel_at()).min()
                }
                _ if subscription.is_over() => None,
                _ => {
                    let steps = [
                        subscription.cancel_at(),
                        subscription.pending_update_expires_at(),
                        subscription.collection_resumes_at(),
                        renewal::at(doc),
                        renewal::trial_notice_at(doc),
                        upcoming::at(doc),
                    ];
                    steps.into_iter().flatten().min()
                }
            }
        }
        Kind::Invoice => {
            let invoice = Invoice(&doc.object);
            match invoice.status()? {
                InvoiceStatus::Draft => invoice.finalizes_at(),
                _ => collection::at(doc),
            }
        }
        Kind::SubscriptionSchedule => schedule_run::at(doc),
        Kind::Charge => charge::due_at(doc),
        Kind::Dispute => dispute::due_at(doc),
        Kind::CheckoutSession => checkout::expires_at(doc),
        _ => None,
    }
}

fn expiry(subscription: Subscription) -> Option<i64> {
    subscription.created().map(|created| created + INCOMPLETE_SECONDS)
}

/// Does what is due at the transaction's time.
fn perform(tx: &mut Tx, kind: Kind, id: &str) {
    let Some(doc) = tx.get(kind, id) else { return };
    match kind {
        Kind::Subscription => {
            let subscription = Subscription(&doc.object);
            let unpaid = subscription.is(SubscriptionStatus::Incomplete)
                && expiry(subscription).is_some_and(|at| at <= tx.now());
            let now = tx.now();
            let is_due = |at: Option<i64>| at.is_some_and(|at| at <= now);
            if unpaid {
                subscriptions::expire(tx, id);
            } else if is_due(subscription.pending_update_expires_at()) {
                pending_update::expire(tx, id);
            } else if is_due(subscription.collection_resumes_at()) {
                subscriptions::collect_again(tx, id);
            } else if is_due(subscription.cancel_at()) {
                subscriptions::end(tx, id);
            } else if is_due(renewal::at(&doc)) {
                renewal::renew(tx, id);
            } else {
                renewal::announce_trial_end(tx, id);
            }
            // Also where it falls due with the beginning of a period: a document has one step at a time.
            if tx.get(kind, id).is_some_and(|doc| is_due(upcoming::at(&doc))) {
                upcoming::announce(tx, id);
            }
        }
        Kind::Invoice => {
            if Invoice(&doc.object).is(InvoiceStatus::Draft) {
                invoices::finalize(tx, id);
            }
            collection::attempt(tx, id);
        }
        Kind::SubscriptionSchedule => schedule_run::perform(tx, id),
        Kind::CheckoutSession => checkout::expire(tx, id),
        Kind::TestClock => test_clocks::arrive(tx, id),
        Kind::Charge => charge::go_on(tx, id),
        Kind::Dispute => dispute::go_on(tx, id),
        _ => {}
    }
}

/// Waits for things to fall due and has them done, for as long as it is polled.
pub(crate) async fn watch(sandbox: Sandbox) {
    loop {
        if sandbox.is_advancing() {
            sandbox.catch_up().await;
            if sandbox.is_advancing() {
                // The disk couldn't be written.
                tokio::time::sleep(LOOK).await;
                continue;
            }
        }
        let Some(at) = sandbox.next_due() else {
            sandbox.written().await;
            continue;
        };
        let left = at.saturating_sub(sandbox.clock().now().timestamp());
        if left <= 0 {
            sandbox.catch_up().await;
        }
        let pause = u64::try_from(left).map_or(LOOK, |left| Duration::from_secs(left).min(LOOK));
        // Done at once or not at all: what is still due after that waits for the next look.
        let pause = if pause.is_zero() { LOOK } else { pause };
        tokio::select! {
            () = sandbox.written() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}
