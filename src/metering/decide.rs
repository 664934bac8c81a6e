//! What counts where: decided on what the transaction found, with no I/O.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use super::admit::{Event, Report};
use super::command::{Command, Outcome, Verdict};
use crate::domain::{GroupId, MAX_COUNT, PerType, Refusal, SummaryId};
use crate::error::Result;
use crate::storage::{AllowanceRow, Decision, EventKey, EventRow, Found, MissingPeriod, SumRow};

/// Decides the commands in the order they came.
///
/// # Errors
/// [`crate::error::Error::Internal`] for a row that makes no sense.
pub fn decide<'a>(
    commands: &'a [Command],
    found: &Found,
    now: DateTime<Utc>,
) -> Result<Decision<'a, Vec<Verdict>>> {
    let mut batch = Batch::new(found, now);
    let mut verdicts = Vec::with_capacity(commands.len());
    for command in commands {
        verdicts.push(match command {
            Command::Record(report) => batch.record(report)?,
        });
    }
    if !batch.missing.is_empty() {
        return Ok(Decision::Open(batch.missing));
    }
    let sums = batch
        .added
        .into_iter()
        .filter(|(_, tokens)| tokens.llm + tokens.voice > 0)
        .map(|((group_id, summary_id), tokens)| SumRow { group_id, summary_id, tokens })
        .collect();
    Ok(Decision::Write { events: batch.rows, sums, outcome: verdicts })
}

/// The period an event counts in.
enum Target {
    Open(SummaryId),
    /// One in which nothing was recorded yet.
    Missing(MissingPeriod),
    None,
}

struct Batch<'a, 'f> {
    found: &'f Found,
    now: DateTime<Utc>,
    /// What the open periods add up to already.
    used: HashMap<SummaryId, PerType<i64>>,
    rows: Vec<EventRow<'a>>,
    /// The fingerprints of the events in `rows`.
    new: HashMap<(GroupId, &'a str), &'a [u8; 32]>,
    /// What `rows` add to each period.
    added: HashMap<(GroupId, SummaryId), PerType<i64>>,
    missing: Vec<MissingPeriod>,
}

impl<'a, 'f> Batch<'a, 'f> {
    fn new(found: &'f Found, now: DateTime<Utc>) -> Self {
        let used = found
            .live
            .values()
            .chain(&found.recent)
            .filter_map(|row| Some((row.summary_id?, row.counters.used)))
            .collect();
        let (rows, new, added, missing) = Default::default();
        Self { found, now, used, rows, new, added, missing }
    }

    /// Takes in one report, or leaves no trace of it.
    fn record(&mut self, report: &'a Report) -> Result<Verdict> {
        let before = self.rows.len();
        let (mut accepted, mut duplicates) = (0, 0);
        for (index, event) in report.events.iter().enumerate() {
            match self.event(report, index, event)? {
                Ok(true) => accepted += 1,
                Ok(false) => duplicates += 1,
                Err(refusal) => {
                    self.discard_after(before);
                    return Ok(Err(refusal));
                }
            }
        }
        // Nothing but repeats, of a subscription that ended long ago: there is no usage to answer with.
        if self.found.allowance(report.group).is_none() {
            self.discard_after(before);
            return Ok(Err(Refusal::NoSubscription));
        }
        Ok(Ok(Outcome::Recorded { accepted, duplicates }))
    }

    /// Whether the event is new, and then counts.
    fn event(&mut self, report: &'a Report, index: usize, event: &'a Event) -> Result<Verdict<bool>> {
        let input = &event.input;
        let field =
            |name: &str, message: &str| Ok(Err(Refusal::field(&format!("events[{index}].{name}"), message)));
        // A repeat is one whatever became of the user or the subscription since.
        if let Some(fingerprint) = self.fingerprint(report.group, &input.id) {
            let same = fingerprint == event.fingerprint;
            return Ok(if same { Ok(false) } else { Err(Refusal::EventMismatch { id: input.id.clone() }) });
        }
        let user = input.user_id.unwrap_or(report.user);
        if user != report.user && !self.found.members.contains(&(report.group, user)) {
            return field("user_id", "There is no such user in the group.");
        }
        let summary_id = match self.target(report.group, input.created_at) {
            Target::Open(id) => id,
            Target::Missing(period) => {
                if !self.missing.contains(&period) {
                    self.missing.push(period);
                }
                return Ok(Ok(true));
            }
            Target::None if input.created_at.is_some() => {
                return field("created_at", "No billing period of the group contains this time.");
            }
            Target::None => return Ok(Err(Refusal::NoSubscription)),
        };
        let used = self.used.get(&summary_id).map_or(0, |used| used[input.usage_type]);
        let added = &mut self.added.entry((report.group, summary_id)).or_default()[input.usage_type];
        if used.saturating_add(*added).saturating_add(input.tokens_used) > MAX_COUNT {
            return field("tokens_used", "The period's sum would pass 2^53-1 tokens.");
        }
        *added += input.tokens_used;
        self.new.insert((report.group, &input.id), &event.fingerprint);
        self.rows.push(EventRow {
            key: EventKey { group: report.group, id: &input.id },
            summary_id,
            user_id: user,
            usage_type: input.usage_type,
            tokens: input.tokens_used,
            model: input.model.as_deref(),
            metadata: input.metadata.as_ref(),
            fingerprint: &event.fingerprint,
            occurred_at: input.created_at,
        });
        Ok(Ok(true))
    }

    /// The fingerprint under which the group's event was recorded, earlier or in this batch.
    fn fingerprint(&self, group: GroupId, id: &'a str) -> Option<&[u8]> {
        if let Some(fingerprint) = self.new.get(&(group, id)) {
            return Some(fingerprint.as_slice());
        }
        // Most batches repeat nothing, and then no key need be made to look one up.
        if self.found.known.is_empty() {
            return None;
        }
        self.found.known.get(&(group, id.to_owned())).map(Vec::as_slice)
    }

    /// Without a time, the running period of the live subscription. With one, the period that contains it:
    /// an open one, the live subscription's first, the one that began last first; or else one of the live
    /// subscription's rhythm, not before the period as of the last synchronisation with Stripe.
    fn target(&self, group: GroupId, at: Option<DateTime<Utc>>) -> Target {
        let live = self.found.live.get(&group);
        let missing = |live: &AllowanceRow, period| {
            Target::Missing(MissingPeriod { group, subscription: live.subscription_id, period })
        };
        let Some(at) = at else {
            return match live {
                Some(AllowanceRow { summary_id: Some(id), .. }) => Target::Open(*id),
                Some(row) => missing(row, row.current_period(self.now)),
                None => Target::None,
            };
        };
        let contains = |row: &&AllowanceRow| row.group_id == group && row.period().contains(at);
        let of_live =
            |row: &&AllowanceRow| live.is_some_and(|live| live.subscription_id == row.subscription_id);
        let containing = || self.found.recent.iter().filter(contains);
        if let Some(AllowanceRow { summary_id: Some(id), .. }) =
            containing().find(of_live).or(containing().next())
        {
            return Target::Open(*id);
        }
        match live {
            Some(live) if at >= live.synced_start => {
                missing(live, live.synced_period().following(live.billing_interval, at))
            }
            _ => Target::None,
        }
    }

    /// Takes back the rows after the first `kept`.
    fn discard_after(&mut self, kept: usize) {
        for row in self.rows.drain(kept..) {
            self.new.remove(&(row.key.group, row.key.id));
            if let Some(added) = self.added.get_mut(&(row.key.group, row.summary_id)) {
                added[row.usage_type] -= row.tokens;
            }
        }
    }
}
