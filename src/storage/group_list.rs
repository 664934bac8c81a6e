//! All groups, a page at a time, in one statement.
//!
//! A page is found by the key that the order goes by, so that each page costs the same. No figure is read from the ledger:
//! usage is the running period's sums, and the last activity is kept with the group.

use chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, FromRow};

use super::{Db, PageRequest, PageRows, Store};
use crate::domain::{
    Currency, Cycle, GroupId, GroupSort, GroupSortKey, GroupStatus, GroupSummary, GroupUsage, Interval,
    Level, Money, PerType, Period, PlanId, PlanRef, Resource, RunOut, Seats, Status, SummaryId, UsageType,
    forecast_begins_before,
};
use crate::error::Result;

/// Which groups to list; all where nothing is set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupFilter {
    /// A part of the group's name or of a member's address, in any case.
    pub search: Option<String>,
    pub plan: Option<PlanId>,
    pub status: Option<GroupStatus>,
    pub level: Option<Level>,
    pub group: Option<GroupId>,
}

/// Where a group stands in a list.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupPosition {
    /// Whether it has no such figure as the list is sorted by: it then stands behind those that have.
    pub missing: bool,
    /// What it is sorted by: first the word, then the number.
    pub word: String,
    pub number: f64,
    pub id: GroupId,
}

/// A list of groups: in which order, and as of when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupList {
    pub sort: GroupSort,
    /// In whole seconds. Each page of a list is as of the same time: what runs out when depends on it.
    pub as_of: DateTime<Utc>,
    /// From the last to the first, for the page before.
    pub backwards: bool,
}

/// A group with its place in the list.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupRow {
    pub summary: GroupSummary,
    pub position: GroupPosition,
}

#[derive(FromRow)]
struct Row {
    id: GroupId,
    name: String,
    created_at: DateTime<Utc>,
    last_event_at: Option<DateTime<Utc>>,
    status: Option<String>,
    currency: Option<String>,
    mrr: Option<i64>,
    billing_interval: Option<String>,
    billing_anchor: Option<DateTime<Utc>>,
    synced_start: Option<DateTime<Utc>>,
    synced_end: Option<DateTime<Utc>>,
    plan_id: Option<PlanId>,
    plan_name: Option<String>,
    max_users: Option<i64>,
    is_live: bool,
    has_allowance: bool,
    summary_id: Option<SummaryId>,
    period_start: Option<DateTime<Utc>>,
    period_end: Option<DateTime<Utc>>,
    llm_used: i64,
    llm_held: i64,
    llm_limit: Option<i64>,
    voice_used: i64,
    voice_held: i64,
    voice_limit: Option<i64>,
    /// Seconds until it runs out.
    llm_runs_out: Option<f64>,
    voice_runs_out: Option<f64>,
    seats_used: i64,
    missing: i64,
    word: String,
    number: f64,
}

/// The latest subscription of a group, the live one before any other.
const LATEST: &str = concat!(
    "(SELECT l.id FROM subscriptions l WHERE l.group_id = g.id ORDER BY CASE WHEN ",
    is_live!("l"),
    " THEN 0 ELSE 1 END, l.created_at DESC, l.id DESC LIMIT 1)"
);

/// The running period is chosen as `live_allowances!` does. A purchase that isn't paid has no allowance.
const RUNNING: &str = "LEFT JOIN usage_summaries u ON u.group_id = s.group_id AND u.subscription_id = s.id
         AND s.status NOT IN ('canceled', 'incomplete_expired', 'incomplete')
         AND u.period_start = (
             SELECT MAX(c.period_start) FROM usage_summaries c
             WHERE c.group_id = s.group_id AND c.subscription_id = s.id
               AND c.period_start <= CASE WHEN s.current_period_start > $1 THEN s.current_period_start ELSE $1 END
               AND c.period_end > CASE WHEN s.current_period_start > $1 THEN s.current_period_start ELSE $1 END)";

/// What is said of each group is worked out once, in `f`, however often the order and the filters name it. As of the time
/// `$1`, which is so many seconds, `$2`, since 1970; periods that began before `$3` may be forecast.
/// `$4` to `$8` filter, `$9` to `$12` are the position that the page begins behind.
fn select(db: &Db, list: GroupList) -> String {
    let seconds = |time: &str| match db {
        Db::Sqlite(_) => format!("unixepoch({time}, 'subsec')"),
        Db::Postgres(_) => format!("CAST(EXTRACT(EPOCH FROM {time}) AS DOUBLE PRECISION)"),
    };
    let (missing, word, number) = order_key(list.sort.key, &seconds);
    // Those without the figure come last either way.
    let (missing_order, beyond) = if list.backwards { ("DESC", "<") } else { ("ASC", ">") };
    let (order, behind) = if list.sort.descending == list.backwards { ("ASC", ">") } else { ("DESC", "<") };
    let [llm, voice] = UsageType::ALL.map(UsageType::as_str);
    let (llm_runs_out, voice_runs_out) = (runs_out(llm), runs_out(voice));
    let level = larger(&level(llm), &level(voice));
    let order = format!("missing {missing_order}, word {order}, number {order}, id {order}");
    format!(
        "WITH f AS MATERIALIZED (
             SELECT r.*, {llm_runs_out} AS llm_runs_out, {voice_runs_out} AS voice_runs_out,
                 CASE WHEN r.has_allowance THEN {level} END AS level
             FROM (
                 SELECT g.id, g.name, g.created_at, g.last_event_at, s.status, s.currency, s.mrr,
                     s.billing_interval, s.billing_anchor, s.current_period_start AS synced_start,
                     s.current_period_end AS synced_end, p.id AS plan_id, p.name AS plan_name, p.max_users,
                     COALESCE(s.status NOT IN ('canceled', 'incomplete_expired'), FALSE) AS is_live,
                     COALESCE(s.status NOT IN ('canceled', 'incomplete_expired', 'incomplete'), FALSE)
                         AS has_allowance,
                     u.id AS summary_id, u.period_start, u.period_end, {began} AS began, {ends} AS ends,
                     COALESCE(u.llm_used, 0) AS llm_used, COALESCE(u.llm_held, 0) AS llm_held,
                     CASE WHEN u.id IS NULL THEN p.llm_tokens_limit ELSE u.llm_limit END AS llm_limit,
                     COALESCE(u.voice_used, 0) AS voice_used, COALESCE(u.voice_held, 0) AS voice_held,
                     CASE WHEN u.id IS NULL THEN p.voice_tokens_limit ELSE u.voice_limit END AS voice_limit
                 FROM groups g LEFT JOIN subscriptions s ON s.group_id = g.id AND s.id = {LATEST}
                 LEFT JOIN plans p ON p.id = s.plan_id
                 {RUNNING}
                 WHERE ($4 IS NULL OR LOWER(g.name) LIKE LOWER($4) ESCAPE '!' OR g.id IN (
                         SELECT m.group_id FROM users m
                         WHERE m.removed_at IS NULL AND LOWER(m.email) LIKE LOWER($4) ESCAPE '!'))
                   AND ($5 IS NULL OR s.plan_id = $5)
                   AND ($6 IS NULL OR COALESCE(s.status, 'none') = $6)
                   AND ($8 IS NULL OR g.id = $8)
             ) r)
         SELECT k.*,
             (SELECT COUNT(*) FROM users m WHERE m.group_id = k.id AND m.removed_at IS NULL)
             + (SELECT COUNT(*) FROM invitations i WHERE i.group_id = k.id AND i.expires_at > $1) AS seats_used
         FROM (
             SELECT f.*, CAST({missing} AS BIGINT) AS missing, COALESCE({word}, '') AS word,
                 CAST(COALESCE({number}, 0) AS DOUBLE PRECISION) AS number
             FROM f WHERE ($7 IS NULL OR f.level = $7)
         ) k
         WHERE k.missing {beyond} $9 OR (k.missing = $9 AND (k.word, k.number, k.id) {behind} ($10, $11, $12))
         ORDER BY {order} LIMIT $13",
        began = seconds("u.period_start"),
        ends = seconds("u.period_end"),
    )
}

/// What is said of a group for an order: whether it has no such figure, and the word and the number that it has.
fn order_key(key: GroupSortKey, seconds: &impl Fn(&str) -> String) -> (String, String, String) {
    let text = |missing: &str, word: &str| (missing.to_owned(), word.to_owned(), "0".to_owned());
    let number = |number: String| (is_missing(&number), "''".to_owned(), number);
    match key {
        GroupSortKey::Name => text("0", "LOWER(f.name)"),
        GroupSortKey::Plan => text(&is_missing("f.plan_id"), "LOWER(f.plan_name)"),
        GroupSortKey::Status => text(&is_missing("f.status"), "f.status"),
        GroupSortKey::Mrr => {
            let live = |value: &str| format!("CASE WHEN f.is_live THEN {value} END");
            (is_missing(&live("f.mrr")), live("f.currency"), live("f.mrr"))
        }
        GroupSortKey::Usage => number(larger(&share("llm"), &share("voice"))),
        GroupSortKey::RunOut => number(smaller("f.llm_runs_out", "f.voice_runs_out")),
        GroupSortKey::LastActivity => number(seconds("f.last_event_at")),
        GroupSortKey::CreatedAt => number(seconds("f.created_at")),
    }
}

fn is_missing(value: &str) -> String {
    format!("CASE WHEN {value} IS NULL THEN 1 ELSE 0 END")
}

/// The seconds until a resource runs out: what [`Forecast::of`](crate::domain::Forecast::of) says, step by step, so that
/// the two agree to the last bit. A test holds them against each other.
fn runs_out(kind: &str) -> String {
    let remaining = format!("CAST(r.{kind}_limit - r.{kind}_used AS DOUBLE PRECISION)");
    let more = format!("CAST(r.{kind}_used AS DOUBLE PRECISION) / ($2 - r.began) * (r.ends - $2)");
    // CASE, since AND needn't be evaluated from the left: nothing is divided by 0.
    format!(
        "CASE WHEN r.period_start < $3 AND r.ends > $2 AND r.{kind}_used > 0 AND r.{kind}_limit > r.{kind}_used
             THEN CASE WHEN {more} >= {remaining} THEN (r.ends - $2) * {remaining} / ({more}) END END"
    )
}

/// [`Level::of`], as a number.
fn level(kind: &str) -> String {
    format!(
        "CASE WHEN r.{kind}_limit > 0 AND r.{kind}_used >= r.{kind}_limit THEN 2
             WHEN r.{kind}_limit > 0 AND r.{kind}_used * 100 >= r.{kind}_limit * 80 THEN 1 ELSE 0 END"
    )
}

/// The share of its limit that a resource has reached; null where there is no limit or no allowance.
fn share(kind: &str) -> String {
    format!(
        "CASE WHEN f.has_allowance AND f.{kind}_limit > 0
             THEN CAST(f.{kind}_used AS DOUBLE PRECISION) / f.{kind}_limit END"
    )
}

/// The larger of two, or the one that there is.
fn larger(one: &str, other: &str) -> String {
    format!("CASE WHEN ({one}) >= ({other}) OR ({other}) IS NULL THEN ({one}) ELSE ({other}) END")
}

/// The smaller of two, or the one that there is.
fn smaller(one: &str, other: &str) -> String {
    format!("CASE WHEN ({one}) <= ({other}) OR ({other}) IS NULL THEN ({one}) ELSE ({other}) END")
}

/// A pattern for LIKE that finds the text anywhere, with `!` before what would stand for any other.
fn pattern(search: &str) -> String {
    let mut pattern = String::from("%");
    for c in search.chars() {
        if matches!(c, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

fn level_number(level: Level) -> i64 {
    match level {
        Level::Ok => 0,
        Level::Warning => 1,
        Level::Limit => 2,
    }
}

impl Store {
    /// One page of the groups that pass the filter.
    ///
    /// # Errors
    /// The database's.
    pub async fn groups_page(
        &self,
        list: GroupList,
        filter: &GroupFilter,
        page: &PageRequest<GroupPosition>,
    ) -> Result<PageRows<GroupRow>> {
        let sql = select(&self.db, list);
        let as_of = list.as_of;
        // Before the first and after the last there is none.
        let before_all = if list.backwards { 2 } else { -1 };
        let after = page.after.as_ref();
        let rows: Vec<Row> = on_db!(self, |pool| {
            sqlx::query_as(AssertSqlSafe(sql))
                .bind(as_of)
                .bind(as_of.timestamp() as f64)
                .bind(forecast_begins_before(as_of))
                .bind(filter.search.as_deref().map(pattern))
                .bind(filter.plan)
                .bind(filter.status.map(GroupStatus::as_str))
                .bind(filter.level.map(level_number))
                .bind(filter.group)
                .bind(after.map_or(before_all, |after| i64::from(after.missing)))
                .bind(after.map(|after| after.word.as_str()).unwrap_or_default())
                .bind(after.map(|after| after.number).unwrap_or_default())
                .bind(after.map_or(GroupId(uuid::Uuid::nil()), |after| after.id))
                .bind(page.rows())
                .fetch_all(pool)
                .await?
        });
        let mut page = page.page(rows);
        if list.backwards {
            page.rows.reverse();
        }
        let rows = page.rows.into_iter().map(|row| row.group(as_of)).collect::<Result<_>>()?;
        Ok(PageRows { rows, more: page.more })
    }
}

impl Row {
    fn group(self, as_of: DateTime<Utc>) -> Result<GroupRow> {
        let status: Option<Status> = parse(self.status.as_deref())?;
        let currency: Option<Currency> = parse(self.currency.as_deref())?;
        let usage = self.usage(as_of)?;
        let levels = usage.as_ref().map(|usage| usage.resources.map(|resource| resource.level));
        let mrr = currency.zip(self.mrr).filter(|_| self.is_live);
        let run_out = self.run_out(as_of);
        let summary = GroupSummary {
            id: self.id,
            name: self.name,
            created_at: self.created_at,
            plan: self.plan_id.zip(self.plan_name).map(|(id, name)| PlanRef { id, name }),
            status,
            usage,
            level: levels.map(|levels| levels.llm.max(levels.voice)),
            seats: Seats { used: self.seats_used, limit: self.max_users.filter(|_| self.is_live) },
            mrr: mrr.map(|(currency, minor)| Money::new(minor, currency).decimal()),
            currency: mrr.map(|(currency, _)| currency),
            last_activity: self.last_event_at,
            run_out,
        };
        let position =
            GroupPosition { missing: self.missing != 0, word: self.word, number: self.number, id: self.id };
        Ok(GroupRow { summary, position })
    }

    fn usage(&self, as_of: DateTime<Utc>) -> Result<Option<GroupUsage>> {
        if !self.has_allowance {
            return Ok(None);
        }
        let open = self.period_start.zip(self.period_end).filter(|_| self.summary_id.is_some());
        let synced = self.synced_start.zip(self.synced_end);
        let interval: Option<Interval> = parse(self.billing_interval.as_deref())?;
        let period = match (open, synced, self.billing_anchor, interval) {
            (Some((start, end)), ..) => Period { start, end },
            (None, Some((start, end)), Some(anchor), Some(interval)) => {
                Cycle { billing: Period { start, end }, anchor, interval }.usage_period(as_of)
            }
            _ => return Ok(None),
        };
        let resources = PerType {
            llm: Resource::new(self.llm_used, self.llm_held, self.llm_limit),
            voice: Resource::new(self.voice_used, self.voice_held, self.voice_limit),
        };
        Ok(Some(GroupUsage { period_start: period.start, period_end: period.end, resources }))
    }

    fn run_out(&self, as_of: DateTime<Utc>) -> Option<RunOut> {
        let all = [(UsageType::Llm, self.llm_runs_out), (UsageType::Voice, self.voice_runs_out)];
        let found = all.into_iter().filter_map(|(usage_type, seconds)| Some((usage_type, seconds?)));
        let (usage_type, seconds) = found.min_by(|(_, one), (_, other)| one.total_cmp(other))?;
        Some(RunOut { usage_type, at: as_of + chrono::Duration::seconds(seconds as i64) })
    }
}

fn parse<T: std::str::FromStr<Err = String>>(text: Option<&str>) -> Result<Option<T>> {
    text.map(str::parse).transpose().map_err(crate::error::Error::Internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_for_any_text_in_a_pattern_is_taken_as_it_is() {
        assert_eq!(pattern("100%_!"), "%100!%!_!!%");
    }
}
