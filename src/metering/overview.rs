//! The current period beside the one before it, as the usage page shows them.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::Metering;
use crate::domain::{
    BreakdownBy, BreakdownRow, GroupId, KeyId, LimitCheck, PerType, Period, PeriodDays, PeriodUsage, Role,
    SummaryId, Sums, User, UserId,
};
use crate::error::Result;
use crate::storage::{AllowanceRow, SummaryRow, SumsRow};

/// What the usage page shows, all of it of one reading.
#[derive(Clone, Debug)]
pub struct Dashboard {
    /// None without a subscription.
    pub current: Option<(LimitCheck, Overview)>,
    /// As [`Metering::history`] gives it.
    pub history: Vec<PeriodUsage>,
}

/// The current period and the one before it, day by day (UTC) and by one other thing.
#[derive(Clone, Debug)]
pub struct Overview {
    pub as_of: DateTime<Utc>,
    pub current: PeriodDays,
    /// None for a group's first period.
    pub before: Option<PeriodDays>,
    pub total: Sums,
    pub rows: Vec<OverviewRow>,
}

/// One row of the current period's breakdown.
#[derive(Clone, Debug)]
pub struct OverviewRow {
    pub row: BreakdownRow,
    /// What it used in all of the period before.
    pub before: Sums,
}

/// What a list of events may be narrowed to.
#[derive(Clone, Debug, Default)]
pub struct EventChoices {
    /// Everyone who is or was in the group, for an admin; empty for a member, who sees its own events alone.
    pub members: Vec<(UserId, String)>,
    pub keys: Vec<(KeyId, String)>,
    /// Those of the current period.
    pub models: Vec<String>,
}

/// What was used on each day of a period, from the sums of its days.
fn period_days(period: Period, rows: &[SumsRow]) -> PeriodDays {
    PeriodDays::new(period, rows.iter().map(|row| (row.began_at(), row.sums())))
}

impl Metering {
    /// What the user's group has used, by days and by one other thing.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`](crate::domain::Refusal::Forbidden) for a SuperAdmin; the database's.
    pub async fn dashboard(&self, user: &User, by: BreakdownBy) -> Result<Dashboard> {
        let periods = self.past_periods(user.must_have_group()?).await?;
        let current = match self.allowance_if_any(user).await? {
            None => None,
            Some((allowance, share)) => Some((
                self.check_of(&allowance, &share).await?,
                self.overview(user, by, &allowance, periods.first()).await?,
            )),
        };
        Ok(Dashboard { current, history: periods.iter().map(SummaryRow::period_usage).collect() })
    }

    /// The current period of the user's group beside the one before it. A member sees of members and keys its own. In a
    /// large group that spends all the time it may be behind by seconds; [`Metering::breakdown`] never is.
    async fn overview(
        &self,
        user: &User,
        by: BreakdownBy,
        allowance: &AllowanceRow,
        past: Option<&SummaryRow>,
    ) -> Result<Overview> {
        let (group, now) = (user.must_have_group()?, self.clock.now());
        let current = allowance.current_period(now);
        let used = allowance.counters.used;
        let (days, rows) = match allowance.summary_id {
            None => Default::default(),
            Some(summary) => (
                self.kept(group, summary, used, BreakdownBy::Day).await?,
                self.kept(group, summary, used, by).await?,
            ),
        };
        let buckets = self.buckets(group, user, by, Tz::UTC).await?;
        let (total, rows) = buckets.add_up(&rows, None);
        let mut before = None;
        let mut rows_before = HashMap::new();
        if let Some(past) = past {
            let used = past.counters.used;
            let days = self.kept(group, past.id, used, BreakdownBy::Day).await?;
            let period = Period { start: past.period_start, end: past.period_end };
            before = Some(period_days(period, &days));
            let (_, rows) = buckets.add_up(&self.kept(group, past.id, used, by).await?, None);
            rows_before = rows.into_iter().map(|row| (row.key.clone(), row.sums())).collect();
        }
        let rows = rows.into_iter().map(|row| {
            let before = rows_before.get(&row.key).copied().unwrap_or_default();
            OverviewRow { row, before }
        });
        Ok(Overview { as_of: now, current: period_days(current, &days), before, total, rows: rows.collect() })
    }

    /// A period's sums by calendar day (UTC) or by something else, as they were read last where that is near enough.
    async fn kept(
        &self,
        group: GroupId,
        summary: SummaryId,
        used: PerType<i64>,
        by: BreakdownBy,
    ) -> Result<Arc<Vec<SumsRow>>> {
        let read = async {
            match by {
                BreakdownBy::Day => self.store.period_days(group, summary).await,
                by => self.store.period_sums(group, summary, by).await,
            }
        };
        self.kept_sums.get(summary, by, used, read).await
    }

    /// What the user may narrow a list of events to.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] for a SuperAdmin; the database's.
    pub async fn event_choices(&self, user: &User) -> Result<EventChoices> {
        let group = user.must_have_group()?;
        let is_admin = user.role == Role::Admin;
        let members = if is_admin { self.member_names(group).await?.to_vec() } else { Vec::new() };
        let keys = self.store.key_names(group).await?.into_iter();
        let keys = keys.filter(|key| is_admin || key.user_id == user.id).map(|key| (key.id, key.name));
        let allowance = self.allowance_if_any(user).await?;
        let found = allowance.and_then(|(row, _)| Some((row.summary_id?, row.counters.used)));
        let sums = match found {
            Some((summary, used)) => self.kept(group, summary, used, BreakdownBy::Model).await?,
            None => Arc::default(),
        };
        let mut models: Vec<_> = sums.iter().filter_map(|row| row.model().map(str::to_owned)).collect();
        models.sort();
        Ok(EventChoices { members, keys: keys.collect(), models })
    }
}
