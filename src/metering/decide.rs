//! What counts where: decided on what the transaction found, with no I/O.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::admit::{Event, Report};
use crate::domain::{MAX_COUNT, Period, Refusal, UsageType};
use crate::error::Result;
use crate::storage::{AllowanceRow, Decision, EventKey, EventRow, Found, SumRow};

/// How many of a request's events count, and how many had been counted before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub accepted: u64,
    pub duplicates: u64,
}

/// One request's outcome: each is all or nothing, and none depends on its neighbours' fate.
pub type Verdict<T = Counts> = Result<T, Refusal>;

/// Decides the requests in the order they came.
///
/// # Errors
/// [`crate::error::Error::Internal`] for a row that makes no sense.
pub fn decide<'a>(
    reports: &'a [Report],
    found: &Found,
    now: DateTime<Utc>,
) -> Result<Decision<'a, Vec<Verdict>>> {
    let mut batch = Batch::new(found, now);
    let mut verdicts = Vec::with_capacity(reports.len());
    for report in reports {
        verdicts.push(batch.request(report)?);
    }
    if !batch.missing.is_empty() {
        return Ok(Decision::Open(batch.missing));
    }
    let sums = batch
        .added
        .into_iter()
        .filter(|(_, [llm, voice])| llm + voice > 0)
        .map(|(summary_id, [llm, voice])| SumRow { summary_id, llm, voice })
        .collect();
    Ok(Decision::Write { events: batch.rows, sums, outcome: verdicts })
}

/// Where an event counts.
enum Place {
    Summary(Uuid),
    /// In a period of this subscription that nothing was recorded in yet.
    Unopened(Uuid, Period),
    Nowhere,
}

struct Batch<'a, 'f> {
    found: &'f Found,
    now: DateTime<Utc>,
    /// What the open periods add up to already, LLM and voice.
    used: HashMap<Uuid, [i64; 2]>,
    rows: Vec<EventRow<'a>>,
    /// The fingerprints of the events in `rows`.
    new: HashMap<(Uuid, &'a str), &'a [u8; 32]>,
    /// What `rows` add to each period, LLM and voice.
    added: HashMap<Uuid, [i64; 2]>,
    missing: Vec<(Uuid, Period)>,
}

impl<'a, 'f> Batch<'a, 'f> {
    fn new(found: &'f Found, now: DateTime<Utc>) -> Self {
        let used = found
            .live
            .values()
            .chain(&found.recent)
            .filter_map(|row| Some((row.summary_id?, [row.llm_used, row.voice_used])))
            .collect();
        let (rows, new, added, missing) = Default::default();
        Self { found, now, used, rows, new, added, missing }
    }

    /// Takes in one request, or leaves no trace of it.
    fn request(&mut self, report: &'a Report) -> Result<Verdict> {
        let before = self.rows.len();
        let mut counts = Counts::default();
        for (index, event) in report.events.iter().enumerate() {
            match self.event(report, index, event)? {
                Ok(true) => counts.accepted += 1,
                Ok(false) => counts.duplicates += 1,
                Err(refusal) => {
                    self.forget(before);
                    return Ok(Err(refusal));
                }
            }
        }
        // Nothing but repeats, of a subscription that ended long ago: there is no usage to answer with.
        if self.found.allowance(report.group).is_none() {
            self.forget(before);
            return Ok(Err(Refusal::NoSubscription));
        }
        Ok(Ok(counts))
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
        let summary_id = match self.place(report.group, input.created_at)? {
            Place::Summary(id) => id,
            Place::Unopened(subscription, period) => {
                if !self.missing.contains(&(subscription, period)) {
                    self.missing.push((subscription, period));
                }
                return Ok(Ok(true));
            }
            Place::Nowhere if input.created_at.is_some() => {
                return field("created_at", "No billing period of the group contains this time.");
            }
            Place::Nowhere => return Ok(Err(Refusal::NoSubscription)),
        };
        let kind = kind(input.usage_type);
        let used = self.used.get(&summary_id).map_or(0, |used| used[kind]);
        let added = &mut self.added.entry(summary_id).or_default()[kind];
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
    fn fingerprint(&self, group: Uuid, id: &'a str) -> Option<&[u8]> {
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
    /// subscription's rhythm, not before the period that Stripe last told of.
    fn place(&self, group: Uuid, at: Option<DateTime<Utc>>) -> Result<Place> {
        let live = self.found.live.get(&group);
        let Some(at) = at else {
            return match live {
                Some(AllowanceRow { summary_id: Some(id), .. }) => Ok(Place::Summary(*id)),
                Some(row) => Ok(Place::Unopened(row.subscription_id, row.current_period(self.now)?)),
                None => Ok(Place::Nowhere),
            };
        };
        let contains = |row: &&AllowanceRow| row.group_id == group && row.period().contains(at);
        let of_live =
            |row: &&AllowanceRow| live.is_some_and(|live| live.subscription_id == row.subscription_id);
        let containing = || self.found.recent.iter().filter(contains);
        if let Some(AllowanceRow { summary_id: Some(id), .. }) =
            containing().find(of_live).or(containing().next())
        {
            return Ok(Place::Summary(*id));
        }
        match live {
            Some(live) if at >= live.told_start => {
                Ok(Place::Unopened(live.subscription_id, live.told().following(live.interval()?, at)))
            }
            _ => Ok(Place::Nowhere),
        }
    }

    /// Takes back the rows after the first `kept`.
    fn forget(&mut self, kept: usize) {
        for row in self.rows.drain(kept..) {
            self.new.remove(&(row.key.group, row.key.id));
            if let Some(added) = self.added.get_mut(&row.summary_id) {
                added[kind(row.usage_type)] -= row.tokens;
            }
        }
    }
}

fn kind(usage_type: UsageType) -> usize {
    match usage_type {
        UsageType::Llm => 0,
        UsageType::Voice => 1,
    }
}
