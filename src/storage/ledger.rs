//! The ledger's one transaction: queue for the groups, look up what the decision needs, write what it says.
//!
//! What counts where is not decided here: [`Store::write_ledger`] asks its caller, inside the transaction.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use sqlx::FromRow;

use super::dialect::{DialectStatement, is_worth_a_retry};
use super::summaries::{AllowanceRow, Counters, allowance_select, live_allowances};
use super::{ProcessId, Store, Tx};
use crate::domain::{GroupId, MAX_AGE, PerType, Period, SubscriptionId, SummaryId, UsageType, UserId};
use crate::error::{Error, Result};

/// What a batch has to know before it is decided.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    pub groups: Vec<GroupId>,
    /// The events' ids, to find those that were recorded before.
    pub events: Vec<EventKey<'a>>,
    /// Users that events name, to find whose group they are in.
    pub users: Vec<UserId>,
    /// Whether earlier periods matter too, for events that bring their own time.
    pub earlier: bool,
}

/// An event's name in its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct EventKey<'a> {
    #[serde(rename = "g")]
    pub group: GroupId,
    #[serde(rename = "i")]
    pub id: &'a str,
}

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
}

impl Found {
    /// The group's allowance: of its live subscription, or else of the one that ended last.
    pub fn allowance(&self, group: GroupId) -> Option<&AllowanceRow> {
        self.live.get(&group).or_else(|| self.recent.iter().find(|row| row.group_id == group))
    }

    fn take_counters(&mut self, fresh: &HashMap<SummaryId, Counters>) {
        for row in self.live.values_mut().chain(&mut self.recent) {
            if let Some(counters) = row.summary_id.and_then(|id| fresh.get(&id)) {
                row.counters = *counters;
            }
        }
    }
}

/// What to do, and what the caller keeps of how it was decided.
#[derive(Debug)]
pub enum Decision<'a, T> {
    /// These subscriptions' periods are needed first: open them and ask again.
    Open(Vec<MissingPeriod>),
    Write {
        events: Vec<EventRow<'a>>,
        sums: Vec<SumRow>,
        outcome: T,
    },
}

/// A period that something is to be recorded in, and that isn't open yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MissingPeriod {
    pub group: GroupId,
    pub subscription: SubscriptionId,
    pub period: Period,
}

/// A row of the ledger.
#[derive(Clone, Debug, Serialize)]
pub struct EventRow<'a> {
    #[serde(flatten)]
    pub key: EventKey<'a>,
    #[serde(rename = "s")]
    pub summary_id: SummaryId,
    #[serde(rename = "u")]
    pub user_id: UserId,
    #[serde(rename = "y")]
    pub usage_type: UsageType,
    #[serde(rename = "t")]
    pub tokens: i64,
    #[serde(rename = "m", skip_serializing_if = "Option::is_none")]
    pub model: Option<&'a str>,
    #[serde(rename = "d", skip_serializing_if = "Option::is_none")]
    pub metadata: Option<&'a Map<String, Value>>,
    #[serde(rename = "f", serialize_with = "as_hex")]
    pub fingerprint: &'a [u8],
    /// `None` for the time of recording.
    #[serde(rename = "o", skip_serializing_if = "Option::is_none", serialize_with = "as_stored")]
    pub occurred_at: Option<DateTime<Utc>>,
}

/// Tokens to add to a period's sums.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct SumRow {
    #[serde(rename = "g")]
    pub group_id: GroupId,
    #[serde(rename = "s")]
    pub summary_id: SummaryId,
    #[serde(flatten, with = "short_names")]
    pub tokens: PerType<i64>,
}

/// One letter for each kind of token, as the statements read them.
mod short_names {
    use serde::Serializer;
    use serde::ser::SerializeMap;

    use crate::domain::PerType;

    pub fn serialize<S: Serializer>(tokens: &PerType<i64>, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("l", &tokens.llm)?;
        map.serialize_entry("v", &tokens.voice)?;
        map.end()
    }
}

#[derive(FromRow)]
struct FreshCounters {
    id: SummaryId,
    #[sqlx(flatten)]
    counters: Counters,
}

fn as_hex<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&hex::encode(bytes))
}

/// The very text that sqlx writes for a time on SQLite, which compares times as texts.
fn as_stored<S: Serializer>(at: &Option<DateTime<Utc>>, serializer: S) -> Result<S::Ok, S::Error> {
    at.map(|at| at.to_rfc3339_opts(SecondsFormat::AutoSi, false)).serialize(serializer)
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

const KNOWN: DialectStatement = DialectStatement {
    // CROSS JOIN keeps SQLite from scanning the ledger for each of the few.
    sqlite: "SELECT e.group_id, e.external_id, e.fingerprint FROM json_each($1) w CROSS JOIN usage_events e
             ON e.group_id = unhex(w.value ->> '$.g', '-') AND e.external_id = w.value ->> '$.i'",
    postgres: "SELECT e.group_id, e.external_id, e.fingerprint
               FROM json_to_recordset($1::json) AS w (g uuid, i text)
               JOIN usage_events e ON e.group_id = w.g AND e.external_id = w.i",
};

const MEMBERS: DialectStatement = DialectStatement {
    sqlite: "SELECT group_id, id FROM users WHERE id IN (SELECT unhex(value, '-') FROM json_each($1))
             AND group_id IS NOT NULL AND removed_at IS NULL",
    postgres: "SELECT group_id, id FROM users
               WHERE id IN (SELECT value::uuid FROM json_array_elements_text($1::json))
               AND group_id IS NOT NULL AND removed_at IS NULL",
};

const INSERT: DialectStatement = DialectStatement {
    sqlite: "INSERT INTO usage_events (group_id, external_id, summary_id, user_id, usage_type, tokens, model,
                 metadata, fingerprint, occurred_at, recorded_at)
             SELECT unhex(value ->> '$.g', '-'), value ->> '$.i', unhex(value ->> '$.s', '-'),
                 unhex(value ->> '$.u', '-'), value ->> '$.y', value ->> '$.t', value ->> '$.m',
                 value -> '$.d', unhex(value ->> '$.f'), COALESCE(value ->> '$.o', $2), $2
             FROM json_each($1)",
    postgres: "INSERT INTO usage_events (group_id, external_id, summary_id, user_id, usage_type, tokens, model,
                   metadata, fingerprint, occurred_at, recorded_at)
               SELECT g, i, s, u, y, t, m, d, decode(f, 'hex'), COALESCE(o, $2), $2
               FROM json_to_recordset($1::json) AS w (g uuid, i text, s uuid, u uuid, y text, t bigint, m text,
                   d jsonb, f text, o timestamptz)",
};

/// Adds to the sums and, where other processes may listen, notifies them with the commit.
const ADD: DialectStatement = DialectStatement {
    sqlite: "UPDATE usage_summaries SET llm_used = llm_used + w.l, voice_used = voice_used + w.v
             FROM (SELECT unhex(value ->> '$.g', '-') AS g, unhex(value ->> '$.s', '-') AS s,
                       value ->> '$.l' AS l, value ->> '$.v' AS v
                   FROM json_each($1)) AS w
             WHERE usage_summaries.group_id = w.g AND usage_summaries.id = w.s
             RETURNING id, llm_used, llm_held, llm_limit, voice_used, voice_held, voice_limit",
    postgres: "WITH added AS (
                   UPDATE usage_summaries u SET llm_used = u.llm_used + w.l, voice_used = u.voice_used + w.v
                   FROM json_to_recordset($1::json) AS w (g uuid, s uuid, l bigint, v bigint)
                   WHERE u.group_id = w.g AND u.id = w.s
                   RETURNING u.id, u.group_id, u.llm_used, u.llm_held, u.llm_limit,
                       u.voice_used, u.voice_held, u.voice_limit)
               SELECT id, llm_used, llm_held, llm_limit, voice_used, voice_held, voice_limit,
                   pg_notify('tollgate_usage', group_id || ' ' || $2) FROM added",
};

/// How often a transaction is tried that the database gave up for another's sake.
const TRIES: u32 = 4;
const PAUSE: Duration = Duration::from_millis(10);

/// How often a decision may ask for periods to be opened. It knows all it needs after the first time.
const ROUNDS: usize = 3;

impl Store {
    /// Writes to the ledger what `decide` says of what it finds, all or nothing, and gives what was found,
    /// with the sums as of the commit, and what `decide` kept. Where the database gives the transaction up
    /// for another's sake, it is run again, and `decide` is asked again.
    ///
    /// `origin` is this process, as the notification of the others names it.
    ///
    /// # Errors
    /// What `decide` fails with; the database's.
    pub async fn write_ledger<'a, T: Send>(
        &self,
        wanted: &Wanted<'_>,
        now: DateTime<Utc>,
        origin: ProcessId,
        mut decide: impl FnMut(&Found) -> Result<Decision<'a, T>> + Send,
    ) -> Result<(Found, T)> {
        let mut tries = 1;
        loop {
            match self.try_write_ledger(wanted, now, origin, &mut decide).await {
                Err(Error::Database(error)) if is_worth_a_retry(&error) && tries < TRIES => {
                    tokio::time::sleep(PAUSE * tries).await;
                    tries += 1;
                }
                written => return written,
            }
        }
    }

    /// Whether a transaction failed for what was in it, so that a part of it alone may go through.
    pub fn blames_content(error: &Error) -> bool {
        match error {
            Error::Database(error) => error.as_database_error().is_some() && !is_worth_a_retry(error),
            Error::Internal(_) => true,
            _ => false,
        }
    }

    async fn try_write_ledger<'a, T: Send>(
        &self,
        wanted: &Wanted<'_>,
        now: DateTime<Utc>,
        origin: ProcessId,
        decide: &mut (impl FnMut(&Found) -> Result<Decision<'a, T>> + Send),
    ) -> Result<(Found, T)> {
        let groups = json(&wanted.groups)?;
        let mut tx = self.begin().await?;
        let mut found = tx.look_up(wanted, &groups).await?;
        let mut round = 0;
        let (events, sums, outcome) = loop {
            tx.look_up_allowances(&mut found, wanted, &groups, now).await?;
            match decide(&found)? {
                Decision::Write { events, sums, outcome } => break (events, sums, outcome),
                Decision::Open(_) if round == ROUNDS => {
                    return Err(Error::Internal("a period that was opened is not there".into()));
                }
                Decision::Open(missing) => {
                    round += 1;
                    for MissingPeriod { group, subscription, period } in missing {
                        tx.open_period(group, subscription, period, now).await?;
                    }
                }
            }
        };
        if !events.is_empty() {
            found.take_counters(&tx.insert_events(&events, &sums, now, origin).await?);
        }
        tx.commit().await?;
        Ok((found, outcome))
    }
}

impl Tx {
    /// Queues for the groups, and finds what was recorded before and who exists.
    async fn look_up(&mut self, wanted: &Wanted<'_>, groups: &str) -> Result<Found> {
        self.lock_groups(groups).await?;
        let (known, members) = (KNOWN.of(self), MEMBERS.of(self));
        let keys = json(&wanted.events)?;
        let users = if wanted.users.is_empty() { None } else { Some(json(&wanted.users)?) };
        let mut found = Found::default();
        on_tx!(self, |connection| {
            let known: Vec<(GroupId, String, Vec<u8>)> =
                sqlx::query_as(known).bind(&keys).fetch_all(&mut *connection).await?;
            found.known = known.into_iter().map(|(group, id, print)| ((group, id), print)).collect();
            if let Some(users) = &users {
                let members: Vec<(GroupId, UserId)> =
                    sqlx::query_as(members).bind(users).fetch_all(&mut *connection).await?;
                found.members = members.into_iter().collect();
            }
        });
        Ok(found)
    }

    /// Finds the groups' live subscriptions and, where they matter, their recent periods.
    async fn look_up_allowances(
        &mut self,
        found: &mut Found,
        wanted: &Wanted<'_>,
        groups: &str,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let (live, recent) = (LIVE.of(self), RECENT.of(self));
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
        });
        Ok(())
    }

    /// Adds rows to the ledger and their tokens to the sums; gives the sums as they are then.
    async fn insert_events(
        &mut self,
        events: &[EventRow<'_>],
        sums: &[SumRow],
        now: DateTime<Utc>,
        origin: ProcessId,
    ) -> Result<HashMap<SummaryId, Counters>> {
        let (insert, add) = (INSERT.of(self), ADD.of(self));
        let fresh: Vec<FreshCounters> = on_tx!(self, |connection| {
            sqlx::query(insert).bind(json(&events)?).bind(now).execute(&mut *connection).await?;
            sqlx::query_as(add)
                .bind(json(&sums)?)
                .bind(origin.to_string())
                .fetch_all(&mut *connection)
                .await?
        });
        Ok(fresh.into_iter().map(|row| (row.id, row.counters)).collect())
    }
}

fn json(rows: &impl Serialize) -> Result<String> {
    serde_json::to_string(rows).map_err(|error| Error::Internal(error.to_string()))
}
