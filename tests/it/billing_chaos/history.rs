//! Living a history through: each step of it, at Stripe and here.

mod at_stripe;
mod events;

use std::collections::BTreeSet;

use chrono::{DateTime, Datelike, Duration, Utc};
use reqwest::Method;
use serde_json::{Value, json};
use tollgate::domain::GroupId;
use tollgate::storage::SubscriptionRow;

use super::steps::{Act, Script, Step};
use crate::billing_life::EVENTS;
use crate::billing_stage::{CREATE, Stage, at};
use crate::support::app::{Auth, Person, eventually};
use crate::support::databases::Database;
use crate::support::seed;

/// One application and one Stripe for many histories on a database.
pub struct World {
    pub stage: Stage,
    pub database: Database,
    pub plans: Vec<Value>,
}

/// A group whose history it is.
pub struct History<'a> {
    pub world: &'a World,
    pub admin: Person<'a>,
    group: GroupId,
    /// Stripe's newest event that was looked at; none where it has none from before.
    newest: Option<String>,
    /// What it told of this history until then, oldest first. Stripe itself forgets events after thirty days.
    pub told: Vec<Value>,
    delivered: BTreeSet<String>,
    pub lost: BTreeSet<String>,
    steps: u32,
}

impl World {
    pub async fn open(database: Database) -> Self {
        let stage = Stage::start_at(&database.url, at("2026-01-31T12:00:00Z")).await;
        let mut plans = Vec::new();
        for more in [
            json!({}),
            json!({"trial_days": 14, "price": "39.99", "llm_tokens_limit": 150_000}),
            json!({"interval": "year", "price": "299.00"}),
            json!({"price": "90.00", "llm_tokens_limit": 500_000, "voice_tokens_limit": 100_000}),
            json!({"price": "9.00", "llm_tokens_limit": 10_000, "voice_tokens_limit": 1_000}),
            // Longer than a month, so that its tokens are renewed in the midst of it.
            json!({"interval": "year", "price": "900.00", "trial_days": 45, "llm_tokens_limit": 600_000}),
        ] {
            plans.push(stage.plan_of(more).await);
        }
        Self { stage, database, plans }
    }

    pub async fn close(self) {
        self.stage.stop().await;
        self.database.drop().await;
    }

    /// A group that begins at the script's time of the year.
    pub async fn begin(&self, script: &Script) -> History<'_> {
        let services = &self.stage.app.running.services;
        let now = self.stage.clock.now();
        let days = (i64::from(script.day_of_year) - i64::from(now.ordinal0())).rem_euclid(365);
        let midnight = now.date_naive().and_time(chrono::NaiveTime::MIN).and_utc();
        let begin = midnight + Duration::days(days) + Duration::hours(i64::from(script.hour));
        self.stage.advance_to(if begin > now { begin } else { begin + Duration::days(365) }).await;
        let (user, _) = seed::group(&services.store, self.stage.clock.now()).await;
        let key = services.accounts.create_key(&user, "chaos").await.expect("a key");
        let admin = Person { app: &self.stage.app, auth: Auth::Key(key.key), id: user.id.to_string() };
        self.stage.choose_after_last_retry("cancel").await;
        let newest = self.stage.stripe(Method::GET, "/events?limit=1", &[]).await;
        History {
            world: self,
            group: user.must_have_group().expect("a group"),
            admin,
            newest: newest["data"][0]["id"].as_str().map(str::to_owned),
            told: Vec::new(),
            delivered: BTreeSet::new(),
            lost: BTreeSet::new(),
            steps: 0,
        }
    }

    /// Which plan a price at Stripe is of.
    pub fn plan_of(&self, price: &Value) -> Option<&Value> {
        self.plans.iter().find(|plan| plan["stripe_price_id"] == *price)
    }
}

pub fn id_of(object: &Value) -> &str {
    object["id"].as_str().expect("an id")
}

pub fn is_over(subscription: &Value) -> bool {
    ["canceled", "incomplete_expired"].contains(&subscription["status"].as_str().expect("a status"))
}

pub fn time(seconds: &Value) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds.as_i64().expect("a time"), 0).expect("a time")
}

impl History<'_> {
    pub fn stage(&self) -> &Stage {
        &self.world.stage
    }

    async fn customer(&self) -> Option<String> {
        let store = &self.stage().app.running.services.store;
        store.stripe_customer(self.group).await.expect("a row")
    }

    /// Every subscription that Stripe made for the group, the newest first.
    pub async fn at_stripe(&self) -> Vec<Value> {
        let Some(customer) = self.customer().await else { return Vec::new() };
        let path = format!("/subscriptions?status=all&limit=100&customer={customer}&expand[]=data.schedule");
        self.stage().stripe(Method::GET, &path, &[]).await["data"].as_array().expect("a list").clone()
    }

    pub async fn live(&self) -> Option<SubscriptionRow> {
        let store = &self.stage().app.running.services.store;
        store.live_subscription(self.group).await.expect("a row")
    }

    /// Whether a purchase is still on its way.
    pub async fn is_reserved(&self) -> bool {
        let store = &self.stage().app.running.services.store;
        store.reservation(self.group).await.expect("a row").is_some()
    }

    /// Does what a person does. Whatever is refused is refused for a reason: never by a failure of ours.
    async fn act(&self, act: Act, number: u32) {
        let post = async |action: &str, body: Value| {
            let row = self.live().await?;
            let path = format!("/api/subscriptions/subscriptions/{}/{action}/", row.subscription_id);
            Some(self.admin.post(&path, body).await)
        };
        let answer = match act {
            Act::Buy { plan, card } => {
                let body = json!({"plan_id": self.world.plans[plan]["id"], "payment_method": card});
                Some(self.admin.post(CREATE, body).await)
            }
            Act::Cancel { at_period_end } => post("cancel", json!({"at_period_end": at_period_end})).await,
            Act::Resume => post("resume", Value::Null).await,
            Act::ChangePlan(plan) => {
                post("change_plan", json!({"plan_id": self.world.plans[plan]["id"]})).await
            }
            Act::PayBy(card) => post("payment_method", json!({"payment_method": card})).await,
            Act::Spend => {
                let event = json!({"id": format!("call-{number}"), "usage_type": "llm", "tokens_used": 1});
                Some(self.admin.post(EVENTS, event).await)
            }
        };
        let Some(answer) = answer else { return };
        // 503 only while Stripe is out.
        assert!([200, 201, 402, 404, 409, 503].contains(&answer.status), "{act:?}: {}", answer.body);
    }

    pub async fn step(&mut self, step: &Step) {
        self.steps += 1;
        let number = self.steps;
        match step {
            Step::Act(act) => self.act(*act, number).await,
            Step::Confirm(card) => self.confirm(card).await,
            Step::Authenticate(approves) => self.authenticate(*approves).await,
            Step::AtStripe(done) => self.do_at_stripe(*done).await,
            Step::Wait(hours) => {
                self.listen().await;
                self.stage().advance(Duration::hours(*hours)).await;
            }
            Step::Events(picks, fate, act) => {
                let events = self.events().await;
                if events.is_empty() {
                    return;
                }
                let picked: Vec<Value> = picks.iter().map(|pick| pick.get(&events).clone()).collect();
                self.meet(&picked, *fate, act.map(|act| (act, number))).await;
            }
            Step::RetryInbox => self.drain().await,
        }
    }

    /// Nothing of it goes on into the next one.
    pub async fn end(&self) {
        self.act(Act::Cancel { at_period_end: false }, 0).await;
        eventually("it has ended", || async { self.live().await.is_none().then_some(()) }).await;
    }
}
