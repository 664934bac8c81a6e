//! Telling a group how much of a limit it has used, and that overage has reached its cap: decided where the sums change, on
//! the sums that the batch leaves.
//!
//! Each threshold of a resource is told of once in a period, and each cap. Where a batch passes several thresholds, the
//! highest is told of alone.
//! What comes late to a period that is over is nobody's concern any more.

use uuid::Uuid;

use crate::domain::{Notice, OverageTerms, UsageType, threshold_reached};
use crate::storage::{AllowanceRow, Delta, Found, NoticeRow, SumRow};

/// What the groups are to be told of the sums as these rows leave them. The rows take the thresholds along.
pub fn tell(found: &Found, sums: &mut [SumRow]) -> Vec<NoticeRow> {
    let mut notices = Vec::new();
    for sum in sums {
        let running = found.live.get(&sum.group_id).filter(|row| row.summary_id == Some(sum.summary_id));
        let Some(running) = running else { continue };
        for kind in UsageType::ALL {
            let Some(notice) = passed(running, kind, sum.delta.used[kind]) else { continue };
            let Notice::UsageThreshold { threshold, .. } = notice else { continue };
            match kind {
                UsageType::Llm => sum.notified.llm = threshold,
                UsageType::Voice => sum.notified.voice = threshold,
            }
            notices.push(row(sum, notice, None));
        }
        if let Some((notice, cap)) = cap_reached(running, sum.delta) {
            notices.push(row(sum, notice, Some(format!("{}/{cap}", sum.summary_id))));
        }
    }
    notices
}

fn row(sum: &SumRow, notice: Notice, once: Option<String>) -> NoticeRow {
    NoticeRow { id: Uuid::now_v7().into(), group_id: sum.group_id, once, notice }
}

/// That the overage's cap, in minor units, is reached by so many more tokens and wasn't before.
fn cap_reached(running: &AllowanceRow, added: Delta) -> Option<(Notice, i64)> {
    let before = running.counters.overage;
    let (prices, cap) = before.prices.zip(before.cap)?;
    let mut after = before;
    after.tokens += added.overage;
    (!before.is_exhausted() && after.is_exhausted())
        .then(|| (Notice::OverageCapReached(OverageTerms::new(&prices, cap)), cap))
}

/// The threshold that so many more tokens pass, where the group wasn't told of it or a higher one.
fn passed(running: &AllowanceRow, kind: UsageType, added: i64) -> Option<Notice> {
    let counters = &running.counters;
    let used = counters.used[kind].saturating_add(added);
    let limit = counters.limit[kind]?;
    let threshold = threshold_reached(used, Some(limit));
    (added > 0 && threshold > counters.notified[kind]).then(|| Notice::UsageThreshold {
        usage_type: kind,
        threshold,
        used,
        limit,
        plan: running.plan_name.clone(),
        period_end: running.period_end,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use chrono::{DateTime, Utc};
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{
        Currency, GroupId, Interval, OveragePrices, Package, PerType, PeriodOverage, Status, SummaryId,
    };
    use crate::storage::{Counters, Delta, Notified};

    const GROUP: GroupId = GroupId(Uuid::nil());

    fn summary(number: u128) -> SummaryId {
        SummaryId(Uuid::from_u128(number))
    }

    /// A group whose period 1 runs, with these counters for LLM tokens.
    fn found(used: i64, limit: Option<i64>, notified: i64) -> Found {
        let at: DateTime<Utc> = "2026-03-01T00:00:00Z".parse().unwrap();
        let row = AllowanceRow {
            subscription_id: Uuid::nil().into(),
            group_id: GROUP,
            status: Status::Active,
            past_due_since: None,
            synced_start: at,
            synced_end: at,
            plan_id: Uuid::nil().into(),
            plan_name: "Basic".into(),
            billing_interval: Interval::Month,
            billing_anchor: at,
            cancel_at_period_end: false,
            summary_id: Some(summary(1)),
            period_start: at,
            period_end: at,
            counters: Counters {
                used: PerType { llm: used, voice: 0 },
                held: PerType::default(),
                limit: PerType { llm: limit, voice: None },
                notified: PerType { llm: notified, voice: 0 },
                overage: PeriodOverage::default(),
            },
        };
        Found { live: HashMap::from([(GROUP, row)]), ..Found::default() }
    }

    fn sum(period: u128, delta: Delta) -> SumRow {
        SumRow { group_id: GROUP, summary_id: summary(period), delta, notified: Notified::default() }
    }

    /// The thresholds that spending so much tells of.
    fn told(found: &Found, period: u128, delta: Delta) -> Vec<i64> {
        let mut rows = [sum(period, delta)];
        let notices = tell(found, &mut rows);
        let thresholds: Vec<i64> = notices
            .iter()
            .map(|row| match row.notice {
                Notice::UsageThreshold { threshold, .. } => threshold,
                _ => panic!("{:?}", row.notice),
            })
            .collect();
        assert_eq!(rows[0].notified.llm, thresholds.first().copied().unwrap_or(0), "it is kept as told");
        thresholds
    }

    #[test]
    fn the_highest_threshold_passed_is_told_alone_and_once() {
        let spent = |tokens| Delta::used(UsageType::Llm, tokens);
        assert_eq!(told(&found(79_998, Some(100_000), 0), 1, spent(1)), [0; 0]);
        assert_eq!(told(&found(79_999, Some(100_000), 0), 1, spent(1)), [80]);
        assert_eq!(told(&found(0, Some(100_000), 0), 1, spent(150_000)), [100]);
        assert_eq!(told(&found(80_000, Some(100_000), 80), 1, spent(1)), [0; 0]);
        assert_eq!(told(&found(80_000, Some(100_000), 80), 1, spent(10_000)), [90]);
    }

    #[test]
    fn nothing_is_told_of_a_period_that_is_over_nor_of_what_is_only_held_nor_without_a_limit() {
        let spent = Delta::used(UsageType::Llm, 100);
        assert_eq!(told(&found(0, Some(100), 0), 2, spent), [0; 0]);
        assert_eq!(told(&found(0, Some(100), 0), 1, Delta::held(UsageType::Llm, 100)), [0; 0]);
        assert_eq!(told(&found(0, Some(0), 0), 1, spent), [0; 0]);
        assert_eq!(told(&found(0, None, 0), 1, spent), [0; 0]);
    }

    #[test]
    fn a_cap_is_told_of_where_it_is_reached_and_by_its_name() {
        // 20 packages of 1,000 tokens.
        let packages = PerType { llm: Some(Package { per: 1_000, price: 2 }), voice: None };
        let prices = Some(OveragePrices { currency: Currency::USD, packages });
        let told = |before: i64, more: i64, cap: Option<i64>| {
            let mut found = found(100_000 + before, Some(100_000), 100);
            let overage = &mut found.live.get_mut(&GROUP).unwrap().counters.overage;
            *overage =
                PeriodOverage { tokens: PerType { llm: before, voice: 0 }, prices, cap, closed: false };
            let delta = Delta::used(UsageType::Llm, more).with_overage(UsageType::Llm, more);
            tell(&found, &mut [sum(1, delta)])
        };
        for (before, more, cap) in
            [(0, 0, Some(40)), (0, 19_999, Some(40)), (20_000, 0, Some(40)), (0, 20_000, None)]
        {
            assert!(told(before, more, cap).is_empty(), "{before} and {more} under {cap:?}");
        }
        let rows = told(19_999, 1, Some(40));
        let [NoticeRow { notice: Notice::OverageCapReached(terms), once, .. }] = &rows[..] else {
            panic!("{rows:?}")
        };
        assert_eq!((terms.cap.as_str(), terms.voice.as_ref()), ("0.40", None));
        assert_eq!(terms.llm.as_ref().map(|package| package.price.as_str()), Some("0.02"));
        assert_eq!(once.as_deref(), Some("00000000-0000-0000-0000-000000000001/40"));
    }

    proptest! {
        #[test]
        fn in_whatever_steps_it_is_spent_each_threshold_is_told_at_most_once_and_the_highest_always(
            limit in 1_i64..1_000_000,
            steps in prop::collection::vec(1_i64..300_000, 1..12),
        ) {
            let (mut used, mut notified, mut all) = (0, 0, Vec::new());
            for step in steps {
                let new = told(&found(used, Some(limit), notified), 1, Delta::used(UsageType::Llm, step));
                prop_assert!(new.len() <= 1);
                used += step;
                notified = new.first().copied().unwrap_or(notified);
                all.extend(new);
                prop_assert_eq!(notified, threshold_reached(used, Some(limit)));
            }
            prop_assert!(all.is_sorted_by(|a, b| a < b), "{:?}", all);
        }
    }
}
