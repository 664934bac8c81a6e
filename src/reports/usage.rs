//! The ledger as a file: its events, or what they add up to.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use chrono_tz::Tz;

use super::cell::{Cell, Row};
use super::query::UsageQuery;
use super::{Contents, PAGE, Report, Reports, Rows, Scope, groups_of};
use crate::domain::{Details, GroupId, Period, ReportBy, Sums, User};
use crate::error::Result;
use crate::storage::{EventPosition, ReportEventRow, ReportSnapshot, SumsBy, SumsRow};

/// The first cell of the last row.
pub(super) const TOTAL: &str = "total";

const EVENT: [&str; 11] = [
    "id",
    "occurred_at",
    "recorded_at",
    "period_start",
    "user_id",
    "user",
    "key_id",
    "model",
    "usage_type",
    "tokens",
    "estimated",
];
const SUMS: [&str; 5] = ["key", "label", "llm", "voice", "events"];
/// Behind the others, where the rows are of several groups.
pub(super) const GROUP: [&str; 2] = ["group_id", "group"];

/// A report of usage, about to be written.
pub(super) struct UsageReport {
    scope: Scope,
    by: ReportBy,
    window: Period,
    tz: Tz,
}

impl Reports {
    /// The ledger's events of a window, or what they add up to.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`](crate::domain::Refusal::Forbidden) for a member;
    /// [`Refusal::NotFound`](crate::domain::Refusal::NotFound) for a group that there isn't, and for another's;
    /// [`Error::Overloaded`](crate::error::Error::Overloaded) while too many are being written; the database's.
    pub async fn usage(&self, user: &User, query: UsageQuery) -> Result<Report> {
        let UsageQuery { format, by, window, tz, group } = query;
        let report = UsageReport { scope: self.scope(user, group).await?, by, window, tz };
        self.begin(format, format!("usage-by-{by}"), Contents::Usage(report)).await
    }
}

impl UsageReport {
    pub(super) fn columns(&self) -> Vec<&'static str> {
        let mut columns = Vec::new();
        if self.by == ReportBy::Event {
            columns.extend(EVENT);
            columns.extend(Details::default().classes().map(|(class, _)| class));
            columns.push("period_id");
        } else {
            columns.extend(SUMS);
        }
        if self.scope == Scope::AllGroups {
            columns.extend(GROUP);
        }
        columns
    }

    pub(super) async fn write(self, snapshot: &mut ReportSnapshot, rows: &Rows) -> Result<()> {
        let mut total = Total::default();
        let mut after = None;
        loop {
            let groups = groups_of(snapshot, self.scope, after).await?;
            let Some((last, _)) = groups.last() else { break };
            after = Some(*last);
            for (group, name) in &groups {
                self.write_group(snapshot, rows, *group, name, &mut total).await?;
            }
        }
        rows.send(vec![self.total(&total)]).await
    }

    async fn write_group(
        &self,
        snapshot: &mut ReportSnapshot,
        rows: &Rows,
        group: GroupId,
        name: &str,
        total: &mut Total,
    ) -> Result<()> {
        let in_group = |mut row: Row| {
            if self.scope == Scope::AllGroups {
                row.extend([Cell::word(group), Cell::Text(name.to_owned())]);
            }
            row
        };
        let Some(by) = sums_by(self.by) else {
            let mut after = None;
            loop {
                let page = snapshot.events(group, self.window, after.as_ref(), PAGE).await?;
                let Some(last) = page.last() else { return Ok(()) };
                after = Some(EventPosition { occurred_at: last.occurred_at, id: last.external_id.clone() });
                let events = page.into_iter().map(|event| {
                    total.add_event(&event);
                    in_group(event_row(event))
                });
                rows.send(events.collect()).await?;
            }
        };
        let sums = snapshot.sums(group, self.window, by).await?;
        if sums.is_empty() {
            return Ok(());
        }
        let mut of_group = Vec::new();
        for (key, label, sums) in self.buckets(snapshot, group, &sums).await? {
            total.sums += sums;
            let key = Cell::or_empty(key, Cell::Text);
            let counts = [sums.llm, sums.voice, sums.events].map(Cell::Count);
            of_group.push(in_group([key, Cell::Text(label)].into_iter().chain(counts).collect()));
        }
        rows.send(of_group).await
    }

    /// What there is a row for: its key, its label and its sums.
    async fn buckets(
        &self,
        snapshot: &mut ReportSnapshot,
        group: GroupId,
        rows: &[SumsRow],
    ) -> Result<Vec<(Option<String>, String, Sums)>> {
        if self.by == ReportBy::Day {
            return Ok(days(rows, self.tz));
        }
        let named = |pairs: Vec<(String, String)>| pairs.into_iter().collect::<HashMap<_, _>>();
        let names = match self.by {
            ReportBy::Member => {
                let members = snapshot.member_names(group).await?;
                named(members.into_iter().map(|(id, name)| (id.to_string(), name)).collect())
            }
            ReportBy::Key => {
                let keys = snapshot.key_names(group).await?;
                named(keys.into_iter().map(|key| (key.id.to_string(), key.name)).collect())
            }
            ReportBy::Period => {
                let periods = snapshot.periods(group).await?;
                let order = periods.iter().map(|period| period.id.to_string()).collect::<Vec<_>>();
                let names = periods.into_iter().map(|period| {
                    let span = [period.period_start, period.period_end].map(written).join("/");
                    (period.id.to_string(), format!("{span} {}", period.plan))
                });
                let names = named(names.collect());
                let mut sums = by_key(rows, |row| row.summary_id.map(|id| id.to_string()));
                let position = |key: &Option<String>| order.iter().position(|id| Some(id) == key.as_ref());
                sums.sort_by_key(|(key, _)| position(key));
                return Ok(labelled(sums, &names, "Unknown"));
            }
            _ => HashMap::new(),
        };
        let (mut sums, otherwise) = match self.by {
            ReportBy::Member => (by_key(rows, |row| row.user_id.map(|id| id.to_string())), "Unknown"),
            ReportBy::Key => (by_key(rows, |row| row.key_id().map(|id| id.to_string())), "No key"),
            _ => (by_key(rows, |row| row.model().map(str::to_owned)), "No model"),
        };
        sums.sort_by(|(key, of_key), (other, of_other)| {
            of_other.weight().cmp(&of_key.weight()).then_with(|| key.cmp(other))
        });
        if self.by == ReportBy::Model {
            let label = |key: &Option<String>| key.clone().unwrap_or_else(|| otherwise.to_owned());
            return Ok(sums.into_iter().map(|(key, sums)| (key.clone(), label(&key), sums)).collect());
        }
        Ok(labelled(sums, &names, otherwise))
    }

    fn total(&self, total: &Total) -> Row {
        let mut row = vec![Cell::word(TOTAL)];
        if self.by == ReportBy::Event {
            row.extend(vec![Cell::Empty; 8]);
            row.extend([Cell::Count(total.tokens), Cell::Empty]);
            row.extend(total.classes.map(Cell::Count));
            row.push(Cell::Empty);
        } else {
            let Sums { llm, voice, events } = total.sums;
            row.push(Cell::word("Total"));
            row.extend([llm, voice, events].map(Cell::Count));
        }
        row.resize(self.columns().len(), Cell::Empty);
        row
    }
}

/// What all rows add up to.
#[derive(Default)]
struct Total {
    sums: Sums,
    /// Of events.
    tokens: i64,
    classes: [i64; 6],
}

impl Total {
    fn add_event(&mut self, event: &ReportEventRow) {
        self.tokens += event.tokens;
        for (sum, (_, count)) in self.classes.iter_mut().zip(details(event).classes()) {
            *sum += count;
        }
    }
}

fn details(event: &ReportEventRow) -> Details {
    event.details.as_ref().map(|details| details.0).unwrap_or_default()
}

fn event_row(event: ReportEventRow) -> Row {
    let has_details = event.details.is_some();
    let classes = details(&event).classes().map(
        |(_, count)| {
            if has_details { Cell::Count(count) } else { Cell::Empty }
        },
    );
    let mut row = vec![
        Cell::Text(event.external_id),
        Cell::Time(event.occurred_at),
        Cell::Time(event.recorded_at),
        Cell::Time(event.period_start),
        Cell::word(event.user_id),
        Cell::Text(event.user_name),
        Cell::or_empty(event.key_id, Cell::word),
        Cell::or_empty(event.model, Cell::Text),
        Cell::word(event.usage_type),
        Cell::Count(event.tokens),
        Cell::Flag(event.estimated),
    ];
    row.extend(classes);
    row.push(Cell::word(event.summary_id));
    row
}

/// What sums are grouped by; none for the events themselves.
fn sums_by(by: ReportBy) -> Option<SumsBy> {
    match by {
        ReportBy::Event => None,
        ReportBy::Day => Some(SumsBy::Day),
        ReportBy::Member => Some(SumsBy::Member),
        ReportBy::Model => Some(SumsBy::Model),
        ReportBy::Key => Some(SumsBy::Key),
        ReportBy::Period => Some(SumsBy::Period),
    }
}

fn sums_of(row: &SumsRow) -> Sums {
    Sums { llm: row.llm, voice: row.voice, events: row.llm_events + row.voice_events }
}

/// Days of a time zone in their order, from the first that has events to the last, without gaps.
fn days(rows: &[SumsRow], tz: Tz) -> Vec<(Option<String>, String, Sums)> {
    let mut sums: HashMap<NaiveDate, Sums> = HashMap::new();
    for row in rows {
        *sums.entry(row.began_at().with_timezone(&tz).date_naive()).or_default() += sums_of(row);
    }
    let (Some(first), Some(last)) = (sums.keys().min(), sums.keys().max()) else { return Vec::new() };
    let all = first.iter_days().take_while(|day| day <= last);
    all.map(|day| (Some(day.to_string()), day.to_string(), sums.get(&day).copied().unwrap_or_default()))
        .collect()
}

fn by_key(rows: &[SumsRow], key: impl Fn(&SumsRow) -> Option<String>) -> Vec<(Option<String>, Sums)> {
    let mut sums: HashMap<Option<String>, Sums> = HashMap::new();
    for row in rows {
        *sums.entry(key(row)).or_default() += sums_of(row);
    }
    sums.into_iter().collect()
}

fn labelled(
    sums: Vec<(Option<String>, Sums)>,
    names: &HashMap<String, String>,
    otherwise: &str,
) -> Vec<(Option<String>, String, Sums)> {
    let label = |key: &Option<String>| {
        let known = key.as_ref().and_then(|key| names.get(key));
        known.cloned().unwrap_or_else(|| otherwise.to_owned())
    };
    sums.into_iter().map(|(key, sums)| (key.clone(), label(&key), sums)).collect()
}

fn written(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}
