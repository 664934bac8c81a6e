//! The months of a subscription: Stripe charges, and usage starts anew.

use chrono::{DateTime, Duration, Utc};
use reqwest::Method;
use serde_json::json;
use tollgate::domain::User;

use crate::billing_stage::{Stage, at, updated};
use crate::support::app::{MY_SUBSCRIPTION, Person, eventually};
use crate::support::databases::each_database;

const EVENTS: &str = "/api/subscriptions/usage/events/";
const USAGE: &str = "/api/subscriptions/subscriptions/usage/";

async fn period_end(person: &Person<'_>) -> DateTime<Utc> {
    let now = person.subscription().await;
    at(now["current_period_end"].as_str().expect("a time"))
}

async fn user(stage: &Stage, person: &Person<'_>) -> User {
    let id = person.id.parse().expect("an id");
    let accounts = &stage.app.running.services.accounts;
    accounts.user(id).await.expect("the database answers").expect("a user")
}

async fn spend(person: &Person<'_>, tokens: i64) {
    let event = json!({"id": format!("spent_{tokens}"), "usage_type": "llm", "tokens_used": tokens});
    assert_eq!(person.post(EVENTS, event).await.status, 200);
}

#[tokio::test]
async fn twelve_months_have_a_summary_each_with_the_limits_of_their_beginning_none_missing_and_none_twice() {
    each_database(|url| async move {
        // A month's end, so that the next months' ends are met.
        let stage = Stage::start_at(&url, at("2023-12-31T12:00:00Z")).await;
        let plan = stage.app.plan("Basic", "29.99", None).await;
        let (admin, id) = stage.subscribed(&plan).await;
        // A session wouldn't last.
        let admin = admin.by_key().await;

        let mut ends = vec![at("2023-12-31T12:00:00Z")];
        for month in 1..=12_i64 {
            let end = period_end(&admin).await;
            ends.push(end);
            let event =
                json!({"id": format!("call-{month}"), "usage_type": "llm", "tokens_used": month * 10});
            assert_eq!(admin.post(EVENTS, event).await.status, 200);
            stage.clock.advance(end - stage.clock.now() + Duration::hours(2));
            stage.catch_up().await;
            let renewed = stage.stripe(Method::GET, &format!("/subscriptions/{id}"), &[]).await;
            assert_eq!(renewed["status"], "active");
            let event = updated(&format!("evt_{month}"), &id);
            for _ in ["once", "again"] {
                assert_eq!(stage.app.deliver_event(&event).await, 200);
            }
            eventually("the new period", || async { (period_end(&admin).await > end).then_some(()) }).await;
            let usage = admin.get(USAGE).await.body;
            assert_eq!(
                (&usage["llm"]["used"], &usage["period_start"]),
                (&json!(0), &json!(end.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)))
            );
        }
        let days: Vec<String> = ends.iter().map(|end| end.format("%F").to_string()).collect();
        assert_eq!(days[..4], ["2023-12-31", "2024-01-31", "2024-02-29", "2024-03-31"]);
        let services = &stage.app.running.services;
        let user = user(&stage, &admin).await;
        let history = services.metering.history(&user).await.expect("a history");
        let kept: Vec<_> =
            history.iter().rev().map(|past| (past.start, past.end, past.resources.llm.used)).collect();
        let expected: Vec<_> =
            (1..=12).map(|month| (ends[month - 1], ends[month], month as i64 * 10)).collect();
        assert_eq!(kept, expected);
        let invoices =
            stage.stripe(Method::GET, &format!("/invoices?limit=100&subscription={id}"), &[]).await;
        let paid =
            invoices["data"].as_array().expect("a list").iter().filter(|invoice| invoice["status"] == "paid");
        assert_eq!(paid.count(), 13, "one at the beginning and one a month");
        stage.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_renewal_whose_card_fails_is_past_due_and_a_new_card_makes_it_good() {
    each_database(|url| async move {
        let stage = Stage::start(&url).await;
        let plan = stage.app.plan("Basic", "29.99", None).await;
        let (admin, id) = stage.subscribed(&plan).await;
        let admin = admin.by_key().await;
        let found = stage.stripe(Method::GET, &format!("/subscriptions/{id}"), &[]).await;
        let customer = found["customer"].as_str().expect("a customer").to_owned();
        let card = async |name: &str| {
            let path = format!("/payment_methods/{name}/attach");
            let card = stage.stripe(Method::POST, &path, &[("customer", &customer)]).await;
            let form = [("default_payment_method", card["id"].as_str().expect("an id"))];
            stage.stripe(Method::POST, &format!("/subscriptions/{id}"), &form).await;
        };
        let status = async |number: u32, expected: &str| {
            stage.catch_up().await;
            assert_eq!(stage.app.deliver_event(&updated(&format!("evt_{number}"), &id)).await, 200);
            eventually(expected, || async {
                (admin.get(MY_SUBSCRIPTION).await.body["status"] == expected).then_some(())
            })
            .await;
        };
        card("pm_card_chargeCustomerFail").await;
        stage.clock.advance(period_end(&admin).await - stage.clock.now() + Duration::hours(2));
        status(1, "past_due").await;
        let event = json!({"id": "call-1", "usage_type": "llm", "tokens_used": 1});
        assert_eq!(admin.post(EVENTS, event).await.status, 200, "access goes on for the days of grace");
        card("pm_card_visa").await;
        stage.clock.advance(Duration::days(1));
        status(2, "active").await;

        card("pm_card_chargeCustomerFail").await;
        stage.clock.advance(period_end(&admin).await - stage.clock.now() + Duration::days(15));
        stage.catch_up().await;
        assert_eq!(stage.app.deliver_event(&updated("evt_3", &id)).await, 200);
        eventually("it is over", || async { (admin.get(MY_SUBSCRIPTION).await.status == 404).then_some(()) })
            .await;
        stage.stop().await;
    })
    .await;
}

#[tokio::test]
async fn new_customers_stand_on_the_test_clock_that_is_named() {
    each_database(|url| async move {
        let stage = Stage::on_a_test_clock(&url, at("2026-03-11T12:00:00Z")).await;
        let clock = stage.test_clock.clone().expect("a clock");
        let plan = stage.app.plan("Basic", "29.99", None).await;
        let (admin, id) = stage.subscribed(&plan).await;
        let admin = admin.by_key().await;
        let end = period_end(&admin).await;

        // Stripe's time alone goes on: it is the clock's that counts there.
        let to = (end + Duration::hours(2)).timestamp().to_string();
        let path = format!("/test_helpers/test_clocks/{clock}/advance");
        stage.stripe(Method::POST, &path, &[("frozen_time", &to)]).await;
        stage.catch_up().await;
        let renewed = stage.stripe(Method::GET, &format!("/subscriptions/{id}"), &[]).await;
        assert_eq!(renewed["test_clock"], clock);
        assert_eq!(renewed["items"]["data"][0]["current_period_start"], end.timestamp());

        stage.clock.advance(end - stage.clock.now() + Duration::hours(2));
        assert_eq!(stage.app.deliver_event(&updated("evt_1", &id)).await, 200);
        eventually("the new period", || async { (period_end(&admin).await > end).then_some(()) }).await;
        stage.stop().await;
    })
    .await;
}

#[tokio::test]
async fn what_a_test_clock_leaves_behind_is_history_whatever_the_time_is_here() {
    each_database(|url| async move {
        let stage = Stage::on_a_test_clock(&url, at("2026-03-11T12:00:00Z")).await;
        let clock = stage.test_clock.clone().expect("a clock");
        let plan = stage.app.plan("Basic", "29.99", None).await;
        let (admin, id) = stage.subscribed(&plan).await;
        let services = &stage.app.running.services;
        let user = user(&stage, &admin).await;
        let used = async || -> Vec<i64> {
            let history = services.metering.history(&user).await.expect("a history");
            history.iter().map(|period| period.resources.llm.used).collect()
        };
        spend(&admin, 10).await;
        assert!(used().await.is_empty());

        let end = period_end(&admin).await;
        let to = (end + Duration::hours(2)).timestamp().to_string();
        let path = format!("/test_helpers/test_clocks/{clock}/advance");
        stage.stripe(Method::POST, &path, &[("frozen_time", &to)]).await;
        stage.catch_up().await;
        assert_eq!(stage.app.deliver_event(&updated("evt_1", &id)).await, 200);
        eventually("the new period", || async { (period_end(&admin).await > end).then_some(()) }).await;
        assert_eq!(used().await, [10]);

        spend(&admin, 5).await;
        stage.stripe(Method::DELETE, &format!("/subscriptions/{id}"), &[]).await;
        assert_eq!(stage.app.deliver_event(&updated("evt_2", &id)).await, 200);
        eventually("it is over", || async { (admin.get(MY_SUBSCRIPTION).await.status == 404).then_some(()) })
            .await;
        assert_eq!(used().await, [5, 10]);
        stage.stop().await;
    })
    .await;
}
