//! Whatever becomes of Stripe's events on their way, a subscription is as Stripe has it once any of them has arrived:
//! late, repeated, at the same time, in any order.

use std::collections::BTreeSet;

use futures::future::join_all;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestRunner};
use reqwest::Method;
use serde_json::{Value, json};
use stripe_sandbox::SECRET_KEY;
use tokio::runtime::Runtime;
use tollgate::domain::{Currency, Money, Status};
use tollgate::storage::{Store, StripeState};

use crate::support::app::{App, MY_SUBSCRIPTION, Person, eventually};
use crate::support::databases::{Database, each_store_holds};
use crate::support::seed::Seed;

#[derive(Clone, Debug)]
enum Step {
    /// The first invoice is paid.
    Pay,
    /// The end of the period becomes the end of the subscription, or not after all.
    EndLater(bool),
    End,
    /// Some of the events that there are by now arrive, all at once.
    Deliver(Vec<Index>),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        2 => Just(Step::Pay),
        3 => any::<bool>().prop_map(Step::EndLater),
        1 => Just(Step::End),
        4 => prop::collection::vec(any::<Index>(), 1..6).prop_map(Step::Deliver),
    ];
    prop::collection::vec(step, 1..10)
}

/// An application whose events are carried by hand.
struct Post {
    app: App,
    plan: Value,
}

impl Post {
    async fn open(database: &Database) -> Self {
        let app = App::start(&database.url).await;
        let plan = app.plan("Basic", "29.99", None).await;
        let post = Self { app, plan };
        let endpoints = post.ask(Method::GET, "/webhook_endpoints", &[]).await;
        let endpoint = endpoints["data"][0]["id"].as_str().expect("the application's endpoint").to_owned();
        post.ask(Method::DELETE, &format!("/webhook_endpoints/{endpoint}"), &[]).await;
        post
    }

    /// Asks Stripe. What it refuses changed nothing there.
    async fn ask(&self, method: Method, path: &str, form: &[(&str, &str)]) -> Value {
        self.app.stripe(SECRET_KEY, method, path, form).await.body
    }

    /// What Stripe has to tell of a subscription, oldest first.
    async fn events(&self, subscription: &str) -> Vec<Value> {
        let all = self.ask(Method::GET, "/events?limit=100", &[]).await;
        let mut mine: Vec<Value> = all["data"].as_array().expect("events").clone();
        mine.retain(|event| event.to_string().contains(subscription));
        mine.reverse();
        mine
    }

    /// Delivers events at the same time. Says whether one of them is new.
    async fn deliver(&self, events: &[&Value], known: &mut BTreeSet<String>) -> bool {
        let answers = join_all(events.iter().map(|event| self.app.deliver_event(event))).await;
        assert!(answers.iter().all(|status| *status == 200), "{answers:?}");
        let before = known.len();
        known.extend(events.iter().map(|event| event["id"].as_str().expect("an id").to_owned()));
        known.len() > before
    }

    /// What people see of a subscription that Stripe has like this.
    fn expected(subscription: &Value) -> Value {
        match subscription["status"].as_str() {
            Some("canceled" | "incomplete_expired") => json!("no_subscription"),
            _ => json!([subscription["status"], subscription["cancel_at_period_end"]]),
        }
    }

    async fn seen(admin: &Person<'_>) -> Value {
        let answer = admin.get(MY_SUBSCRIPTION).await.body;
        match answer.get("code") {
            Some(code) => code.clone(),
            None => json!([answer["status"], answer["cancel_at_period_end"]]),
        }
    }

    async fn holds(&self, steps: &[Step], order: &[u64]) {
        let admin = self.app.admin().await;
        let path = "/api/subscriptions/subscriptions/create_subscription/";
        let bought = admin.post(path, json!({"plan_id": self.plan["id"]})).await;
        let id = bought.body["subscription"]["stripe_subscription_id"].as_str().expect("its id at Stripe");
        let intent = bought.text("client_secret").split("_secret_").next().expect("its payment");
        let at_stripe = format!("/subscriptions/{id}");
        let mut known = BTreeSet::new();
        for step in steps {
            match step {
                Step::Pay => {
                    let form = [("payment_method", "pm_card_visa")];
                    self.ask(Method::POST, &format!("/payment_intents/{intent}/confirm"), &form).await;
                }
                Step::EndLater(later) => {
                    self.ask(Method::POST, &at_stripe, &[("cancel_at_period_end", &later.to_string())]).await;
                }
                Step::End => {
                    self.ask(Method::DELETE, &at_stripe, &[]).await;
                }
                Step::Deliver(picks) => {
                    let events = self.events(id).await;
                    let together: Vec<&Value> = picks.iter().map(|pick| pick.get(&events)).collect();
                    if self.deliver(&together, &mut known).await {
                        self.agrees_with_stripe(&admin, &at_stripe).await;
                    }
                }
            }
        }
        // In the end each has arrived, in any order.
        let mut events: Vec<(u64, Value)> =
            order.iter().copied().cycle().zip(self.events(id).await).collect();
        events.sort_by_key(|(position, _)| *position);
        for together in events.chunks(3) {
            let together: Vec<&Value> = together.iter().map(|(_, event)| event).collect();
            if self.deliver(&together, &mut known).await {
                self.agrees_with_stripe(&admin, &at_stripe).await;
            }
        }
    }

    /// An answer may come before the effect where that takes long.
    async fn agrees_with_stripe(&self, admin: &Person<'_>, at_stripe: &str) {
        let expected = Self::expected(&self.ask(Method::GET, at_stripe, &[]).await);
        eventually("the subscription is as Stripe has it", || async {
            let seen = Self::seen(admin).await;
            (seen == expected).then_some(())
        })
        .await;
    }
}

#[test]
fn whatever_becomes_of_its_events_a_subscription_is_as_stripe_has_it() {
    let runtime = Runtime::new().expect("a runtime");
    for database in runtime.block_on(Database::each()) {
        println!("on {}", database.url);
        let post = runtime.block_on(Post::open(&database));
        let cases = (steps(), prop::collection::vec(any::<u64>(), 40));
        // A case that fails takes its time to: it isn't made smaller.
        let config =
            Config { cases: 16, failure_persistence: None, max_shrink_iters: 0, ..Config::default() };
        TestRunner::new(config)
            .run(&cases, |(steps, order)| {
                runtime.block_on(post.holds(&steps, &order));
                Ok(())
            })
            .expect("the property holds");
        let pending = "SELECT COUNT(*) FROM webhook_events WHERE processed_at IS NULL";
        runtime.block_on(eventually("every event is done", || async {
            let left: Vec<(i64,)> = database.rows(pending).await;
            (left == [(0,)]).then_some(())
        }));
        runtime.block_on(post.app.stop());
        runtime.block_on(database.drop());
    }
}

/// A fetch of a subscription from Stripe: it draws a ticket, is answered, and is written, while others do too.
#[derive(Clone, Debug)]
struct Fetch {
    drawn: u8,
    /// After it was drawn.
    answered: u8,
    /// The position of its writing among the others'.
    written: u64,
}

fn fetches() -> impl Strategy<Value = Vec<Fetch>> {
    let fetch = (0..20_u8, 0..20_u8, any::<u64>()).prop_map(|(drawn, takes, written)| Fetch {
        drawn,
        answered: drawn + takes,
        written,
    });
    prop::collection::vec(fetch, 1..10).prop_map(|mut fetches| {
        fetches.sort_by_key(|fetch| fetch.drawn);
        fetches
    })
}

/// The subscription's price is the time itself: what Stripe says changes all the while.
async fn never_goes_back(store: &Store, _: &Database, fetches: Vec<Fetch>) {
    let seed = Seed::new(store).await;
    let group = seed.admin.group.as_ref().expect("an admin has a group").id;
    let mut drawn = Vec::new();
    for fetch in fetches {
        let ticket = store.draw_sync_ticket(seed.subscription).await.expect("a ticket");
        drawn.push((fetch, ticket));
    }
    drawn.sort_by_key(|(fetch, _)| fetch.written);
    let mut at_least = 0;
    for (fetch, ticket) in drawn {
        let answer = seed.at_stripe(Status::Active, seed.period);
        let state = StripeState { price: Some(Money::new(fetch.answered.into(), Currency::USD)), ..answer };
        let mut tx = store.begin().await.expect("a transaction");
        tx.lock_group(group).await.expect("a lock");
        tx.apply_stripe_state(group, seed.subscription, ticket, &state, seed.clock.now())
            .await
            .expect("is written or dropped");
        tx.commit().await.expect("a commit");
        at_least = at_least.max(i64::from(fetch.drawn));
        let row = store.live_subscription(group).await.expect("a row").expect("a subscription");
        assert!(row.sold_price_minor >= at_least, "{} is from before {at_least}", row.sold_price_minor);
    }
}

#[test]
fn what_was_known_when_a_fetch_began_is_never_forgotten_again() {
    each_store_holds(48, fetches(), never_goes_back);
}
