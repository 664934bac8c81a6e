//! Payments that fail: what each status allows, and how a group comes out of it.

use chrono::Duration;
use reqwest::Method;
use serde_json::json;

use crate::billing_life::{EVENTS, has_access};
use crate::billing_stage::{Stage, Trouble, at, updated};
use crate::support::app::{MY_SUBSCRIPTION, eventually};
use crate::support::databases::each_database;

#[tokio::test]
async fn while_past_due_there_is_access_for_the_days_of_grace_and_a_new_card_brings_it_back() {
    each_database(|url| async move {
        let stage = Stage::on_a_test_clock(&url, at("2026-03-11T12:00:00Z")).await;
        let plan = stage.plan_of(json!({})).await;
        let (admin, id) = stage.subscribed(&plan).await;
        let admin = admin.by_key().await;
        stage.change_card(&id, "pm_card_chargeCustomerFail").await;
        let failed = at("2026-04-11T14:00:00Z");
        stage.advance_to(failed).await;
        stage.deliver(&admin, &id).await;
        assert_eq!(admin.subscription().await["status"], "past_due");
        assert!(has_access(&admin).await);
        // Each retry fails; none of them begins the days of grace anew.
        for day in [2, 4, 6] {
            stage.advance_to(failed + Duration::days(day)).await;
            stage.deliver(&admin, &id).await;
            assert!(has_access(&admin).await, "day {day}");
        }
        stage.advance_to(failed + Duration::days(7) - Duration::seconds(1)).await;
        assert!(has_access(&admin).await);
        stage.advance_to(failed + Duration::days(7)).await;
        assert!(!has_access(&admin).await);
        // What was spent is recorded all the same.
        let event = json!({"id": "spent", "usage_type": "llm", "tokens_used": 5});
        assert_eq!(admin.post(EVENTS, event).await.status, 200);

        stage.change_card(&id, "pm_card_visa").await;
        stage.advance_to(failed + Duration::days(9) + Duration::hours(1)).await;
        stage.deliver(&admin, &id).await;
        assert_eq!(admin.subscription().await["status"], "active");
        assert!(has_access(&admin).await);
        assert_eq!(stage.charges(&id).await, [2_999, 2_999], "once for each month");
        stage.stop().await;
    })
    .await;
}

#[tokio::test]
async fn where_every_retry_fails_the_subscription_ends_and_the_group_buys_again() {
    each_database(|url| async move {
        let stage = Stage::on_a_test_clock(&url, at("2026-03-11T12:00:00Z")).await;
        let plan = stage.plan_of(json!({})).await;
        let (admin, id) = stage.subscribed(&plan).await;
        let admin = admin.by_key().await;
        stage.change_card(&id, "pm_card_chargeCustomerFail").await;
        stage.advance_to(at("2026-04-26T14:00:00Z")).await;
        stage.deliver(&admin, &id).await;
        admin.get(MY_SUBSCRIPTION).await.is_problem(404, "no_subscription");
        assert!(!has_access(&admin).await);
        assert_eq!(stage.buy(&admin, &plan).await.status, 201);
        assert!(has_access(&admin).await);
        stage.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_purchase_that_is_never_paid_expires_without_a_trace_and_the_group_buys_again() {
    each_database(|url| async move {
        let stage = Stage::on_a_test_clock(&url, at("2026-03-11T12:00:00Z")).await;
        let plan = stage.plan_of(json!({})).await;
        let admin = stage.lasting_admin().await;
        let (begun, id) = stage.begin(&admin, &plan).await;
        assert_eq!(begun["subscription"]["status"], "incomplete");
        assert!(!has_access(&admin).await);
        stage.advance(Duration::hours(22)).await;
        stage.deliver(&admin, &id).await;
        assert_eq!(admin.subscription().await["status"], "incomplete");
        stage.advance(Duration::hours(2)).await;
        // A webhook tells of one, and nothing but time of the other.
        let other = stage.lasting_admin().await;
        let (_, lost) = stage.begin(&other, &plan).await;
        stage.deliver(&admin, &id).await;
        stage.advance(Duration::hours(24)).await;
        let billing = &stage.app.running.services.billing;
        assert_eq!(billing.reconcile().await.expect("it compares").repaired, 1);
        assert_eq!(stage.at_stripe(&lost).await["status"], "incomplete_expired");
        for (admin, id) in [(&admin, &id), (&other, &lost)] {
            admin.get(MY_SUBSCRIPTION).await.is_problem(404, "no_subscription");
            assert!(stage.periods(admin).await.is_empty(), "no phantom period");
            assert!(stage.charges(id).await.is_empty());
            let bought = stage.buy(admin, &plan).await;
            assert_eq!((bought.status, &bought.body["subscription"]["status"]), (201, &json!("active")));
            assert!(has_access(admin).await);
            assert_eq!(stage.periods(admin).await.len(), 1);
        }
        stage.stop().await;
    })
    .await;
}

#[tokio::test]
async fn only_who_pays_or_tries_has_access() {
    each_database(|url| async move {
        let stage = Stage::start(&url).await;
        let plan = stage.plan_of(json!({})).await;
        let (admin, id) = stage.subscribed(&plan).await;
        let found = stage.at_stripe(&id).await;
        let path = format!("/v1/subscriptions/{id}");
        for (number, (status, access)) in [
            ("active", true),
            ("trialing", true),
            ("past_due", true),
            ("unpaid", false),
            ("paused", false),
            ("active", true),
            ("incomplete_expired", false),
        ]
        .into_iter()
        .enumerate()
        {
            let mut said = found.clone();
            said["status"] = json!(status);
            stage.heal();
            stage.when(Method::GET, &path, Trouble::Answer(200, said));
            assert_eq!(stage.app.deliver_event(&updated(&format!("evt_{number}"), &id)).await, 200);
            eventually(status, || async {
                let seen = admin.get(MY_SUBSCRIPTION).await;
                (seen.body["status"] == status || seen.body["code"] == "no_subscription").then_some(())
            })
            .await;
            assert_eq!(has_access(&admin).await, access, "{status}");
        }
        stage.stop().await;
    })
    .await;
}
