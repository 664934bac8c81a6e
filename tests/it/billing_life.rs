//! A subscription's life, told by a test clock: time goes on at Stripe and here together, and what Stripe has to tell is
//! delivered when a test says so.

use chrono::{DateTime, Duration, Utc};
use reqwest::Method;
use serde_json::{Value, json};

use crate::billing_stage::{CREATE, Stage};
use crate::support::app::{MY_SUBSCRIPTION, Person, eventually, unique};

pub const CHECK: &str = "/api/subscriptions/subscriptions/check_limits/";
pub const EVENTS: &str = "/api/subscriptions/usage/events/";
pub const USAGE: &str = "/api/subscriptions/subscriptions/usage/";
pub const HOLDS: &str = "/api/subscriptions/usage/holds/";
const PLANS: &str = "/api/subscriptions/plans/";

impl Stage {
    /// A plan of 29.99 with 100,000 and 50,000 tokens a month, and what else is given.
    pub async fn plan_of(&self, more: Value) -> Value {
        let mut plan = json!({
            "name": unique("Plan "), "price": "29.99", "currency": "usd", "interval": "month",
            "llm_tokens_limit": 100_000, "voice_tokens_limit": 50_000,
        });
        let fields = plan.as_object_mut().expect("an object");
        fields.extend(more.as_object().expect("an object").clone());
        let made = self.app.superadmin().await.post(PLANS, plan).await;
        assert_eq!(made.status, 201, "{}", made.body);
        made.body
    }

    /// An admin by key: a session wouldn't last.
    pub async fn lasting_admin(&self) -> Person<'_> {
        self.app.admin().await.by_key().await
    }

    /// Has time go on to `to`, at Stripe and here, and what falls due until then done.
    pub async fn advance_to(&self, to: DateTime<Utc>) {
        if let Some(clock) = &self.test_clock {
            let form = [("frozen_time", to.timestamp().to_string())];
            let form = form.each_ref().map(|(name, value)| (*name, value.as_str()));
            self.stripe(Method::POST, &format!("/test_helpers/test_clocks/{clock}/advance"), &form).await;
        }
        self.clock.advance(to - self.clock.now());
        self.catch_up().await;
    }

    pub async fn advance(&self, by: Duration) {
        self.advance_to(self.clock.now() + by).await;
    }

    /// What Stripe has to tell of a subscription, oldest first.
    pub async fn events_of(&self, subscription: &str) -> Vec<Value> {
        let all = self.stripe(Method::GET, "/events?limit=100", &[]).await;
        let mut mine: Vec<Value> = all["data"].as_array().expect("events").clone();
        mine.retain(|event| event.to_string().contains(subscription));
        mine.reverse();
        mine
    }

    /// Delivers what Stripe has to tell of a subscription, and waits until the group's is as it is there.
    pub async fn deliver(&self, admin: &Person<'_>, subscription: &str) {
        for event in self.events_of(subscription).await {
            assert_eq!(self.app.deliver_event(&event).await, 200);
        }
        let expected = self.at_stripe(subscription).await["status"].clone();
        let ended = ["canceled", "incomplete_expired"].contains(&expected.as_str().expect("a status"));
        eventually(&format!("{subscription} is {expected}"), || async {
            let seen = admin.get(MY_SUBSCRIPTION).await;
            if ended { seen.status == 404 } else { seen.body["status"] == expected }.then_some(())
        })
        .await;
    }

    pub async fn at_stripe(&self, subscription: &str) -> Value {
        self.stripe(Method::GET, &format!("/subscriptions/{subscription}"), &[]).await
    }

    /// What was charged for a subscription so far, in minor units, the first first.
    pub async fn charges(&self, subscription: &str) -> Vec<i64> {
        let path = format!("/invoices?limit=100&subscription={subscription}");
        let invoices = self.stripe(Method::GET, &path, &[]).await;
        let paid = |invoice: &Value| invoice["amount_paid"].as_i64().filter(|amount| *amount > 0);
        invoices["data"].as_array().expect("a list").iter().rev().filter_map(paid).collect()
    }

    /// The past and the running usage periods of a group, oldest first: their beginning, end and LLM tokens.
    pub async fn periods(&self, admin: &Person<'_>) -> Vec<(DateTime<Utc>, DateTime<Utc>, i64)> {
        let services = &self.app.running.services;
        let id = admin.id.parse().expect("an id");
        let user = services.accounts.user(id).await.expect("the database answers").expect("a user");
        let group = user.must_have_group().expect("a group");
        let far = self.clock.now() + Duration::days(4_000);
        let rows = services.store.past_periods(group, far, 100).await.expect("the periods");
        rows.iter().rev().map(|row| (row.period_start, row.period_end, row.counters.used.llm)).collect()
    }

    /// Gives a subscription another card.
    pub async fn change_card(&self, subscription: &str, card: &str) {
        let customer = self.at_stripe(subscription).await["customer"].as_str().expect("an id").to_owned();
        let path = format!("/payment_methods/{card}/attach");
        let card = self.stripe(Method::POST, &path, &[("customer", &customer)]).await;
        let form = [("default_payment_method", card["id"].as_str().expect("an id"))];
        self.stripe(Method::POST, &format!("/subscriptions/{subscription}"), &form).await;
    }

    /// Cancels at the period's end, or now.
    pub async fn cancel(&self, admin: &Person<'_>, at_period_end: bool) -> Value {
        let id = admin.subscription().await["id"].as_str().expect("an id").to_owned();
        let path = format!("/api/subscriptions/subscriptions/{id}/cancel/");
        let canceled = admin.post(&path, json!({"at_period_end": at_period_end})).await;
        assert_eq!(canceled.status, 200, "{}", canceled.body);
        canceled.body
    }

    /// Begins a purchase without a card. Gives its answer and the subscription's id at Stripe.
    pub async fn begin(&self, admin: &Person<'_>, plan: &Value) -> (Value, String) {
        let begun = admin.post(CREATE, json!({"plan_id": plan["id"]})).await;
        assert_eq!(begun.status, 201, "{}", begun.body);
        let id = begun.body["subscription"]["stripe_subscription_id"].as_str().expect("an id").to_owned();
        (begun.body, id)
    }

    /// Begins a trial of fourteen days without a card, at whose end it pauses. Gives the group's admin and the
    /// subscription's id at Stripe.
    pub async fn begin_trial_that_pauses(&self) -> (Person<'_>, String) {
        let plan = self.plan_of(json!({"trial_days": 14})).await;
        let admin = self.lasting_admin().await;
        let (_, id) = self.begin(&admin, &plan).await;
        let form = [("trial_settings[end_behavior][missing_payment_method]", "pause")];
        self.stripe(Method::POST, &format!("/subscriptions/{id}"), &form).await;
        (admin, id)
    }

    /// Confirms what is left to confirm of a purchase, as the card form does.
    pub async fn confirm(&self, begun: &Value, card: &str) {
        let secret = begun["client_secret"].as_str().expect("a secret");
        let intent = secret.split("_secret_").next().expect("an intent");
        let kind = if begun["intent"] == "setup" { "setup_intents" } else { "payment_intents" };
        self.stripe(Method::POST, &format!("/{kind}/{intent}/confirm"), &[("payment_method", card)]).await;
    }
}

/// Whether the group may ask for LLM tokens: by `check_limits/`, by a hold, and by the gateway, which have to agree.
pub async fn has_access(admin: &Person<'_>) -> bool {
    let check = admin.get(CHECK).await;
    let allowed = check.status == 200 && check.body["allowed"]["llm"] == true;
    let hold = admin.post(HOLDS, json!({"usage_type": "llm", "tokens": 1})).await;
    assert_eq!(hold.status == 201, allowed, "{}: {}", check.body, hold.body);
    if allowed {
        let path = format!("{HOLDS}{}/release/", hold.text("id"));
        assert_eq!(admin.post(&path, json!({})).await.status, 200);
    }
    let chat =
        json!({"model": "demo-chat", "max_tokens": 16, "messages": [{"role": "user", "content": "Hi"}]});
    let answer = admin.post("/v1/chat/completions", chat).await;
    assert_eq!(answer.status == 200, allowed, "{}: {}", check.body, answer.body);
    allowed
}
