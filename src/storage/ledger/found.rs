//! What a decision has to know, and how it is found.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Duration, Utc};
use serde::Serialize;
use sqlx::FromRow;
use uuid::Uuid;

use super::super::summaries::{AllowanceRow, Counters, ShareCounters};
use super::{EventKey, HoldRow, ShareRow, SumRow};
use crate::domain::{GroupId, MAX_HOLD_SECONDS, SummaryId, UserId};

/// What a batch has to know before it is decided.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    pub groups: Vec<GroupId>,
    /// The events' ids, to find those that were recorded before.
    pub events: Vec<EventKey<'a>>,
    /// The ids of holds that commands name.
    pub holds: Vec<EventKey<'a>>,
    /// Users that events name, to find whose group they are in.
    pub users: Vec<UserId>,
    /// The members and keys whose part of the running period matters.
    pub subjects: Vec<(GroupId, Uuid)>,
    /// Whether earlier periods matter too, for events that bring their own time.
    pub earlier: bool,
    /// Whether holds that are due matter, for the tokens that freeing them gives back.
    pub due: bool,
}

/// When the latest event of a group occurred.
pub(super) type LastEvent = (GroupId, Option<DateTime<Utc>>);

/// Group, id and fingerprint of an event.
pub(super) type KnownEvent = (GroupId, String, Vec<u8>);

/// Names one member's or one key's part of a period; `None` for a period that isn't open yet.
pub type ShareKey = (GroupId, Option<SummaryId>, Uuid);

/// What is known inside the transaction. No other transaction changes it until the commit.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// By group: its live subscription with the period that runs.
    pub live: HashMap<GroupId, AllowanceRow>,
    /// Open periods of the groups that ended no longer ago than an event's time may lie back, newest first.
    /// Empty unless some event brings its own time or some group has no live subscription.
    pub recent: Vec<AllowanceRow>,
    /// The fingerprints of the events that were recorded before.
    pub known: HashMap<(GroupId, String), Vec<u8>>,
    /// Group and id of the named users who exist.
    pub members: HashSet<(GroupId, UserId)>,
    /// The holds that commands name.
    pub holds: HashMap<(GroupId, String), HoldRow>,
    /// The sums of the periods that those holds were granted in.
    pub held_periods: HashMap<SummaryId, Counters>,
    /// The groups' open holds that have expired, and those that would be open for longer than any may be.
    pub due: Vec<HoldRow>,
    /// What members and keys have used, hold and may spend. One that isn't here has used nothing and has no cap.
    pub shares: HashMap<ShareKey, ShareCounters>,
    /// When the latest event of each group occurred, to the minute.
    pub last_events: HashMap<GroupId, Option<DateTime<Utc>>>,
}

impl Found {
    /// The group's allowance: of its live subscription, or else of the one that ended last.
    pub fn allowance(&self, group: GroupId) -> Option<&AllowanceRow> {
        self.live.get(&group).or_else(|| self.recent.iter().find(|row| row.group_id == group))
    }

    /// The sums of every open period that is known.
    pub fn periods(&self) -> impl Iterator<Item = (SummaryId, Counters)> {
        let open =
            self.live.values().chain(&self.recent).filter_map(|row| Some((row.summary_id?, row.counters)));
        open.chain(self.held_periods.iter().map(|(id, counters)| (*id, *counters)))
    }

    /// What one member or one key has used, holds and may spend in the period of an allowance.
    pub fn share(&self, allowance: &AllowanceRow, subject: Uuid) -> ShareCounters {
        let key = (allowance.group_id, allowance.summary_id, subject);
        self.shares.get(&key).copied().unwrap_or_default()
    }

    pub(super) fn know(&mut self, events: Vec<KnownEvent>) {
        self.known.extend(events.into_iter().map(|(group, id, print)| ((group, id), print)));
    }

    pub(super) fn hold(&mut self, holds: Vec<FoundHold>) {
        for FoundHold { hold, counters } in holds {
            self.held_periods.insert(hold.summary_id, counters);
            self.holds.insert((hold.group_id, hold.id.clone()), hold);
        }
    }

    /// The allowances of live subscriptions, the first of a group being the one that began last.
    pub(super) fn live(&mut self, rows: Vec<AllowanceRow>) {
        self.live.clear();
        for row in rows {
            self.live.entry(row.group_id).or_insert(row);
        }
    }

    pub(super) fn share_out(&mut self, rows: Vec<FoundShare>) {
        let share = |row: FoundShare| ((row.group_id, row.summary_id, row.subject_id), row.counters);
        self.shares = rows.into_iter().map(share).collect();
    }

    /// Whether periods that are over have to be found too.
    pub(super) fn needs_recent(&self, wanted: &Wanted<'_>) -> bool {
        wanted.earlier || self.live.len() < wanted.groups.len()
    }

    /// Brings what was found to what is being written.
    pub(super) fn add(&mut self, sums: &[SumRow], shares: &[ShareRow]) {
        let sums: HashMap<SummaryId, &SumRow> = sums.iter().map(|row| (row.summary_id, row)).collect();
        for row in self.live.values_mut().chain(&mut self.recent) {
            if let Some(sum) = row.summary_id.and_then(|id| sums.get(&id)) {
                row.counters.add(sum.delta);
            }
        }
        for row in shares {
            let key = (row.group_id, Some(row.summary_id), row.subject_id);
            self.shares.entry(key).or_default().add(row.delta);
        }
    }
}

/// Reads [`HoldRow`] and [`Counters`] from tables named `h` (usage_holds) and `u` (usage_summaries).
macro_rules! hold_select {
    ($($rest:literal),+) => {
        concat!(
            "SELECT h.group_id, h.id, h.summary_id, h.user_id, h.key_id, h.usage_type, h.tokens, h.state,
                 h.fingerprint, h.settlement, h.created_at, h.expires_at, h.ended_at, u.period_start, u.period_end,
                 ",
            $crate::storage::summaries::counter_columns!(),
            " ",
            $($rest),+
        )
    };
}
pub(super) use hold_select;

/// Recent periods of groups, chosen by a condition on `u.group_id`, that end after `$2`.
macro_rules! recent_allowances {
    ($condition:literal) => {
        $crate::storage::summaries::allowance_select!(
            "FROM usage_summaries u JOIN subscriptions s ON s.group_id = u.group_id AND s.id = u.subscription_id
             JOIN plans p ON p.id = s.plan_id
             WHERE u.group_id ",
            $condition,
            " AND u.period_end > $2 ORDER BY u.period_start DESC"
        )
    };
}
pub(super) use recent_allowances;

/// Reads [`FoundShare`] for the keys in a table of `g`, `s` and `i`.
macro_rules! shares_of {
    ($wanted:literal) => {
        concat!(
            "SELECT w.g AS group_id, w.s AS summary_id, w.i AS subject_id, ",
            $crate::storage::summaries::share_columns!(),
            " FROM ",
            $wanted,
            " LEFT JOIN usage_shares h ON h.group_id = w.g AND h.summary_id = w.s AND h.subject_id = w.i
              LEFT JOIN usage_caps c ON c.group_id = w.g AND c.subject_id = w.i
              WHERE h.subject_id IS NOT NULL OR c.subject_id IS NOT NULL"
        )
    };
}
pub(super) use shares_of;

#[derive(FromRow)]
pub(super) struct FoundHold {
    #[sqlx(flatten)]
    hold: HoldRow,
    /// Of the period it was granted in.
    #[sqlx(flatten)]
    counters: Counters,
}

#[derive(FromRow)]
pub(super) struct FoundShare {
    group_id: GroupId,
    summary_id: Option<SummaryId>,
    subject_id: Uuid,
    #[sqlx(flatten)]
    counters: ShareCounters,
}

#[derive(Serialize)]
pub(super) struct WantedShare {
    g: GroupId,
    s: Option<SummaryId>,
    i: Uuid,
}

/// How much longer than the longest hold one may seem to be open before the clock is taken to have been set back.
const CLOCK_TOLERANCE: Duration = Duration::minutes(1);

/// The latest that a hold may expire, seen from `now`: later than that only where the clock was set back since it was
/// granted.
pub fn latest_expiry(now: DateTime<Utc>) -> DateTime<Utc> {
    now + Duration::seconds(MAX_HOLD_SECONDS) + CLOCK_TOLERANCE
}

/// The subjects' parts of the running periods, and the parts that the named holds count in.
pub(super) fn wanted_shares(found: &Found, wanted: &Wanted<'_>) -> Vec<WantedShare> {
    let running = wanted
        .subjects
        .iter()
        .map(|(group, subject)| (*group, found.allowance(*group).and_then(|row| row.summary_id), *subject));
    let held = found
        .holds
        .values()
        .flat_map(|hold| hold.subjects().map(|subject| (hold.group_id, Some(hold.summary_id), subject)));
    let keys: HashSet<ShareKey> = running.chain(held).collect();
    keys.into_iter().map(|(g, s, i)| WantedShare { g, s, i }).collect()
}
