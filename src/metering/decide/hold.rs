//! Holds: two-phase, like a payment that is authorised and captured. An open hold counts in what is held; it ends once,
//! settled, released or expired, and its tokens are freed in the same transaction. What is settled counts in the period
//! the hold was granted in, also after that period's end or the hold's own.

use chrono::Duration;

use super::super::admit::Event;
use super::super::command::{HoldRef, HoldRequest, Outcome, Verdict};
use super::super::fit::{Size, fit};
use super::{Batch, Counted, Target, subjects, within};
use crate::domain::{GroupId, Refusal, Status};
use crate::storage::{Delta, HoldRow, HoldState, latest_expiry};

impl<'a> Batch<'a, '_> {
    /// Frees the holds whose time is over, before anything else is decided. One that would be open for longer than any
    /// may be was granted before the clock was set back: its time is cut to the longest, so that it isn't held for ever.
    pub(super) fn free_due_holds(&mut self) {
        for hold in &self.found.due {
            let mut hold = hold.clone();
            if hold.expires_at <= self.now {
                self.end(&mut hold, HoldState::Expired);
            } else {
                hold.expires_at = latest_expiry(self.now);
            }
            self.keep(hold);
        }
    }

    /// Grants a hold where it fits under every limit. The same request again is answered by the hold it made.
    pub(super) fn hold(&mut self, request: &HoldRequest) -> Verdict {
        if let Some(hold) = self.find(request.group, &request.id) {
            return if hold.fingerprint == request.fingerprint {
                Ok(Outcome::Held(hold))
            } else {
                Err(Refusal::HoldMismatch { id: request.id.clone() })
            };
        }
        self.check_access(request.group)?;
        let (summary_id, period) = match self.target(request.group, None) {
            Target::Open(id, period) => (id, period),
            Target::Missing(period) => {
                self.need(period);
                return Ok(Outcome::Ended);
            }
            Target::None => return Err(Refusal::NoSubscription),
        };
        let hold = HoldRow {
            group_id: request.group,
            id: request.id.clone(),
            summary_id,
            user_id: request.user,
            key_id: request.key,
            usage_type: request.usage_type,
            tokens: 0,
            state: HoldState::Open,
            fingerprint: request.fingerprint.to_vec(),
            settlement: None,
            created_at: self.now,
            expires_at: self.now + request.expires_in,
            ended_at: None,
            period_start: period.start,
            period_end: period.end,
        };
        self.grant(hold, request.size)
    }

    /// Records what was spent, and frees the hold.
    pub(super) fn settle(&mut self, named: &HoldRef, event: &'a Event) -> Verdict {
        let mut hold = self.named(named)?;
        match hold.state {
            HoldState::Settled if hold.settlement.as_deref() == Some(event.fingerprint.as_slice()) => {
                return Ok(Outcome::Ended);
            }
            HoldState::Settled => return Err(Refusal::HoldSettled),
            HoldState::Released => return Err(Refusal::HoldReleased),
            HoldState::Open | HoldState::Expired => {}
        }
        let input = &event.input;
        if input.tokens_used > 0 {
            // An event may have been reported under the id that the hold's would get.
            if self.fingerprint(hold.group_id, &input.id).is_some() {
                return Err(Refusal::EventMismatch { id: input.id.clone() });
            }
            let counted = Counted {
                group: hold.group_id,
                summary_id: hold.summary_id,
                user_id: hold.user_id,
                key_id: hold.key_id,
                usage_type: hold.usage_type,
                occurred_at: within(hold.period(), self.now),
            };
            self.add(event, counted).map_err(|message| Refusal::field("tokens_used", message))?;
        }
        self.end(&mut hold, HoldState::Settled);
        hold.settlement = Some(event.fingerprint.to_vec());
        self.keep(hold);
        Ok(Outcome::Ended)
    }

    /// Frees a hold of which nothing was spent.
    pub(super) fn release(&mut self, named: &HoldRef) -> Verdict {
        let mut hold = self.named(named)?;
        match hold.state {
            HoldState::Settled => return Err(Refusal::HoldSettled),
            HoldState::Released => {}
            HoldState::Open | HoldState::Expired => {
                self.end(&mut hold, HoldState::Released);
                self.keep(hold);
            }
        }
        Ok(Outcome::Ended)
    }

    /// Gives a hold a new size and a new time. One that has expired is granted anew, where it fits.
    pub(super) fn extend(&mut self, named: &HoldRef, tokens: Option<i64>, expires_in: Duration) -> Verdict {
        let mut hold = self.named(named)?;
        match hold.state {
            HoldState::Settled => return Err(Refusal::HoldSettled),
            HoldState::Released => return Err(Refusal::HoldReleased),
            HoldState::Open | HoldState::Expired => {}
        }
        self.check_access(hold.group_id)?;
        let tokens = tokens.unwrap_or(hold.tokens);
        let has = if hold.state == HoldState::Open { hold.tokens } else { 0 };
        hold.expires_at = self.now + expires_in;
        if tokens > has {
            // What the hold has already is held too, so only the rest has to fit.
            hold.tokens = has;
            return self.grant(hold, Size::Exactly(tokens - has));
        }
        self.count(&hold, tokens - has);
        hold.tokens = tokens;
        self.keep(hold.clone());
        Ok(Outcome::Held(hold))
    }

    /// Adds tokens to a hold where they fit, and opens it.
    fn grant(&mut self, mut hold: HoldRow, size: Size) -> Verdict {
        let subjects = subjects(hold.user_id, hold.key_id);
        // Who is behind with a payment gets no more on credit.
        let pays = self.found.live.get(&hold.group_id).is_some_and(|live| live.status == Status::Active);
        let bounds = self
            .balances
            .bounds(hold.group_id, hold.summary_id, subjects, hold.usage_type, pays)
            .ok_or(Refusal::NoAccess)?;
        match fit(&bounds, size) {
            Err(shortage) => Ok(Outcome::Denied { shortage, usage_type: hold.usage_type }),
            Ok(tokens) => {
                self.count(&hold, tokens);
                hold.tokens += tokens;
                hold.state = HoldState::Open;
                hold.ended_at = None;
                self.keep(hold.clone());
                Ok(Outcome::Held(hold))
            }
        }
    }

    /// Ends a hold; an open one is freed.
    fn end(&mut self, hold: &mut HoldRow, state: HoldState) {
        if hold.state == HoldState::Open {
            self.count(hold, -hold.tokens);
        }
        hold.state = state;
        hold.ended_at = Some(self.now);
    }

    fn count(&mut self, hold: &HoldRow, tokens: i64) {
        let subjects = subjects(hold.user_id, hold.key_id);
        self.balances.add(hold.group_id, hold.summary_id, subjects, Delta::held(hold.usage_type, tokens));
    }

    fn keep(&mut self, hold: HoldRow) {
        self.holds.insert((hold.group_id, hold.id.clone()), hold);
    }

    /// The hold as it is now.
    fn find(&self, group: GroupId, id: &str) -> Option<HoldRow> {
        let key = (group, id.to_owned());
        self.holds.get(&key).or_else(|| self.found.holds.get(&key)).cloned()
    }

    /// The hold that a caller names, where it may.
    fn named(&self, named: &HoldRef) -> Verdict<HoldRow> {
        self.find(named.group, &named.id)
            .filter(|hold| named.any || hold.user_id == named.user)
            .ok_or_else(|| Refusal::NotFound("hold".into()))
    }

    /// Whether the group's subscription gives access to tokens.
    fn check_access(&self, group: GroupId) -> Verdict<()> {
        let live = self.found.live.get(&group).ok_or(Refusal::NoSubscription)?;
        if live.gives_access(self.grace_days, self.now) { Ok(()) } else { Err(Refusal::NoAccess) }
    }
}
