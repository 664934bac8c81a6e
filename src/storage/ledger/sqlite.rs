//! The ledger's transaction on SQLite: in three round trips to the engine's thread, whatever there is to write. What it
//! begins with, and what can be looked up at once, is the first, what depends on that is the second, and what is written is
//! the third, up to the commit.

use chrono::{DateTime, Utc};
use sqlx::Sqlite;
use sqlx::types::Json;

use super::super::summaries::live_allowances;
use super::super::tx::EngineTx;
use super::found::{
    Found, KnownEvent, LastEvent, Wanted, hold_select, latest_expiry, recent_allowances, shares_of,
    wanted_shares,
};
use super::script::Script;
use super::{Changes, Durability, EventKey, EventRow, json};
use crate::domain::{GroupId, MAX_AGE, UserId};
use crate::error::Result;

const LIVE: &str = live_allowances!("IN (SELECT unhex(value, '-') FROM json_each($1))");
const RECENT: &str = recent_allowances!("IN (SELECT unhex(value, '-') FROM json_each($1))");

const LAST_EVENTS: &str =
    "SELECT id, last_event_at FROM groups WHERE id IN (SELECT unhex(value, '-') FROM json_each($1))";

const MEMBERS: &str =
    "SELECT group_id, id FROM users WHERE id IN (SELECT unhex(value, '-') FROM json_each($1))
     AND group_id IS NOT NULL AND removed_at IS NULL";

const HOLDS: &str = hold_select!(
    "FROM json_each($1) w CROSS JOIN usage_holds h
         ON h.group_id = unhex(w.value ->> '$.g', '-') AND h.id = w.value ->> '$.i'
     JOIN usage_summaries u ON u.group_id = h.group_id AND u.id = h.summary_id"
);

const DUE: &str = hold_select!(
    "FROM json_each($1) w CROSS JOIN usage_holds h ON h.group_id = unhex(w.value, '-')
     JOIN usage_summaries u ON u.group_id = h.group_id AND u.id = h.summary_id
     WHERE h.state = 'open' AND (h.expires_at <= $2 OR h.expires_at > $3)"
);

const SHARES: &str = shares_of!(
    "(SELECT unhex(value ->> '$.g', '-') AS g, unhex(value ->> '$.s', '-') AS s,
          unhex(value ->> '$.i', '-') AS i FROM json_each($1)) w"
);

// CROSS JOIN keeps SQLite from scanning the ledger for each of the few.
const KNOWN: [&str; 2] = [
    "WITH w (g, i) AS (VALUES ",
    ") SELECT e.group_id, e.external_id, e.fingerprint FROM w CROSS JOIN usage_events e
     ON e.group_id = w.g AND e.external_id = w.i",
];

const ADD_EVENTS: [&str; 2] = [
    "INSERT INTO usage_events (group_id, external_id, summary_id, user_id, key_id, usage_type, tokens, model,
         details, estimated, metadata, fingerprint, occurred_at, recorded_at)
     SELECT * FROM (VALUES ",
    ") WHERE column1 IS NOT NULL",
];
const EVENT_COLUMNS: usize = 14;

const ADD: &str = "UPDATE usage_summaries SET llm_used = llm_used + w.l, voice_used = voice_used + w.v,
         llm_held = llm_held + w.lh, voice_held = voice_held + w.vh,
         llm_overage = llm_overage + w.lo, voice_overage = voice_overage + w.vo,
         llm_notified = MAX(llm_notified, w.ln), voice_notified = MAX(voice_notified, w.vn)
     FROM (SELECT unhex(value ->> '$.g', '-') AS g, unhex(value ->> '$.s', '-') AS s,
               value ->> '$.l' AS l, value ->> '$.v' AS v, value ->> '$.lh' AS lh, value ->> '$.vh' AS vh,
               value ->> '$.lo' AS lo, value ->> '$.vo' AS vo, value ->> '$.ln' AS ln, value ->> '$.vn' AS vn
           FROM json_each($1)) AS w
     WHERE usage_summaries.group_id = w.g AND usage_summaries.id = w.s";

// `WHERE TRUE` keeps SQLite from reading ON as a join's.
const ADD_SHARES: &str =
    "INSERT INTO usage_shares (group_id, summary_id, subject_id, llm_used, llm_held, voice_used, voice_held)
     SELECT unhex(value ->> '$.g', '-'), unhex(value ->> '$.s', '-'), unhex(value ->> '$.i', '-'),
         value ->> '$.l', value ->> '$.lh', value ->> '$.v', value ->> '$.vh'
     FROM json_each($1) WHERE TRUE
     ON CONFLICT (group_id, summary_id, subject_id) DO UPDATE SET
         llm_used = llm_used + excluded.llm_used, llm_held = llm_held + excluded.llm_held,
         voice_used = voice_used + excluded.voice_used, voice_held = voice_held + excluded.voice_held";

const ADD_QUARTERS: &str =
    "INSERT INTO usage_quarters (group_id, summary_id, quarter, user_id, model, key_id, llm, voice, llm_events,
         voice_events)
     SELECT unhex(value ->> '$.g', '-'), unhex(value ->> '$.s', '-'), value ->> '$.q',
         unhex(value ->> '$.u', '-'), value ->> '$.m', unhex(value ->> '$.k', '-'),
         value ->> '$.l', value ->> '$.v', value ->> '$.ln', value ->> '$.vn'
     FROM json_each($1) WHERE TRUE
     ON CONFLICT (group_id, summary_id, quarter, user_id, model, key_id) DO UPDATE SET
         llm = llm + excluded.llm, voice = voice + excluded.voice,
         llm_events = llm_events + excluded.llm_events, voice_events = voice_events + excluded.voice_events";

const PUT_HOLDS: &str =
    "INSERT INTO usage_holds (group_id, id, summary_id, user_id, key_id, usage_type, tokens, state, fingerprint,
         settlement, created_at, expires_at, ended_at)
     SELECT unhex(value ->> '$.g', '-'), value ->> '$.i', unhex(value ->> '$.s', '-'),
         unhex(value ->> '$.u', '-'), unhex(value ->> '$.k', '-'), value ->> '$.y', value ->> '$.t',
         value ->> '$.w', unhex(value ->> '$.f'), unhex(value ->> '$.p'), value ->> '$.c', value ->> '$.x',
         value ->> '$.z'
     FROM json_each($1) WHERE TRUE
     ON CONFLICT (group_id, id) DO UPDATE SET tokens = excluded.tokens, state = excluded.state,
         settlement = excluded.settlement, expires_at = excluded.expires_at, ended_at = excluded.ended_at";

const ADD_NOTICES: &str = "INSERT INTO notices (id, group_id, topic, subject, data, created_at)
     SELECT unhex(value ->> '$.i', '-'), unhex(value ->> '$.g', '-'), value ->> '$.topic', value ->> '$.once',
         value -> '$.data', $2
     FROM json_each($1) WHERE TRUE
     ON CONFLICT (group_id, topic, subject) DO NOTHING";
const PUT_ACTIVITY: &str = "UPDATE groups SET last_event_at = w.a
     FROM (SELECT unhex(value ->> '$.g', '-') AS g, value ->> '$.a' AS a FROM json_each($1)) AS w
     WHERE groups.id = w.g";

impl EngineTx<Sqlite> {
    /// Begins, and finds what was recorded before, who exists, the holds that matter and the live allowances.
    pub(super) async fn begin_with(
        &mut self,
        durability: Durability,
        wanted: &Wanted<'_>,
        groups: &str,
        now: DateTime<Utc>,
    ) -> Result<Found> {
        let connection = self.connection()?;
        let mut found = Found::default();
        let mut script = Script::default();
        // Each says which it needs, since the connection keeps it.
        script.add(match durability {
            Durability::Disk => "PRAGMA synchronous = FULL",
            Durability::Process => "PRAGMA synchronous = NORMAL",
        });
        script.add("BEGIN IMMEDIATE");
        let mut parts: Vec<_> = wanted.events.chunks(MOST).collect();
        let last = parts.pop();
        if let Some(last) = last {
            look_for(&mut script, last)?;
        }
        if !wanted.users.is_empty() {
            script.add(MEMBERS).bind(json(&wanted.users)?)?;
        }
        if !wanted.holds.is_empty() {
            script.add(HOLDS).bind(json(&wanted.holds)?)?;
        }
        if wanted.due {
            script.add(DUE).bind(groups)?.bind(now)?.bind(latest_expiry(now))?;
        }
        script.add(LIVE).bind(groups)?.bind(now)?;
        script.add(LAST_EVENTS).bind(groups)?;
        let mut answers = script.run(connection).await?;
        answers.skip();
        answers.skip();
        if last.is_some() {
            found.know(answers.next()?);
        }
        if !wanted.users.is_empty() {
            found.members = answers.next::<(GroupId, UserId)>()?.into_iter().collect();
        }
        if !wanted.holds.is_empty() {
            found.hold(answers.next()?);
        }
        if wanted.due {
            found.due = answers.next()?;
        }
        found.live(answers.next()?);
        found.last_events = answers.next::<LastEvent>()?.into_iter().collect();
        for part in parts {
            let mut script = Script::default();
            look_for(&mut script, part)?;
            found.know(script.run(connection).await?.next::<KnownEvent>()?);
        }
        Ok(found)
    }

    /// Finds the live allowances again.
    pub(super) async fn look_up_live(
        &mut self,
        found: &mut Found,
        groups: &str,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let mut script = Script::default();
        script.add(LIVE).bind(groups)?.bind(now)?;
        found.live(script.run(self.connection()?).await?.next()?);
        Ok(())
    }

    /// Finds the groups' recent periods where they matter, and the parts that members and keys have in the running ones.
    pub(super) async fn look_up_shares(
        &mut self,
        found: &mut Found,
        wanted: &Wanted<'_>,
        groups: &str,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let connection = self.connection()?;
        if found.needs_recent(wanted) {
            let mut script = Script::default();
            script.add(RECENT).bind(groups)?.bind(now - MAX_AGE)?;
            found.recent = script.run(connection).await?.next()?;
        }
        let keys = wanted_shares(found, wanted);
        if !keys.is_empty() {
            let mut script = Script::default();
            script.add(SHARES).bind(json(&keys)?)?;
            found.share_out(script.run(connection).await?.next()?);
        }
        Ok(())
    }

    /// Writes the rows of a decision, and commits.
    pub(super) async fn commit_with(mut self, changes: &Changes<'_>, now: DateTime<Utc>) -> Result<()> {
        let connection = self.connection()?;
        let mut parts: Vec<_> = changes.events.chunks(MOST).collect();
        let last = parts.pop();
        for part in parts {
            let mut script = Script::default();
            add_events(&mut script, part, now)?;
            script.run(connection).await?;
        }
        let mut script = Script::default();
        if let Some(last) = last {
            add_events(&mut script, last, now)?;
        }
        if !changes.sums.is_empty() {
            script.add(ADD).bind(json(&changes.sums)?)?;
        }
        if !changes.shares.is_empty() {
            script.add(ADD_SHARES).bind(json(&changes.shares)?)?;
        }
        if !changes.quarters.is_empty() {
            script.add(ADD_QUARTERS).bind(json(&changes.quarters)?)?;
        }
        if !changes.holds.is_empty() {
            script.add(PUT_HOLDS).bind(json(&changes.holds)?)?;
        }
        if !changes.notices.is_empty() {
            script.add(ADD_NOTICES).bind(json(&changes.notices)?)?.bind(now)?;
        }
        if !changes.activity.is_empty() {
            script.add(PUT_ACTIVITY).bind(json(&changes.activity)?)?;
        }
        script.add("COMMIT");
        script.run(connection).await?;
        self.committed();
        Ok(())
    }
}

/// The most rows that a statement takes: their values are no more than it may have, 32,766.
const MOST: usize = 512;

/// For how many rows a statement is prepared that takes so many: spare ones stay empty, and few sizes are prepared.
fn prepared(rows: usize) -> usize {
    rows.next_power_of_two()
}

fn look_for(script: &mut Script, keys: &[EventKey<'_>]) -> Result<()> {
    let [before, after] = KNOWN;
    let rows = prepared(keys.len());
    script.add_rows(before, rows, 2, after);
    for key in keys {
        script.bind(key.group)?.bind(key.id)?;
    }
    for _ in keys.len()..rows {
        script.bind(None::<i64>)?.bind(None::<i64>)?;
    }
    Ok(())
}

fn add_events(script: &mut Script, events: &[EventRow<'_>], now: DateTime<Utc>) -> Result<()> {
    let [before, after] = ADD_EVENTS;
    let rows = prepared(events.len());
    script.add_rows(before, rows, EVENT_COLUMNS, after);
    for row in events {
        script
            .bind(row.key.group)?
            .bind(row.key.id)?
            .bind(row.summary_id)?
            .bind(row.user_id)?
            .bind(row.key_id)?
            .bind(row.usage_type.as_str())?
            .bind(row.tokens)?
            .bind(row.model)?
            .bind(row.details.map(Json))?
            .bind(row.estimated)?
            .bind(row.metadata.map(Json))?
            .bind(row.fingerprint)?
            .bind(row.occurred_at)?
            .bind(now)?;
    }
    for _ in 0..(rows - events.len()) * EVENT_COLUMNS {
        script.bind(None::<i64>)?;
    }
    Ok(())
}
