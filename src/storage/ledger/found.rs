//! What a decision has to know, and how it is found.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Duration, Utc};
use serde::Serialize;
use sqlx::FromRow;
use uuid::Uuid;

use super::super::Tx;
use super::super::dialect::DialectStatement;
use super::super::summaries::{
    AllowanceRow, Counters, ShareCounters, allowance_select, live_allowances, share_columns,
};
use super::{EventKey, HoldRow, ShareRow, SumRow, json};
use crate::domain::{GroupId, MAX_AGE, MAX_HOLD_SECONDS, SummaryId, UserId};
use crate::error::Result;

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

const LIVE: DialectStatement = DialectStatement {
    sqlite: live_allowances!("IN (SELECT unhex(value, '-') FROM json_each($1))"),
    postgres: live_allowances!("IN (SELECT value::uuid FROM json_array_elements_text($1::json))"),
};

const RECENT: DialectStatement = DialectStatement {
    sqlite: allowance_select!(
        "FROM usage_summaries u JOIN subscriptions s ON s.group_id = u.group_id AND s.id = u.subscription_id
         JOIN plans p ON p.id = s.plan_id
         WHERE u.group_id IN (SELECT unhex(value, '-') FROM json_each($1)) AND u.period_end > $2
         ORDER BY u.period_start DESC"
    ),
    postgres: allowance_select!(
        "FROM usage_summaries u JOIN subscriptions s ON s.group_id = u.group_id AND s.id = u.subscription_id
         JOIN plans p ON p.id = s.plan_id
         WHERE u.group_id IN (SELECT value::uuid FROM json_array_elements_text($1::json)) AND u.period_end > $2
         ORDER BY u.period_start DESC"
    ),
};

const MEMBERS: DialectStatement = DialectStatement {
    sqlite: "SELECT group_id, id FROM users WHERE id IN (SELECT unhex(value, '-') FROM json_each($1))
             AND group_id IS NOT NULL AND removed_at IS NULL",
    postgres: "SELECT group_id, id FROM users
               WHERE id IN (SELECT value::uuid FROM json_array_elements_text($1::json))
               AND group_id IS NOT NULL AND removed_at IS NULL",
};

/// Reads [`HoldRow`] from tables named `h` (usage_holds) and `u` (usage_summaries).
macro_rules! hold_select {
    ($($rest:literal),+) => {
        concat!(
            "SELECT h.group_id, h.id, h.summary_id, h.user_id, h.key_id, h.usage_type, h.tokens, h.state,
                 h.fingerprint, h.settlement, h.created_at, h.expires_at, h.ended_at, u.period_start, u.period_end,
                 u.llm_used, u.llm_held, u.llm_limit, u.voice_used, u.voice_held, u.voice_limit ",
            $($rest),+
        )
    };
}

const HOLDS: DialectStatement = DialectStatement {
    sqlite: hold_select!(
        "FROM json_each($1) w CROSS JOIN usage_holds h
             ON h.group_id = unhex(w.value ->> '$.g', '-') AND h.id = w.value ->> '$.i'
         JOIN usage_summaries u ON u.group_id = h.group_id AND u.id = h.summary_id"
    ),
    postgres: hold_select!(
        "FROM json_to_recordset($1::json) AS w (g uuid, i text)
         JOIN usage_holds h ON h.group_id = w.g AND h.id = w.i
         JOIN usage_summaries u ON u.group_id = h.group_id AND u.id = h.summary_id"
    ),
};

const DUE: DialectStatement = DialectStatement {
    sqlite: hold_select!(
        "FROM json_each($1) w CROSS JOIN usage_holds h ON h.group_id = unhex(w.value, '-')
         JOIN usage_summaries u ON u.group_id = h.group_id AND u.id = h.summary_id
         WHERE h.state = 'open' AND (h.expires_at <= $2 OR h.expires_at > $3)"
    ),
    postgres: hold_select!(
        "FROM usage_holds h JOIN usage_summaries u ON u.group_id = h.group_id AND u.id = h.summary_id
         WHERE h.group_id IN (SELECT value::uuid FROM json_array_elements_text($1::json))
             AND h.state = 'open' AND (h.expires_at <= $2 OR h.expires_at > $3)"
    ),
};

macro_rules! shares_of {
    ($wanted:literal) => {
        concat!(
            "SELECT w.g AS group_id, w.s AS summary_id, w.i AS subject_id, ",
            share_columns!(),
            " FROM ",
            $wanted,
            " LEFT JOIN usage_shares h ON h.group_id = w.g AND h.summary_id = w.s AND h.subject_id = w.i
              LEFT JOIN usage_caps c ON c.group_id = w.g AND c.subject_id = w.i
              WHERE h.subject_id IS NOT NULL OR c.subject_id IS NOT NULL"
        )
    };
}

const SHARES: DialectStatement = DialectStatement {
    sqlite: shares_of!(
        "(SELECT unhex(value ->> '$.g', '-') AS g, unhex(value ->> '$.s', '-') AS s,
              unhex(value ->> '$.i', '-') AS i FROM json_each($1)) w"
    ),
    postgres: shares_of!("json_to_recordset($1::json) AS w (g uuid, s uuid, i uuid)"),
};

#[derive(FromRow)]
struct FoundHold {
    #[sqlx(flatten)]
    hold: HoldRow,
    /// Of the period it was granted in.
    #[sqlx(flatten)]
    counters: Counters,
}

#[derive(FromRow)]
struct FoundShare {
    group_id: GroupId,
    summary_id: Option<SummaryId>,
    subject_id: Uuid,
    #[sqlx(flatten)]
    counters: ShareCounters,
}

#[derive(Serialize)]
struct WantedShare {
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

impl Tx {
    /// Queues for the groups, and finds what was recorded before, who exists, and the holds that matter.
    pub(super) async fn look_up(
        &mut self,
        wanted: &Wanted<'_>,
        groups: &str,
        now: DateTime<Utc>,
    ) -> Result<Found> {
        self.lock_groups(groups).await?;
        let (members, holds, due) = (MEMBERS.of(self), HOLDS.of(self), DUE.of(self));
        let mut found = Found::default();
        if !wanted.events.is_empty() {
            let known = self.known_events(&wanted.events).await?;
            found.known = known.into_iter().map(|(group, id, print)| ((group, id), print)).collect();
        }
        on_tx!(self, |connection| {
            if !wanted.users.is_empty() {
                let members: Vec<(GroupId, UserId)> =
                    sqlx::query_as(members).bind(json(&wanted.users)?).fetch_all(&mut *connection).await?;
                found.members = members.into_iter().collect();
            }
            if !wanted.holds.is_empty() {
                let holds: Vec<FoundHold> =
                    sqlx::query_as(holds).bind(json(&wanted.holds)?).fetch_all(&mut *connection).await?;
                for FoundHold { hold, counters } in holds {
                    found.held_periods.insert(hold.summary_id, counters);
                    found.holds.insert((hold.group_id, hold.id.clone()), hold);
                }
            }
            if wanted.due {
                found.due = sqlx::query_as(due)
                    .bind(groups)
                    .bind(now)
                    .bind(latest_expiry(now))
                    .fetch_all(&mut *connection)
                    .await?;
            }
        });
        Ok(found)
    }

    /// Finds the groups' live subscriptions, their recent periods where they matter, and the parts that members and
    /// keys have in them.
    pub(super) async fn look_up_allowances(
        &mut self,
        found: &mut Found,
        wanted: &Wanted<'_>,
        groups: &str,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let (live, recent, shares) = (LIVE.of(self), RECENT.of(self), SHARES.of(self));
        on_tx!(self, |connection| {
            let live: Vec<AllowanceRow> =
                sqlx::query_as(live).bind(groups).bind(now).fetch_all(&mut *connection).await?;
            found.live.clear();
            for row in live {
                // The first of a group began last.
                found.live.entry(row.group_id).or_insert(row);
            }
            if wanted.earlier || found.live.len() < wanted.groups.len() {
                found.recent = sqlx::query_as(recent)
                    .bind(groups)
                    .bind(now - MAX_AGE)
                    .fetch_all(&mut *connection)
                    .await?;
            }
            let keys = wanted_shares(found, wanted);
            if !keys.is_empty() {
                let rows: Vec<FoundShare> =
                    sqlx::query_as(shares).bind(json(&keys)?).fetch_all(&mut *connection).await?;
                found.shares = rows
                    .into_iter()
                    .map(|row| ((row.group_id, row.summary_id, row.subject_id), row.counters))
                    .collect();
            }
        });
        Ok(())
    }
}

/// The subjects' parts of the running periods, and the parts that the named holds count in.
fn wanted_shares(found: &Found, wanted: &Wanted<'_>) -> Vec<WantedShare> {
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
