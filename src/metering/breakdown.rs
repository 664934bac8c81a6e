//! What the ledger adds up to, by day, member, model or key, for those who may see it.

use std::collections::HashMap;
use std::hash::Hash;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

use super::Metering;
use crate::domain::{
    Breakdown, BreakdownBy, BreakdownRow, GroupId, KeyId, OTHERS, Period, Refusal, Role, Sums, UsageType,
    User, UserId,
};
use crate::error::Result;
use crate::storage::{KeyName, SumsRow};

/// What to break down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BreakdownQuery {
    pub by: BreakdownBy,
    /// Only tokens of this kind.
    pub usage_type: Option<UsageType>,
    /// The current period's start, where it is left out.
    pub from: Option<DateTime<Utc>>,
    /// Events before this; the current period's end, where it is left out.
    pub to: Option<DateTime<Utc>>,
    /// An IANA name.
    pub tz: String,
    /// For a SuperAdmin, who belongs to no group.
    pub group: Option<GroupId>,
}

impl BreakdownQuery {
    /// The current period of the user's own group, in UTC.
    pub fn current(by: BreakdownBy) -> Self {
        Self { by, usage_type: None, from: None, to: None, tz: Tz::UTC.to_string(), group: None }
    }
}

/// What a row is of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Bucket {
    Day(NaiveDate),
    Named { key: Option<String>, label: String },
    Others,
}

impl Metering {
    /// What the ledger of a window adds up to; of the current period, exactly what [`Metering::usage`] says. A member sees
    /// the group's totals, days and models, and of members and keys its own, the rest in one row.
    ///
    /// # Errors
    /// [`Refusal::Invalid`]; [`Refusal::NotFound`] for another group; [`Refusal::NoSubscription`] where the current
    /// period is asked for and there is none; the database's.
    pub async fn breakdown(&self, user: &User, query: BreakdownQuery) -> Result<Breakdown> {
        let BreakdownQuery { by, usage_type, from, to, tz: zone, group } = query;
        let tz: Tz = zone.parse().map_err(|_| {
            Refusal::field("tz", "Must be the IANA name of a time zone, such as Europe/Berlin.")
        })?;
        let group = self.group_to_look_into(user, group).await?;
        let (window, rows) = self.sums(group, user, by, from, to).await?;
        let buckets = self.buckets(group, user, by, tz).await?;
        let (total, rows) = buckets.add_up(&rows, usage_type);
        Ok(Breakdown { by, from: window.start, to: window.end, tz: zone, total, rows })
    }

    /// The window that is meant, and its sums.
    async fn sums(
        &self,
        group: GroupId,
        user: &User,
        by: BreakdownBy,
        from: Option<DateTime<Utc>>,
        to: Option<DateTime<Utc>>,
    ) -> Result<(Period, Vec<SumsRow>)> {
        let window = match (from, to) {
            (Some(start), Some(end)) => Period { start, end },
            _ => {
                let now = self.clock.now();
                let found = self.store.allowance(group, user.id, now).await?;
                let (row, _) = found.ok_or(Refusal::NoSubscription)?;
                let current = row.current_period(now);
                if from.is_none() && to.is_none() {
                    let rows = match row.summary_id {
                        Some(summary) => self.store.period_sums(group, summary, by).await?,
                        None => Vec::new(),
                    };
                    return Ok((current, rows));
                }
                Period { start: from.unwrap_or(current.start), end: to.unwrap_or(current.end) }
            }
        };
        if window.start >= window.end {
            let field = if to.is_some() { "to" } else { "from" };
            return Err(Refusal::field(field, "The window has to end after it begins.").into());
        }
        Ok((window, self.store.window_sums(group, window, by).await?))
    }

    /// How sums become the rows of a breakdown, as the user may see them.
    pub(super) async fn buckets(
        &self,
        group: GroupId,
        user: &User,
        by: BreakdownBy,
        tz: Tz,
    ) -> Result<Buckets> {
        let names = match by {
            BreakdownBy::Day | BreakdownBy::Model => Names::None,
            BreakdownBy::Member => Names::Members(self.member_names(group).await?.iter().cloned().collect()),
            BreakdownBy::Key => {
                let keys = self.store.key_names(group).await?;
                Names::Keys(keys.into_iter().map(|key| (key.id, key)).collect())
            }
        };
        Ok(Buckets { by, names, only: (user.role == Role::Member).then_some(user.id), tz })
    }
}

/// What members and keys are called.
enum Names {
    None,
    Members(HashMap<UserId, String>),
    Keys(HashMap<KeyId, KeyName>),
}

pub(super) struct Buckets {
    by: BreakdownBy,
    names: Names,
    /// Whose rows are shown apart; all users' where it isn't set.
    only: Option<UserId>,
    tz: Tz,
}

impl Buckets {
    /// The total, and what each bucket adds up to.
    pub fn add_up(&self, rows: &[SumsRow], usage_type: Option<UsageType>) -> (Sums, Vec<BreakdownRow>) {
        let mut sums: HashMap<Bucket, Sums> = HashMap::new();
        let mut total = Sums::default();
        for row in rows {
            let of_row = of_type(row, usage_type);
            if of_row.events > 0 {
                total += of_row;
                *sums.entry(self.of(row)).or_default() += of_row;
            }
        }
        (total, in_order(sums))
    }

    fn of(&self, row: &SumsRow) -> Bucket {
        let is_shown = |user| self.only.is_none() || self.only == user;
        match self.by {
            BreakdownBy::Day => Bucket::Day(row.began_at().with_timezone(&self.tz).date_naive()),
            BreakdownBy::Model => named(row.model().map(str::to_owned), row.model(), "No model"),
            BreakdownBy::Member if !is_shown(row.user_id) => Bucket::Others,
            BreakdownBy::Member => {
                let label = match (&self.names, row.user_id) {
                    (Names::Members(names), Some(user)) => names.get(&user).map(String::as_str),
                    _ => None,
                };
                named(row.user_id.map(|user| user.to_string()), label, "Unknown")
            }
            BreakdownBy::Key => {
                let key = match (&self.names, row.key_id()) {
                    (Names::Keys(keys), Some(id)) => keys.get(&id),
                    _ => None,
                };
                let owner = if row.key_id().is_some() { key.map(|key| key.user_id) } else { row.user_id };
                if !is_shown(owner) {
                    return Bucket::Others;
                }
                let label = key.map(|key| key.name.as_str());
                named(row.key_id().map(|id| id.to_string()), label, "No key")
            }
        }
    }
}

fn named(key: Option<String>, label: Option<&str>, otherwise: &str) -> Bucket {
    Bucket::Named { key, label: label.unwrap_or(otherwise).to_owned() }
}

/// The row's sums, of one kind of token or of both.
fn of_type(row: &SumsRow, usage_type: Option<UsageType>) -> Sums {
    let is_meant = |kind| usage_type.is_none_or(|only| only == kind);
    let mut sums = Sums::default();
    if is_meant(UsageType::Llm) {
        sums += Sums { llm: row.llm, voice: 0, events: row.llm_events };
    }
    if is_meant(UsageType::Voice) {
        sums += Sums { llm: 0, voice: row.voice, events: row.voice_events };
    }
    sums
}

/// Days in their order and without gaps; anything else by tokens.
fn in_order(sums: HashMap<Bucket, Sums>) -> Vec<BreakdownRow> {
    let mut sums: Vec<_> = sums.into_iter().collect();
    sums.sort_by(|(one, of_one), (other, of_other)| {
        let by_day = |bucket: &Bucket| match bucket {
            Bucket::Day(day) => Some(*day),
            _ => None,
        };
        let by_name = |bucket: &Bucket| match bucket {
            Bucket::Named { key, label } => (label.clone(), key.clone()),
            _ => Default::default(),
        };
        let is_others = |bucket: &Bucket| *bucket == Bucket::Others;
        (by_day(one).cmp(&by_day(other)))
            .then_with(|| is_others(one).cmp(&is_others(other)))
            .then_with(|| of_other.weight().cmp(&of_one.weight()))
            .then_with(|| by_name(one).cmp(&by_name(other)))
    });
    let mut rows: Vec<BreakdownRow> = Vec::with_capacity(sums.len());
    let mut next_day = None;
    for (bucket, sums) in sums {
        let (key, label) = match bucket {
            Bucket::Day(day) => {
                while let Some(missing) = next_day.filter(|next| *next < day) {
                    rows.push(row_of_day(missing, Sums::default()));
                    next_day = missing.succ_opt();
                }
                next_day = day.succ_opt();
                rows.push(row_of_day(day, sums));
                continue;
            }
            Bucket::Named { key, label } => (key, label),
            Bucket::Others => (Some(OTHERS.to_owned()), "Others".to_owned()),
        };
        rows.push(row(key, label, sums));
    }
    rows
}

fn row_of_day(day: NaiveDate, sums: Sums) -> BreakdownRow {
    row(Some(day.to_string()), day.to_string(), sums)
}

fn row(key: Option<String>, label: String, sums: Sums) -> BreakdownRow {
    let Sums { llm, voice, events } = sums;
    BreakdownRow { key, label, llm, voice, events }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sums(llm: i64) -> Sums {
        Sums { llm, voice: 0, events: 1 }
    }

    fn keys(rows: &[BreakdownRow]) -> Vec<&str> {
        rows.iter().map(|row| row.key.as_deref().unwrap_or("-")).collect()
    }

    #[test]
    fn days_come_in_their_order_and_without_gaps() {
        let day = |day| NaiveDate::from_ymd_opt(2026, 2, day).unwrap();
        let rows = in_order(HashMap::from([
            (Bucket::Day(day(28)), sums(1)),
            (Bucket::Day(day(26)), sums(9)),
            (Bucket::Day(NaiveDate::from_ymd_opt(2026, 3, 2).unwrap()), sums(5)),
        ]));
        assert_eq!(keys(&rows), ["2026-02-26", "2026-02-27", "2026-02-28", "2026-03-01", "2026-03-02"]);
        assert_eq!(rows.iter().map(|row| row.events).collect::<Vec<_>>(), [1, 0, 1, 0, 1]);
    }

    #[test]
    fn anything_else_comes_by_tokens_and_others_last() {
        let bucket = |key: &str| named(Some(key.to_owned()), Some(key), "");
        let rows = in_order(HashMap::from([
            (bucket("b"), sums(5)),
            (bucket("a"), sums(5)),
            (Bucket::Others, sums(100)),
            (named(None, None, "No key"), sums(70)),
        ]));
        assert_eq!(keys(&rows), ["-", "a", "b", OTHERS]);
    }
}
