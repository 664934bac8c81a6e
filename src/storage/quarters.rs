//! What the ledger adds up to, read from its sums by quarter of an hour, so that it costs the same however many events
//! there are.
//!
//! A window that doesn't begin and end with a quarter has its edges, each shorter than one, read from the ledger itself.
//! A quarter's row and its events are written in one transaction, so the two never disagree.

use chrono::{DateTime, Utc};
use sqlx::FromRow;

use super::{Store, Tx};
use crate::domain::{BreakdownBy, GroupId, KeyId, Period, SummaryId, Sums, UserId};
use crate::error::Result;

/// The seconds of a quarter of an hour: no time zone's offset is in anything finer.
const QUARTER: i64 = 15 * 60;

/// What sums of a window are grouped by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SumsBy {
    /// By quarter of an hour.
    Day,
    Member,
    Model,
    Key,
    Period,
}

impl From<BreakdownBy> for SumsBy {
    fn from(by: BreakdownBy) -> Self {
        match by {
            BreakdownBy::Day => Self::Day,
            BreakdownBy::Member => Self::Member,
            BreakdownBy::Model => Self::Model,
            BreakdownBy::Key => Self::Key,
        }
    }
}

/// Sums of a part of the ledger. Only the columns of the breakdown that was asked for are set.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct SumsRow {
    /// Quarters of an hour since 1970-01-01T00:00:00Z: the first of what the row is of. Of a breakdown by day.
    #[sqlx(default)]
    quarter: Option<i64>,
    /// Of a breakdown by member or by key.
    #[sqlx(default)]
    pub user_id: Option<UserId>,
    #[sqlx(default)]
    model: Option<String>,
    #[sqlx(default)]
    key_id: Option<KeyId>,
    /// Of a sum by period.
    #[sqlx(default)]
    pub summary_id: Option<SummaryId>,
    pub llm: i64,
    pub voice: i64,
    /// Events of LLM tokens.
    pub llm_events: i64,
    /// Events of voice tokens.
    pub voice_events: i64,
}

impl SumsRow {
    /// When the quarter of an hour began; of a breakdown by day.
    pub fn began_at(&self) -> DateTime<Utc> {
        DateTime::from_timestamp(self.quarter.unwrap_or_default() * QUARTER, 0).unwrap_or_default()
    }

    /// Of both kinds of tokens.
    pub fn sums(&self) -> Sums {
        Sums { llm: self.llm, voice: self.voice, events: self.llm_events + self.voice_events }
    }

    /// None for events without a model.
    pub fn model(&self) -> Option<&str> {
        self.model.as_deref().filter(|model| !model.is_empty())
    }

    /// None for events recorded by a session.
    pub fn key_id(&self) -> Option<KeyId> {
        self.key_id.filter(|key| !key.0.is_nil())
    }
}

/// A key as the ledger names it, revoked or not.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct KeyName {
    pub id: KeyId,
    pub name: String,
    /// Whose it is.
    pub user_id: UserId,
}

const MEMBER_NAMES: &str = "SELECT id, name FROM users WHERE group_id = $1 ORDER BY name, id";
const KEY_NAMES: &str = "SELECT k.id, k.name, k.user_id FROM users u JOIN api_keys k ON k.user_id = u.id
     WHERE u.group_id = $1 ORDER BY k.name, k.id";

/// Sums of quarters; `$columns` are those they are grouped by.
macro_rules! quarters {
    ($columns:literal, $from:literal) => {
        concat!(
            "SELECT ",
            $columns,
            ", CAST(SUM(q.llm) AS BIGINT) AS llm, CAST(SUM(q.voice) AS BIGINT) AS voice,
                 CAST(SUM(q.llm_events) AS BIGINT) AS llm_events,
                 CAST(SUM(q.voice_events) AS BIGINT) AS voice_events ",
            $from,
            " GROUP BY ",
            $columns
        )
    };
}

macro_rules! of_period {
    ($columns:literal) => {
        quarters!($columns, "FROM usage_quarters q WHERE q.group_id = $1 AND q.summary_id = $2")
    };
}

/// Day by day, which begins with every 96th quarter in UTC.
const DAYS: &str = "SELECT q.quarter / 96 * 96 AS quarter, CAST(SUM(q.llm) AS BIGINT) AS llm,
         CAST(SUM(q.voice) AS BIGINT) AS voice, CAST(SUM(q.llm_events) AS BIGINT) AS llm_events,
         CAST(SUM(q.voice_events) AS BIGINT) AS voice_events
     FROM usage_quarters q WHERE q.group_id = $1 AND q.summary_id = $2 GROUP BY q.quarter / 96";

/// Over all the group's periods: an event may lie outside of what its period is by now.
macro_rules! of_window {
    ($columns:literal) => {
        quarters!(
            $columns,
            "FROM usage_summaries s JOIN usage_quarters q ON q.group_id = s.group_id AND q.summary_id = s.id
                 AND q.quarter >= $2 AND q.quarter < $3
             WHERE s.group_id = $1"
        )
    };
}

/// The same from the ledger, for what is shorter than a quarter.
macro_rules! of_edge {
    ($columns:literal, $group_by:literal) => {
        concat!(
            "SELECT ",
            $columns,
            "CAST(COALESCE(SUM(CASE WHEN e.usage_type = 'llm' THEN e.tokens END), 0) AS BIGINT) AS llm,
             CAST(COALESCE(SUM(CASE WHEN e.usage_type = 'voice' THEN e.tokens END), 0) AS BIGINT) AS voice,
             COUNT(CASE WHEN e.usage_type = 'llm' THEN 1 END) AS llm_events,
             COUNT(CASE WHEN e.usage_type = 'voice' THEN 1 END) AS voice_events
             FROM usage_events e WHERE e.group_id = $1 AND e.occurred_at >= $2 AND e.occurred_at < $3",
            $group_by
        )
    };
}

fn of_period(by: BreakdownBy) -> &'static str {
    match by {
        BreakdownBy::Day => of_period!("q.quarter"),
        BreakdownBy::Member => of_period!("q.user_id"),
        BreakdownBy::Model => of_period!("q.model"),
        BreakdownBy::Key => of_period!("q.key_id, q.user_id"),
    }
}

fn of_window(by: SumsBy) -> &'static str {
    match by {
        SumsBy::Day => of_window!("q.quarter"),
        SumsBy::Member => of_window!("q.user_id"),
        SumsBy::Model => of_window!("q.model"),
        SumsBy::Key => of_window!("q.key_id, q.user_id"),
        SumsBy::Period => of_window!("q.summary_id"),
    }
}

fn of_edge(by: SumsBy) -> &'static str {
    match by {
        SumsBy::Day => of_edge!("", ""),
        SumsBy::Member => of_edge!("e.user_id, ", " GROUP BY e.user_id"),
        SumsBy::Model => of_edge!("e.model, ", " GROUP BY e.model"),
        SumsBy::Key => of_edge!("e.key_id, e.user_id, ", " GROUP BY e.key_id, e.user_id"),
        SumsBy::Period => of_edge!("e.summary_id, ", " GROUP BY e.summary_id"),
    }
}

/// Reads the sums of a window over a connection that `$with` lends as `$connection`.
macro_rules! read_window_sums {
    ($with:ident!($source:expr), $group:expr, $window:expr, $by:expr) => {{
        let Split { first, last, edges } = Split::of($window);
        let mut rows: Vec<SumsRow> = $with!($source, |connection| {
            sqlx::query_as(of_window($by)).bind($group).bind(first).bind(last).fetch_all(connection).await?
        });
        for edge in edges {
            let found: Vec<SumsRow> = $with!($source, |connection| {
                sqlx::query_as(of_edge($by))
                    .bind($group)
                    .bind(edge.start)
                    .bind(edge.end)
                    .fetch_all(connection)
                    .await?
            });
            let quarter = ($by == SumsBy::Day).then(|| quarter(edge.start));
            let any = found.into_iter().filter(|row| row.llm_events + row.voice_events > 0);
            rows.extend(any.map(|row| SumsRow { quarter, ..row }));
        }
        rows
    }};
}

/// A window as whole quarters, `first <= quarter < last`, and what is left of it at its ends.
#[derive(Debug, PartialEq, Eq)]
struct Split {
    first: i64,
    last: i64,
    edges: Vec<Period>,
}

impl Split {
    fn of(window: Period) -> Self {
        let start = |quarter: i64| DateTime::from_timestamp(quarter * QUARTER, 0).unwrap_or_default();
        let first = quarter(window.start) + i64::from(start(quarter(window.start)) < window.start);
        let last = quarter(window.end);
        if first > last {
            return Self { first, last: first, edges: vec![window] };
        }
        let edges = [Period { end: start(first), ..window }, Period { start: start(last), end: window.end }];
        Self { first, last, edges: edges.into_iter().filter(|edge| edge.start < edge.end).collect() }
    }
}

/// The quarter of an hour that contains `at`, counted from 1970-01-01T00:00:00Z.
pub fn quarter(at: DateTime<Utc>) -> i64 {
    at.timestamp().div_euclid(QUARTER)
}

impl Store {
    /// What one of the group's periods adds up to, whatever its events' times.
    ///
    /// # Errors
    /// The database's.
    pub async fn period_sums(
        &self,
        group: GroupId,
        summary: SummaryId,
        by: BreakdownBy,
    ) -> Result<Vec<SumsRow>> {
        Ok(on_db!(self, |pool| {
            sqlx::query_as(of_period(by)).bind(group).bind(summary).fetch_all(pool).await?
        }))
    }

    /// What one of the group's periods adds up to on each day in UTC, whatever its events' times.
    ///
    /// # Errors
    /// The database's.
    pub async fn period_days(&self, group: GroupId, summary: SummaryId) -> Result<Vec<SumsRow>> {
        Ok(on_db!(self, |pool| { sqlx::query_as(DAYS).bind(group).bind(summary).fetch_all(pool).await? }))
    }

    /// What the group's events of a window add up to, to the microsecond, in several rows for the same member, model or
    /// key where the window has edges.
    ///
    /// # Errors
    /// The database's.
    pub async fn window_sums(&self, group: GroupId, window: Period, by: BreakdownBy) -> Result<Vec<SumsRow>> {
        let by = SumsBy::from(by);
        Ok(read_window_sums!(on_db!(self), group, window, by))
    }

    /// The names of everyone who is or was in the group.
    ///
    /// # Errors
    /// The database's.
    pub async fn member_names(&self, group: GroupId) -> Result<Vec<(UserId, String)>> {
        Ok(on_db!(self, |pool| { sqlx::query_as(MEMBER_NAMES).bind(group).fetch_all(pool).await? }))
    }

    /// Every key that the group's users have or had.
    ///
    /// # Errors
    /// The database's.
    pub async fn key_names(&self, group: GroupId) -> Result<Vec<KeyName>> {
        Ok(on_db!(self, |pool| { sqlx::query_as(KEY_NAMES).bind(group).fetch_all(pool).await? }))
    }
}

impl Tx {
    /// As [`Store::window_sums`], as this transaction sees it, and by period too.
    ///
    /// # Errors
    /// The database's.
    pub(super) async fn window_sums(
        &mut self,
        group: GroupId,
        window: Period,
        by: SumsBy,
    ) -> Result<Vec<SumsRow>> {
        Ok(read_window_sums!(on_tx!(self), group, window, by))
    }

    /// As [`Store::member_names`], as this transaction sees it.
    ///
    /// # Errors
    /// The database's.
    pub(super) async fn member_names(&mut self, group: GroupId) -> Result<Vec<(UserId, String)>> {
        Ok(on_tx!(self, |connection| {
            sqlx::query_as(MEMBER_NAMES).bind(group).fetch_all(connection).await?
        }))
    }

    /// As [`Store::key_names`], as this transaction sees it.
    ///
    /// # Errors
    /// The database's.
    pub(super) async fn key_names(&mut self, group: GroupId) -> Result<Vec<KeyName>> {
        Ok(on_tx!(self, |connection| sqlx::query_as(KEY_NAMES).bind(group).fetch_all(connection).await?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        format!("2026-01-01T{text}Z").parse().unwrap()
    }

    fn window(from: &str, to: &str) -> Period {
        Period { start: at(from), end: at(to) }
    }

    /// How many whole quarters there are, and what is left.
    fn split(from: &str, to: &str) -> (i64, Vec<Period>) {
        let Split { first, last, edges } = Split::of(window(from, to));
        (last - first, edges)
    }

    #[test]
    fn a_window_is_whole_quarters_and_what_is_left_at_its_ends() {
        assert_eq!(split("00:15:00", "01:00:00"), (3, vec![]));
        assert_eq!(
            split("00:14:59.999999", "01:00:00.000001"),
            (3, vec![window("00:14:59.999999", "00:15:00"), window("01:00:00", "01:00:00.000001")])
        );
        assert_eq!(split("00:01:00", "00:15:00"), (0, vec![window("00:01:00", "00:15:00")]));
        assert_eq!(split("00:01:00", "00:14:00"), (0, vec![window("00:01:00", "00:14:00")]));
        let over_a_quarter_s_end = vec![window("00:01:00", "00:15:00"), window("00:15:00", "00:16:00")];
        assert_eq!(split("00:01:00", "00:16:00"), (0, over_a_quarter_s_end));
    }
}
