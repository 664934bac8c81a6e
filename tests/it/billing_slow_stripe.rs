//! Stripe doesn't answer in time, and does what it was asked all the same, at once or much later: who asked is told so when
//! the time is up, nothing is charged twice, and the same asked again is done.

use futures::{StreamExt, stream};
use reqwest::Method;
use serde_json::{Value, json};

use crate::billing_faults::{CALLS, finish};
use crate::billing_stage::{Late, Stage, Trouble, at};
use crate::support::app::{Answer, MY_SUBSCRIPTION, Person};
use crate::support::databases::Database;

/// How many are tried at once: they wait most of the time.
const TOGETHER: usize = 12;

/// How Stripe is slow.
#[derive(Clone, Copy, Debug)]
enum Slowness {
    /// It does what it is asked, and its answer doesn't come.
    NoAnswer,
    /// It does what it is asked long after everything is over.
    Late,
}

impl Slowness {
    fn trouble(self) -> (Trouble, Option<std::sync::Arc<Late>>) {
        match self {
            Self::NoAnswer => (Trouble::SilentAfter, None),
            Self::Late => {
                let late = Late::new();
                (Trouble::Late(late.clone()), Some(late))
            }
        }
    }
}

/// What is done to a subscription, by the REST API.
#[derive(Clone, Copy, Debug)]
enum Deed {
    Preview,
    Upgrade,
    Downgrade,
    TakeBack,
    /// What is past due.
    PayBy,
    EndLater,
    EndNow,
    Resume,
    OpenPortal,
}

impl Deed {
    const ALL: [Self; 9] = [
        Self::Preview,
        Self::Upgrade,
        Self::Downgrade,
        Self::TakeBack,
        Self::PayBy,
        Self::EndLater,
        Self::EndNow,
        Self::Resume,
        Self::OpenPortal,
    ];

    /// The calls that it takes, the first fetch aside.
    fn calls(self) -> Vec<(Method, &'static str)> {
        const CHANGE: (Method, &str) = (Method::POST, "/v1/subscriptions/*");
        match self {
            Self::Preview => {
                vec![(Method::GET, "/v1/subscriptions/*"), (Method::POST, "/v1/invoices/create_preview")]
            }
            Self::Upgrade => vec![CHANGE],
            Self::Downgrade => vec![
                (Method::POST, "/v1/subscription_schedules"),
                (Method::POST, "/v1/subscription_schedules/*"),
            ],
            Self::TakeBack => vec![(Method::POST, "/v1/subscription_schedules/*")],
            Self::PayBy => vec![
                (Method::POST, "/v1/payment_methods/*"),
                (Method::POST, "/v1/invoices/*"),
                (Method::POST, "/v1/customers/*"),
                CHANGE,
            ],
            Self::EndLater | Self::Resume => vec![CHANGE],
            Self::EndNow => vec![(Method::DELETE, "/v1/subscriptions/*")],
            Self::OpenPortal => vec![(Method::POST, "/v1/billing_portal/sessions")],
        }
    }
}

/// The plans, and what to do with them.
struct Scene {
    stage: Stage,
    basic: Value,
    pro: Value,
    small: Value,
}

/// A group with a subscription.
struct Payer<'a> {
    scene: &'a Scene,
    admin: Person<'a>,
    path: String,
    stripe_id: String,
}

impl Scene {
    async fn set(url: &str) -> Self {
        let stage = Stage::impatient(url, at("2026-04-01T00:00:00Z")).await;
        let basic = stage.plan_of(json!({"price": "30.00"})).await;
        let pro = stage.plan_of(json!({"price": "90.00", "llm_tokens_limit": 500_000})).await;
        let small = stage.plan_of(json!({"price": "9.00", "llm_tokens_limit": 10_000})).await;
        Self { stage, basic, pro, small }
    }

    async fn payer(&self, deed: Deed) -> Payer<'_> {
        let (admin, stripe_id) = self.stage.subscribed(&self.basic).await;
        let admin = admin.by_key().await;
        let id = admin.subscription().await["id"].as_str().expect("an id").to_owned();
        let path = format!("/api/subscriptions/subscriptions/{id}");
        let payer = Payer { scene: self, admin, path, stripe_id };
        match deed {
            Deed::TakeBack => assert_eq!(payer.change_to(&self.small).await.status, 200),
            Deed::Resume => {
                assert_eq!(payer.post("cancel", json!({"at_period_end": true})).await.status, 200)
            }
            Deed::PayBy => {
                self.stage.change_card(&payer.stripe_id, "pm_card_chargeCustomerFail").await;
                self.stage.advance(chrono::Duration::days(32)).await;
                payer.look().await;
            }
            _ => {}
        }
        payer
    }
}

impl Payer<'_> {
    async fn post(&self, action: &str, body: Value) -> Answer {
        self.admin.post(&format!("{}/{action}/", self.path), body).await
    }

    async fn change_to(&self, plan: &Value) -> Answer {
        self.post("change_plan", json!({"plan_id": plan["id"]})).await
    }

    async fn does(&self, deed: Deed) -> Answer {
        match deed {
            Deed::Preview => {
                self.post("change_plan", json!({"plan_id": self.scene.pro["id"], "preview": true})).await
            }
            Deed::Upgrade => self.change_to(&self.scene.pro).await,
            Deed::Downgrade => self.change_to(&self.scene.small).await,
            Deed::TakeBack => self.change_to(&self.scene.basic).await,
            Deed::PayBy => self.post("payment_method", json!({"payment_method": "pm_card_visa"})).await,
            Deed::EndLater => self.post("cancel", json!({"at_period_end": true})).await,
            Deed::EndNow => self.post("cancel", json!({"at_period_end": false})).await,
            Deed::Resume => self.post("resume", Value::Null).await,
            Deed::OpenPortal => self.post("portal", Value::Null).await,
        }
    }

    /// The subscription as Stripe has it now, what was charged for it, and how many it has of all that hangs on it.
    async fn look(&self) -> Value {
        let stage = &self.scene.stage;
        stage.app.running.services.billing.reconcile().await.expect("it compares");
        let seen = self.admin.get(MY_SUBSCRIPTION).await.body;
        let found = stage.at_stripe(&self.stripe_id).await;
        let customer = found["customer"].as_str().expect("a customer");
        let path = format!("/charges?limit=100&customer={customer}");
        let charges = stage.stripe(Method::GET, &path, &[]).await;
        let charges = charges["data"].as_array().expect("a list").iter();
        let paid: Vec<&Value> =
            charges.filter(|charge| charge["paid"] == true).map(|charge| &charge["amount"]).collect();
        json!({
            "status": found["status"],
            "seen": seen["status"],
            "plan": seen["plan"]["name"],
            "next": seen["next_plan"]["name"],
            "ends": found["cancel_at_period_end"],
            "card": found["default_payment_method"].is_string(),
            "charges": paid,
        })
    }
}

async fn each_call_of(deed: Deed, slowness: Slowness, database: Database) {
    let scene = Scene::set(&database.url).await;
    let stage = &scene.stage;
    let untroubled = scene.payer(deed).await;
    assert_eq!(untroubled.does(deed).await.status, 200, "{deed:?}");
    let expected = untroubled.look().await;
    for (method, path) in deed.calls() {
        let what = format!("{deed:?}, {slowness:?} at {method} {path} on {}", database.url);
        let payer = scene.payer(deed).await;
        let (trouble, late) = slowness.trouble();
        stage.when(method.clone(), path, trouble);
        let first = payer.does(deed).await;
        // What was done all the same may be found at once.
        if first.status != 200 || late.is_some() {
            let told = (first.status, &first.body["code"]);
            assert_eq!(told, (503, &json!("unavailable")), "{what}: {}", first.body);
        }
        stage.heal();
        let again = payer.does(deed).await;
        assert_eq!(again.status, 200, "{what}: {}", again.body);
        assert_eq!(payer.look().await, expected, "{what}");
        if let Some(late) = late {
            late.arrive().await;
            assert_eq!(payer.look().await, expected, "{what}, after it");
        }
    }
    scene.stage.stop().await;
    database.drop().await;
}

#[tokio::test]
async fn whatever_is_asked_of_a_stripe_that_does_not_answer_is_done_once_when_asked_again() {
    let mut all = Vec::new();
    for deed in Deed::ALL {
        for slowness in [Slowness::NoAnswer, Slowness::Late] {
            for database in Database::each().await {
                all.push(each_call_of(deed, slowness, database));
            }
        }
    }
    stream::iter(all).for_each_concurrent(TOGETHER, |one| one).await;
}

/// Buys while a call isn't answered, and again without trouble.
async fn buys_once(slowness: Slowness, calls: &[(Method, &str)], database: Database) {
    let stage = Stage::impatient(&database.url, at("2026-04-01T00:00:00Z")).await;
    let plan = stage.app.plan("Basic", "29.99", None).await;
    for (number, (method, path)) in calls.iter().enumerate() {
        let what = format!("{slowness:?} at {method} {path} on {}", database.url);
        let admin = stage.app.admin().await;
        let (trouble, late) = slowness.trouble();
        stage.when(method.clone(), path, trouble);
        let answer = stage.buy(&admin, &plan).await;
        assert!([201, 503].contains(&answer.status), "{what}: {}", answer.body);
        stage.heal();
        let again = if answer.status == 201 { answer } else { stage.buy(&admin, &plan).await };
        finish(&stage, &admin, &again, number + 1, &what).await;
        if let Some(late) = late {
            late.arrive().await;
            stage.app.running.services.billing.reconcile().await.expect("it compares");
            finish(&stage, &admin, &again, number + 1, &format!("{what}, after it")).await;
        }
    }
    stage.stop().await;
    database.drop().await;
}

#[tokio::test]
async fn a_purchase_that_stripe_does_not_answer_is_charged_once() {
    let calls = CALLS;
    let mut all = Vec::new();
    for slowness in [Slowness::NoAnswer, Slowness::Late] {
        for calls in calls.chunks(3) {
            for database in Database::each().await {
                all.push(buys_once(slowness, calls, database));
            }
        }
    }
    stream::iter(all).for_each_concurrent(TOGETHER, |one| one).await;
}
