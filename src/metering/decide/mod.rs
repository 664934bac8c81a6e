//! What counts where: decided on what the transaction found, with no I/O.
//!
//! Commands are decided in the order they came, each on the sums that those before it leave.

mod balance;
mod hold;
mod record;
mod thresholds;

use std::collections::HashMap;

use chrono::{DateTime, Duration, Utc};
use uuid::Uuid;

use super::admit::Event;
use super::command::{Command, Outcome, Verdict};
use crate::domain::{GroupId, KeyId, MAX_COUNT, Period, SummaryId, UsageType, UserId};
use crate::error::Result;
use crate::storage::{
    ActivityRow, AllowanceRow, Changes, Decision, Delta, EventKey, EventRow, Found, HoldRow, MissingPeriod,
    Opened, QuarterRow, quarter,
};
use balance::Balances;

/// What a decision depends on beside what was found.
#[derive(Clone, Copy, Debug)]
pub struct Conditions {
    pub now: DateTime<Utc>,
    /// For how long a subscription that is past due gives access.
    pub grace_days: u32,
}

/// Decides the commands in the order they came.
///
/// # Errors
/// [`crate::error::Error::Internal`] for a row that makes no sense.
pub fn decide<'a>(
    commands: &'a [Command],
    found: &Found,
    conditions: Conditions,
) -> Result<Decision<'a, Vec<Verdict>>> {
    let mut batch = Batch::new(found, conditions);
    batch.free_due_holds();
    let mut verdicts = Vec::with_capacity(commands.len());
    for command in commands {
        verdicts.push(match command {
            Command::Record(report) => batch.record(report),
            Command::Hold(request) => batch.hold(request),
            Command::Settle { hold, event } => batch.settle(hold, event),
            Command::Release(hold) => batch.release(hold),
            Command::Extend { hold, tokens, expires_in } => batch.extend(hold, *tokens, *expires_in),
            // Done for the whole batch above.
            Command::Expire(_) => Ok(Outcome::Ended),
        });
    }
    if !batch.missing.is_empty() {
        return Ok(Decision::Open(batch.missing));
    }
    Ok(Decision::Write { changes: batch.changes(), outcome: verdicts })
}

/// The period that something counts in.
enum Target {
    Open(SummaryId, Period),
    /// One in which nothing was recorded yet.
    Missing(MissingPeriod),
    None,
}

struct Batch<'a, 'f> {
    found: &'f Found,
    now: DateTime<Utc>,
    grace_days: u32,
    balances: Balances<'f>,
    rows: Vec<EventRow<'a>>,
    /// The fingerprints of the events in `rows`.
    new: HashMap<(GroupId, &'a str), &'a [u8; 32]>,
    /// The holds that this batch made or changed, as they are now.
    holds: HashMap<(GroupId, String), HoldRow>,
    missing: Vec<MissingPeriod>,
}

impl<'a, 'f> Batch<'a, 'f> {
    fn new(found: &'f Found, conditions: Conditions) -> Self {
        let (rows, new, holds, missing) = Default::default();
        let Conditions { now, grace_days } = conditions;
        Self { found, now, grace_days, balances: Balances::new(found), rows, new, holds, missing }
    }

    fn changes(self) -> Changes<'a> {
        let (quarters, activity) = (quarters(&self.rows), activity(&self.rows, self.found));
        let (mut sums, shares) = self.balances.into_rows();
        let notices = thresholds::tell(self.found, &mut sums);
        let holds = self.holds.into_values().collect();
        Changes { events: self.rows, sums, shares, quarters, holds, notices, activity }
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

    /// Adds an event to the ledger and its tokens to the sums, where those can still be said exactly.
    ///
    /// # Errors
    /// What is wrong with its tokens.
    fn add(&mut self, event: &'a Event, counted: Counted) -> Result<(), &'static str> {
        let Event { input, fingerprint } = event;
        let Counted { group, summary_id, user_id, key_id, usage_type, occurred_at } = counted;
        let period = self.balances.period(group, summary_id).unwrap_or_default();
        if period.used[usage_type].saturating_add(input.tokens_used) > MAX_COUNT {
            return Err("The period's sum would pass 2^53-1 tokens.");
        }
        let overage = period.overage.charged(usage_type, &period.spent(), input.tokens_used);
        let delta = Delta::used(usage_type, input.tokens_used).with_overage(usage_type, overage);
        self.balances.add(group, summary_id, subjects(user_id, key_id), delta);
        self.new.insert((group, &input.id), fingerprint);
        self.rows.push(EventRow {
            key: EventKey { group, id: &input.id },
            summary_id,
            user_id,
            key_id,
            usage_type,
            tokens: input.tokens_used,
            overage,
            model: input.model.as_deref(),
            details: input.details.as_ref(),
            estimated: input.estimated,
            metadata: input.metadata.as_ref(),
            fingerprint,
            occurred_at,
        });
        Ok(())
    }

    /// Takes back the rows after the first `kept`.
    fn discard_after(&mut self, kept: usize) {
        for row in self.rows.drain(kept..) {
            self.new.remove(&(row.key.group, row.key.id));
            let delta = Delta::used(row.usage_type, -row.tokens).with_overage(row.usage_type, -row.overage);
            self.balances.add(row.key.group, row.summary_id, subjects(row.user_id, row.key_id), delta);
        }
    }

    /// Without a time, the running period of the live subscription. With one, the period that contains it:
    /// an open one, the live subscription's first, the one that began last first; or else one of the live
    /// subscription's rhythm, not before the period as of the last synchronisation with Stripe.
    fn target(&self, group: GroupId, at: Option<DateTime<Utc>>) -> Target {
        let live = self.found.live.get(&group);
        let missing = |live: &AllowanceRow, period: Period| {
            let opened =
                if period.start < live.synced_end { Opened::ByStripe } else { Opened::Provisionally };
            Target::Missing(MissingPeriod { group, subscription: live.subscription_id, period, opened })
        };
        let Some(at) = at else {
            return match live {
                Some(row @ AllowanceRow { summary_id: Some(id), .. }) => Target::Open(*id, row.period()),
                Some(row) => missing(row, row.current_period(self.now)),
                None => Target::None,
            };
        };
        let contains = |row: &&AllowanceRow| row.group_id == group && row.period().contains(at);
        let of_live =
            |row: &&AllowanceRow| live.is_some_and(|live| live.subscription_id == row.subscription_id);
        let containing = || self.found.recent.iter().filter(contains);
        if let Some(row @ AllowanceRow { summary_id: Some(id), .. }) =
            containing().find(of_live).or(containing().next())
        {
            return Target::Open(*id, row.period());
        }
        match live {
            Some(live) if at >= live.synced_start => missing(live, live.cycle().usage_period(at)),
            _ => Target::None,
        }
    }

    fn need(&mut self, period: MissingPeriod) {
        if !self.missing.contains(&period) {
            self.missing.push(period);
        }
    }
}

/// Where an event counts, and as whose.
struct Counted {
    group: GroupId,
    summary_id: SummaryId,
    user_id: UserId,
    key_id: Option<KeyId>,
    usage_type: UsageType,
    occurred_at: DateTime<Utc>,
}

/// Whose parts of a period something counts in: its member's and its key's.
fn subjects(user: UserId, key: Option<KeyId>) -> [Option<Uuid>; 2] {
    [Some(user.into()), key.map(Uuid::from)]
}

/// The time nearest to `at` within the period: what is recorded lies in the period it counts in, also where a hold is
/// settled after its period's end, or where Stripe's test clock is ahead of the server's.
fn within(period: Period, at: DateTime<Utc>) -> DateTime<Utc> {
    let last = period.end - Duration::microseconds(1);
    at.min(last).max(period.start)
}

/// How much later than the one that is kept a group's latest event has to be to be kept instead: a busy group's row isn't
/// written for each of its events.
const ACTIVITY_STEP: Duration = Duration::minutes(1);

/// When the latest event of each group of these rows occurred, where that is to be kept.
fn activity(rows: &[EventRow<'_>], found: &Found) -> Vec<ActivityRow> {
    let mut latest: HashMap<GroupId, DateTime<Utc>> = HashMap::new();
    for row in rows {
        let at = latest.entry(row.key.group).or_insert(row.occurred_at);
        *at = row.occurred_at.max(*at);
    }
    let is_news = |(group, at): &(GroupId, DateTime<Utc>)| {
        let kept = found.last_events.get(group).copied().flatten();
        kept.is_none_or(|kept| *at >= kept + ACTIVITY_STEP)
    };
    let news = latest.into_iter().filter(is_news);
    news.map(|(group_id, last_event_at)| ActivityRow { group_id, last_event_at }).collect()
}

/// What the rows add to each quarter of an hour.
fn quarters<'a>(rows: &[EventRow<'a>]) -> Vec<QuarterRow<'a>> {
    type Key<'a> = (GroupId, SummaryId, i64, Uuid, &'a str, Uuid);
    let mut sums: HashMap<Key<'a>, QuarterRow<'a>> = HashMap::new();
    for row in rows {
        let EventRow { key: EventKey { group: group_id, .. }, summary_id, user_id, .. } = *row;
        let (model, key_id) = (row.model.unwrap_or_default(), row.key_id.map_or(Uuid::nil(), Uuid::from));
        let quarter = quarter(row.occurred_at);
        let sum =
            sums.entry((group_id, summary_id, quarter, user_id.into(), model, key_id)).or_insert_with(|| {
                QuarterRow {
                    group_id,
                    summary_id,
                    quarter,
                    user_id,
                    model,
                    key_id,
                    llm: 0,
                    voice: 0,
                    llm_events: 0,
                    voice_events: 0,
                }
            });
        match row.usage_type {
            UsageType::Llm => {
                sum.llm += row.tokens;
                sum.llm_events += 1;
            }
            UsageType::Voice => {
                sum.voice += row.tokens;
                sum.voice_events += 1;
            }
        }
    }
    sums.into_values().collect()
}
