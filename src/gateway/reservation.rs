//! Tokens reserved for one request, which are settled or released exactly once, however the request ends.
//!
//! A client that hangs up has its handler dropped at any `await`. So the ledger is only ever asked by tasks that nothing
//! drops, and a [`Reservation`] that is dropped unsettled settles itself with what is known by then.

use std::convert::Infallible;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::time::sleep;

use super::Gateway;
use super::error::ApiError;
use super::usage::Spent;
use crate::domain::{Caller, Extension, HOLD_SECONDS, Hold, Settlement, Usage, UsageType};
use crate::error::Error;
use crate::metering::AnswerHold;

/// How long to wait for others' holds to settle, in seconds.
const WAIT: i64 = 10;
/// A hold is extended when it has no longer than this.
const RENEW: TimeDelta = TimeDelta::seconds(60);
/// How often it is looked at whether a hold has to be extended.
pub const CHECK: Duration = Duration::from_secs(1);
/// Between two attempts to settle while the database is out of reach: doubled each time, up to the last.
const RETRY: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(15)];

/// What to reserve tokens for.
#[derive(Debug)]
pub struct Request {
    pub usage_type: UsageType,
    /// Tokens that are spent in any case.
    pub prompt: i64,
    /// The most an answer may take, in all.
    pub answer: i64,
    /// Where it is known.
    pub model: Option<String>,
}

/// Tokens reserved for one request.
#[derive(Debug)]
pub struct Reservation(Option<Open>);

#[derive(Debug)]
struct Open {
    gateway: Gateway,
    caller: Caller,
    id: String,
    usage_type: UsageType,
    usage: Usage,
    held: Mutex<Held>,
    model: Mutex<Option<String>>,
    /// What is settled where the reservation is dropped.
    on_drop: Mutex<Spent>,
    /// Its place among the requests under way, given back when the ledger has it.
    _place: OwnedSemaphorePermit,
}

#[derive(Clone, Copy, Debug)]
struct Held {
    tokens: i64,
    expires_at: DateTime<Utc>,
}

impl Reservation {
    /// Reserves tokens.
    ///
    /// # Errors
    /// 429 where there are none; 503 where that can't be found out.
    pub async fn new(
        gateway: &Gateway,
        caller: Caller,
        place: OwnedSemaphorePermit,
        request: Request,
    ) -> Result<Self, ApiError> {
        let gateway = gateway.clone();
        let (granted, reservation) = oneshot::channel();
        tokio::spawn(async move {
            let Request { usage_type, prompt, answer, model } = request;
            let ask = AnswerHold { usage_type, prompt, answer, expires_in: HOLD_SECONDS, wait: WAIT };
            let hold = gateway.metering().hold_answer(&caller, ask).await;
            // Where the caller is gone, it is dropped here, and released.
            let _ = granted.send(hold.map(|Hold { id, usage_type, tokens, expires_at, usage }| {
                let held = Mutex::new(Held { tokens, expires_at });
                let (model, on_drop) = (Mutex::new(model), Mutex::default());
                let open =
                    Open { gateway, caller, id, usage_type, usage, held, model, on_drop, _place: place };
                Self(Some(open))
            }));
        });
        match reservation.await {
            Ok(outcome) => Ok(outcome?),
            Err(_) => Err(Error::Internal("the task that holds tokens failed".into()).into()),
        }
    }

    /// Tokens held at present.
    pub fn tokens(&self) -> i64 {
        self.0.as_ref().map_or(0, |open| open.held().tokens)
    }

    pub fn usage_type(&self) -> UsageType {
        self.0.as_ref().map_or(UsageType::Llm, |open| open.usage_type)
    }

    /// The usage right after the tokens were reserved.
    pub fn usage(&self) -> Option<&Usage> {
        self.0.as_ref().map(|open| &open.usage)
    }

    /// What is settled should the request end abruptly from here on.
    pub fn on_drop(&self, spent: Spent) {
        if let Some(open) = &self.0 {
            *open.on_drop.lock().unwrap_or_else(PoisonError::into_inner) = spent;
        }
    }

    /// Names the model, where it becomes known only on the way.
    pub fn name_model(&self, model: String) {
        if let Some(open) = &self.0 {
            *open.model.lock().unwrap_or_else(PoisonError::into_inner) = Some(model);
        }
    }

    /// Waits for `work`, keeping the tokens held.
    pub async fn keep_during<T>(&self, work: impl Future<Output = T>) -> T {
        tokio::select! {
            biased;
            outcome = work => outcome,
            never = self.keep_on() => match never {},
        }
    }

    async fn keep_on(&self) -> Infallible {
        loop {
            sleep(CHECK).await;
            // An answer that is on its way is settled when it has come, whether or not its tokens stayed held.
            let _ = self.keep().await;
        }
    }

    /// Extends the hold where it would soon be freed.
    ///
    /// # Errors
    /// 429 where it was freed and doesn't fit any more; 503 where it is over and the ledger can't be asked.
    pub async fn keep(&self) -> Result<(), ApiError> {
        let Some(open) = &self.0 else { return Ok(()) };
        let left = open.held().expires_at - open.gateway.clock().now();
        if left > RENEW {
            return Ok(());
        }
        match self.extend(None).await {
            // There is time to ask again.
            Err(error) if !matches!(error, Error::Refused(_)) && left > TimeDelta::zero() => Ok(()),
            outcome => Ok(outcome?),
        }
    }

    /// Holds so many tokens from now on.
    ///
    /// # Errors
    /// As [`Reservation::keep`].
    pub async fn grow(&self, tokens: i64) -> Result<(), ApiError> {
        Ok(self.extend(Some(tokens)).await?)
    }

    async fn extend(&self, tokens: Option<i64>) -> Result<(), Error> {
        let Some(open) = &self.0 else { return Ok(()) };
        let extension = Extension { tokens, expires_in: Some(HOLD_SECONDS) };
        let Hold { tokens, expires_at, .. } =
            open.gateway.metering().extend(&open.caller, &open.id, extension).await?;
        *open.held.lock().unwrap_or_else(PoisonError::into_inner) = Held { tokens, expires_at };
        Ok(())
    }

    /// Records what was spent and gives the usage after it; none where the ledger is out of reach and is asked again later.
    pub async fn settle(mut self, spent: Spent) -> Option<Usage> {
        let open = self.0.take()?;
        // A task of its own, so that a client that hangs up doesn't interrupt it.
        tokio::spawn(open.settle(spent)).await.ok().flatten()
    }

    /// Frees the tokens: nothing was spent.
    pub async fn release(self) -> Option<Usage> {
        self.settle(Spent::default()).await
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let Some(open) = self.0.take() else { return };
        let spent = *open.on_drop.lock().unwrap_or_else(PoisonError::into_inner);
        // Without a runtime the process is ending, and the hold expires by itself.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(open.settle(spent));
        }
    }
}

impl Open {
    fn held(&self) -> Held {
        *self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Settles, again and again while the ledger is out of reach. Answers after the first attempt.
    async fn settle(self, spent: Spent) -> Option<Usage> {
        match self.attempt(spent).await {
            Ok(usage) => Some(usage),
            Err(Error::Refused(refusal)) => {
                // Another has settled it, or the user was removed, whose holds settled then.
                tracing::warn!(%refusal, hold = self.id, tokens = spent.tokens, "a hold could not be settled");
                None
            }
            Err(error) => {
                tracing::error!(%error, hold = self.id, tokens = spent.tokens, "a hold is settled later");
                tokio::spawn(self.settle_later(spent));
                None
            }
        }
    }

    async fn settle_later(self, spent: Spent) {
        let [mut pause, longest] = RETRY;
        loop {
            sleep(pause).await;
            pause = (pause * 2).min(longest);
            match self.attempt(spent).await {
                Ok(_) => return,
                Err(error @ (Error::Refused(_) | Error::Stopping(_))) => {
                    tracing::error!(%error, hold = self.id, tokens = spent.tokens, "a hold was not settled");
                    return;
                }
                Err(error) => tracing::warn!(%error, hold = self.id, "a hold is settled later"),
            }
        }
    }

    async fn attempt(&self, spent: Spent) -> Result<Usage, Error> {
        let Spent { tokens, details, estimated } = spent;
        let metering = self.gateway.metering();
        if tokens == 0 {
            return metering.release(&self.caller, &self.id).await;
        }
        let model = self.model.lock().unwrap_or_else(PoisonError::into_inner).as_deref().and_then(recorded);
        let settlement = Settlement { tokens_used: tokens, model, details, estimated, metadata: None };
        metering.settle(&self.caller, &self.id, settlement).await
    }
}

/// A model's name as the ledger takes it: whatever a client wrote, its tokens have to be recorded.
fn recorded(model: &str) -> Option<String> {
    const LONGEST: usize = 255;
    let name: String = model.trim().chars().filter(|c| !c.is_control()).take(LONGEST).collect();
    let name = name.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_name_of_a_model_can_be_recorded() {
        assert_eq!(recorded(" gpt-4o\u{0}\n").as_deref(), Some("gpt-4o"));
        assert_eq!(recorded(&"é".repeat(300)).unwrap().chars().count(), 255);
        assert_eq!(recorded(" \t "), None);
    }
}
