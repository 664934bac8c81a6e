//! Test clocks: times of their own, which stand until they are advanced, for the customers that were made on them.
//!
//! Source: <https://docs.stripe.com/billing/testing/test-clocks>

use super::error::ApiError;
use super::kind::Kind;
use super::objects::TestClock;
use super::sandbox::{Sandbox, WriteFailed};
use super::state::{Doc, State};
use super::tx::{Cause, Tx};

impl Tx<'_> {
    /// Goes on by the time of the object with this id, if it is a test clock, or one that lives by a test clock.
    ///
    /// # Errors
    /// 429 while that clock is being advanced, if something is to be `written`.
    pub(crate) fn keep_time_of(&mut self, id: &str, written: bool) -> Result<(), ApiError> {
        let Some(clock) = Kind::of_id(id).and_then(|kind| self.clock_of(&*self.get(kind, id)?)) else {
            return Ok(());
        };
        let Some(doc) = self.get(Kind::TestClock, &clock) else { return Ok(()) };
        let clock = TestClock(&doc.object);
        if written && clock.target().is_some() {
            let message = "Test clock advancement underway - cannot perform modifications.";
            return Err(ApiError::invalid(message).status(429).code("rate_limit"));
        }
        if let Some(now) = clock.frozen_time() {
            self.set_now(now);
        }
        Ok(())
    }

    /// Goes on by the time of the object with this id, also where its clock is being advanced: what is done was begun
    /// before.
    pub(crate) fn follow_time_of(&mut self, id: &str) {
        // Nothing that is only read is refused.
        let _ = self.keep_time_of(id, false);
    }

    /// The id of the test clock that a document lives by: its own, or that of what it belongs to.
    fn clock_of(&self, doc: &Doc) -> Option<String> {
        if doc.object["object"] == Kind::TestClock.object() {
            return Some(doc.id().to_owned());
        }
        if let Some(clock) = doc.test_clock() {
            return Some(clock.to_owned());
        }
        let owner = ["customer", "subscription", "invoice", "charge"]
            .into_iter()
            .find_map(|field| doc.object[field].as_str())?;
        self.clock_of(&*self.get(Kind::of_id(owner)?, owner)?)
    }
}

impl State {
    /// A clock that is being advanced, and to which time.
    fn advancing(&self) -> Option<(String, i64)> {
        self.between(Kind::TestClock, Some(("status", vec!["advancing"])), (i64::MIN, i64::MAX), true)
            .map(|(seq, kept)| kept.open(seq))
            .find_map(|doc| Some((doc.id().to_owned(), TestClock(&doc.object).target()?)))
    }
}

impl Sandbox {
    /// Whether a test clock is being advanced.
    pub(crate) fn is_advancing(&self) -> bool {
        self.with_state(|state| state.advancing().is_some())
    }

    /// Has all that falls due by the test clocks that are being advanced done, step by step, until they are where they are
    /// to go. Other requests come between the steps.
    ///
    /// # Errors
    /// If a step can't be written; the clock is still advancing then.
    pub(crate) async fn advance_clocks(&self) -> Result<(), WriteFailed> {
        let mut last = None;
        loop {
            let _step = self.step().await;
            let _alone = self.alone().await;
            let Some((clock, target)) = self.with_state(State::advancing) else { return Ok(()) };
            let next = self.with_state(|state| state.first_due(Some(&clock)).cloned());
            let step = match next.filter(|(at, ..)| *at <= target) {
                Some(step) if last.as_ref() == Some(&step) => {
                    tracing::error!(?step, "a step that fell due changed nothing; the clock stops there");
                    (target, Kind::TestClock, clock)
                }
                Some(step) => step,
                None => (target, Kind::TestClock, clock),
            };
            last = Some(step.clone());
            let (at, kind, id) = step;
            self.commit(at, Cause::default(), |tx| (true, self.perform(tx, kind, &id))).await?;
        }
    }
}
