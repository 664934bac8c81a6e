//! Whatever becomes of Stripe's events on their way, and whatever people do meanwhile, in the end a group's subscription,
//! its periods and its access are those that Stripe shows: by the events alone where each has arrived, and else once
//! `reconcile` has run.
//!
//! `TOLLGATE_TEST_CASES` asks for more histories than the quick run has.

use std::collections::BTreeSet;

use chrono::{DateTime, Duration, Utc};
use futures::future::join_all;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tollgate::domain::{GroupId, Status};
use tollgate::storage::SubscriptionRow;

use crate::billing_life::{CHECK, EVENTS};
use crate::billing_stage::{CREATE, Stage, Trouble, at, error};
use crate::support::app::{Auth, MY_SUBSCRIPTION, Person, eventually};
use crate::support::databases::Database;
use crate::support::seed;

/// What a person does, by the REST API.
#[derive(Clone, Copy, Debug)]
enum Act {
    Buy { plan: usize, card: Option<&'static str> },
    Cancel { at_period_end: bool },
    Spend,
}

/// What becomes of events of Stripe's.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Arrives,
    /// It is kept, and the server stops before its effect.
    CrashesBeforeItsEffect,
    /// Stripe doesn't answer when its effect is to be had.
    MeetsAnOutage,
    /// It never arrives.
    IsLost,
}

#[derive(Clone, Debug)]
enum Step {
    Act(Act),
    /// The customer confirms what is left to confirm, in the card form.
    Confirm(&'static str),
    /// At Stripe, past the application.
    ChangeCard(&'static str),
    EndLater(bool),
    End,
    /// Hours.
    Wait(i64),
    /// Events, some of them perhaps for the second time, all at once and while somebody does something.
    Events(Vec<Index>, Fate, Option<Act>),
    RetryInbox,
}

const GOOD: &str = "pm_card_visa";
const BAD: &str = "pm_card_chargeCustomerFail";

fn acts() -> impl Strategy<Value = Act> {
    let card = prop_oneof![3 => Just(Some(GOOD)), 1 => Just(Some(BAD)), 2 => Just(None)];
    prop_oneof![
        4 => (0..3_usize, card).prop_map(|(plan, card)| Act::Buy { plan, card }),
        2 => any::<bool>().prop_map(|at_period_end| Act::Cancel { at_period_end }),
        2 => Just(Act::Spend),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let hours = prop_oneof![Just(1_i64), Just(30), Just(24 * 8), Just(24 * 20), Just(24 * 45)];
    let fate = prop_oneof![
        5 => Just(Fate::Arrives),
        1 => Just(Fate::CrashesBeforeItsEffect),
        1 => Just(Fate::MeetsAnOutage),
        1 => Just(Fate::IsLost),
    ];
    let picks = prop::collection::vec(any::<Index>(), 1..5);
    let card = prop_oneof![Just(GOOD), Just(BAD)];
    let step = prop_oneof![
        2 => acts().prop_map(Step::Act),
        2 => card.clone().prop_map(Step::Confirm),
        2 => card.prop_map(Step::ChangeCard),
        1 => any::<bool>().prop_map(Step::EndLater),
        1 => Just(Step::End),
        4 => hours.prop_map(Step::Wait),
        6 => (picks, fate, prop::option::of(acts())).prop_map(|(picks, fate, act)| Step::Events(picks, fate, act)),
        1 => Just(Step::RetryInbox),
    ];
    let first = acts().prop_map(Step::Act);
    (first, prop::collection::vec(step, 3..14)).prop_map(|(first, mut rest)| {
        rest.insert(0, first);
        rest
    })
}

/// One application and one Stripe for all histories on a database.
struct World {
    stage: Stage,
    plans: [Value; 3],
}

/// A group whose history it is.
struct History<'a> {
    world: &'a World,
    group: GroupId,
    admin: Person<'a>,
    /// Stripe's newest event that was looked at; none where it has none from before.
    newest: Option<String>,
    /// What it told of this history until then, oldest first. Stripe itself forgets events after thirty days.
    told: Vec<Value>,
    delivered: BTreeSet<String>,
    lost: BTreeSet<String>,
    spent: u32,
}

impl World {
    async fn open(database: &Database) -> Self {
        let stage = Stage::start_at(&database.url, at("2026-01-31T12:00:00Z")).await;
        let plans = [
            stage.plan_of(json!({})).await,
            stage.plan_of(json!({"trial_days": 14})).await,
            stage.plan_of(json!({"interval": "year"})).await,
        ];
        Self { stage, plans }
    }

    async fn begin(&self) -> History<'_> {
        let services = &self.stage.app.running.services;
        let (user, _) = seed::group(&services.store, self.stage.clock.now()).await;
        let key = services.accounts.create_key(&user, "chaos").await.expect("a key");
        let admin = Person { app: &self.stage.app, auth: Auth::Key(key.key), id: user.id.to_string() };
        let newest = self.stage.stripe(Method::GET, "/events?limit=1", &[]).await;
        History {
            world: self,
            group: user.must_have_group().expect("a group"),
            admin,
            newest: newest["data"][0]["id"].as_str().map(str::to_owned),
            told: Vec::new(),
            delivered: BTreeSet::new(),
            lost: BTreeSet::new(),
            spent: 0,
        }
    }
}

fn id_of(object: &Value) -> &str {
    object["id"].as_str().expect("an id")
}

impl History<'_> {
    fn stage(&self) -> &Stage {
        &self.world.stage
    }

    /// What Stripe has to tell of this history, oldest first, but for what is lost.
    async fn events(&mut self) -> Vec<Value> {
        self.listen().await;
        self.told.iter().filter(|event| !self.lost.contains(id_of(event))).cloned().collect()
    }

    /// Takes in what Stripe has told since it was last asked.
    async fn listen(&mut self) {
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

    /// Every subscription that Stripe made for the group, the newest first.
    async fn at_stripe(&self) -> Vec<Value> {
        let services = &self.stage().app.running.services;
        let customer = services.store.stripe_customer(self.group).await.expect("a row");
        let Some(customer) = customer else { return Vec::new() };
        let path = format!("/subscriptions?status=all&limit=100&customer={customer}");
        self.stage().stripe(Method::GET, &path, &[]).await["data"].as_array().expect("a list").clone()
    }

    async fn live(&self) -> Option<SubscriptionRow> {
        let store = &self.stage().app.running.services.store;
        store.live_subscription(self.group).await.expect("a row")
    }

    /// Does what a person does. Whatever is refused is refused for a reason: never by a failure of ours.
    async fn act(&self, act: Act, number: u32) {
        let answer = match act {
            Act::Buy { plan, card } => {
                let plan = &self.world.plans[plan];
                self.admin.post(CREATE, json!({"plan_id": plan["id"], "payment_method": card})).await
            }
            Act::Cancel { at_period_end } => {
                let Some(row) = self.live().await else { return };
                let path = format!("/api/subscriptions/subscriptions/{}/cancel/", row.subscription_id);
                self.admin.post(&path, json!({"at_period_end": at_period_end})).await
            }
            Act::Spend => {
                let event = json!({"id": format!("call-{number}"), "usage_type": "llm", "tokens_used": 1});
                self.admin.post(EVENTS, event).await
            }
        };
        // 503 only while Stripe is out.
        assert!([200, 201, 402, 404, 409, 503].contains(&answer.status), "{act:?}: {}", answer.body);
    }

    /// Asks Stripe what it may refuse.
    async fn try_at_stripe(&self, method: Method, path: &str, form: &[(&str, &str)]) {
        self.stage().try_stripe(method, path, form).await;
    }

    async fn step(&mut self, step: &Step) {
        self.spent += 1;
        let number = self.spent;
        match step {
            Step::Act(act) => self.act(*act, number).await,
            Step::Confirm(card) => {
                let Some(live) = self.live().await else { return };
                let path = format!(
                    "/subscriptions/{}?expand[]=latest_invoice.confirmation_secret&expand[]=pending_setup_intent",
                    live.stripe_subscription_id
                );
                let found = self.stage().stripe(Method::GET, &path, &[]).await;
                let setup =
                    found["pending_setup_intent"]["id"].as_str().map(|id| format!("/setup_intents/{id}"));
                let secret = found["latest_invoice"]["confirmation_secret"]["client_secret"].as_str();
                let payment = secret.and_then(|secret| secret.split("_secret_").next());
                let intent = setup.or_else(|| payment.map(|id| format!("/payment_intents/{id}")));
                if let Some(intent) = intent {
                    let form = [("payment_method", *card)];
                    self.try_at_stripe(Method::POST, &format!("{intent}/confirm"), &form).await;
                }
            }
            Step::ChangeCard(card) => {
                let Some(newest) = self.at_stripe().await.into_iter().next() else { return };
                if !["canceled", "incomplete_expired"].contains(&newest["status"].as_str().expect("a status"))
                {
                    self.stage().change_card(id_of(&newest), card).await;
                }
            }
            Step::EndLater(later) => {
                let Some(newest) = self.at_stripe().await.into_iter().next() else { return };
                let path = format!("/subscriptions/{}", id_of(&newest));
                let form = [("cancel_at_period_end", if *later { "true" } else { "false" })];
                self.try_at_stripe(Method::POST, &path, &form).await;
            }
            Step::End => {
                let Some(newest) = self.at_stripe().await.into_iter().next() else { return };
                self.try_at_stripe(Method::DELETE, &format!("/subscriptions/{}", id_of(&newest)), &[]).await;
            }
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
                let store = &self.stage().app.running.services.store;
                let now = self.stage().clock.now();
                for event in picked {
                    let object = &event["data"]["object"];
                    let is_of =
                        event["type"].as_str().is_some_and(|name| name.starts_with("customer.subscription."));
                    let subscription = if is_of {
                        object["id"].as_str()
                    } else {
                        object["parent"]["subscription_details"]["subscription"].as_str()
                    };
                    let retry_at = now + Duration::seconds(10);
                    let event_type = event["type"].as_str().expect("a type");
                    store
                        .receive_event(id_of(event), event_type, subscription, None, now, retry_at)
                        .await
                        .expect("it is kept");
                }
                meanwhile(self).await;
            }
            Fate::MeetsAnOutage => {
                let outage = Trouble::Answer(500, error("api_error"));
                self.stage().when(Method::GET, "/v1/subscriptions/*", outage);
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

    async fn deliver(&self, events: &[Value]) {
        let answers = join_all(events.iter().map(|event| self.stage().app.deliver_event(event))).await;
        assert!(answers.iter().all(|status| *status == 200), "{answers:?}");
    }

    async fn drain(&self) {
        self.stage().app.running.services.billing.drain_inbox().await.expect("the inbox is read");
    }

    /// Delivers what is left, in an order of its own, and waits until every event has had its effect.
    async fn settle(&mut self, order: &[u64], database: &Database) {
        loop {
            let events = self.events().await;
            let left = events.into_iter().filter(|event| !self.delivered.contains(id_of(event)));
            let mut left: Vec<(u64, Value)> = order.iter().copied().cycle().zip(left).collect();
            left.sort_by_key(|(position, _)| *position);
            let left: Vec<Value> = left.into_iter().map(|(_, event)| event).collect();
            for together in left.chunks(3) {
                self.meet(together, Fate::Arrives, None).await;
            }
            self.drain().await;
            let waiting: Vec<(i64,)> =
                database.rows("SELECT COUNT(*) FROM webhook_events WHERE processed_at IS NULL").await;
            match (left.is_empty(), waiting[0].0) {
                (true, 0) => return,
                // They are due again only after a while, in which more may happen at Stripe.
                (_, 1..) => self.stage().advance(Duration::minutes(3)).await,
                _ => {}
            }
        }
    }

    /// What everybody sees is what Stripe shows.
    async fn agrees(&self) -> Result<(), String> {
        let found = self.at_stripe().await;
        let is_over = |status: &str| ["canceled", "incomplete_expired"].contains(&status);
        let going: Vec<&Value> =
            found.iter().filter(|one| !is_over(one["status"].as_str().expect("a status"))).collect();
        let seen = self.admin.get(MY_SUBSCRIPTION).await.body;
        let now = self.stage().clock.now();
        let allowed = self.admin.get(CHECK).await.body["allowed"]["llm"] == true;
        match going.as_slice() {
            [] => {
                same("no subscription", &seen["code"], &json!("no_subscription"))?;
                same("no access", &json!(allowed), &json!(false))?;
            }
            [live] => {
                let item = &live["items"]["data"][0];
                let (start, end) = (time(&item["current_period_start"]), time(&item["current_period_end"]));
                let expected = json!([
                    live["id"],
                    live["status"],
                    live["cancel_at_period_end"],
                    text(start),
                    text(end),
                    live["trial_end"].as_i64().map(|_| text(time(&live["trial_end"])))
                ]);
                let shown = json!([
                    seen["stripe_subscription_id"],
                    seen["status"],
                    seen["cancel_at_period_end"],
                    seen["current_period_start"],
                    seen["current_period_end"],
                    seen["trial_end"]
                ]);
                same("the subscription", &shown, &expected)?;
                let row = self.live().await.ok_or("no row")?;
                let access = row.status.gives_access(row.past_due_since, None, seed::GRACE_DAYS, now);
                same("access", &json!(allowed), &json!(access))?;
                if row.status == Status::PastDue {
                    let since = row.past_due_since.ok_or("no begin of the days of grace")?;
                    same("the days of grace", &json!(since >= start && since <= now), &json!(true))?;
                }
            }
            more => return Err(format!("{} live subscriptions at Stripe", more.len())),
        }
        let mut expected = Vec::new();
        for subscription in found.iter().rev() {
            expected.extend(self.starts(subscription).await);
        }
        let mut periods = self.stage().periods(&self.admin).await;
        periods.sort();
        let mut starts: Vec<_> = periods.iter().map(|period| period.0).collect();
        // One that ended at the moment it began, if it was noticed later, has had a period and hasn't.
        let ended: Vec<_> = found
            .iter()
            .filter(|one| one["ended_at"].is_i64() && one["ended_at"] == one["start_date"])
            .map(|one| time(&one["start_date"]))
            .collect();
        // What was spent before it was known that the subscription had ended is in a month that only the calendar began.
        let over = found.iter().filter(|one| one["ended_at"].is_i64()).map(|one| time(&one["ended_at"]));
        let first_end = over.min();
        let beyond: Vec<_> = periods
            .iter()
            .filter(|(start, _, used)| *used > 0 && first_end.is_some_and(|end| end <= *start))
            .map(|period| period.0)
            .filter(|start| !expected.contains(start))
            .collect();
        starts.retain(|start| !beyond.contains(start));
        for list in [&mut starts, &mut expected] {
            list.dedup();
            list.retain(|start| !ended.contains(start));
        }
        same("the periods", &json!(starts), &json!(expected))?;
        let apart = periods.windows(2).all(|pair| pair[0].1 <= pair[1].0);
        same("periods that don't overlap", &json!(apart), &json!(true))
    }

    /// When the usage periods of a subscription began, by what Stripe billed.
    async fn starts(&self, subscription: &Value) -> Vec<DateTime<Utc>> {
        if ["incomplete", "incomplete_expired"].contains(&subscription["status"].as_str().expect("a status"))
        {
            return Vec::new();
        }
        let path = format!("/invoices?limit=100&subscription={}", id_of(subscription));
        let invoices = self.stage().stripe(Method::GET, &path, &[]).await;
        let ended = subscription["ended_at"].as_i64().map(|_| time(&subscription["ended_at"]));
        let yearly = subscription["items"]["data"][0]["price"]["recurring"]["interval"] == "year";
        let now = ended.unwrap_or(self.stage().clock.now());
        let mut starts = Vec::new();
        for invoice in invoices["data"].as_array().expect("a list").iter().rev() {
            let period = &invoice["lines"]["data"][0]["period"];
            let (start, end) = (time(&period["start"]), time(&period["end"]));
            let months = if yearly { 12 } else { 1 };
            // The first begins in any case; those after it where they did before the subscription ended.
            let is_first = period["start"] == subscription["start_date"];
            let of_it = (0..months).map(|month| start + chrono::Months::new(month));
            starts.extend(
                of_it.filter(|month| *month < end && ((is_first && *month == start) || *month < now)),
            );
        }
        starts
    }
}

fn time(seconds: &Value) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds.as_i64().expect("a time"), 0).expect("a time")
}

fn text(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

fn same(what: &str, seen: &Value, expected: &Value) -> Result<(), String> {
    if seen == expected { Ok(()) } else { Err(format!("{what}: {seen}, and at Stripe {expected}")) }
}

async fn holds(world: &World, database: &Database, steps: &[Step], order: &[u64]) -> Result<(), String> {
    let mut history = world.begin().await;
    for step in steps {
        history.step(step).await;
    }
    history.settle(order, database).await;
    if !history.lost.is_empty() {
        let sum = world.stage.app.running.services.billing.reconcile().await.expect("it compares");
        same("what couldn't be compared", &json!(sum.failed), &json!(0))?;
    }
    history.agrees().await?;
    // Nothing of it goes on into the next one.
    history.act(Act::Cancel { at_period_end: false }, 0).await;
    eventually("it has ended", || async { history.live().await.is_none().then_some(()) }).await;
    Ok(())
}

#[test]
fn in_the_end_everything_is_as_stripe_shows_it() {
    let cases = std::env::var("TOLLGATE_TEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(100);
    let on = |database: Database| {
        move || {
            let runtime = Runtime::new().expect("a runtime");
            let world = runtime.block_on(World::open(&database));
            let histories = (steps(), prop::collection::vec(any::<u64>(), 60));
            let config =
                Config { cases, failure_persistence: None, max_shrink_iters: 0, ..Config::default() };
            TestRunner::new(config)
                .run(&histories, |(steps, order)| {
                    let held = runtime.block_on(holds(&world, &database, &steps, &order));
                    held.map_err(|why| TestCaseError::fail(format!("on {}: {why}", database.url)))
                })
                .expect("the property holds");
            runtime.block_on(world.stage.stop());
            runtime.block_on(database.drop());
        }
    };
    let databases = Runtime::new().expect("a runtime").block_on(Database::each());
    let runs: Vec<_> = databases.into_iter().map(|database| std::thread::spawn(on(database))).collect();
    for run in runs {
        run.join().expect("the property holds");
    }
}
