//! What Stripe went on to while nothing was heard of it: each month that began meanwhile is there once it is.

use chrono::{DateTime, Duration, Utc};
use reqwest::Method;
use serde_json::json;

use crate::billing_stage::{Stage, at};
use crate::support::app::Person;
use crate::support::databases::each_database;

/// The periods of a group as days.
async fn days(stage: &Stage, admin: &Person<'_>) -> Vec<(String, String)> {
    let day = |time: DateTime<Utc>| time.format("%F").to_string();
    stage.periods(admin).await.iter().map(|period| (day(period.0), day(period.1))).collect()
}

fn months(days: &[&str]) -> Vec<(String, String)> {
    days.windows(2).map(|pair| (pair[0].to_owned(), pair[1].to_owned())).collect()
}

#[tokio::test]
async fn the_months_after_a_trial_that_was_ended_early_are_counted_from_its_end() {
    each_database(|url| async move {
        let stage = Stage::start_at(&url, at("2026-03-11T12:00:00Z")).await;
        let plan = stage.plan_of(json!({"trial_days": 14})).await;
        let (admin, id) = stage.subscribed(&plan).await;
        let admin = admin.by_key().await;
        stage.advance(Duration::days(3)).await;
        stage.stripe(Method::POST, &format!("/subscriptions/{id}"), &[("trial_end", "now")]).await;
        stage.advance(Duration::days(70)).await;
        stage.stripe(Method::DELETE, &format!("/subscriptions/{id}"), &[]).await;
        stage.deliver(&admin, &id).await;
        let expected = months(&["2026-03-11", "2026-03-14", "2026-04-14", "2026-05-14", "2026-05-23"]);
        assert_eq!(days(&stage, &admin).await, expected);
        stage.stop().await;
    })
    .await;
}

#[tokio::test]
async fn no_month_began_between_a_trial_that_paused_and_what_it_went_on_with() {
    each_database(|url| async move {
        let stage = Stage::start_at(&url, at("2026-03-11T12:00:00Z")).await;
        let (admin, id) = stage.begin_trial_that_pauses().await;
        stage.advance_to(at("2026-05-20T12:00:00Z")).await;
        assert_eq!(stage.at_stripe(&id).await["status"], "paused");
        stage.change_card(&id, "pm_card_visa").await;
        stage.stripe(Method::POST, &format!("/subscriptions/{id}/resume"), &[]).await;
        stage.deliver(&admin, &id).await;
        let mut expected = months(&["2026-03-11", "2026-03-25"]);
        expected.extend(months(&["2026-05-20", "2026-06-20"]));
        assert_eq!(days(&stage, &admin).await, expected);
        stage.stop().await;
    })
    .await;
}

#[tokio::test]
async fn the_months_on_both_sides_of_another_interval_are_there() {
    each_database(|url| async move {
        let stage = Stage::start_at(&url, at("2026-01-31T12:00:00Z")).await;
        let yearly = stage.plan_of(json!({"interval": "year", "price": "299.00"})).await;
        let monthly = stage.plan_of(json!({"price": "9.00"})).await;
        let (admin, id) = stage.subscribed(&yearly).await;
        let admin = admin.by_key().await;
        // What begins with the next period is counted from its beginning.
        let path = format!(
            "/api/subscriptions/subscriptions/{}/change_plan/",
            admin.subscription().await["id"].as_str().expect("an id")
        );
        let changed = admin.post(&path, json!({"plan_id": monthly["id"]})).await;
        assert_eq!(changed.status, 200, "{}", changed.body);
        stage.advance_to(at("2027-03-31T13:00:00Z")).await;
        stage.deliver(&admin, &id).await;
        stage.app.running.services.billing.reconcile().await.expect("it compares");
        assert_eq!(admin.subscription().await["plan"]["id"], monthly["id"]);
        let expected = months(&[
            "2026-01-31",
            "2026-02-28",
            "2026-03-31",
            "2026-04-30",
            "2026-05-31",
            "2026-06-30",
            "2026-07-31",
            "2026-08-31",
            "2026-09-30",
            "2026-10-31",
            "2026-11-30",
            "2026-12-31",
            "2027-01-31",
            "2027-02-28",
            "2027-03-31",
            "2027-04-30",
        ]);
        assert_eq!(days(&stage, &admin).await, expected);
        stage.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_month_that_the_calendar_began_within_one_nobody_had_heard_of_is_that_one() {
    each_database(|url| async move {
        let stage = Stage::start_at(&url, at("2026-03-11T12:00:00Z")).await;
        let plan = stage.plan_of(json!({"trial_days": 14})).await;
        let (admin, id) = stage.subscribed(&plan).await;
        let admin = admin.by_key().await;
        stage.advance(Duration::days(4)).await;
        stage.stripe(Method::POST, &format!("/subscriptions/{id}"), &[("trial_end", "now")]).await;
        // By what was known, a month began at the trial's end.
        stage.advance(Duration::days(13)).await;
        let event = json!({"id": "call", "usage_type": "llm", "tokens_used": 7});
        let spent = admin.post("/api/subscriptions/usage/events/", event).await;
        assert_eq!(
            (spent.status, &spent.body["usage"]["period_start"]),
            (200, &json!("2026-03-25T12:00:00Z"))
        );
        stage.deliver(&admin, &id).await;
        let usage = admin.get("/api/subscriptions/subscriptions/usage/").await.body;
        assert_eq!(
            (&usage["period_start"], &usage["period_end"], &usage["llm"]["used"]),
            (&json!("2026-03-15T12:00:00Z"), &json!("2026-04-15T12:00:00Z"), &json!(7))
        );
        let times = |period: &(DateTime<Utc>, DateTime<Utc>, i64)| (period.0, period.2);
        let periods: Vec<_> = stage.periods(&admin).await.iter().map(times).collect();
        assert_eq!(periods, [(at("2026-03-11T12:00:00Z"), 0), (at("2026-03-15T12:00:00Z"), 7)]);
        stage.stop().await;
    })
    .await;
}
