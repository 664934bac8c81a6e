//! Writing what was decided: one statement for each kind of row, whatever their number.

use chrono::{DateTime, Utc};

use super::super::dialect::DialectStatement;
use super::super::{ProcessId, Tx};
use super::{Changes, json};
use crate::error::Result;

/// Adds to the sums and, where other processes may listen, notifies them with the commit.
const ADD: DialectStatement = DialectStatement {
    sqlite: "UPDATE usage_summaries SET llm_used = llm_used + w.l, voice_used = voice_used + w.v,
                 llm_held = llm_held + w.lh, voice_held = voice_held + w.vh
             FROM (SELECT unhex(value ->> '$.g', '-') AS g, unhex(value ->> '$.s', '-') AS s,
                       value ->> '$.l' AS l, value ->> '$.v' AS v, value ->> '$.lh' AS lh, value ->> '$.vh' AS vh
                   FROM json_each($1)) AS w
             WHERE usage_summaries.group_id = w.g AND usage_summaries.id = w.s",
    postgres: "WITH added AS (
                   UPDATE usage_summaries u SET llm_used = u.llm_used + w.l, voice_used = u.voice_used + w.v,
                       llm_held = u.llm_held + w.lh, voice_held = u.voice_held + w.vh
                   FROM json_to_recordset($1::json) AS w (g uuid, s uuid, l bigint, v bigint, lh bigint, vh bigint)
                   WHERE u.group_id = w.g AND u.id = w.s
                   RETURNING u.group_id)
               SELECT pg_notify('tollgate_usage', group_id || ' ' || $2) FROM added",
};

// `WHERE TRUE` keeps SQLite from reading ON as a join's.
const ADD_SHARES: DialectStatement = DialectStatement {
    sqlite: "INSERT INTO usage_shares (group_id, summary_id, subject_id, llm_used, llm_held, voice_used, voice_held)
             SELECT unhex(value ->> '$.g', '-'), unhex(value ->> '$.s', '-'), unhex(value ->> '$.i', '-'),
                 value ->> '$.l', value ->> '$.lh', value ->> '$.v', value ->> '$.vh'
             FROM json_each($1) WHERE TRUE
             ON CONFLICT (group_id, summary_id, subject_id) DO UPDATE SET
                 llm_used = llm_used + excluded.llm_used, llm_held = llm_held + excluded.llm_held,
                 voice_used = voice_used + excluded.voice_used, voice_held = voice_held + excluded.voice_held",
    postgres: "INSERT INTO usage_shares AS u (group_id, summary_id, subject_id, llm_used, llm_held, voice_used,
                   voice_held)
               SELECT g, s, i, l, lh, v, vh
               FROM json_to_recordset($1::json) AS w (g uuid, s uuid, i uuid, l bigint, lh bigint, v bigint, vh bigint)
               ON CONFLICT (group_id, summary_id, subject_id) DO UPDATE SET
                   llm_used = u.llm_used + excluded.llm_used, llm_held = u.llm_held + excluded.llm_held,
                   voice_used = u.voice_used + excluded.voice_used, voice_held = u.voice_held + excluded.voice_held",
};

const ADD_QUARTERS: DialectStatement = DialectStatement {
    sqlite: "INSERT INTO usage_quarters (group_id, summary_id, quarter, user_id, model, key_id, llm, voice, llm_events,
                 voice_events)
             SELECT unhex(value ->> '$.g', '-'), unhex(value ->> '$.s', '-'), value ->> '$.q',
                 unhex(value ->> '$.u', '-'), value ->> '$.m', unhex(value ->> '$.k', '-'),
                 value ->> '$.l', value ->> '$.v', value ->> '$.ln', value ->> '$.vn'
             FROM json_each($1) WHERE TRUE
             ON CONFLICT (group_id, summary_id, quarter, user_id, model, key_id) DO UPDATE SET
                 llm = llm + excluded.llm, voice = voice + excluded.voice,
                 llm_events = llm_events + excluded.llm_events, voice_events = voice_events + excluded.voice_events",
    postgres: "INSERT INTO usage_quarters AS u (group_id, summary_id, quarter, user_id, model, key_id, llm, voice,
                   llm_events, voice_events)
               SELECT g, s, q, u, m, k, l, v, ln, vn
               FROM json_to_recordset($1::json) AS w (g uuid, s uuid, q bigint, u uuid, m text, k uuid, l bigint,
                   v bigint, ln bigint, vn bigint)
               ON CONFLICT (group_id, summary_id, quarter, user_id, model, key_id) DO UPDATE SET
                   llm = u.llm + excluded.llm, voice = u.voice + excluded.voice,
                   llm_events = u.llm_events + excluded.llm_events,
                   voice_events = u.voice_events + excluded.voice_events",
};

const PUT_HOLDS: DialectStatement = DialectStatement {
    sqlite: "INSERT INTO usage_holds (group_id, id, summary_id, user_id, key_id, usage_type, tokens, state, fingerprint,
                 settlement, created_at, expires_at, ended_at)
             SELECT unhex(value ->> '$.g', '-'), value ->> '$.i', unhex(value ->> '$.s', '-'),
                 unhex(value ->> '$.u', '-'), unhex(value ->> '$.k', '-'), value ->> '$.y', value ->> '$.t',
                 value ->> '$.w', unhex(value ->> '$.f'), unhex(value ->> '$.p'), value ->> '$.c', value ->> '$.x',
                 value ->> '$.z'
             FROM json_each($1) WHERE TRUE
             ON CONFLICT (group_id, id) DO UPDATE SET tokens = excluded.tokens, state = excluded.state,
                 settlement = excluded.settlement, expires_at = excluded.expires_at, ended_at = excluded.ended_at",
    postgres: "INSERT INTO usage_holds (group_id, id, summary_id, user_id, key_id, usage_type, tokens, state,
                   fingerprint, settlement, created_at, expires_at, ended_at)
               SELECT g, i, s, u, k, y, t, w, decode(f, 'hex'), decode(p, 'hex'), c, x, z
               FROM json_to_recordset($1::json) AS r (g uuid, i text, s uuid, u uuid, k uuid, y text, t bigint, w text,
                   f text, p text, c timestamptz, x timestamptz, z timestamptz)
               ON CONFLICT (group_id, id) DO UPDATE SET tokens = excluded.tokens, state = excluded.state,
                   settlement = excluded.settlement, expires_at = excluded.expires_at, ended_at = excluded.ended_at",
};

impl Tx {
    /// Writes the rows of a decision.
    pub(super) async fn write_changes(
        &mut self,
        changes: &Changes<'_>,
        now: DateTime<Utc>,
        origin: ProcessId,
    ) -> Result<()> {
        if !changes.events.is_empty() {
            self.insert_events(&changes.events, now).await?;
        }
        let (add, put_holds) = (ADD.of(self), PUT_HOLDS.of(self));
        let (add_shares, add_quarters) = (ADD_SHARES.of(self), ADD_QUARTERS.of(self));
        on_tx!(self, |connection| {
            if !changes.sums.is_empty() {
                let rows = json(&changes.sums)?;
                sqlx::query(add).bind(rows).bind(origin.to_string()).execute(&mut *connection).await?;
            }
            if !changes.shares.is_empty() {
                let rows = json(&changes.shares)?;
                sqlx::query(add_shares).bind(rows).execute(&mut *connection).await?;
            }
            if !changes.quarters.is_empty() {
                let rows = json(&changes.quarters)?;
                sqlx::query(add_quarters).bind(rows).execute(&mut *connection).await?;
            }
            if !changes.holds.is_empty() {
                sqlx::query(put_holds).bind(json(&changes.holds)?).execute(&mut *connection).await?;
            }
        });
        Ok(())
    }
}
