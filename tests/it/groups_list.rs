//! The SuperAdmin's list of groups: in each order every group once, its figures those of the group's own pages.

use std::collections::BTreeSet;

use chrono::Duration;
use proptest::prelude::*;
use tollgate::clock::Clock;
use tollgate::domain::{
    BreakdownBy, EventInput, Forecast, GroupId, GroupSort, GroupSortKey, GroupSummary, Level, Period, Role,
    RunOut, Status, UsageType, User, UserId,
};
use tollgate::groups::{GroupFields, GroupKey, Groups};
use tollgate::storage::{GroupFilter, GroupList, PageRequest, Store};
use uuid::Uuid;

use crate::support::databases::{Database, each_store, each_store_holds};
use crate::support::seed::{GRACE_DAYS, Seed, at, event, group};

const LLM: UsageType = UsageType::Llm;
const VOICE: UsageType = UsageType::Voice;

fn superadmin() -> User {
    User {
        id: UserId(Uuid::now_v7()),
        email: "super@tollgate.test".into(),
        name: "Sue".into(),
        role: Role::SuperAdmin,
        group: None,
    }
}

fn service(store: &Store, clock: &Clock) -> Groups {
    Groups::new(store.clone(), clock.clone(), GRACE_DAYS)
}

fn sorted(sort: GroupSort) -> GroupFields {
    GroupFields { sort: Some(sort.to_string()), ..GroupFields::default() }
}

fn every_sort() -> impl Iterator<Item = GroupSort> {
    let both = |key| [false, true].map(|descending| GroupSort { key, descending });
    GroupSortKey::ALL.into_iter().flat_map(both)
}

/// A page of the list, and the keys of those before and after it.
async fn page(
    groups: &Groups,
    fields: &GroupFields,
    key: Option<GroupKey>,
    limit: usize,
) -> (Vec<GroupSummary>, Option<GroupKey>, Option<GroupKey>) {
    // As an address carries it.
    let key = key.map(|key| key.to_string().parse().expect("a key"));
    let query = fields.query(key).expect("a query");
    let page = groups.page(&superadmin(), &query, limit).await.expect("a page");
    (page.groups, page.previous, page.next)
}

async fn named(store: &Store, names: &[&str]) {
    let mut tx = store.begin().await.expect("a transaction");
    for name in names {
        let id = GroupId(Uuid::now_v7());
        tx.add_group(id, name, at("2026-03-11T12:00:00Z")).await.expect("a group");
    }
    tx.commit().await.expect("a commit");
}

/// Groups of every kind, some of which are alike in what the list is sorted by.
async fn fill(store: &Store, clock: &Clock) {
    let now = clock.now();
    for (index, used) in [0, 0, 10, 90_000, 90_000, 120_000].into_iter().enumerate() {
        let seed = Seed::with_clock(store, clock.clone()).await;
        let metering = seed.metering();
        if used > 0 {
            let spent = EventInput {
                created_at: Some(now - Duration::hours(index as i64 / 2)),
                ..event("spent", LLM, used)
            };
            let voice = event("voice", VOICE, 5);
            metering.record(&seed.admin, vec![spent, voice]).await.expect("a record");
        }
        metering.stop().await;
    }
    for status in [Status::PastDue, Status::Trialing, Status::Canceled] {
        let seed = Seed::with_clock(store, clock.clone()).await;
        seed.stripe_says(status, seed.period).await;
    }
    group(store, now).await;
    named(store, &["alpha", "Alpha", "beta", "Zeta_1", "Zeta%1"]).await;
}

#[tokio::test]
async fn each_order_goes_through_all_groups_once_forwards_and_backwards() {
    each_store(|store| async move {
        let clock = Clock::manual(at("2026-03-11T12:00:00Z"));
        fill(&store, &clock).await;
        let groups = service(&store, &clock);
        for sort in every_sort() {
            let fields = sorted(sort);
            let (whole, ..) = page(&groups, &fields, None, 200).await;
            assert_eq!(whole.len(), 15);
            let (mut pages, mut key) = (Vec::new(), None);
            loop {
                let (rows, previous, next) = page(&groups, &fields, key, 4).await;
                assert_eq!(previous.is_none(), pages.is_empty(), "{sort}");
                pages.push((rows, previous));
                key = next;
                if key.is_none() {
                    break;
                }
            }
            let seen: Vec<_> = pages.iter().flat_map(|(rows, _)| rows.clone()).collect();
            assert_eq!(seen, whole, "{sort}");
            let ids: BTreeSet<_> = seen.iter().map(|row| row.id).collect();
            assert_eq!(ids.len(), whole.len(), "{sort}");
            // And back, page by page.
            for pair in pages.windows(2).rev() {
                let ((before, first), (_, previous)) = (&pair[0], &pair[1]);
                let (rows, found, next) = page(&groups, &fields, previous.clone(), 4).await;
                assert_eq!(&rows, before, "{sort}");
                assert_eq!((found.is_none(), next.is_some()), (first.is_none(), true), "{sort}");
            }
        }
    })
    .await;
}

/// What a list is in the order of, in Rust: none for those that come last.
fn figure(row: &GroupSummary, key: GroupSortKey) -> Option<(String, f64)> {
    let number = |number: f64| (String::new(), number);
    let share = |kind| {
        let resource = row.usage.as_ref()?.resources[kind];
        resource.limit.filter(|limit| *limit > 0).map(|limit| resource.used as f64 / limit as f64)
    };
    match key {
        GroupSortKey::Name => Some((row.name.to_lowercase(), 0.0)),
        GroupSortKey::Plan => row.plan.as_ref().map(|plan| (plan.name.to_lowercase(), 0.0)),
        GroupSortKey::Status => row.status.map(|status| (status.as_str().to_owned(), 0.0)),
        GroupSortKey::Usage => [LLM, VOICE].into_iter().filter_map(share).reduce(f64::max).map(number),
        GroupSortKey::Mrr => row.mrr().map(|mrr| (mrr.currency.code().to_owned(), mrr.minor as f64)),
        GroupSortKey::RunOut => row.run_out.map(|found| number(found.at.timestamp() as f64)),
        GroupSortKey::LastActivity => row.last_activity.map(|at| number(at.timestamp() as f64)),
        GroupSortKey::CreatedAt => Some(number(row.created_at.timestamp() as f64)),
    }
}

#[tokio::test]
async fn each_order_is_what_it_says_and_what_cannot_be_said_comes_last() {
    each_store(|store| async move {
        let clock = Clock::manual(at("2026-03-11T12:00:00Z"));
        fill(&store, &clock).await;
        let groups = service(&store, &clock);
        for sort in every_sort() {
            let (rows, ..) = page(&groups, &sorted(sort), None, 200).await;
            let figures: Vec<_> = rows.iter().map(|row| figure(row, sort.key)).collect();
            let known: Vec<_> = figures.iter().flatten().cloned().collect();
            assert!(figures[..known.len()].iter().all(Option::is_some), "{sort}: {figures:?}");
            let is_in_order = |pair: &[(String, f64)]| {
                let order = pair[0].0.cmp(&pair[1].0).then(pair[0].1.total_cmp(&pair[1].1));
                if sort.descending { order.is_ge() } else { order.is_le() }
            };
            assert!(known.windows(2).all(is_in_order), "{sort}: {known:?}");
            assert!(known.len() >= 2, "{sort} has nothing to put in order: {known:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn groups_that_come_meanwhile_hide_and_repeat_no_other() {
    each_store(|store| async move {
        let clock = Clock::manual(at("2026-03-11T12:00:00Z"));
        fill(&store, &clock).await;
        let groups = service(&store, &clock);
        let fields = sorted(GroupSort::BY_NAME);
        let (whole, ..) = page(&groups, &fields, None, 200).await;
        let (mut seen, mut key) = (Vec::new(), None);
        loop {
            let (rows, _, next) = page(&groups, &fields, key, 3).await;
            seen.extend(rows.into_iter().map(|row| row.id));
            // Before what was seen, behind it, and like its last.
            named(&store, &["0", "zzz", "Acme"]).await;
            // Time goes on too.
            clock.advance(Duration::seconds(7));
            key = next;
            if key.is_none() || seen.len() > 200 {
                break;
            }
        }
        let known: BTreeSet<_> = whole.iter().map(|row| row.id).collect();
        let of_before: Vec<_> = seen.iter().filter(|id| known.contains(id)).copied().collect();
        assert_eq!(of_before, whole.iter().map(|row| row.id).collect::<Vec<_>>());
        assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), seen.len(), "none twice");
    })
    .await;
}

#[tokio::test]
async fn a_filter_leaves_those_that_it_says() {
    each_store(|store| async move {
        let clock = Clock::manual(at("2026-03-11T12:00:00Z"));
        fill(&store, &clock).await;
        let seed = Seed::with_clock(&store, clock.clone()).await;
        let groups = service(&store, &clock);
        let found = async |fields: GroupFields| {
            let (rows, ..) = page(&groups, &fields, None, 200).await;
            rows
        };
        let names = async |search: &str| {
            let fields = GroupFields { search: Some(search.into()), ..GroupFields::default() };
            found(fields).await.into_iter().map(|row| row.name).collect::<Vec<_>>()
        };
        assert_eq!(names("ALPH").await, ["alpha", "Alpha"]);
        assert_eq!(names("ta").await, ["beta", "Zeta%1", "Zeta_1"]);
        // What stands for any text elsewhere stands for itself here.
        for (search, expected) in [("_", "Zeta_1"), ("%", "Zeta%1"), ("a%1", "Zeta%1")] {
            assert_eq!(names(search).await, [expected], "{search}");
        }
        assert_eq!(names("!").await, [""; 0]);
        assert_eq!(names("\\").await, [""; 0]);
        // By a member's address, in any case.
        let address = seed.member.email.to_uppercase();
        assert_eq!(names(&address[..20]).await, ["Acme"]);

        let of = |name: &str, value: &str| {
            let of = |known: &str| (known == name).then(|| value.to_owned());
            GroupFields {
                plan: of("plan"),
                status: of("status"),
                level: of("level"),
                ..GroupFields::default()
            }
        };
        let by_plan = found(of("plan", &seed.plan.to_string())).await;
        assert_eq!(by_plan.iter().map(|row| row.id).collect::<Vec<_>>(), [seed.group()]);
        for (status, count) in [("active", 7), ("past_due", 1), ("trialing", 1), ("canceled", 1), ("none", 6)]
        {
            let rows = found(of("status", status)).await;
            assert_eq!(rows.len(), count, "{status}");
            assert!(rows.iter().all(|row| row.status.map_or("none", Status::as_str) == status), "{status}");
        }
        for (level, count) in [(Level::Ok, 6), (Level::Warning, 2), (Level::Limit, 1)] {
            let rows = found(of("level", level.as_str())).await;
            assert_eq!(rows.len(), count, "{level:?}");
            assert!(rows.iter().all(|row| row.level == Some(level)), "{level:?}");
        }
    })
    .await;
}

async fn summary(store: &Store, clock: &Clock, group: GroupId) -> GroupSummary {
    let list = GroupList { sort: GroupSort::BY_NAME, as_of: clock.now(), backwards: false };
    let filter = GroupFilter { group: Some(group), ..GroupFilter::default() };
    let page = store.groups_page(list, &filter, &PageRequest::all()).await.expect("the database answers");
    page.rows.into_iter().next().expect("the group").summary
}

#[tokio::test]
async fn what_cannot_be_said_is_not_zero() {
    each_store(|store| async move {
        let clock = Clock::manual(at("2026-03-11T12:00:00Z"));
        let (admin, _) = group(&store, clock.now()).await;
        let never = summary(&store, &clock, admin.must_be_admin().expect("an admin")).await;
        assert_eq!((never.plan, never.status, never.usage, never.level), (None, None, None, None));
        assert_eq!((never.mrr, never.currency, never.last_activity, never.run_out), (None, None, None, None));
        assert_eq!((never.seats.used, never.seats.limit), (2, None));

        // An active one has figures, be they 0.
        let seed = Seed::with_clock(&store, clock.clone()).await;
        let active = summary(&store, &clock, seed.group()).await;
        assert_eq!(active.usage.expect("a usage").resources.llm.used, 0);
        assert_eq!((active.level, active.mrr.as_deref()), (Some(Level::Ok), Some("29.99")));
        assert_eq!((active.last_activity, active.run_out), (None, None));
        seed.stripe_says(Status::Trialing, seed.period).await;
        let trial = summary(&store, &clock, seed.group()).await;
        assert_eq!(trial.mrr.as_deref(), Some("0.00"));
        // What isn't paid yet has no allowance, what has ended no revenue either.
        seed.stripe_says(Status::Incomplete, seed.period).await;
        let unpaid = summary(&store, &clock, seed.group()).await;
        assert_eq!((unpaid.status, unpaid.usage, unpaid.level), (Some(Status::Incomplete), None, None));
        seed.stripe_says(Status::Canceled, seed.period).await;
        let ended = summary(&store, &clock, seed.group()).await;
        assert_eq!((ended.status, ended.usage, ended.mrr), (Some(Status::Canceled), None, None));
        assert!(ended.plan.is_some_and(|plan| plan.id == seed.plan));
    })
    .await;
}

#[tokio::test]
async fn the_last_activity_is_the_latest_event_to_the_minute() {
    each_store(|store| async move {
        let seed = Seed::new(&store).await;
        let metering = seed.metering();
        let first = seed.clock.now();
        let record = async |id: &str, ago: Duration| {
            let input = EventInput { created_at: Some(seed.clock.now() - ago), ..event(id, LLM, 1) };
            metering.record(&seed.admin, vec![input]).await.expect("a record");
            summary(&store, &seed.clock, seed.group()).await.last_activity
        };
        assert_eq!(record("first", Duration::zero()).await, Some(first));
        seed.clock.advance(Duration::seconds(59));
        assert_eq!(record("soon", Duration::zero()).await, Some(first), "to the minute");
        seed.clock.advance(Duration::minutes(5));
        assert_eq!(record("late", Duration::hours(3)).await, Some(first), "an earlier event changes nothing");
        assert_eq!(record("next", Duration::zero()).await, Some(seed.clock.now()));
        metering.stop().await;
    })
    .await;
}

/// How a period stands.
#[derive(Clone, Debug)]
struct Case {
    /// Since it began, in minutes.
    elapsed: i64,
    /// In hours.
    length: i64,
    used: [i64; 2],
    limits: [Option<i64>; 2],
}

fn case() -> impl Strategy<Value = Case> {
    let tokens = || prop_oneof![0..1_000_i64, 0..2_000_000_i64, 0..(1_i64 << 53)];
    let limit = || prop_oneof![1 => Just(None), 1 => Just(Some(0)), 8 => tokens().prop_map(Some)];
    let length = 20 * 24..32 * 24_i64;
    (0..31 * 24 * 60_i64, length, [tokens(), tokens()], [limit(), limit()])
        .prop_map(|(elapsed, length, used, limits)| Case { elapsed, length, used, limits })
        .prop_filter("the period runs", |case| case.elapsed < case.length * 60)
}

async fn agrees(store: &Store, _: &Database, case: Case) {
    let seed = Seed::new(store).await;
    seed.change_limits(case.limits[0], case.limits[1]).await;
    let start = seed.clock.now() + Duration::seconds(1);
    let period = Period { start, end: start + Duration::hours(case.length) };
    seed.stripe_says(Status::Active, period).await;
    seed.clock.advance(Duration::seconds(1) + Duration::minutes(case.elapsed));
    let metering = seed.metering();
    let spent = [LLM, VOICE].into_iter().zip(case.used).filter(|(_, used)| *used > 0);
    let events: Vec<_> = spent.map(|(kind, used)| event(kind.as_str(), kind, used)).collect();
    if !events.is_empty() {
        metering.record(&seed.admin, events).await.expect("a record");
    }
    let dashboard = metering.dashboard(&seed.admin, BreakdownBy::Member).await.expect("a dashboard");
    let (check, overview) = dashboard.current.expect("a subscription");
    let (usage, days) = (check.usage, overview.current.whole_days(overview.as_of));
    let period = Period { start: usage.period_start, end: usage.period_end };
    let of = |kind: UsageType| {
        let resource = usage.resources[kind];
        let forecast = Forecast::of(period, &days[kind], resource.used, resource.limit, usage.as_of)?;
        Some(RunOut { usage_type: kind, at: forecast.runs_out?.expected })
    };
    let expected = [LLM, VOICE].into_iter().filter_map(of).min_by_key(|found| found.at);
    let summary = summary(store, &seed.clock, seed.group()).await;
    // Where both run out within the same second, either is the first.
    assert_eq!(summary.run_out.map(|found| found.at), expected.map(|found| found.at), "{case:?}");
    assert_eq!(summary.usage.expect("a usage").resources, usage.resources);
    let levels = usage.resources.map(|resource| resource.level);
    assert_eq!(summary.level, Some(levels.llm.max(levels.voice)));
    metering.stop().await;
}

#[test]
fn a_group_runs_out_when_its_own_page_says() {
    each_store_holds(60, case(), agrees);
}
