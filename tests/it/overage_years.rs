//! A year of lives with overage, whose webhooks are lost, doubled and shuffled: in the end the ledger, its charges and the
//! lines of Stripe's invoices agree to the cent, and nothing is charged twice or forgotten.
//!
//! `TOLLGATE_TEST_CASES` asks for more lives than the quick run has, and `TOLLGATE_TEST_SEED` for others.

use std::collections::HashMap;
use std::env;

use chrono::{DateTime, Duration, Utc};
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use reqwest::Method;
use serde_json::{Value, json};
use tollgate::storage::OverageCharge;

use crate::billing_life::USAGE;
use crate::billing_stage::{Stage, at, group};
use crate::overage::{agree, path, plan, prices, spend};
use crate::support::app::{MY_SUBSCRIPTION, Person};
use crate::support::databases::each_database;

const START: &str = "2026-01-31T12:00:00Z";
const KINDS: [&str; 2] = ["llm", "voice"];

fn variable(name: &str) -> Option<u64> {
    env::var(name).ok().map(|value| value.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

/// What a period should be charged, counted by hand.
#[derive(Default)]
struct Period {
    limit: [i64; 2],
    used: [i64; 2],
    charged: [i64; 2],
    /// In cents.
    cap: Option<i64>,
}

const PACKAGES: [(i64, i64); 2] = [(1_000, 2), (100, 5)];

impl Period {
    fn cost(charged: [i64; 2]) -> i64 {
        (0..2)
            .map(|kind| (charged[kind] as u64).div_ceil(PACKAGES[kind].0 as u64) as i64 * PACKAGES[kind].1)
            .sum()
    }

    /// A package's part at a time, as long as it is beyond the limit and its money is there.
    fn spend(&mut self, kind: usize, tokens: i64) {
        for _ in 0..tokens {
            self.used[kind] += 1;
            let mut more = self.charged;
            more[kind] += 1;
            let beyond = self.used[kind] > self.limit[kind];
            if beyond && self.cap.is_some_and(|cap| Self::cost(more) <= cap) {
                self.charged = more;
            }
        }
    }

    fn upgrade(&mut self, limit: [i64; 2]) {
        self.limit = limit;
        let beyond = self.used.iter().zip(limit).map(|(used, limit)| (used - limit).max(0));
        for (charged, beyond) in self.charged.iter_mut().zip(beyond) {
            *charged = beyond.min(*charged);
        }
    }
}

struct Life<'a> {
    stage: &'a Stage,
    rng: StdRng,
    admin: Person<'a>,
    stripe_id: String,
    /// Every subscription there was.
    subscriptions: Vec<String>,
    period: Period,
    agreed: Option<i64>,
    /// What should have been charged, of the periods that are over: tokens of each kind, where there are any.
    expected: Vec<[i64; 2]>,
    small: Value,
    large: Value,
}

const SMALL: [i64; 2] = [10_000, 1_000];
const LARGE: [i64; 2] = [12_000, 1_200];

impl<'a> Life<'a> {
    async fn begin(stage: &'a Stage, seed: u64) -> Self {
        let small = plan(stage).await;
        let large = stage
            .plan_of(json!({"price": "49.99", "llm_tokens_limit": LARGE[0], "voice_tokens_limit": LARGE[1],
                "overage": prices()}))
            .await;
        let (admin, stripe_id) = stage.subscribed(&small).await;
        let admin = admin.by_key().await;
        let (subscriptions, period) = (vec![stripe_id.clone()], Period { limit: SMALL, ..Period::default() });
        let rng = StdRng::seed_from_u64(seed);
        let (agreed, expected) = (None, Vec::new());
        Self { stage, rng, admin, stripe_id, subscriptions, period, agreed, expected, small, large }
    }

    async fn end(&self) -> DateTime<Utc> {
        let live = self.stage.at_stripe(&self.stripe_id).await;
        let end = live["items"]["data"][0]["current_period_end"].as_i64().expect("a time");
        DateTime::from_timestamp(end, 0).expect("a time")
    }

    /// Delivers what Stripe has to tell: some of it lost, some twice, in any order.
    async fn deliver(&mut self, losses: u32) {
        let mut events = self.stage.events_of(&self.stripe_id).await;
        let doubled: Vec<Value> = events.iter().filter(|_| self.rng.random_ratio(1, 4)).cloned().collect();
        events.extend(doubled);
        events.retain(|_| !self.rng.random_ratio(losses, 10));
        events.shuffle(&mut self.rng);
        for event in events {
            assert_eq!(self.stage.app.deliver_event(&event).await, 200);
        }
    }

    async fn charge(&self) {
        self.stage.app.running.services.billing.charge_overage(None).await.expect("the database answers");
    }

    fn close(&mut self, limit: [i64; 2]) {
        let over = std::mem::take(&mut self.period);
        if over.charged != [0, 0] {
            self.expected.push(over.charged);
        }
        self.period = Period { limit, cap: self.agreed, ..Period::default() };
    }

    async fn agree(&mut self) {
        if self.rng.random_ratio(1, 4) {
            let body = json!({"enabled": false});
            assert_eq!(self.admin.put(&path(&self.admin).await, body).await.status, 200);
            self.agreed = None;
        } else {
            let cap = self.rng.random_range(1..200);
            agree(&self.admin, &format!("{}.{:02}", cap / 100, cap % 100)).await;
            self.agreed = Some(cap);
        }
        self.period.cap = self.agreed;
    }

    async fn spend(&mut self) {
        for _ in 0..self.rng.random_range(1..4) {
            let kind = self.rng.random_range(0..2);
            let tokens = self.rng.random_range(1..self.period.limit[kind]);
            spend(&self.admin, KINDS[kind], tokens).await;
            self.period.spend(kind, tokens);
        }
    }

    /// What is known here is what Stripe has, whatever webhooks were lost.
    async fn catch_up(&self) {
        let services = &self.stage.app.running.services;
        services.billing.fetch_overdue().await.expect("the database answers");
        let sum = services.billing.reconcile().await.expect("it compares");
        assert_eq!(sum.failed, 0);
    }

    async fn month(&mut self) {
        let end = self.end().await;
        self.agree().await;
        self.spend().await;
        match self.rng.random_range(0..8) {
            0 if self.period.limit == SMALL => {
                let change = path(&self.admin).await.replace("/overage/", "/change_plan/");
                let changed = self.admin.post(&change, json!({"plan_id": self.large["id"]})).await;
                assert_eq!(changed.status, 200, "{}", changed.body);
                self.period.upgrade(LARGE);
                self.spend().await;
            }
            1 => {
                self.stage.cancel(&self.admin, false).await;
                self.deliver(3).await;
                self.catch_up().await;
                self.agreed = None;
                let small = self.small.clone();
                let bought = self.stage.buy(&self.admin, &small).await;
                assert_eq!(bought.status, 201, "{}", bought.body);
                self.stripe_id =
                    bought.body["subscription"]["stripe_subscription_id"].as_str().expect("an id").to_owned();
                self.subscriptions.push(self.stripe_id.clone());
                self.close(SMALL);
                return;
            }
            2 => self.agree().await,
            _ => {}
        }
        let half = end - Duration::days(3);
        self.stage.advance_to(half).await;
        self.spend().await;
        // The renewal's draft takes lines for an hour.
        self.stage.advance_to(end + Duration::minutes(5)).await;
        let losses = if self.rng.random_ratio(1, 2) { 9 } else { 2 };
        self.deliver(losses).await;
        if self.rng.random_ratio(1, 2) {
            self.catch_up().await;
        }
        self.charge().await;
        self.stage.advance_to(end + Duration::hours(3)).await;
        self.deliver(3).await;
        self.catch_up().await;
        self.charge().await;
        let limit = self.period.limit;
        self.close(limit);
        let usage = self.admin.get(USAGE).await.body;
        assert_eq!(usage["llm"]["used"], 0, "{usage}");
    }

    /// The amounts on Stripe's invoices by charge.
    async fn lines(&self) -> HashMap<String, Vec<i64>> {
        let mut found: HashMap<String, Vec<i64>> = HashMap::new();
        let customer =
            self.stage.at_stripe(&self.stripe_id).await["customer"].as_str().expect("an id").to_owned();
        let path = format!("/invoices?limit=100&customer={customer}");
        let invoices = self.stage.stripe(Method::GET, &path, &[]).await;
        for invoice in invoices["data"].as_array().expect("invoices") {
            assert_ne!(invoice["status"], "draft", "nothing is left half done");
            for line in invoice["lines"]["data"].as_array().expect("lines") {
                if let Some(charge) = line["metadata"]["tollgate_overage_charge"].as_str() {
                    found
                        .entry(charge.to_owned())
                        .or_default()
                        .push(line["amount"].as_i64().expect("an amount"));
                }
            }
        }
        found
    }

    async fn agrees(&self) {
        let store = &self.stage.app.running.services.store;
        let group = group(&self.admin).await;
        let charges: Vec<OverageCharge> = store.overage_charges(group, 1_000).await.expect("the charges");
        let lines = self.lines().await;
        let by_hand: i64 = self.expected.iter().map(|charged| Period::cost(*charged)).sum();
        let written: i64 = charges.iter().map(|charge| charge.amount_minor).sum();
        assert_eq!(written, by_hand, "what was charged is what was counted by hand: {:?}", self.expected);
        let at_stripe: HashMap<String, Vec<i64>> =
            charges.iter().map(|charge| (charge.id.to_string(), vec![charge.amount_minor])).collect();
        assert_eq!(lines, at_stripe, "each charge is on one line, as it was written");
        let counted: i64 = self.expected.iter().flatten().sum();
        assert_eq!(charges.iter().map(|charge| charge.tokens).sum::<i64>(), counted);
        assert_eq!(self.admin.get(MY_SUBSCRIPTION).await.body["status"], "active");
    }
}

#[tokio::test]
async fn after_a_year_the_ledger_its_charges_and_stripes_invoices_agree_to_the_cent() {
    let first = variable("TOLLGATE_TEST_SEED").unwrap_or_default();
    for seed in first..first + variable("TOLLGATE_TEST_CASES").unwrap_or(3) {
        println!("TOLLGATE_TEST_SEED={seed} TOLLGATE_TEST_CASES=1");
        each_database(|url| async move {
            let stage = Stage::start_at(&url, at(START)).await;
            let mut life = Life::begin(&stage, seed).await;
            for _ in 0..12 {
                life.month().await;
            }
            stage.advance(Duration::hours(3)).await;
            life.catch_up().await;
            life.charge().await;
            stage.advance(Duration::hours(3)).await;
            life.agrees().await;
            stage.stop().await;
        })
        .await;
    }
}
