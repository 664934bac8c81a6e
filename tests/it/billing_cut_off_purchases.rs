//! Purchases whose outcome isn't known here, since Stripe's answer was lost or the server stopped: they are found, go on or
//! are ended, and nothing is charged twice.

use chrono::Duration;
use reqwest::Method;
use serde_json::{Value, json};

use crate::billing_purchases::{SUBSCRIPTIONS, has_no_subscription, start};
use crate::billing_stage::{Gate, Stage, Trouble, error, failure, group, updated};
use crate::support::app::{MY_SUBSCRIPTION, Person, eventually};
use crate::support::databases::each_database;

/// How many subscriptions Stripe has.
async fn made(stage: &Stage) -> usize {
    let list = stage.stripe(Method::GET, "/subscriptions?status=all&limit=100", &[]).await;
    list["data"].as_array().expect("a list").len()
}

#[tokio::test]
async fn a_purchase_whose_answer_was_lost_is_found_and_goes_on() {
    each_database(|url| async move {
        let (stage, plan) = start(&url).await;
        let troubles = [
            Trouble::AnswerAfter(500, error("api_error")),
            Trouble::AnswerAfter(429, error("invalid_request_error")),
            Trouble::AnswerAfter(200, json!({"rubbish": true})),
            Trouble::DisconnectAfter,
        ];
        for (number, trouble) in troubles.into_iter().enumerate() {
            let admin = stage.app.admin().await;
            stage.when(Method::POST, SUBSCRIPTIONS, trouble);
            let bought = stage.buy(&admin, &plan).await;
            assert_eq!((bought.status, &bought.body["subscription"]["status"]), (201, &json!("active")));
            stage.heal();
            assert_eq!(made(&stage).await, number + 1);
        }
        stage.stop().await;
    })
    .await;
}

/// Stripe does what it is asked to, or doesn't, and gives no answer to anything more.
async fn cut_off(stage: &Stage, admin: &Person<'_>, plan: &Value, trouble: Trouble) {
    stage.when(Method::POST, SUBSCRIPTIONS, trouble);
    stage.when(Method::GET, SUBSCRIPTIONS, Trouble::Disconnect);
    let refused = stage.buy(admin, plan).await;
    refused.is_problem(503, "unavailable");
    assert!(refused.text("detail").contains("nothing is charged twice"), "{}", refused.body);
    stage.heal();
}

#[tokio::test]
async fn a_purchase_whose_outcome_isnt_known_is_settled_by_the_next_at_once() {
    each_database(|url| async move {
        let (stage, plan) = start(&url).await;
        let pro = stage.app.plan("Pro", "79.99", None).await;
        let mut expected = 0;
        for trouble in [Trouble::Disconnect, Trouble::DisconnectAfter] {
            // The same plan: it is the same purchase that goes on.
            let admin = stage.app.admin().await;
            cut_off(&stage, &admin, &plan, trouble.clone()).await;
            has_no_subscription(&admin).await;
            let bought = stage.buy(&admin, &plan).await;
            assert_eq!((bought.status, &bought.body["subscription"]["status"]), (201, &json!("active")));
            expected += 1;
            assert_eq!(made(&stage).await, expected);

            // Who asks while it still can't be known is told so, and the next one after that goes on.
            let admin = stage.app.admin().await;
            cut_off(&stage, &admin, &plan, trouble.clone()).await;
            for status in [429, 500] {
                stage.when(Method::GET, SUBSCRIPTIONS, failure(status, "api_error"));
                stage.buy(&admin, &plan).await.is_problem(503, "unavailable");
                stage.heal();
            }
            assert_eq!(stage.buy(&admin, &plan).await.status, 201);
            expected += 1;
            assert_eq!(made(&stage).await, expected);

            // Another: the first is ended, and what was never paid is no charge.
            let admin = stage.app.admin().await;
            cut_off(&stage, &admin, &plan, trouble).await;
            let bought = stage.buy(&admin, &pro).await;
            assert_eq!((bought.status, &bought.body["subscription"]["plan"]["name"]), (201, &json!("Pro")));
            expected += 2;
            assert_eq!(made(&stage).await, expected);
            let group = group(&admin).await;
            let customer = stage.app.running.services.store.stripe_customer(group).await.expect("a row");
            let customer = customer.expect("a customer");
            let path = format!("/subscriptions?status=all&customer={customer}");
            let found = stage.stripe(Method::GET, &path, &[]).await;
            let statuses: Vec<_> =
                found["data"].as_array().expect("a list").iter().map(|one| &one["status"]).collect();
            assert_eq!(statuses, ["active", "incomplete_expired"], "the newest first");
            let path = format!("/invoices?customer={customer}");
            let invoices = stage.stripe(Method::GET, &path, &[]).await;
            let paid: i64 = invoices["data"]
                .as_array()
                .expect("a list")
                .iter()
                .map(|invoice| invoice["amount_paid"].as_i64().expect("an amount"))
                .sum();
            assert_eq!(paid, 7_999);
        }
        // The answer to the second try is lost, too: it is still the same purchase.
        let admin = stage.app.admin().await;
        cut_off(&stage, &admin, &plan, Trouble::Disconnect).await;
        stage.when(Method::POST, SUBSCRIPTIONS, Trouble::DisconnectAfter);
        stage.buy(&admin, &plan).await.is_problem(503, "unavailable");
        stage.heal();
        assert_eq!(stage.buy(&admin, &plan).await.status, 201);
        assert_eq!(made(&stage).await, expected + 1);
        stage.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_purchase_whose_server_stopped_holds_nobody_up_for_more_than_seconds() {
    each_database(|url| async move {
        let (stage, plan) = start(&url).await;
        // Before Stripe knew of the group, and while the subscription was being made.
        for (number, path) in ["/v1/customers", SUBSCRIPTIONS].into_iter().enumerate() {
            let admin = stage.app.admin().await;
            let gate = Gate::closed();
            stage.when(Method::POST, path, Trouble::Gate(gate.clone()));
            // The client goes, and with it what was under way for it.
            let buying = stage.buy(&admin, &plan);
            tokio::select! {
                bought = buying => panic!("{}", bought.body),
                () = gate.reached() => {}
            }
            stage.heal();
            eventually("it is left reserved", || async {
                let store = &stage.app.running.services.store;
                store.reservation(group(&admin).await).await.expect("a row").map(drop)
            })
            .await;
            stage.clock.advance(Duration::seconds(11));
            let bought = stage.buy(&admin, &plan).await;
            assert_eq!(
                (bought.status, &bought.body["subscription"]["status"]),
                (201, &json!("active")),
                "{path}: {}",
                bought.body
            );
            assert_eq!(made(&stage).await, number + 1, "{path}");
            gate.open();
        }
        stage.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_purchase_that_was_taken_for_cut_off_ends_what_it_makes_after_that() {
    each_database(|url| async move {
        let (stage, plan) = start(&url).await;
        let admin = stage.app.admin().await;
        let gate = Gate::closed();
        stage.when(Method::POST, SUBSCRIPTIONS, Trouble::Gate(gate.clone()));
        let meanwhile = async {
            gate.reached().await;
            stage.clock.advance(Duration::minutes(3));
            stage.app.running.services.billing.reconcile().await.expect("it compares");
            let store = &stage.app.running.services.store;
            assert!(store.reservation(group(&admin).await).await.expect("a row").is_none());
            gate.open();
        };
        let (late, ()) = tokio::join!(stage.buy(&admin, &plan), meanwhile);
        late.is_problem(409, "subscription_exists");
        stage.heal();
        has_no_subscription(&admin).await;
        assert_eq!(stage.buy(&admin, &plan).await.status, 201);
        let found = stage.stripe(Method::GET, "/subscriptions?status=all", &[]).await;
        let statuses: Vec<_> =
            found["data"].as_array().expect("a list").iter().map(|one| &one["status"]).collect();
        assert_eq!(statuses, ["active", "incomplete_expired"], "the newest first");
        stage.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_purchase_that_nobody_goes_on_with_is_recovered() {
    each_database(|url| async move {
        let (stage, plan) = start(&url).await;
        let (never, made, told) = (stage.app.admin().await, stage.app.admin().await, stage.app.admin().await);
        cut_off(&stage, &never, &plan, Trouble::Disconnect).await;
        cut_off(&stage, &made, &plan, Trouble::DisconnectAfter).await;
        cut_off(&stage, &told, &plan, Trouble::DisconnectAfter).await;
        // A webhook tells of one.
        let list = stage.stripe(Method::GET, "/subscriptions?status=all", &[]).await;
        let newest = list["data"][0]["id"].as_str().expect("a subscription");
        assert_eq!(stage.app.deliver_event(&updated("evt_made", newest)).await, 200);
        eventually("the webhook adopts it", || async {
            (told.get(MY_SUBSCRIPTION).await.status == 200).then_some(())
        })
        .await;
        // Time tells of the others.
        let billing = &stage.app.running.services.billing;
        assert_eq!(billing.reconcile().await.expect("it compares").repaired, 0);
        made.get(MY_SUBSCRIPTION).await.is_problem(404, "no_subscription");
        stage.clock.advance(Duration::minutes(2));
        assert_eq!(billing.reconcile().await.expect("it compares").repaired, 1);
        assert_eq!(made.subscription().await["status"], "incomplete");
        has_no_subscription(&never).await;
        assert_eq!(stage.buy(&never, &plan).await.status, 201);
        stage.stop().await;
    })
    .await;
}
