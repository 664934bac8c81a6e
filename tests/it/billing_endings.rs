//! How a subscription ends that is otherwise at Stripe than it is known to be here, since no webhook has come.

use reqwest::Method;
use serde_json::{Value, json};

use crate::billing_life::has_access;
use crate::billing_stage::{Stage, at};
use crate::support::app::MY_SUBSCRIPTION;
use crate::support::databases::each_database;

#[tokio::test]
async fn a_purchase_that_was_paid_is_had_to_its_periods_end_though_it_is_cancelled_before_that_is_known() {
    each_database(|url| async move {
        let stage = Stage::start_at(&url, at("2026-03-11T12:00:00Z")).await;
        let plan = stage.plan_of(json!({})).await;
        let admin = stage.lasting_admin().await;
        let (begun, id) = stage.begin(&admin, &plan).await;
        stage.confirm(&begun, "pm_card_visa").await;
        assert_eq!(admin.subscription().await["status"], "incomplete");

        let ending = stage.cancel(&admin, true).await;
        assert_eq!(
            (&ending["status"], &ending["cancel_at_period_end"], &ending["current_period_end"]),
            (&json!("active"), &json!(true), &json!("2026-04-11T12:00:00Z"))
        );
        let found = stage.at_stripe(&id).await;
        assert_eq!((&found["status"], &found["cancel_at_period_end"]), (&json!("active"), &json!(true)));
        assert!(has_access(&admin).await);
        stage.stop().await;
    })
    .await;
}

#[tokio::test]
async fn what_stripe_refuses_to_change_is_shown_as_stripe_has_it() {
    each_database(|url| async move {
        let stage = Stage::start(&url).await;
        let plan = stage.plan_of(json!({})).await;
        for action in ["cancel", "resume"] {
            let (admin, id) = stage.subscribed(&plan).await;
            let seen = admin.subscription().await;
            let path =
                format!("/api/subscriptions/subscriptions/{}/{action}/", seen["id"].as_str().expect("an id"));
            stage.stripe(Method::DELETE, &format!("/subscriptions/{id}"), &[]).await;
            assert_eq!(admin.subscription().await["status"], "active", "nothing was heard of it");

            let refused = admin.post(&path, Value::Null).await;
            match action {
                // It has what it asked for.
                "cancel" => assert_eq!(
                    (refused.status, &refused.body["status"]),
                    (200, &json!("canceled")),
                    "{}",
                    refused.body
                ),
                _ => {
                    refused.is_problem(409, "conflict");
                    assert_eq!(refused.text("detail"), "The subscription has ended.");
                }
            }
            admin.get(MY_SUBSCRIPTION).await.is_problem(404, "no_subscription");
            assert!(!has_access(&admin).await);
            assert_eq!(stage.buy(&admin, &plan).await.status, 201, "the group may buy again");
        }
        stage.stop().await;
    })
    .await;
}
