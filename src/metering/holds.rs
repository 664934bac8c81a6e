//! Holds: reserving tokens before they are spent, and settling what was.

use std::time::Duration as Wait;

use chrono::Duration;
use futures::StreamExt;
use metrics::{counter, gauge};
use tokio::time::{Instant, timeout};
use uuid::Uuid;

use super::admit::{admit_settlement, fingerprint};
use super::command::{Command, HoldRef, HoldRequest, Outcome, Written};
use super::fit::{Shortage, Size};
use super::{Changes, Metering};
use crate::domain::{
    Caller, Extension, FieldErrors, GroupId, HOLD_SECONDS, Hold, HoldInput, LimitReached, LimitScope,
    OpenHold, Refusal, Role, Settlement, Usage, UsageType,
};
use crate::error::{Error, Result};
use crate::metrics::{HOLDS_DENIED, HOLDS_GRANTED, HOLDS_WAITING};
use crate::storage::{Durability, HoldKey, HoldRow, PageRequest, PageRows, latest_expiry};

/// The longest to wait for word of a settled hold before looking again: another process's may be lost.
const LOOK_AGAIN: Wait = Wait::from_secs(1);
/// Groups whose due holds are freed in one round.
const GROUPS: i64 = 1_000;

/// Tokens for an answer whose length isn't known yet: what is read for it for certain, and as many for the answer as is
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
    /// [`Refusal::HoldMismatch`]; [`Refusal::Forbidden`] for a SuperAdmin; the database's.
    pub async fn hold(&self, caller: &Caller, input: HoldInput) -> Result<Hold> {
        let mut errors = FieldErrors::new();
        input.check(&mut errors);
        errors.into_result()?;
        let expires_in = input.expires_in.unwrap_or(HOLD_SECONDS);
        let request = HoldRequest {
            group: caller.user.must_have_group()?,
            user: caller.user.id,
            key: caller.key,
            fingerprint: fingerprint(&(caller.user.id, input.usage_type, input.tokens, expires_in))?,
            id: input.id.unwrap_or_else(new_id),
            usage_type: input.usage_type,
            size: Size::Exactly(input.tokens),
            expires_in: Duration::seconds(expires_in),
            durability: Durability::Disk,
        };
        self.hold_in_time(caller, request, input.wait.unwrap_or(0)).await
    }

    /// Reserves tokens for an answer. The hold's tokens less the prompt's are what the answer may take.
    ///
    /// # Errors
    /// As [`Metering::hold`].
    pub async fn hold_answer(&self, caller: &Caller, request: AnswerHold) -> Result<Hold> {
        let AnswerHold { usage_type, prompt, answer, expires_in, wait } = request;
        let request = HoldRequest {
            group: caller.user.must_have_group()?,
            user: caller.user.id,
            key: caller.key,
            fingerprint: fingerprint(&(caller.user.id, usage_type, prompt, answer, expires_in))?,
            id: new_id(),
            usage_type,
            size: Size::Answer { prompt, most: answer, patient: wait > 0 },
            expires_in: Duration::seconds(expires_in),
            // Only this process can settle it, and that reaches the disk, the hold with it.
            durability: Durability::Process,
        };
        self.hold_in_time(caller, request, wait).await
    }

    /// Records what was spent of a hold, and frees it. Also of one that has expired; of one settled before in the same
    /// way, it changes nothing.
    ///
    /// # Errors
    /// [`Refusal::NotFound`], also for another user's hold unless the caller is an admin of the group;
    /// [`Refusal::Invalid`]; [`Refusal::HoldSettled`] where it was settled in another way; [`Refusal::HoldReleased`];
    /// the database's.
    pub async fn settle(&self, caller: &Caller, hold: &str, settlement: Settlement) -> Result<Usage> {
        let hold = hold_ref(caller, hold)?;
        let event = admit_settlement(&hold.id, settlement, self.clock.now())?;
        Ok(self.submit(Command::Settle { hold, event }).await?.usage)
    }

    /// Frees a hold of which nothing was spent. Of one that has expired or was released before, it changes nothing.
    ///
    /// # Errors
    /// [`Refusal::NotFound`], also for another user's hold unless the caller is an admin of the group;
    /// [`Refusal::HoldSettled`]; the database's.
    pub async fn release(&self, caller: &Caller, hold: &str) -> Result<Usage> {
        Ok(self.submit(Command::Release(hold_ref(caller, hold)?)).await?.usage)
    }

    /// Gives a hold a new size, a new time or both. One that had expired is granted anew.
    ///
    /// # Errors
    /// [`Refusal::LimitReached`], and the hold stays as it was; [`Refusal::NotFound`], also for another user's hold
    /// unless the caller is an admin of the group; [`Refusal::HoldSettled`]; [`Refusal::HoldReleased`];
    /// [`Refusal::NoSubscription`]; [`Refusal::NoAccess`]; [`Refusal::Invalid`]; the database's.
    pub async fn extend(&self, caller: &Caller, hold: &str, extension: Extension) -> Result<Hold> {
        let mut errors = FieldErrors::new();
        extension.check(&mut errors);
        errors.into_result()?;
        let expires_in = Duration::seconds(extension.expires_in.unwrap_or(HOLD_SECONDS));
        let hold = hold_ref(caller, hold)?;
        let written = self.submit(Command::Extend { hold, tokens: extension.tokens, expires_in }).await?;
        match written.outcome {
            Outcome::Held(hold) => Ok(held(hold, written.usage)),
            Outcome::Denied { shortage, usage_type } => {
                Err(self.denied(shortage, usage_type, written.usage).await?)
            }
            outcome => Err(Error::Internal(format!("extending a hold gave {outcome:?}"))),
        }
    }

    /// One page of the open holds, by their ids: the caller's own, or the group's for an admin.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] for a SuperAdmin; the database's.
    pub async fn open_holds_page(
        &self,
        caller: &Caller,
        page: PageRequest<HoldKey>,
    ) -> Result<PageRows<OpenHold>> {
        let group = caller.user.must_have_group()?;
        let user = (caller.user.role != Role::Admin).then_some(caller.user.id);
        self.store.open_holds_page(group, user, page).await
    }

    /// Frees the holds of any group whose time is over. Safe to run at any time, also from several processes at once.
    ///
    /// # Errors
    /// The database's.
    pub async fn free_due_holds(&self) -> Result<()> {
        loop {
            let now = self.clock.now();
            let groups = self.store.groups_with_due_holds(now, latest_expiry(now), GROUPS).await?;
            let last = (groups.len() as i64) < GROUPS;
            let expiring = groups.into_iter().map(|group| self.expire(group));
            futures::future::try_join_all(expiring).await?;
            if last {
                return Ok(());
            }
        }
    }

    async fn expire(&self, group: GroupId) -> Result<()> {
        match self.submit(Command::Expire(group)).await {
            // A group whose subscription ended long ago has no usage to answer with; its holds are freed.
            Ok(_) | Err(Error::Refused(Refusal::NoSubscription)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Submits a hold again and again, for up to `wait` seconds, as long as only others' holds are in its way.
    async fn hold_in_time(&self, caller: &Caller, mut request: HoldRequest, wait: i64) -> Result<Hold> {
        let deadline = Instant::now() + Wait::from_secs(wait.unsigned_abs());
        let mut waiting: Option<(Changes, Waiting)> = None;
        loop {
            let written = self.submit(Command::Hold(request.clone())).await?;
            let Written { outcome, usage } = written;
            let (shortage, usage_type) = match outcome {
                Outcome::Held(hold) => {
                    counter!(HOLDS_GRANTED).increment(1);
                    return Ok(held(hold, usage));
                }
                Outcome::Denied { shortage, usage_type } => (shortage, usage_type),
                outcome => return Err(Error::Internal(format!("a hold gave {outcome:?}"))),
            };
            let left = deadline.saturating_duration_since(Instant::now());
            match &mut waiting {
                _ if !shortage.only_held => return Err(self.denied(shortage, usage_type, usage).await?),
                _ if left.is_zero() => match &mut request.size {
                    // At last, what there is.
                    Size::Answer { patient: patient @ true, .. } => *patient = false,
                    _ => return Err(self.denied(shortage, usage_type, usage).await?),
                },
                // A hold may have settled before this subscription began: look again at once.
                None => waiting = Some((self.changes(&caller.user).await?, Waiting::begin())),
                Some((changes, _)) => {
                    // Either way it is time to look again.
                    let _ = timeout(left.min(LOOK_AGAIN), changes.next()).await;
                }
            }
        }
    }

    /// The refusal of tokens that don't fit, with the plan that would help where it is the group's limit.
    async fn denied(&self, shortage: Shortage, usage_type: UsageType, usage: Usage) -> Result<Error> {
        let suggested_plan = match shortage.scope {
            LimitScope::Group => self.next_plan_up(&usage, &[usage_type]).await?,
            LimitScope::Member | LimitScope::Key => None,
        };
        counter!(HOLDS_DENIED, "limit" => shortage.scope.as_str()).increment(1);
        let resets_at = usage.period_end;
        let reached = LimitReached { limit: shortage.scope, usage_type, usage, suggested_plan, resets_at };
        Ok(Refusal::LimitReached(Box::new(reached)).into())
    }
}

/// Counts a request that waits, until it is dropped.
struct Waiting;

impl Waiting {
    fn begin() -> Self {
        gauge!(HOLDS_WAITING).increment(1);
        Self
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        gauge!(HOLDS_WAITING).decrement(1);
    }
}

fn new_id() -> String {
    Uuid::now_v7().to_string()
}

fn hold_ref(caller: &Caller, id: &str) -> Result<HoldRef> {
    let user = &caller.user;
    Ok(HoldRef {
        group: user.must_have_group()?,
        user: user.id,
        any: user.role == Role::Admin,
        id: id.to_owned(),
    })
}

fn held(hold: HoldRow, usage: Usage) -> Hold {
    let HoldRow { id, usage_type, tokens, expires_at, .. } = hold;
    Hold { id, usage_type, tokens, expires_at, usage }
}
