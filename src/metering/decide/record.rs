//! Recording: an event counts once, in its period, whatever is left.

use super::super::admit::{Event, Report};
use super::super::command::{Outcome, Verdict};
use super::{Batch, Counted, Target, within};
use crate::domain::Refusal;

impl<'a> Batch<'a, '_> {
    /// Takes in one report, or leaves no trace of it.
    pub(super) fn record(&mut self, report: &'a Report) -> Verdict {
        let before = self.rows.len();
        let (mut accepted, mut duplicates) = (0, 0);
        for (index, event) in report.events.iter().enumerate() {
            match self.event(report, index, event) {
                Ok(true) => accepted += 1,
                Ok(false) => duplicates += 1,
                Err(refusal) => {
                    self.discard_after(before);
                    return Err(refusal);
                }
            }
        }
        // Nothing but repeats, of a subscription that ended long ago: there is no usage to answer with.
        if self.found.allowance(report.group).is_none() {
            self.discard_after(before);
            return Err(Refusal::NoSubscription);
        }
        Ok(Outcome::Recorded { accepted, duplicates })
    }

    /// Whether the event is new, and then counts.
    fn event(&mut self, report: &'a Report, index: usize, event: &'a Event) -> Verdict<bool> {
        let input = &event.input;
        let field =
            |name: &str, message: &str| Err(Refusal::field(&format!("events[{index}].{name}"), message));
        // A repeat is one whatever became of the user or the subscription since.
        if let Some(fingerprint) = self.fingerprint(report.group, &input.id) {
            let same = fingerprint == event.fingerprint;
            return if same { Ok(false) } else { Err(Refusal::EventMismatch { id: input.id.clone() }) };
        }
        let user = input.user_id.unwrap_or(report.user);
        if user != report.user && !self.found.members.contains(&(report.group, user)) {
            return field("user_id", "There is no such user in the group.");
        }
        let (summary_id, period) = match self.target(report.group, input.created_at) {
            Target::Open(id, period) => (id, period),
            Target::Missing(period) => {
                self.need(period);
                return Ok(true);
            }
            Target::None if input.created_at.is_some() => {
                return field("created_at", "No billing period of the group contains this time.");
            }
            Target::None => return Err(Refusal::NoSubscription),
        };
        let counted = Counted {
            group: report.group,
            summary_id,
            user_id: user,
            key_id: report.key,
            usage_type: input.usage_type,
            occurred_at: input.created_at.unwrap_or_else(|| within(period, self.now)),
        };
        match self.add(event, counted) {
            Ok(()) => Ok(true),
            Err(message) => field("tokens_used", message),
        }
    }
}
