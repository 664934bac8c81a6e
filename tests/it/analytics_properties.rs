//! Whatever lives subscriptions live, and whenever that is learnt: a roll-forward adds up in any window, interval and time
//! zone, its end is what subscriptions earn now, and months that are over stay as they were.

use std::collections::HashMap;
use std::sync::Mutex;

use chrono::{DateTime, Duration, Utc};
use proptest::prelude::*;
use tollgate::clock::Clock;
use tollgate::domain::{
    AnalyticsReport, Currency, GroupId, Interval, Money, Period, PlanId, Role, Status, SubscriptionId,
    TimeFigures, User,
};
use tollgate::reports::{Analytics, AnalyticsFields};
use tollgate::storage::{ReservationRow, Store, StripeState};
use uuid::Uuid;

use crate::support::databases::{Database, each_store_holds};
use crate::support::seed::{at, group, plan};

/// Zones at both ends of the day and one with summer time.
const ZONES: [&str; 4] = ["UTC", "Pacific/Kiritimati", "Etc/GMT+12", "America/New_York"];

#[derive(Clone, Debug)]
enum Step {
    Wait {
        hours: i64,
    },
    /// A group buys, unless it has a subscription.
    Buy {
        group: usize,
        price: i64,
        yearly: bool,
        trial: bool,
        euro: bool,
    },
    /// Stripe has something to say of a group's subscription, which came to be some hours ago.
    Turn {
        group: usize,
        status: Status,
        price: i64,
        renews: bool,
        hours_ago: i64,
        euro: bool,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        2 => (1..800_i64).prop_map(|hours| Step::Wait { hours }),
        2 => (0..2_usize, 0..5_000_i64, any::<bool>(), any::<bool>(), any::<bool>()).prop_map(
            |(group, price, yearly, trial, euro)| Step::Buy { group, price, yearly, trial, euro }
        ),
        4 => (
            0..2_usize,
            prop::sample::select(Status::ALL.to_vec()),
            0..5_000_i64,
            any::<bool>(),
            0..900_i64,
            prop::bool::weighted(0.2)
        )
            .prop_map(|(group, status, price, renews, hours_ago, euro)| Step::Turn {
                group,
                status,
                price,
                renews,
                hours_ago,
                euro,
            }),
    ];
    prop::collection::vec(step, 1..16)
}

/// A group with what it has.
struct Buyer {
    admin: User,
    id: GroupId,
    live: Option<(SubscriptionId, StripeState)>,
}

struct Scene<'a> {
    store: &'a Store,
    clock: Clock,
    plan: PlanId,
    buyers: Vec<Buyer>,
}

fn currency(euro: bool) -> Currency {
    if euro { "eur".parse().expect("a currency") } else { Currency::USD }
}

impl<'a> Scene<'a> {
    async fn at(store: &'a Store, now: DateTime<Utc>) -> Self {
        let plan = plan(store, &format!("Plan {}", Uuid::now_v7()), 2_999, now).await;
        let mut buyers = Vec::new();
        for _ in 0..2 {
            let (admin, _) = group(store, now).await;
            let id = admin.group.as_ref().expect("a group").id;
            buyers.push(Buyer { admin, id, live: None });
        }
        Self { store, clock: Clock::manual(now), plan, buyers }
    }

    async fn step(&mut self, step: &Step) {
        let now = self.clock.now();
        match *step {
            Step::Wait { hours } => self.clock.advance(Duration::hours(hours)),
            Step::Buy { group, price, yearly, trial, euro } => {
                let buyer = &mut self.buyers[group];
                if buyer.live.is_some() {
                    return;
                }
                let id = SubscriptionId(Uuid::now_v7());
                let interval = if yearly { Interval::Year } else { Interval::Month };
                let reservation = ReservationRow {
                    group_id: buyer.id,
                    id,
                    user_id: buyer.admin.id,
                    plan_id: self.plan,
                    stripe_price_id: "price_seed".into(),
                    price_minor: price,
                    currency: currency(euro),
                    billing_interval: interval,
                    trial_days: 0,
                    stripe_customer_id: None,
                    payment_method: None,
                    created_at: now,
                    recoverable_at: now,
                };
                let state = StripeState {
                    stripe_subscription_id: format!("sub_{}", id.0.simple()),
                    status: if trial { Status::Trialing } else { Status::Active },
                    stripe_price_id: "price_seed".into(),
                    price: None,
                    interval: None,
                    period: Period { start: now, end: now + Duration::days(30) },
                    anchor: now,
                    cancel_at_period_end: false,
                    trial_end: trial.then(|| now + Duration::days(14)),
                    next_price_id: None,
                    ended_at: None,
                };
                let mut tx = self.store.begin().await.expect("a transaction");
                tx.lock_group(buyer.id).await.expect("a lock");
                tx.add_reservation(&reservation).await.expect("a reservation");
                assert!(tx.convert_reservation(buyer.id, id, &state, now).await.expect("a subscription"));
                tx.commit().await.expect("a commit");
                buyer.live = Some((id, state));
            }
            Step::Turn { group, status, price, renews, hours_ago, euro } => {
                let buyer = &mut self.buyers[group];
                let Some((id, state)) = &mut buyer.live else { return };
                let then = now - Duration::hours(hours_ago);
                state.status = status;
                state.price = Some(Money::new(price, currency(euro)));
                if renews && then > state.period.start {
                    state.period = Period { start: then, end: then + Duration::days(30) };
                }
                state.trial_end = state.trial_end.map(|_| then);
                state.ended_at = (!status.is_live()).then_some(then);
                let ticket = self.store.draw_sync_ticket(*id).await.expect("a ticket");
                let mut tx = self.store.begin().await.expect("a transaction");
                tx.lock_group(buyer.id).await.expect("a lock");
                let change =
                    tx.apply_stripe_state(buyer.id, *id, ticket, state, now).await.expect("is written");
                assert!(change.is_some());
                tx.commit().await.expect("a commit");
                if !status.is_live() {
                    buyer.live = None;
                }
            }
        }
    }

    async fn report(&self, from: DateTime<Utc>, interval: &str, tz: &str) -> AnalyticsReport {
        let user = User {
            id: Uuid::now_v7().into(),
            email: "super@example.test".into(),
            name: "Super".into(),
            role: Role::SuperAdmin,
            group: None,
        };
        let fields = AnalyticsFields {
            from: Some(from.to_rfc3339()),
            to: None,
            interval: Some(interval.into()),
            tz: Some(tz.into()),
        };
        let analytics = Analytics::new(self.store.clone(), self.clock.clone());
        analytics.report(&user, &fields).await.expect("a report")
    }
}

fn adds_up(time: &TimeFigures) {
    let roll = time.mrr;
    let steps: i64 = roll.steps().iter().map(|(_, money)| money.minor).sum();
    assert_eq!(roll.start.minor + steps, roll.end.minor, "{roll:?}");
    assert!(time.paying_groups >= 0 && roll.end.minor >= 0, "{time:?}");
    assert_eq!(time.average_revenue.is_some(), time.paying_groups > 0);
}

fn all_add_up(report: &AnalyticsReport) {
    for figures in &report.currencies {
        figures.intervals.iter().chain([&figures.total]).for_each(adds_up);
        for pair in figures.intervals.windows(2) {
            assert_eq!((pair[0].mrr.end, pair[0].to), (pair[1].mrr.start, pair[1].from));
        }
        let (total, ends) = (&figures.total, figures.intervals.first().zip(figures.intervals.last()));
        let (first, last) = ends.expect("an interval");
        assert_eq!((total.mrr.start, total.mrr.end), (first.mrr.start, last.mrr.end));
        assert_eq!(total.subscriptions, last.subscriptions);
        for (index, (_, sum)) in total.mrr.steps().iter().enumerate() {
            let parts: i64 = figures.intervals.iter().map(|time| time.mrr.steps()[index].1.minor).sum();
            assert_eq!(parts, sum.minor);
        }
        let by_plan: i64 = figures.plans.iter().map(|plan| plan.mrr.minor).sum();
        assert_eq!(by_plan, total.mrr.end.minor, "the plans' part");
    }
}

/// What doesn't change of a month: tokens may be recorded late.
fn closed(time: &TimeFigures) -> String {
    format!("{:?} {:?} {:?} {}", time.mrr, time.subscriptions, time.churn, time.paying_groups)
}

async fn holds(store: &Store, database: &Database, start: DateTime<Utc>, steps: Vec<Step>) -> DateTime<Utc> {
    let mut scene = Scene::at(store, start).await;
    let mut seen: HashMap<_, String> = HashMap::new();
    for (index, step) in steps.iter().enumerate() {
        scene.step(step).await;
        let now = scene.clock.now();
        let tz = ZONES[index % ZONES.len()];
        let months = scene.report(start - Duration::days(40), "month", tz).await;
        all_add_up(&months);
        for figures in &months.currencies {
            for time in figures.intervals.iter().filter(|time| time.is_over) {
                let key = (tz, figures.currency, time.from);
                let before = seen.entry(key).or_insert_with(|| closed(time));
                assert_eq!(*before, closed(time), "{key:?} after {step:?}");
            }
        }
        for interval in ["week", "day"] {
            all_add_up(&scene.report(now - Duration::hours(555), interval, tz).await);
        }
    }
    let now = scene.report(start, "month", "UTC").await;
    const EARN: &str =
        "SELECT currency, CAST(SUM(mrr) AS BIGINT), COUNT(CASE WHEN status = 'active' THEN 1 END),
            COUNT(CASE WHEN status = 'trialing' THEN 1 END), COUNT(CASE WHEN status = 'past_due' THEN 1 END)
         FROM subscriptions GROUP BY currency";
    for (currency, mrr, active, trialing, past_due) in
        database.rows::<(String, i64, i64, i64, i64)>(EARN).await
    {
        let figures = now.currencies.iter().find(|figures| figures.currency.code() == currency);
        let total = &figures.expect("its figures").total;
        let counts = total.subscriptions;
        assert_eq!(total.mrr.end.minor, mrr, "{currency}");
        assert_eq!((counts.active, counts.trialing, counts.past_due), (active, trialing, past_due));
    }
    scene.clock.now()
}

#[test]
fn a_roll_forward_adds_up_and_months_that_are_over_stay_as_they_were() {
    // One case after the other, in the same database: time goes on.
    let time = Mutex::new(at("2026-01-20T12:00:00Z"));
    each_store_holds(24, steps(), async |store: &Store, database: &Database, steps| {
        let start = *time.lock().expect("the time");
        let end = holds(store, database, start, steps).await;
        *time.lock().expect("the time") = end + Duration::hours(1);
    });
}
