//! Holds: reserving tokens before they are spent, and settling what was.

use super::Metering;
use crate::domain::{Caller, Extension, Hold, HoldInput, Settlement, Usage, UsageType};
use crate::error::{Error, Result};

/// Tokens for an answer whose length isn't known yet: what is read for it for certain, and as much room to answer as is
/// fair to the others who spend from the same allowance.
#[derive(Clone, Copy, Debug)]
pub struct AnswerHold {
    pub usage_type: UsageType,
    /// Tokens that are spent in any case.
    pub prompt: i64,
    /// The most tokens the answer may take. What is granted for it is no more than an eighth of what remains, though at
    /// least 4,096 where so much is left, and never below 16 (or this, where it is less).
    pub answer: i64,
    /// Seconds after which the hold is freed by itself.
    pub expires_in: i64,
    /// Seconds to wait for others' holds to settle.
    pub wait: i64,
}

impl Metering {
    /// Reserves tokens.
    ///
    /// # Errors
    /// [`Refusal::Invalid`]; [`Refusal::LimitReached`]; [`Refusal::NoSubscription`]; [`Refusal::NoAccess`];
    /// [`Refusal::HoldMismatch`]; the database's.
    pub async fn hold(&self, _caller: &Caller, _input: HoldInput) -> Result<Hold> {
        Err(Error::Internal("under construction".into()))
    }

    /// Reserves tokens for an answer. The hold's tokens less the prompt's are what the answer may take.
    ///
    /// # Errors
    /// As [`Metering::hold`].
    pub async fn hold_answer(&self, _caller: &Caller, _request: AnswerHold) -> Result<Hold> {
        Err(Error::Internal("under construction".into()))
    }

    /// Records what was spent of a hold, and frees it. Also of one that has expired; of one settled before in the same
    /// way, it changes nothing.
    ///
    /// # Errors
    /// [`Refusal::NotFound`], also for another user's hold unless the caller is an admin of the group.
    pub async fn settle(&self, _caller: &Caller, _hold: &str, _settlement: Settlement) -> Result<Usage> {
        Err(Error::Internal("under construction".into()))
    }

    /// Frees a hold of which nothing was spent.
    pub async fn release(&self, _caller: &Caller, _hold: &str) -> Result<Usage> {
        Err(Error::Internal("under construction".into()))
    }

    /// Gives a hold a new size, a new time or both. One that had expired is granted anew.
    ///
    /// # Errors
    /// As [`Metering::hold`]; the hold stays as it was.
    pub async fn extend(&self, _caller: &Caller, _hold: &str, _extension: Extension) -> Result<Hold> {
        Err(Error::Internal("under construction".into()))
    }
}
