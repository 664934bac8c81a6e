//! The ledger's transaction on PostgreSQL. Rows of which there are many go in as one array for each column, others as one
//! JSON parameter for each kind, so that a statement is prepared once whatever the number of rows.

use chrono::{DateTime, Utc};
use sqlx::types::Json;
use sqlx::{Executor, PgConnection, Postgres};
use uuid::Uuid;

use super::super::ProcessId;
use super::super::summaries::live_allowances;
use super::super::tx::EngineTx;
use super::found::{
    Found, FoundHold, FoundShare, KnownEvent, LastEvent, Wanted, hold_select, latest_expiry,
    recent_allowances, shares_of, wanted_shares,
};
use super::{Changes, Durability, EventKey, EventRow, json};
use crate::domain::{GroupId, MAX_AGE, UserId};
use crate::error::Result;

const LIVE: &str = live_allowances!("IN (SELECT value::uuid FROM json_array_elements_text($1::json))");
const RECENT: &str = recent_allowances!("IN (SELECT value::uuid FROM json_array_elements_text($1::json))");

/// Locks the groups in the order that every transaction keeps, and finds when their latest events occurred.
const LOCK: &str =
    "SELECT id, last_event_at FROM groups WHERE id IN (SELECT value::uuid FROM json_array_elements_text($1::json))
     ORDER BY id FOR NO KEY UPDATE";

const MEMBERS: &str = "SELECT group_id, id FROM users
     WHERE id IN (SELECT value::uuid FROM json_array_elements_text($1::json))
     AND group_id IS NOT NULL AND removed_at IS NULL";

const KNOWN: &str =
    "SELECT e.group_id, e.external_id, e.fingerprint FROM UNNEST($1::uuid[], $2::text[]) AS w (g, i)
     JOIN usage_events e ON e.group_id = w.g AND e.external_id = w.i";

const HOLDS: &str = hold_select!(
    "FROM json_to_recordset($1::json) AS w (g uuid, i text)
     JOIN usage_holds h ON h.group_id = w.g AND h.id = w.i
     JOIN usage_summaries u ON u.group_id = h.group_id AND u.id = h.summary_id"
);

const DUE: &str = hold_select!(
    "FROM usage_holds h JOIN usage_summaries u ON u.group_id = h.group_id AND u.id = h.summary_id
     WHERE h.group_id IN (SELECT value::uuid FROM json_array_elements_text($1::json))
         AND h.state = 'open' AND (h.expires_at <= $2 OR h.expires_at > $3)"
);

const SHARES: &str = shares_of!("json_to_recordset($1::json) AS w (g uuid, s uuid, i uuid)");

/// Adds to the sums, and notifies other processes with the commit.
const ADD: &str = "WITH added AS (
        UPDATE usage_summaries u SET llm_used = u.llm_used + w.l, voice_used = u.voice_used + w.v,
            llm_held = u.llm_held + w.lh, voice_held = u.voice_held + w.vh,
            llm_overage = u.llm_overage + w.lo, voice_overage = u.voice_overage + w.vo,
            llm_notified = GREATEST(u.llm_notified, w.ln), voice_notified = GREATEST(u.voice_notified, w.vn)
        FROM json_to_recordset($1::json) AS w (g uuid, s uuid, l bigint, v bigint, lh bigint, vh bigint,
            lo bigint, vo bigint, ln bigint, vn bigint)
        WHERE u.group_id = w.g AND u.id = w.s
        RETURNING u.group_id)
    SELECT pg_notify('tollgate_usage', group_id || ' ' || $2) FROM added";

const ADD_SHARES: &str =
    "INSERT INTO usage_shares AS u (group_id, summary_id, subject_id, llm_used, llm_held, voice_used,
        voice_held)
    SELECT g, s, i, l, lh, v, vh
    FROM json_to_recordset($1::json) AS w (g uuid, s uuid, i uuid, l bigint, lh bigint, v bigint, vh bigint)
    ON CONFLICT (group_id, summary_id, subject_id) DO UPDATE SET
        llm_used = u.llm_used + excluded.llm_used, llm_held = u.llm_held + excluded.llm_held,
        voice_used = u.voice_used + excluded.voice_used, voice_held = u.voice_held + excluded.voice_held";

const ADD_QUARTERS: &str =
    "INSERT INTO usage_quarters AS u (group_id, summary_id, quarter, user_id, model, key_id, llm, voice,
        llm_events, voice_events)
    SELECT g, s, q, u, m, k, l, v, ln, vn
    FROM json_to_recordset($1::json) AS w (g uuid, s uuid, q bigint, u uuid, m text, k uuid, l bigint,
        v bigint, ln bigint, vn bigint)
    ON CONFLICT (group_id, summary_id, quarter, user_id, model, key_id) DO UPDATE SET
        llm = u.llm + excluded.llm, voice = u.voice + excluded.voice,
        llm_events = u.llm_events + excluded.llm_events,
        voice_events = u.voice_events + excluded.voice_events";

const PUT_HOLDS: &str =
    "INSERT INTO usage_holds (group_id, id, summary_id, user_id, key_id, usage_type, tokens, state,
        fingerprint, settlement, created_at, expires_at, ended_at)
    SELECT g, i, s, u, k, y, t, w, decode(f, 'hex'), decode(p, 'hex'), c, x, z
    FROM json_to_recordset($1::json) AS r (g uuid, i text, s uuid, u uuid, k uuid, y text, t bigint, w text,
        f text, p text, c timestamptz, x timestamptz, z timestamptz)
    ON CONFLICT (group_id, id) DO UPDATE SET tokens = excluded.tokens, state = excluded.state,
        settlement = excluded.settlement, expires_at = excluded.expires_at, ended_at = excluded.ended_at";

const ADD_NOTICES: &str = "INSERT INTO notices (id, group_id, topic, subject, data, created_at)
    SELECT i, g, topic, once, data, $2
    FROM json_to_recordset($1::json) AS w (i uuid, g uuid, topic text, once text, data jsonb)
    ON CONFLICT (group_id, topic, subject) DO NOTHING";
const PUT_ACTIVITY: &str = "UPDATE groups SET last_event_at = w.a
     FROM json_to_recordset($1::json) AS w (g uuid, a timestamptz) WHERE groups.id = w.g";

impl EngineTx<Postgres> {
    /// Queues for the groups, and finds what was recorded before, who exists, the holds that matter and the live allowances.
    pub(super) async fn look_up(
        &mut self,
        durability: Durability,
        wanted: &Wanted<'_>,
        groups: &str,
        now: DateTime<Utc>,
    ) -> Result<Found> {
        let connection = self.connection()?;
        if durability == Durability::Process {
            connection.execute("SET LOCAL synchronous_commit = off").await?;
        }
        let locked: Vec<LastEvent> = sqlx::query_as(LOCK).bind(groups).fetch_all(&mut *connection).await?;
        let mut found = Found { last_events: locked.into_iter().collect(), ..Found::default() };
        if !wanted.events.is_empty() {
            found.know(known_events(connection, &wanted.events).await?);
        }
        if !wanted.users.is_empty() {
            let users = json(&wanted.users)?;
            let members: Vec<(GroupId, UserId)> =
                sqlx::query_as(MEMBERS).bind(users).fetch_all(&mut *connection).await?;
            found.members = members.into_iter().collect();
        }
        if !wanted.holds.is_empty() {
            let holds: Vec<FoundHold> =
                sqlx::query_as(HOLDS).bind(json(&wanted.holds)?).fetch_all(&mut *connection).await?;
            found.hold(holds);
        }
        if wanted.due {
            found.due = sqlx::query_as(DUE)
                .bind(groups)
                .bind(now)
                .bind(latest_expiry(now))
                .fetch_all(&mut *connection)
                .await?;
        }
        self.look_up_live(&mut found, groups, now).await?;
        Ok(found)
    }

    /// Finds the live allowances again.
    pub(super) async fn look_up_live(
        &mut self,
        found: &mut Found,
        groups: &str,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let connection = self.connection()?;
        found.live(sqlx::query_as(LIVE).bind(groups).bind(now).fetch_all(connection).await?);
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
            found.recent =
                sqlx::query_as(RECENT).bind(groups).bind(now - MAX_AGE).fetch_all(&mut *connection).await?;
        }
        let keys = wanted_shares(found, wanted);
        if !keys.is_empty() {
            let shares: Vec<FoundShare> =
                sqlx::query_as(SHARES).bind(json(&keys)?).fetch_all(connection).await?;
            found.share_out(shares);
        }
        Ok(())
    }

    /// Writes the rows of a decision, and commits. `origin` is this process, as the notification of the others names it.
    pub(super) async fn commit_with(
        mut self,
        changes: &Changes<'_>,
        now: DateTime<Utc>,
        origin: ProcessId,
    ) -> Result<()> {
        let connection = self.connection()?;
        if !changes.events.is_empty() {
            add_events(connection, &changes.events, now).await?;
        }
        if !changes.sums.is_empty() {
            let rows = json(&changes.sums)?;
            sqlx::query(ADD).bind(rows).bind(origin.to_string()).execute(&mut *connection).await?;
        }
        if !changes.shares.is_empty() {
            sqlx::query(ADD_SHARES).bind(json(&changes.shares)?).execute(&mut *connection).await?;
        }
        if !changes.quarters.is_empty() {
            sqlx::query(ADD_QUARTERS).bind(json(&changes.quarters)?).execute(&mut *connection).await?;
        }
        if !changes.holds.is_empty() {
            sqlx::query(PUT_HOLDS).bind(json(&changes.holds)?).execute(&mut *connection).await?;
        }
        if !changes.notices.is_empty() {
            sqlx::query(ADD_NOTICES)
                .bind(json(&changes.notices)?)
                .bind(now)
                .execute(&mut *connection)
                .await?;
        }
        if !changes.activity.is_empty() {
            sqlx::query(PUT_ACTIVITY).bind(json(&changes.activity)?).execute(connection).await?;
        }
        self.commit().await
    }
}

async fn known_events(connection: &mut PgConnection, keys: &[EventKey<'_>]) -> Result<Vec<KnownEvent>> {
    let groups: Vec<Uuid> = keys.iter().map(|key| key.group.into()).collect();
    let ids: Vec<&str> = keys.iter().map(|key| key.id).collect();
    Ok(sqlx::query_as(KNOWN).bind(groups).bind(ids).fetch_all(connection).await?)
}

async fn add_events(connection: &mut PgConnection, rows: &[EventRow<'_>], now: DateTime<Utc>) -> Result<()> {
    macro_rules! column {
        (|$row:ident| $value:expr) => {
            rows.iter().map(|$row| $value).collect::<Vec<_>>()
        };
    }
    sqlx::query(
        "INSERT INTO usage_events (group_id, external_id, summary_id, user_id, key_id, usage_type, tokens, model,
             details, estimated, metadata, fingerprint, occurred_at, recorded_at)
         SELECT w.*, $14 FROM UNNEST($1::uuid[], $2::text[], $3::uuid[], $4::uuid[], $5::uuid[], $6::text[],
             $7::bigint[], $8::text[], $9::jsonb[], $10::boolean[], $11::jsonb[], $12::bytea[], $13::timestamptz[]) AS w",
    )
    .bind(column!(|row| Uuid::from(row.key.group)))
    .bind(column!(|row| row.key.id))
    .bind(column!(|row| Uuid::from(row.summary_id)))
    .bind(column!(|row| Uuid::from(row.user_id)))
    .bind(column!(|row| row.key_id.map(Uuid::from)))
    .bind(column!(|row| row.usage_type.as_str()))
    .bind(column!(|row| row.tokens))
    .bind(column!(|row| row.model))
    .bind(column!(|row| row.details.map(Json)))
    .bind(column!(|row| row.estimated))
    .bind(column!(|row| row.metadata.map(Json)))
    .bind(column!(|row| row.fingerprint))
    .bind(column!(|row| row.occurred_at))
    .bind(now)
    .execute(connection)
    .await?;
    Ok(())
}
