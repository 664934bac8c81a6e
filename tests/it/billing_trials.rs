//! Trials: free at first, once a group, and what becomes of them.

use chrono::Duration;
use reqwest::Method;
use serde_json::{Value, json};

use crate::billing_life::has_access;
use crate::billing_stage::{CREATE, Stage, Trouble, at};
use crate::support::app::MY_SUBSCRIPTION;
use crate::support::databases::each_database;

const BEGIN: &str = "2026-03-11T12:00:00Z";
const END: &str = "2026-03-25T12:00:00Z";

async fn start(url: &str) -> (Stage, Value) {
    let stage = Stage::on_a_test_clock(url, at(BEGIN)).await;
    let plan = stage.plan_of(json!({"trial_days": 14})).await;
    (stage, plan)
}

#[tokio::test]
async fn a_trial_begins_without_a_charge_and_is_charged_at_its_end() {
    each_database(|url| async move {
        let (stage, plan) = start(&url).await;
        let admin = stage.lasting_admin().await;
        let (begun, id) = stage.begin(&admin, &plan).await;
        assert_eq!(
            (&begun["intent"], &begun["subscription"]["status"], &begun["subscription"]["trial_end"]),
            (&json!("setup"), &json!("trialing"), &json!(END))
        );
        assert!(has_access(&admin).await);
        stage.confirm(&begun, "pm_card_visa").await;
        stage.deliver(&admin, &id).await;
        assert!(stage.at_stripe(&id).await["pending_setup_intent"].is_null());

        // The day before its end nothing has been charged.
        stage.advance_to(at(END) - Duration::days(1)).await;
        stage.deliver(&admin, &id).await;
        assert!(stage.charges(&id).await.is_empty() && has_access(&admin).await);

        stage.advance_to(at(END) + Duration::hours(2)).await;
        stage.deliver(&admin, &id).await;
        let now = admin.subscription().await;
        assert_eq!(
            (&now["status"], &now["current_period_end"]),
            (&json!("active"), &json!("2026-04-25T12:00:00Z"))
        );
        assert_eq!(stage.charges(&id).await, [2_999]);
        assert!(has_access(&admin).await);
        let periods: Vec<_> = stage.periods(&admin).await.iter().map(|period| (period.0, period.1)).collect();
        assert_eq!(periods, [(at(BEGIN), at(END)), (at(END), at("2026-04-25T12:00:00Z"))]);
        stage.stop().await;
    })
    .await;
}

#[tokio::test]
async fn the_card_form_of_a_trial_can_be_come_back_to() {
    each_database(|url| async move {
        let (stage, plan) = start(&url).await;
        let admin = stage.app.admin().await;
        let (begun, _) = stage.begin(&admin, &plan).await;
        let page = admin.get("/subscribe").await;
        let page = page.body.as_str().expect("a page");
        assert!(page.contains(begun["client_secret"].as_str().expect("a secret")), "{page}");
        stage.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_trial_without_a_card_ends_by_itself() {
    each_database(|url| async move {
        let (stage, plan) = start(&url).await;
        let admin = stage.lasting_admin().await;
        let (_, id) = stage.begin(&admin, &plan).await;
        stage.advance_to(at(END) + Duration::hours(2)).await;
        stage.deliver(&admin, &id).await;
        admin.get(MY_SUBSCRIPTION).await.is_problem(404, "no_subscription");
        assert!(!has_access(&admin).await && stage.charges(&id).await.is_empty());
        assert_eq!(stage.at_stripe(&id).await["status"], "canceled");
        stage.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_card_that_is_given_with_the_purchase_is_kept_and_one_that_the_bank_asks_about_is_approved_first() {
    each_database(|url| async move {
        let (stage, plan) = start(&url).await;
        let admin = stage.lasting_admin().await;
        let bought = stage.buy(&admin, &plan).await;
        assert_eq!((bought.status, &bought.body["client_secret"]), (201, &Value::Null), "{}", bought.body);
        assert_eq!(bought.body["subscription"]["status"], "trialing");

        let other = stage.lasting_admin().await;
        let card = "pm_card_authenticationRequired";
        let begun = other.post(CREATE, json!({"plan_id": plan["id"], "payment_method": card})).await;
        assert_eq!((begun.status, &begun.body["intent"]), (201, &json!("setup")), "{}", begun.body);
        let intent = begun.text("client_secret").split("_secret_").next().expect("an intent");
        stage.authenticate(intent).await;

        for (admin, bought) in [(&admin, &bought), (&other, &begun)] {
            let id = bought.body["subscription"]["stripe_subscription_id"].as_str().expect("an id");
            assert!(stage.charges(id).await.is_empty());
            stage.deliver(admin, id).await;
            let found = stage.at_stripe(id).await;
            assert!(found["default_payment_method"].is_string() && found["pending_setup_intent"].is_null());
        }
        stage.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_trial_that_is_cancelled_is_never_charged() {
    each_database(|url| async move {
        let (stage, plan) = start(&url).await;
        let (later, now) = (stage.lasting_admin().await, stage.lasting_admin().await);
        let mut ids = Vec::new();
        for (admin, at_period_end) in [(&later, true), (&now, false)] {
            let (begun, id) = stage.begin(admin, &plan).await;
            stage.confirm(&begun, "pm_card_visa").await;
            stage.deliver(admin, &id).await;
            stage.cancel(admin, at_period_end).await;
            assert_eq!(has_access(admin).await, at_period_end, "until it ends");
            ids.push(id);
        }
        stage.advance_to(at(END) - Duration::seconds(1)).await;
        assert!(has_access(&later).await);
        // Over is over, though Stripe hasn't said so yet.
        stage.clock.advance(Duration::seconds(1));
        assert!(!has_access(&later).await);
        stage.advance_to(at(END) + Duration::hours(2)).await;
        stage.deliver(&later, &ids[0]).await;
        for id in &ids {
            assert_eq!(stage.at_stripe(id).await["status"], "canceled");
            assert!(stage.charges(id).await.is_empty());
        }
        stage.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_group_has_one_trial_whatever_it_cancels_and_buys() {
    each_database(|url| async move {
        let (stage, plan) = start(&url).await;
        let other = stage.plan_of(json!({"trial_days": 730, "price": "49.99"})).await;
        let admin = stage.lasting_admin().await;
        stage.begin(&admin, &plan).await;
        stage.cancel(&admin, false).await;
        for plan in [&plan, &other] {
            let (begun, id) = stage.begin(&admin, plan).await;
            assert_eq!(
                (&begun["intent"], &begun["subscription"]["status"]),
                (&json!("payment"), &json!("incomplete")),
                "{}",
                plan["name"]
            );
            assert!(!has_access(&admin).await);
            stage.confirm(&begun, "pm_card_visa").await;
            stage.deliver(&admin, &id).await;
            assert_eq!(stage.charges(&id).await.len(), 1);
            stage.cancel(&admin, false).await;
        }
        stage.stop().await;
    })
    .await;
}

#[tokio::test]
async fn purchases_at_the_same_time_and_answers_that_are_lost_give_no_second_trial() {
    each_database(|url| async move {
        let (stage, plan) = start(&url).await;
        let admin = stage.lasting_admin().await;
        let together = futures::future::join_all((0..8).map(|_| stage.buy(&admin, &plan))).await;
        let made = together.iter().filter(|answer| answer.status == 201).count();
        assert_eq!(made, 1, "{together:?}");
        let trials = stage.stripe(Method::GET, "/subscriptions?status=all&limit=100", &[]).await;
        assert_eq!(trials["data"].as_array().expect("a list").len(), 1);

        // Stripe began a trial, and its answer was lost.
        let lost = stage.lasting_admin().await;
        stage.when(Method::POST, "/v1/subscriptions", Trouble::DisconnectAfter);
        stage.when(Method::GET, "/v1/subscriptions", Trouble::Disconnect);
        assert_eq!(stage.buy(&lost, &plan).await.status, 503);
        stage.heal();
        let again = stage.buy(&lost, &plan).await;
        assert_eq!(
            (again.status, &again.body["subscription"]["status"]),
            (201, &json!("trialing")),
            "{}",
            again.body
        );
        let trials = stage.stripe(Method::GET, "/subscriptions?status=all&limit=100", &[]).await;
        assert_eq!(trials["data"].as_array().expect("a list").len(), 2);
        stage.cancel(&lost, false).await;
        let charged = stage.buy(&lost, &plan).await;
        assert_eq!((charged.status, &charged.body["subscription"]["status"]), (201, &json!("active")));
        stage.stop().await;
    })
    .await;
}
