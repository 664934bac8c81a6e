//! Living a history through: each step of it, at Stripe and here.

use std::collections::BTreeSet;

use chrono::{DateTime, Datelike, Duration, Utc};
use futures::future::join_all;
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use reqwest::Method;
use serde_json::{Value, json};
use tollgate::domain::GroupId;
use tollgate::storage::SubscriptionRow;

use super::steps::{Act, AtStripe, Fate, Script, Step};
use crate::billing_life::EVENTS;
use crate::billing_stage::{CREATE, Stage, Trouble, at, error};
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

    /// What Stripe has to tell of this history, oldest first, but for what is lost.
    async fn events(&mut self) -> Vec<Value> {
        self.listen().await;
        self.told.iter().filter(|event| !self.lost.contains(id_of(event))).cloned().collect()
    }

    /// Takes in what Stripe has told since it was last asked.
    pub async fn listen(&mut self) {
        loop {
            let known = self.newest.as_ref().map(|newest| format!("&ending_before={newest}"));
            let since = match known {
                Some(known) => self.stage().look_up(&format!("/events?limit=100{known}")).await,
                None => None,
            };
            // Where the event is forgotten, all that there are came after it: the oldest of them come first.
            let page = match since {
                Some(page) => page["data"].as_array().expect("events").clone(),
                None => self.oldest_page().await,
            };
            let Some(newest) = page.first() else { return };
            self.newest = Some(id_of(newest).to_owned());
            self.told.extend(page.into_iter().rev());
        }
    }

    /// The oldest events that Stripe has, the newest of them first.
    async fn oldest_page(&self) -> Vec<Value> {
        let mut last = Vec::new();
        loop {
            let after: String =
                last.last().map(|oldest| format!("&starting_after={}", id_of(oldest))).unwrap_or_default();
            let page = self.stage().stripe(Method::GET, &format!("/events?limit=100{after}"), &[]).await;
            let page = page["data"].as_array().expect("events").clone();
            if page.is_empty() {
                return last;
            }
            last = page;
        }
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

    /// Asks Stripe what it may refuse.
    async fn try_at_stripe(&self, method: Method, path: &str, form: &[(&str, &str)]) {
        self.stage().try_stripe(method, path, form).await;
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

    async fn confirm(&self, card: &str) {
        let Some(live) = self.live().await else { return };
        let path = format!(
            "/subscriptions/{}?expand[]=latest_invoice.confirmation_secret&expand[]=pending_setup_intent",
            live.stripe_subscription_id
        );
        let found = self.stage().stripe(Method::GET, &path, &[]).await;
        let setup = found["pending_setup_intent"]["id"].as_str().map(|id| format!("/setup_intents/{id}"));
        let secret = found["latest_invoice"]["confirmation_secret"]["client_secret"].as_str();
        let payment = secret.and_then(|secret| secret.split("_secret_").next());
        let intent = setup.or_else(|| payment.map(|id| format!("/payment_intents/{id}")));
        if let Some(intent) = intent {
            let form = [("payment_method", card)];
            self.try_at_stripe(Method::POST, &format!("{intent}/confirm"), &form).await;
        }
    }

    async fn authenticate(&self, approves: bool) {
        let Some(customer) = self.customer().await else { return };
        for kind in ["payment_intents", "setup_intents"] {
            let path = format!("/{kind}?limit=10&customer={customer}");
            let found = self.stage().stripe(Method::GET, &path, &[]).await;
            let mut intents = found["data"].as_array().expect("a list").iter();
            if let Some(waits) = intents.find(|intent| intent["status"] == "requires_action") {
                self.stage().answer_challenge(id_of(waits), approves).await;
            }
        }
    }

    async fn do_at_stripe(&self, done: AtStripe) {
        if let AtStripe::AfterLastRetry(chosen) = done {
            return self.stage().choose_after_last_retry(chosen).await;
        }
        let Some(newest) = self.at_stripe().await.into_iter().next() else { return };
        let path = format!("/subscriptions/{}", id_of(&newest));
        let change = async |form: &[(&str, &str)]| self.try_at_stripe(Method::POST, &path, form).await;
        let invoice = newest["latest_invoice"].as_str().unwrap_or_default();
        match done {
            AtStripe::AfterLastRetry(_) => {}
            AtStripe::ChangeCard(card) if !is_over(&newest) => {
                self.stage().change_card(id_of(&newest), card).await;
            }
            AtStripe::ChangeCard(_) => {}
            AtStripe::ChangePrice(plan) => {
                let (item, wanted) = (&newest["items"]["data"][0], &self.world.plans[plan]);
                if item["price"]["recurring"]["interval"] != wanted["interval"] {
                    return;
                }
                let price = wanted["stripe_price_id"].as_str().expect("a price");
                let form = [
                    ("items[0][id]", id_of(item)),
                    ("items[0][price]", price),
                    ("proration_behavior", "always_invoice"),
                ];
                change(&form).await;
            }
            AtStripe::EndLater(later) => {
                change(&[("cancel_at_period_end", if later { "true" } else { "false" })]).await;
            }
            AtStripe::End => self.try_at_stripe(Method::DELETE, &path, &[]).await,
            AtStripe::PauseAfterTrial => {
                change(&[("trial_settings[end_behavior][missing_payment_method]", "pause")]).await;
            }
            AtStripe::EndTrial => change(&[("trial_end", "now")]).await,
            AtStripe::GoOnAfterPause => {
                self.try_at_stripe(Method::POST, &format!("{path}/resume"), &[]).await;
            }
            AtStripe::PauseCollection(true) => change(&[("pause_collection[behavior]", "void")]).await,
            AtStripe::PauseCollection(false) => change(&[("pause_collection", "")]).await,
            AtStripe::PayInvoice => {
                self.try_at_stripe(Method::POST, &format!("/invoices/{invoice}/pay"), &[]).await;
            }
            AtStripe::VoidInvoice => {
                self.try_at_stripe(Method::POST, &format!("/invoices/{invoice}/void"), &[]).await;
            }
            AtStripe::Refund => {
                let customer = newest["customer"].as_str().expect("a customer");
                let path = format!("/charges?limit=1&customer={customer}");
                let charges = self.stage().stripe(Method::GET, &path, &[]).await;
                if let Some(charge) = charges["data"][0]["id"].as_str() {
                    self.try_at_stripe(Method::POST, "/refunds", &[("charge", charge)]).await;
                }
            }
        }
    }

    async fn meet(&mut self, picked: &[Value], fate: Fate, act: Option<(Act, u32)>) {
        let meanwhile = async |history: &Self| {
            if let Some((act, number)) = act {
                history.act(act, number).await;
            }
        };
        match fate {
            Fate::IsLost => {
                let never = picked.iter().map(id_of).filter(|id| !self.delivered.contains(*id));
                self.lost.extend(never.map(str::to_owned).collect::<Vec<_>>());
                meanwhile(self).await;
            }
            Fate::CrashesBeforeItsEffect => {
                for event in picked {
                    self.keep(event).await;
                }
                meanwhile(self).await;
            }
            Fate::MeetsAnOutage => {
                let outage = Trouble::Answer(500, error("api_error"));
                self.stage().when(Method::GET, "/v1/subscriptions/*", outage);
                tokio::join!(self.deliver(picked), meanwhile(self));
                self.stage().heal();
            }
            Fate::AnswersAreLost => {
                for method in [Method::POST, Method::DELETE] {
                    let lost = Trouble::AnswerAfter(500, error("api_error"));
                    self.stage().when(method, "/v1/subscription*", lost);
                }
                tokio::join!(self.deliver(picked), meanwhile(self));
                self.stage().heal();
            }
            Fate::Arrives => {
                tokio::join!(self.deliver(picked), meanwhile(self));
            }
        }
        if !matches!(fate, Fate::IsLost) {
            self.delivered.extend(picked.iter().map(|event| id_of(event).to_owned()));
        }
    }

    /// Keeps an event as its arrival does, and nothing else.
    async fn keep(&self, event: &Value) {
        let store = &self.stage().app.running.services.store;
        let now = self.stage().clock.now();
        let object = &event["data"]["object"];
        let event_type = event["type"].as_str().expect("a type");
        let subscription = if event_type.starts_with("customer.subscription.") {
            object["id"].as_str()
        } else {
            object["parent"]["subscription_details"]["subscription"].as_str()
        };
        let retry_at = now + Duration::seconds(10);
        store
            .receive_event(id_of(event), event_type, subscription, None, now, retry_at)
            .await
            .expect("it is kept");
    }

    async fn deliver(&self, events: &[Value]) {
        let answers = join_all(events.iter().map(|event| self.stage().app.deliver_event(event))).await;
        assert!(answers.iter().all(|status| *status == 200), "{answers:?}");
    }

    async fn drain(&self) {
        self.stage().app.running.services.billing.drain_inbox().await.expect("the inbox is read");
    }

    /// Delivers what is left, in an order of its own, and waits until every event has had its effect.
    pub async fn settle(&mut self, order: u64) {
        let mut order = StdRng::seed_from_u64(order);
        loop {
            let events = self.events().await;
            let left = events.into_iter().filter(|event| !self.delivered.contains(id_of(event)));
            let mut left: Vec<Value> = left.collect();
            left.shuffle(&mut order);
            for together in left.chunks(3) {
                self.meet(together, Fate::Arrives, None).await;
            }
            self.drain().await;
            let unfinished = "SELECT COUNT(*) FROM webhook_events WHERE processed_at IS NULL";
            let waiting: Vec<(i64,)> = self.world.database.rows(unfinished).await;
            match (left.is_empty(), waiting[0].0) {
                (true, 0) => return,
                // They are due again only after a while, in which more may happen at Stripe.
                (_, 1..) => self.stage().advance(Duration::minutes(3)).await,
                _ => {}
            }
        }
    }

    /// Nothing of it goes on into the next one.
    pub async fn end(&self) {
        self.act(Act::Cancel { at_period_end: false }, 0).await;
        eventually("it has ended", || async { self.live().await.is_none().then_some(()) }).await;
    }
}
