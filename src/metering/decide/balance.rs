//! The sums that a batch works on: as they were found, with what its commands change.

use std::collections::HashMap;

use uuid::Uuid;

use crate::domain::{GroupId, LimitScope, MAX_COUNT, SummaryId, UsageType};
use crate::metering::fit::Bound;
use crate::storage::{Counters, Delta, Found, Notified, ShareCounters, ShareRow, SumRow};

/// Sums of periods, and of members' and keys' parts of them.
pub struct Balances<'f> {
    found: &'f Found,
    periods: HashMap<SummaryId, Counters>,
    sums: HashMap<(GroupId, SummaryId), Delta>,
    shares: HashMap<(GroupId, SummaryId, Uuid), Delta>,
}

impl<'f> Balances<'f> {
    pub fn new(found: &'f Found) -> Self {
        let periods = found.periods().collect();
        Self { found, periods, sums: HashMap::new(), shares: HashMap::new() }
    }

    /// A period's counters, with what this batch changes; `None` where nothing is known of the period.
    pub fn period(&self, group: GroupId, summary: SummaryId) -> Option<Counters> {
        let mut counters = *self.periods.get(&summary)?;
        counters.add(self.sums.get(&(group, summary)).copied().unwrap_or_default());
        Some(counters)
    }

    /// Adds to a period's sums, and to its member's and its key's parts of them.
    pub fn add(&mut self, group: GroupId, summary: SummaryId, subjects: [Option<Uuid>; 2], delta: Delta) {
        *self.sums.entry((group, summary)).or_default() += delta;
        for subject in subjects.into_iter().flatten() {
            *self.shares.entry((group, summary, subject)).or_default() += delta;
        }
    }

    /// The limits that a hold has to fit under, the narrowest scope first; `None` where nothing is known of the period.
    /// What lies beyond the group's own is open `with_overage` only.
    pub fn bounds(
        &self,
        group: GroupId,
        summary: SummaryId,
        [user, key]: [Option<Uuid>; 2],
        kind: UsageType,
        with_overage: bool,
    ) -> Option<Vec<Bound>> {
        let period = self.period(group, summary)?;
        let limit =
            if with_overage { period.overage.limit(kind, &period.spent()) } else { period.limit[kind] };
        let mut bounds = Vec::with_capacity(3);
        bounds.extend(self.cap(group, summary, key, kind, LimitScope::Key));
        bounds.extend(self.cap(group, summary, user, kind, LimitScope::Member));
        bounds.push(Bound {
            scope: LimitScope::Group,
            // Beyond this a count couldn't be said exactly.
            limit: limit.unwrap_or(MAX_COUNT),
            used: period.used[kind],
            held: period.held[kind],
        });
        Some(bounds)
    }

    fn cap(
        &self,
        group: GroupId,
        summary: SummaryId,
        subject: Option<Uuid>,
        kind: UsageType,
        scope: LimitScope,
    ) -> Option<Bound> {
        let subject = subject?;
        let ShareCounters { used, held, cap } =
            self.found.shares.get(&(group, Some(summary), subject)).copied()?;
        let delta = self.shares.get(&(group, summary, subject)).copied().unwrap_or_default();
        Some(Bound {
            scope,
            limit: cap[kind]?,
            used: used[kind].saturating_add(delta.used[kind]),
            held: held[kind].saturating_add(delta.held[kind]),
        })
    }

    /// What is to be added to the sums.
    pub fn into_rows(self) -> (Vec<SumRow>, Vec<ShareRow>) {
        let changed = |delta: &Delta| *delta != Delta::default();
        let sums = self.sums.into_iter().filter(|(_, delta)| changed(delta));
        let shares = self.shares.into_iter().filter(|(_, delta)| changed(delta));
        (
            sums.map(|((group_id, summary_id), delta)| SumRow {
                group_id,
                summary_id,
                delta,
                notified: Notified::default(),
            })
            .collect(),
            shares
                .map(|((group_id, summary_id, subject_id), delta)| ShareRow {
                    group_id,
                    summary_id,
                    subject_id,
                    delta,
                })
                .collect(),
        )
    }
}
