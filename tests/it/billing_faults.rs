//! Stripe fails, is cut off or answers rubbish, in the middle of each call there is: nothing is charged twice, nothing
//! half done stays, and the person can go on at once.

use futures::future::join_all;
use reqwest::Method;
use serde_json::json;

use crate::billing_stage::{Stage, Trouble, error, group};
use crate::support::app::{Answer, MY_SUBSCRIPTION, Person};
use crate::support::databases::Database;

/// Every call that a purchase makes, and those that find out what became of it.
pub const CALLS: [(Method, &str); 7] = [
    (Method::POST, "/v1/customers"),
    (Method::GET, "/v1/customers/*"),
    (Method::POST, "/v1/payment_methods/*/attach"),
    (Method::POST, "/v1/subscriptions"),
    (Method::GET, "/v1/subscriptions"),
    (Method::GET, "/v1/subscriptions/*"),
    (Method::POST, "/v1/payment_intents/*/confirm"),
];

fn troubles() -> Vec<Trouble> {
    vec![
        Trouble::Answer(500, error("api_error")),
        Trouble::Answer(429, error("invalid_request_error")),
        Trouble::Answer(200, json!({"object": "rubbish"})),
        Trouble::Disconnect,
        Trouble::AnswerAfter(500, error("api_error")),
        Trouble::AnswerAfter(200, json!("rubbish")),
        Trouble::DisconnectAfter,
    ]
}

/// Pays what is left to pay of a purchase, after which it is the `bought`th subscription at Stripe, each charged once.
pub async fn finish(stage: &Stage, admin: &Person<'_>, purchase: &Answer, bought: usize, what: &str) {
    assert_eq!(purchase.status, 201, "{what}: {}", purchase.body);
    if purchase.body["subscription"]["status"] == "incomplete" {
        // What the card form does: where it was paid already, Stripe refuses to take it twice.
        let intent = purchase.text("client_secret").split("_secret_").next().expect("an intent").to_owned();
        let found = stage.stripe(Method::GET, &format!("/payment_intents/{intent}"), &[]).await;
        if found["status"] != "succeeded" {
            let form = [("payment_method", "pm_card_visa")];
            stage.stripe(Method::POST, &format!("/payment_intents/{intent}/confirm"), &form).await;
        }
        // The page asks Stripe how it stands.
        assert_eq!(admin.get("/subscribe").await.status, 200);
    }
    assert_eq!(admin.get(MY_SUBSCRIPTION).await.body["status"], "active", "{what}");
    let store = &stage.app.running.services.store;
    assert!(store.reservation(group(admin).await).await.expect("a row").is_none(), "{what}");
    let live = stage.stripe(Method::GET, "/subscriptions?limit=100", &[]).await;
    let live = live["data"].as_array().expect("a list");
    let statuses: Vec<_> = live.iter().map(|subscription| &subscription["status"]).collect();
    let going = statuses.iter().filter(|status| **status != "incomplete_expired");
    assert_eq!(going.count(), bought, "{what}: {statuses:?}");
    let charges = stage.stripe(Method::GET, "/charges?limit=100", &[]).await;
    let paid = charges["data"].as_array().expect("a list").iter().filter(|charge| charge["paid"] == true);
    assert_eq!(paid.count(), bought, "{what}");
}

/// Buys through the trouble, at each call and at every two, and then without.
async fn goes_on(database: Database, trouble: Trouble) {
    let stage = Stage::start(&database.url).await;
    let plan = stage.app.plan("Basic", "29.99", None).await;
    let mut bought = 0;
    for (first, (method, path)) in CALLS.iter().enumerate() {
        for (also_method, also) in &CALLS[first..] {
            let admin = stage.app.admin().await;
            let what = format!("{method} {path} and {also_method} {also} on {}", database.url);
            stage.when(method.clone(), path, trouble.clone());
            stage.when(also_method.clone(), also, trouble.clone());
            let answer = stage.buy(&admin, &plan).await;
            assert!([201, 503].contains(&answer.status), "{what}: {}", answer.body);
            stage.heal();
            let again = if answer.status == 201 { answer } else { stage.buy(&admin, &plan).await };
            bought += 1;
            finish(&stage, &admin, &again, bought, &what).await;
        }
    }
    stage.stop().await;
    database.drop().await;
}

#[tokio::test]
async fn whatever_call_fails_the_group_is_charged_once_and_nothing_half_done_stays() {
    // Side by side, since they wait most of the time.
    let mut all = Vec::new();
    for trouble in troubles() {
        for database in Database::each().await {
            all.push(goes_on(database, trouble.clone()));
        }
    }
    join_all(all).await;
}
