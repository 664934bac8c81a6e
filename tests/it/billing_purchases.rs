//! Purchases that go wrong between here and Stripe: what the caller learns, and that the group can go on.

use reqwest::Method;
use serde_json::{Value, json};

use crate::billing_stage::{CREATE, Gate, Stage, Trouble, error, failure, group, updated};
use crate::support::app::{MY_SUBSCRIPTION, Person, eventually};
use crate::support::databases::each_database;

pub const SUBSCRIPTIONS: &str = "/v1/subscriptions";
const CONFIRM: &str = "/v1/payment_intents/*/confirm";
const EVENTS: &str = "/api/subscriptions/usage/events/";
const USAGE: &str = "/api/subscriptions/subscriptions/usage/";

fn an_event() -> Value {
    json!({"id": "e1", "usage_type": "llm", "tokens_used": 5})
}

pub async fn has_no_subscription(admin: &Person<'_>) {
    admin.get(MY_SUBSCRIPTION).await.is_problem(404, "no_subscription");
    admin.get(USAGE).await.is_problem(404, "no_subscription");
    admin.get("/api/subscriptions/subscriptions/check_limits/").await.is_problem(404, "no_subscription");
    admin.post(EVENTS, an_event()).await.is_problem(404, "no_subscription");
}

pub async fn start(url: &str) -> (Stage, Value) {
    let stage = Stage::start(url).await;
    let plan = stage.app.plan("Basic", "29.99", Some(10)).await;
    (stage, plan)
}

#[tokio::test]
async fn a_purchase_that_stripe_fails_at_leaves_the_group_able_to_buy() {
    each_database(|url| async move {
        let (stage, plan) = start(&url).await;
        let admin = stage.app.admin().await;
        for trouble in [failure(500, "api_error"), failure(502, "api_error")] {
            stage.when(Method::POST, SUBSCRIPTIONS, trouble);
            stage.buy(&admin, &plan).await.is_problem(503, "unavailable");
            has_no_subscription(&admin).await;
            stage.heal();
        }
        let reconciled = stage.app.running.services.billing.reconcile().await.expect("it compares");
        assert_eq!(reconciled.failed, 0);
        let bought = stage.buy(&admin, &plan).await;
        assert_eq!(
            (bought.status, &bought.body["subscription"]["status"]),
            (201, &json!("active")),
            "{}",
            bought.body
        );
        assert_eq!(admin.post(EVENTS, an_event()).await.status, 200);
        stage.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_purchase_on_its_way_is_no_subscription() {
    each_database(|url| async move {
        let (stage, plan) = start(&url).await;
        let (admin, superadmin) = (stage.app.admin().await, stage.app.superadmin().await);
        let gate = Gate::closed();
        stage.when(Method::POST, SUBSCRIPTIONS, Trouble::Gate(gate.clone()));
        let meanwhile = async {
            gate.reached().await;
            has_no_subscription(&admin).await;
            stage.buy(&admin, &plan).await.is_problem(409, "subscription_exists");
            let path = format!("/api/subscriptions/plans/{}/", plan["id"].as_str().expect("an id"));
            superadmin.delete(&path).await.is_problem(409, "conflict");
            let store = &stage.app.running.services.store;
            let reserved = store.reservation(group(&admin).await).await.expect("a row").expect("a purchase");
            let cancel = format!("/api/subscriptions/subscriptions/{}/cancel/", reserved.id);
            admin.post(&cancel, json!({})).await.is_problem(409, "conflict");
            gate.open();
        };
        let (bought, ()) = tokio::join!(stage.buy(&admin, &plan), meanwhile);
        assert_eq!(bought.status, 201, "{}", bought.body);
        assert_eq!(admin.subscription().await["id"], bought.body["subscription"]["id"]);
        stage.stop().await;
    })
    .await;
}

#[tokio::test]
async fn what_stripe_refuses_is_told_and_the_group_buys_again_at_once() {
    each_database(|url| async move {
        let (stage, plan) = start(&url).await;
        for (status, error_type, expected) in [
            (400, "invalid_request_error", (409, "stripe_refused")),
            (404, "invalid_request_error", (409, "stripe_refused")),
            (402, "card_error", (402, "card_declined")),
            (401, "invalid_request_error", (503, "unavailable")),
            (429, "invalid_request_error", (503, "unavailable")),
        ] {
            let admin = stage.app.admin().await;
            stage.when(Method::POST, SUBSCRIPTIONS, failure(status, error_type));
            let refused = stage.buy(&admin, &plan).await;
            refused.is_problem(expected.0, expected.1);
            assert_eq!(refused.headers.contains_key("retry-after"), status == 429, "{status}");
            stage.heal();
            let bought = stage.buy(&admin, &plan).await;
            assert_eq!(bought.status, 201, "after {status}: {}", bought.body);
        }
        stage.stop().await;
    })
    .await;
}

#[tokio::test]
async fn too_many_requests_are_not_the_cards_fault() {
    each_database(|url| async move {
        let (stage, plan) = start(&url).await;
        let admin = stage.app.admin().await;
        for path in ["/v1/customers", "/v1/payment_methods/*/attach", SUBSCRIPTIONS, CONFIRM] {
            stage.when(Method::POST, path, failure(429, "invalid_request_error"));
            let refused = stage.buy(&admin, &plan).await;
            refused.is_problem(503, "unavailable");
            assert!(refused.headers.contains_key("retry-after"), "{path}");
            stage.heal();
            has_no_subscription(&admin).await;
        }
        assert_eq!(stage.buy(&admin, &plan).await.status, 201);
        stage.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_payment_that_stripe_doesnt_tell_the_outcome_of_can_be_paid_again() {
    each_database(|url| async move {
        let (stage, plan) = start(&url).await;
        let admin = stage.app.admin().await;
        stage.when(Method::POST, CONFIRM, failure(500, "api_error"));
        let bought = stage.buy(&admin, &plan).await;
        assert_eq!((bought.status, &bought.body["subscription"]["status"]), (201, &json!("incomplete")));
        let intent = bought.text("client_secret").split("_secret_").next().expect("an intent");
        stage.heal();
        let path = format!("/payment_intents/{intent}/confirm");
        stage.stripe(Method::POST, &path, &[("payment_method", "pm_card_visa")]).await;
        let id = bought.body["subscription"]["stripe_subscription_id"].as_str().expect("an id");
        assert_eq!(stage.app.deliver_event(&updated("evt_paid", id)).await, 200);
        eventually("it is active", || async {
            (admin.subscription().await["status"] == "active").then_some(())
        })
        .await;

        let other = stage.app.admin().await;
        stage.when(Method::POST, CONFIRM, Trouble::AnswerAfter(500, error("api_error")));
        let paid = stage.buy(&other, &plan).await;
        assert_eq!(
            (paid.status, &paid.body["subscription"]["status"]),
            (201, &json!("active")),
            "{}",
            paid.body
        );
        stage.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_purchase_cancelled_while_it_is_paid_is_a_conflict() {
    each_database(|url| async move {
        let (stage, plan) = start(&url).await;
        let admin = stage.app.admin().await;
        let gate = Gate::closed();
        stage.when(Method::POST, CONFIRM, Trouble::Gate(gate.clone()));
        let meanwhile = async {
            gate.reached().await;
            let id = admin.subscription().await["id"].as_str().expect("an id").to_owned();
            let path = format!("/api/subscriptions/subscriptions/{id}/cancel/");
            assert_eq!(admin.post(&path, json!({})).await.status, 200);
            gate.open();
        };
        let (bought, ()) = tokio::join!(stage.buy(&admin, &plan), meanwhile);
        bought.is_problem(409, "conflict");
        stage.heal();
        assert_eq!(stage.buy(&admin, &plan).await.status, 201);
        stage.stop().await;
    })
    .await;
}

async fn buy_by_form(admin: &Person<'_>, plan: &Value) -> u16 {
    admin.post(CREATE, json!({"plan_id": plan["id"]})).await.status
}

#[tokio::test]
async fn a_customer_that_stripe_lost_is_made_anew() {
    each_database(|url| async move {
        let (stage, plan) = start(&url).await;
        let admin = stage.app.admin().await;
        let group = group(&admin).await;
        let store = &stage.app.running.services.store;
        // One that Stripe never had, as after a change of account.
        store.replace_stripe_customer(group, None, "cus_elsewhere").await.expect("kept");
        assert_eq!(buy_by_form(&admin, &plan).await, 201);
        let customer = store.stripe_customer(group).await.expect("a row").expect("a customer");
        assert_ne!(customer, "cus_elsewhere");
        // One that was deleted, and its subscriptions with it.
        stage.stripe(Method::DELETE, &format!("/customers/{customer}"), &[]).await;
        stage.app.running.services.billing.reconcile().await.expect("it compares");
        let bought = stage.buy(&admin, &plan).await;
        assert_eq!(bought.status, 201, "{}", bought.body);
        assert_ne!(store.stripe_customer(group).await.expect("a row"), Some(customer));
        stage.stop().await;
    })
    .await;
}
