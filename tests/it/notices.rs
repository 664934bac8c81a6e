//! What a group is told of its usage: each threshold once, decided with what is spent, whatever happens in between.

use chrono::{DateTime, Duration, Utc};
use futures::future::join_all;
use proptest::prelude::*;
use serde_json::Value;
use tollgate::domain::{
    EventInput, GroupId, NoticeId, PerType, Period, PlanId, Status, UsageType, threshold_reached,
};
use tollgate::metering::Metering;
use tollgate::notify::{NewMessage, Outbox};
use tollgate::storage::{Origin, Store, StripeState};
use uuid::Uuid;

use crate::outbox::public_url;
use crate::support::databases::{Database, each_store_holds};
use crate::support::seed::{Seed, event, plan};

/// Something that happens to a group.
#[derive(Clone, Debug)]
enum Step {
    /// Events in one report, each a share of the first plan's limit in per cent.
    Spend(UsageType, Vec<i64>),
    /// Reports of their own at the same time, which the writer may take together.
    SpendTogether(UsageType, Vec<i64>),
    /// An event with a time in the period before.
    SpendLate(UsageType, i64),
    /// Stripe says that it pays for another plan: the first, or twice or three times as much.
    Change(usize),
    /// The next period begins.
    Renew,
    /// The notices become messages.
    Expand,
    /// A server is killed while it turns a notice into messages.
    CrashWhileExpanding,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let kind = || prop_oneof![3 => Just(UsageType::Llm), 1 => Just(UsageType::Voice)];
    let share = || 1_i64..45;
    let step = prop_oneof![
        6 => (kind(), prop::collection::vec(share(), 1..4)).prop_map(|(kind, shares)| Step::Spend(kind, shares)),
        3 => (kind(), prop::collection::vec(share(), 2..5))
            .prop_map(|(kind, shares)| Step::SpendTogether(kind, shares)),
        2 => (kind(), share()).prop_map(|(kind, share)| Step::SpendLate(kind, share * 4)),
        2 => (0..3_usize).prop_map(Step::Change),
        1 => Just(Step::Renew),
        2 => Just(Step::Expand),
        1 => Just(Step::CrashWhileExpanding),
    ];
    prop::collection::vec(step, 1..14)
}

struct World<'a> {
    seed: Seed,
    database: &'a Database,
    metering: Metering,
    outbox: Outbox,
    plans: [PlanId; 3],
    plan: usize,
    /// Periods that began so far, each a second after the last.
    renewals: i64,
    /// By the rule.
    used: PerType<i64>,
    told: PerType<i64>,
    spent: u64,
}

const LIMITS: PerType<i64> = PerType { llm: 100_000, voice: 50_000 };

impl<'a> World<'a> {
    async fn new(store: &Store, database: &'a Database) -> Self {
        let seed = Seed::new(store).await;
        let now = seed.clock.now();
        let twice = plan(store, &format!("Twice {}", seed.admin.id), 2 * 2_999, now).await;
        let thrice = plan(store, &format!("Thrice {}", seed.admin.id), 3 * 2_999, now).await;
        Self {
            database,
            metering: seed.metering(),
            outbox: Outbox::new(store.clone(), seed.clock.clone(), &public_url(), true),
            plans: [seed.plan, twice, thrice],
            seed,
            plan: 0,
            renewals: 0,
            used: PerType::default(),
            told: PerType::default(),
            spent: 0,
        }
    }

    fn limit(&self, kind: UsageType) -> i64 {
        LIMITS[kind] * (self.plan as i64 + 1)
    }

    fn event(&mut self, kind: UsageType, share: i64, at: Option<DateTime<Utc>>) -> EventInput {
        self.spent += 1;
        let tokens = LIMITS[kind] * share / 100;
        EventInput { created_at: at, ..event(&format!("e{}", self.spent), kind, tokens) }
    }

    async fn record(&self, events: Vec<EventInput>) {
        self.metering.record(&self.seed.admin, events).await.expect("is recorded");
    }

    /// What the group was told so far: resource and threshold, in order.
    async fn notices(&self) -> Vec<(String, i64)> {
        let sql = "SELECT group_id, CAST(data AS TEXT) FROM notices ORDER BY id";
        let rows: Vec<(Uuid, String)> = self.database.rows(sql).await;
        rows.into_iter()
            .filter(|(group, _)| GroupId(*group) == self.seed.group())
            .map(|(_, data)| {
                let data: Value = serde_json::from_str(&data).expect("JSON");
                let kind = data["usage_type"].as_str().expect("a resource").to_owned();
                (kind, data["threshold"].as_i64().expect("a threshold"))
            })
            .collect()
    }

    async fn step(&mut self, step: Step) {
        let before = self.notices().await.len();
        match step {
            Step::Spend(kind, shares) => {
                let events: Vec<_> = shares.into_iter().map(|share| self.event(kind, share, None)).collect();
                self.used[kind] += events.iter().map(|event| event.tokens_used).sum::<i64>();
                self.record(events).await;
                let reached = threshold_reached(self.used[kind], Some(self.limit(kind)));
                let new = self.notices().await.split_off(before);
                let expected = (reached > self.told[kind]).then(|| (kind.as_str().to_owned(), reached));
                assert_eq!(new, Vec::from_iter(expected), "one report tells of the highest alone");
                self.told[kind] = self.told[kind].max(reached);
            }
            Step::SpendTogether(kind, shares) => {
                let events: Vec<_> = shares.into_iter().map(|share| self.event(kind, share, None)).collect();
                self.used[kind] += events.iter().map(|event| event.tokens_used).sum::<i64>();
                join_all(events.into_iter().map(|event| self.record(vec![event]))).await;
                let reached = threshold_reached(self.used[kind], Some(self.limit(kind)));
                let mut last = self.told[kind];
                for (resource, threshold) in self.notices().await.split_off(before) {
                    assert_eq!(resource, kind.as_str());
                    assert!(threshold > last, "{threshold} after {last}");
                    last = threshold;
                }
                assert_eq!(last, self.told[kind].max(reached), "the highest is told of");
                self.told[kind] = last;
            }
            Step::SpendLate(kind, share) => {
                if self.renewals > 0 {
                    let earlier = self.period(self.renewals - 1).start;
                    let late = self.event(kind, share, Some(earlier));
                    self.record(vec![late]).await;
                    assert_eq!(self.notices().await.len(), before, "that period is over");
                }
            }
            Step::Change(plan) => {
                let changes = plan != self.plan;
                self.plan = plan;
                self.stripe_says().await;
                if changes {
                    for kind in UsageType::ALL {
                        self.told[kind] = threshold_reached(self.used[kind], Some(self.limit(kind)));
                    }
                }
                assert_eq!(self.notices().await.len(), before, "a change of plan tells of no usage");
            }
            Step::Renew => {
                self.renewals += 1;
                self.stripe_says().await;
                (self.used, self.told) = Default::default();
                assert_eq!(self.notices().await.len(), before);
            }
            Step::Expand => self.outbox.expand_notices().await.expect("is expanded"),
            Step::CrashWhileExpanding => self.crash_while_expanding().await,
        }
    }

    fn period(&self, number: i64) -> Period {
        let Period { start, end } = self.seed.period;
        Period { start: start + Duration::seconds(number), end: end + Duration::seconds(number) }
    }

    async fn stripe_says(&self) {
        let Seed { store, subscription, clock, .. } = &self.seed;
        let group = self.seed.group();
        let ticket = store.draw_sync_ticket(*subscription).await.expect("a ticket");
        let state = StripeState {
            stripe_price_id: format!("price_{}", self.plans[self.plan].0.simple()),
            ..self.seed.at_stripe(Status::Active, self.period(self.renewals))
        };
        let mut tx = store.begin().await.expect("a transaction");
        tx.lock_group(group).await.expect("a lock");
        tx.apply_stripe_state(group, *subscription, ticket, &state, clock.now()).await.expect("is written");
        tx.commit().await.expect("a commit");
    }

    /// As far as the first message, and no commit.
    async fn crash_while_expanding(&self) {
        let mut tx = self.seed.store.begin().await.expect("a transaction");
        let claimed = tx.claim_notice(NoticeId(Uuid::nil())).await.expect("the notices");
        if let Some((notice, _)) = claimed {
            let origin = Some(Origin { notice, user: self.seed.admin.id });
            let message = NewMessage { recipient: "lost@acme.test".into(), origin, ..NewMessage::default() };
            self.outbox.add(&mut tx, &message).await.expect("is kept");
        }
        drop(tx);
    }
}

async fn is_told_by_the_rule(store: &Store, database: &Database, steps: Vec<Step>) {
    let mut world = World::new(store, database).await;
    for step in steps {
        world.step(step).await;
    }
    world.outbox.expand_notices().await.expect("is expanded");
    world.outbox.expand_notices().await.expect("is expanded");
    let told = world.notices().await.len();
    let sql = "SELECT o.recipient, o.notice_id FROM outbox o JOIN notices n ON n.id = o.notice_id";
    let sent: Vec<(String, Uuid)> = database.rows(sql).await;
    let mut to_admin: Vec<_> = sent.iter().filter(|(to, _)| *to == world.seed.admin.email).collect();
    assert_eq!(to_admin.len(), told, "one message to the admin for each notice");
    to_admin.sort();
    to_admin.dedup();
    assert_eq!(to_admin.len(), told, "and none twice");
    assert!(sent.iter().all(|(to, _)| *to != world.seed.member.email && to != "lost@acme.test"));
    world.metering.stop().await;
}

#[test]
fn whatever_is_spent_bought_and_broken_off_each_threshold_is_told_once() {
    each_store_holds(20, steps(), is_told_by_the_rule);
}

#[tokio::test]
async fn a_new_limit_counts_what_it_finds_reached_as_told() {
    for database in Database::each().await {
        let store = database.store().await;
        let llm = |shares: &[i64]| Step::Spend(UsageType::Llm, shares.to_vec());
        // In per cent of the limit of the moment: 90; 85 of twice as much; 170 of the first again, which is told of by nothing
        // more; 88 of three times as much.
        let steps = vec![
            llm(&[45, 45]),
            Step::Change(1),
            llm(&[40, 40]),
            Step::Change(0),
            llm(&[5]),
            Step::Change(2),
            llm(&[45, 45]),
        ];
        is_told_by_the_rule(&store, &database, steps).await;
        store.close().await;
        database.drop().await;
    }
}
