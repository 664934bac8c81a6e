//! The inbox of Stripe's events: what fails is tried again, ever later, and given up in the end.
//!
//! Every attempt is counted before it is made, so that one which never ends counts too. An event that can't get on never
//! holds up another: it comes back only when it is due, several are worked on at once, and those that failed least often
//! come first.

use std::time::Duration as StdDuration;

use chrono::{DateTime, Duration, Utc};
use futures::StreamExt;
use futures::stream;
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use super::Billing;
use crate::domain::{GivenUpEvent, User};
use crate::error::{Error, Result};
use crate::storage::{EventSubject, InboxEvent};

/// How often due events are looked for.
const INTERVAL: StdDuration = StdDuration::from_secs(5);
/// Between the first attempt and the second. Each further one waits twice as long as the last.
const FIRST_RETRY: Duration = Duration::seconds(10);
/// How often an event is tried before it is given up. The last attempt is made some 23 hours after the first.
const MAX_ATTEMPTS: i64 = 14;
/// How many due events are read at a time.
const BATCH: i64 = 100;
/// How many are worked on at once.
const CONCURRENCY: usize = 8;

impl Billing {
    /// Keeps an event, and gives it to be processed; `None` for one that is done.
    pub(super) async fn keep_event(
        &self,
        id: &str,
        event_type: &str,
        subject: EventSubject<'_>,
    ) -> Result<Option<InboxEvent>> {
        let now = self.clock.now();
        self.store.receive_event(id, event_type, subject, now, retry_at(now, 1)).await
    }

    /// Has an event's effect. What fails stays in the inbox, or is given up. Gives whether it is done.
    pub(super) async fn process_event(&self, event: &InboxEvent) -> bool {
        let done = match (&event.subscription, &event.setup_intent) {
            (Some(stripe_id), Some(setup_intent)) => {
                self.take_entered_card(stripe_id, setup_intent, &event.id).await
            }
            (Some(stripe_id), None) => {
                // The subscription doesn't wait for the invoice, but the event isn't done without it.
                let invoices = self.fetch_invoices_of(event).await;
                let done = invoices.is_ok().then_some(event);
                self.sync(stripe_id, done).await.and(invoices)
            }
            (None, _) => match self.fetch_invoices_of(event).await {
                Ok(()) => self.finish_event(&event.id).await,
                failed => failed,
            },
        };
        if let Err(error) = &done {
            self.note_failure(event, error).await;
        }
        done.is_ok()
    }

    /// The events that were tried in vain too often, newest first. They are tried again where an operator says so, here or at
    /// Stripe's dashboard, and hold nobody up meanwhile.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`](crate::domain::Refusal::Forbidden) for anyone but a SuperAdmin; the database's.
    pub async fn given_up_events(&self, user: &User) -> Result<Vec<GivenUpEvent>> {
        user.must_be_superadmin()?;
        self.store.given_up_events(BATCH).await
    }

    /// Tries an event once more that was given up. Gives whether it is done; if not, it is given up again.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`](crate::domain::Refusal::Forbidden) for anyone but a SuperAdmin;
    /// [`Refusal::NotFound`](crate::domain::Refusal::NotFound) for an event that wasn't given up; the database's.
    pub async fn retry_given_up_event(&self, user: &User, id: &str) -> Result<bool> {
        user.must_be_superadmin()?;
        let event = self.store.revive_event(id, self.clock.now() + FIRST_RETRY).await?;
        Ok(self.process_event(&event).await)
    }

    /// Marks an event done that has no effect here.
    pub(super) async fn finish_event(&self, event: &str) -> Result<()> {
        let mut tx = self.store.begin().await?;
        tx.mark_event_done(event, self.clock.now()).await?;
        tx.commit().await
    }

    async fn note_failure(&self, event: &InboxEvent, error: &Error) {
        let (id, attempts) = (&event.id, event.attempts);
        let given_up = (attempts >= MAX_ATTEMPTS).then(|| self.clock.now());
        if given_up.is_some() {
            error!(event = id, attempts, %error, "a webhook event is given up; send it anew from Stripe's dashboard");
        } else {
            warn!(event = id, attempts, %error, "a webhook event will be tried again");
        }
        if let Err(error) = self.store.note_failed_attempt(id, in_words(error), given_up).await {
            error!(event = id, %error, "the failure of a webhook event can't be noted");
        }
    }

    /// Tries the events that are due until `stop` is cancelled.
    pub async fn run_inbox(&self, stop: CancellationToken) {
        // An attempt that is cut off is made again: its event isn't done.
        let forever = async {
            loop {
                if let Err(error) = self.drain_inbox().await {
                    error!(%error, "the inbox can't be read");
                }
                tokio::time::sleep(INTERVAL).await;
            }
        };
        stop.run_until_cancelled(forever).await;
    }

    /// Tries each event that is due once. Gives how many there were.
    ///
    /// # Errors
    /// The database's, where they can't be read.
    pub async fn drain_inbox(&self) -> Result<usize> {
        let due = self.store.due_events(self.clock.now(), BATCH).await?;
        let count = due.len();
        stream::iter(due).for_each_concurrent(CONCURRENCY, |event| self.try_again(event)).await;
        Ok(count)
    }

    async fn try_again(&self, mut event: InboxEvent) {
        let retry_at = retry_at(self.clock.now(), event.attempts + 1);
        match self.store.claim_event(&event, retry_at).await {
            Ok(true) => {
                event.attempts += 1;
                self.process_event(&event).await;
            }
            Ok(false) => {}
            Err(error) => error!(event = event.id, %error, "a webhook event can't be claimed"),
        }
    }
}

/// What an attempt failed with, for the operator. The log has it in full.
fn in_words(error: &Error) -> &'static str {
    match error {
        Error::Stripe(text) if text.starts_with(super::sync::GONE) => {
            "Stripe doesn't have the subscription any more."
        }
        Error::Stripe(_) => "Stripe didn't answer as it should.",
        Error::Overloaded { .. } => "Stripe had too many requests.",
        Error::Database(_) | Error::Unavailable(_) => "The database couldn't be written.",
        Error::Refused(_) => "It contradicts what is known of the group.",
        Error::Stopping(_) | Error::Internal(_) => "The server failed at it.",
    }
}

/// When the attempt after the one with this number is due.
fn retry_at(now: DateTime<Utc>, attempt: i64) -> DateTime<Utc> {
    let doublings = u32::try_from((attempt - 1).clamp(0, MAX_ATTEMPTS)).unwrap_or_default();
    now + FIRST_RETRY * 2_i32.pow(doublings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_are_ever_further_apart_and_end_within_a_day() {
        let first = DateTime::UNIX_EPOCH;
        let mut at = first;
        let mut waits = Vec::new();
        for attempt in 1..MAX_ATTEMPTS {
            let next = retry_at(at, attempt);
            waits.push(next - at);
            at = next;
        }
        assert_eq!(waits[0], Duration::seconds(10));
        assert!(waits.windows(2).all(|pair| pair[1] == pair[0] * 2), "{waits:?}");
        assert!(at - first > Duration::hours(22) && at - first < Duration::hours(24), "{}", at - first);
        assert!(retry_at(first, i64::MAX) > first);
    }
}
