//! Recounting what is kept beside the ledger, from the ledger and the open holds: the periods' sums, the members' and
//! keys' shares of them, and the sums by quarter of an hour.

use chrono::{DateTime, Utc};
use sqlx::FromRow;

use super::dialect::DialectStatement;
use super::{Store, Tx};
use crate::domain::{GroupId, PerType, SummaryId};
use crate::error::Result;

/// What differed from the ledger in one group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recount {
    pub periods: Vec<PeriodDifference>,
    /// Members' and keys' parts of a period.
    pub shares: u64,
    /// Sums by quarter of an hour, member, model and key.
    pub quarters: u64,
}

impl Recount {
    pub fn is_right(&self) -> bool {
        *self == Self::default()
    }
}

/// A period whose sums aren't what the ledger and the open holds add up to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeriodDifference {
    pub period_start: DateTime<Utc>,
    pub kept: PeriodSums,
    pub counted: PeriodSums,
}

/// What a period has used and holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeriodSums {
    pub used: PerType<i64>,
    pub held: PerType<i64>,
}

#[derive(FromRow)]
struct PeriodRow {
    id: SummaryId,
    period_start: DateTime<Utc>,
    llm_used: i64,
    llm_held: i64,
    voice_used: i64,
    voice_held: i64,
    llm_used_counted: i64,
    llm_held_counted: i64,
    voice_used_counted: i64,
    voice_held_counted: i64,
}

impl PeriodRow {
    fn kept(&self) -> PeriodSums {
        PeriodSums {
            used: PerType { llm: self.llm_used, voice: self.voice_used },
            held: PerType { llm: self.llm_held, voice: self.voice_held },
        }
    }

    fn counted(&self) -> PeriodSums {
        PeriodSums {
            used: PerType { llm: self.llm_used_counted, voice: self.voice_used_counted },
            held: PerType { llm: self.llm_held_counted, voice: self.voice_held_counted },
        }
    }
}

/// The tokens of each kind, of rows that have a `usage_type`.
macro_rules! by_type {
    () => {
        "CAST(SUM(CASE WHEN usage_type = 'llm' THEN tokens ELSE 0 END) AS BIGINT) AS llm,
         CAST(SUM(CASE WHEN usage_type = 'voice' THEN tokens ELSE 0 END) AS BIGINT) AS voice"
    };
}

const PERIODS: &str = concat!(
    "WITH spent AS (SELECT summary_id, ",
    by_type!(),
    " FROM usage_events WHERE group_id = $1 GROUP BY summary_id),
     reserved AS (SELECT summary_id, ",
    by_type!(),
    " FROM usage_holds WHERE group_id = $1 AND state = 'open' GROUP BY summary_id)
     SELECT s.id, s.period_start, s.llm_used, s.llm_held, s.voice_used, s.voice_held,
         COALESCE(e.llm, 0) AS llm_used_counted, COALESCE(h.llm, 0) AS llm_held_counted,
         COALESCE(e.voice, 0) AS voice_used_counted, COALESCE(h.voice, 0) AS voice_held_counted
     FROM usage_summaries s LEFT JOIN spent e ON e.summary_id = s.id LEFT JOIN reserved h ON h.summary_id = s.id
     WHERE s.group_id = $1 ORDER BY s.period_start, s.id"
);

/// What each member and each key has used and holds in each of the group's periods, as `counted`.
macro_rules! counted_shares {
    () => {
        concat!(
            "WITH spent AS (
                 SELECT summary_id, user_id, key_id, ",
            by_type!(),
            " FROM usage_events WHERE group_id = $1 GROUP BY summary_id, user_id, key_id),
             reserved AS (
                 SELECT summary_id, user_id, key_id, ",
            by_type!(),
            " FROM usage_holds WHERE group_id = $1 AND state = 'open' GROUP BY summary_id, user_id, key_id),
             parts AS (
                 SELECT summary_id, user_id AS subject_id, llm AS lu, 0 AS lh, voice AS vu, 0 AS vh FROM spent
                 UNION ALL SELECT summary_id, key_id, llm, 0, voice, 0 FROM spent WHERE key_id IS NOT NULL
                 UNION ALL SELECT summary_id, user_id, 0, llm, 0, voice FROM reserved
                 UNION ALL SELECT summary_id, key_id, 0, llm, 0, voice FROM reserved WHERE key_id IS NOT NULL),
             counted AS (
                 SELECT summary_id, subject_id, CAST(SUM(lu) AS BIGINT) AS llm_used, CAST(SUM(lh) AS BIGINT) AS llm_held,
                     CAST(SUM(vu) AS BIGINT) AS voice_used, CAST(SUM(vh) AS BIGINT) AS voice_held
                 FROM parts GROUP BY summary_id, subject_id) "
        )
    };
}

/// Puts in what is missing, and right what differs.
const PUT_SHARES: &str = concat!(
    counted_shares!(),
    "INSERT INTO usage_shares (group_id, summary_id, subject_id, llm_used, llm_held, voice_used, voice_held)
     SELECT $1, c.summary_id, c.subject_id, c.llm_used, c.llm_held, c.voice_used, c.voice_held
     FROM counted c LEFT JOIN usage_shares s
         ON s.group_id = $1 AND s.summary_id = c.summary_id AND s.subject_id = c.subject_id
     WHERE s.subject_id IS NULL OR s.llm_used <> c.llm_used OR s.llm_held <> c.llm_held
        OR s.voice_used <> c.voice_used OR s.voice_held <> c.voice_held
     ON CONFLICT (group_id, summary_id, subject_id) DO UPDATE SET llm_used = excluded.llm_used,
         llm_held = excluded.llm_held, voice_used = excluded.voice_used, voice_held = excluded.voice_held"
);

/// Takes away those that nothing is behind. One of nothing but zeros is as good as none, and is left.
const DROP_SHARES: &str = concat!(
    counted_shares!(),
    "DELETE FROM usage_shares WHERE usage_shares.group_id = $1
         AND (llm_used <> 0 OR llm_held <> 0 OR voice_used <> 0 OR voice_held <> 0)
         AND NOT EXISTS (SELECT 1 FROM counted c
             WHERE c.summary_id = usage_shares.summary_id AND c.subject_id = usage_shares.subject_id)"
);

/// The sums by quarter of an hour, as `counted`. `$quarter` is that of an event's time, and `$none` the nil UUID.
macro_rules! counted_quarters {
    ($quarter:literal, $none:literal) => {
        concat!(
            "WITH rows_of_group AS (
                 SELECT summary_id, ",
            $quarter,
            " AS quarter, user_id, COALESCE(model, '') AS model, COALESCE(key_id, ",
            $none,
            ") AS key_id, usage_type, tokens
                 FROM usage_events WHERE group_id = $1),
             counted AS (
                 SELECT summary_id, quarter, user_id, model, key_id, ",
            by_type!(),
            ", COUNT(CASE WHEN usage_type = 'llm' THEN 1 END) AS llm_events,
                     COUNT(CASE WHEN usage_type = 'voice' THEN 1 END) AS voice_events
                 FROM rows_of_group GROUP BY summary_id, quarter, user_id, model, key_id) "
        )
    };
}

macro_rules! in_dialects {
    ($statement:literal) => {
        DialectStatement {
            // By the whole second: SQLite rounds what is finer, and with it the quarter.
            sqlite: concat!(
                counted_quarters!(
                    "unixepoch(substr(occurred_at, 1, 19)) / 900",
                    "X'00000000000000000000000000000000'"
                ),
                $statement
            ),
            postgres: concat!(
                counted_quarters!(
                    "CAST(FLOOR(EXTRACT(EPOCH FROM occurred_at) / 900) AS BIGINT)",
                    "CAST('00000000-0000-0000-0000-000000000000' AS UUID)"
                ),
                $statement
            ),
        }
    };
}

const PUT_QUARTERS: DialectStatement = in_dialects!(
    "INSERT INTO usage_quarters (group_id, summary_id, quarter, user_id, model, key_id, llm, voice, llm_events,
         voice_events)
     SELECT $1, c.summary_id, c.quarter, c.user_id, c.model, c.key_id, c.llm, c.voice, c.llm_events, c.voice_events
     FROM counted c LEFT JOIN usage_quarters q ON q.group_id = $1 AND q.summary_id = c.summary_id
         AND q.quarter = c.quarter AND q.user_id = c.user_id AND q.model = c.model AND q.key_id = c.key_id
     WHERE q.quarter IS NULL OR q.llm <> c.llm OR q.voice <> c.voice OR q.llm_events <> c.llm_events
        OR q.voice_events <> c.voice_events
     ON CONFLICT (group_id, summary_id, quarter, user_id, model, key_id) DO UPDATE SET llm = excluded.llm,
         voice = excluded.voice, llm_events = excluded.llm_events, voice_events = excluded.voice_events"
);

const DROP_QUARTERS: DialectStatement = in_dialects!(
    "DELETE FROM usage_quarters WHERE usage_quarters.group_id = $1 AND NOT EXISTS (SELECT 1 FROM counted c
         WHERE c.summary_id = usage_quarters.summary_id AND c.quarter = usage_quarters.quarter
           AND c.user_id = usage_quarters.user_id AND c.model = usage_quarters.model
           AND c.key_id = usage_quarters.key_id)"
);

impl Store {
    /// Recounts the group's sums, and puts right what differs from the ledger and the open holds. Nothing is recorded in
    /// the group meanwhile.
    ///
    /// # Errors
    /// The database's; nothing is changed then.
    pub async fn recount(&self, group: GroupId) -> Result<Recount> {
        let mut tx = self.begin().await?;
        let found = tx.recount(group).await?;
        if !found.is_right() {
            tx.commit().await?;
        }
        Ok(found)
    }

    /// Says what [`Store::recount`] would put right, and changes nothing.
    ///
    /// # Errors
    /// The database's.
    pub async fn check_sums(&self, group: GroupId) -> Result<Recount> {
        // Dropped, and so rolled back.
        self.begin().await?.recount(group).await
    }
}

impl Tx {
    async fn recount(&mut self, group: GroupId) -> Result<Recount> {
        self.lift_time_limits().await?;
        self.lock_group(group).await?;
        let (put_quarters, drop_quarters) = (PUT_QUARTERS.of(self), DROP_QUARTERS.of(self));
        let mut found = Recount::default();
        on_tx!(self, |connection| {
            let periods: Vec<PeriodRow> =
                sqlx::query_as(PERIODS).bind(group).fetch_all(&mut *connection).await?;
            for row in periods {
                let (kept, counted) = (row.kept(), row.counted());
                if kept == counted {
                    continue;
                }
                found.periods.push(PeriodDifference { period_start: row.period_start, kept, counted });
                sqlx::query(
                    "UPDATE usage_summaries SET llm_used = $3, llm_held = $4, voice_used = $5, voice_held = $6
                     WHERE group_id = $1 AND id = $2",
                )
                .bind(group)
                .bind(row.id)
                .bind(counted.used.llm)
                .bind(counted.held.llm)
                .bind(counted.used.voice)
                .bind(counted.held.voice)
                .execute(&mut *connection)
                .await?;
            }
            for statement in [PUT_SHARES, DROP_SHARES] {
                let done = sqlx::query(statement).bind(group).execute(&mut *connection).await?;
                found.shares += done.rows_affected();
            }
            for statement in [put_quarters, drop_quarters] {
                let done = sqlx::query(statement).bind(group).execute(&mut *connection).await?;
                found.quarters += done.rows_affected();
            }
        });
        Ok(found)
    }
}
