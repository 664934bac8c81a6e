//! A yearly plan: its tokens are renewed each month, its price is charged each year.

use chrono::{DateTime, Duration, Utc};
use reqwest::Method;
use serde_json::json;

use crate::billing_life::{EVENTS, USAGE};
use crate::billing_stage::{Stage, at, failure};
use crate::support::app::Person;
use crate::support::databases::each_database;

async fn record(admin: &Person<'_>, id: &str, tokens: i64, time: Option<DateTime<Utc>>) {
    let event = json!({"id": id, "usage_type": "llm", "tokens_used": tokens, "created_at": time});
    let recorded = admin.post(EVENTS, event).await;
    assert_eq!(recorded.status, 200, "{}", recorded.body);
}

#[tokio::test]
async fn a_year_has_a_summary_for_each_of_its_months_and_one_charge_and_then_goes_on() {
    each_database(|url| async move {
        let begin = at("2023-12-31T12:00:00Z");
        let stage = Stage::on_a_test_clock(&url, begin).await;
        let plan = stage.plan_of(json!({"interval": "year", "price": "299.00"})).await;
        let (admin, id) = stage.subscribed(&plan).await;
        let admin = admin.by_key().await;
        // Month ends and a leap February.
        let days = [
            "2023-12-31",
            "2024-01-31",
            "2024-02-29",
            "2024-03-31",
            "2024-04-30",
            "2024-05-31",
            "2024-06-30",
            "2024-07-31",
            "2024-08-31",
            "2024-09-30",
            "2024-10-31",
            "2024-11-30",
            "2024-12-31",
            "2025-01-31",
        ];
        let starts: Vec<_> = days.iter().map(|day| at(&format!("{day}T12:00:00Z"))).collect();
        for month in 0..13 {
            let usage = admin.get(USAGE).await.body;
            let period =
                [&usage["period_start"], &usage["period_end"]].map(|time| at(time.as_str().expect("a time")));
            assert_eq!(period, [starts[month], starts[month + 1]]);
            assert_eq!((&usage["llm"]["used"], &usage["llm"]["limit"]), (&json!(0), &json!(100_000)));
            let (number, tokens) = (month + 1, month as i64 * 10 + 10);
            // No event in one of the months: its summary is there all the same.
            if month != 5 {
                record(&admin, &format!("call-{number}"), tokens, None).await;
            }
            if month > 0 {
                // What comes late with its time counts in its own month.
                let late = starts[month] - Duration::seconds(1);
                record(&admin, &format!("late-{number}"), 1, Some(late)).await;
            }
            stage.advance_to(starts[month + 1] + Duration::hours(2)).await;
            if month == 11 {
                stage.deliver(&admin, &id).await;
            }
        }
        stage.app.running.services.billing.reconcile().await.expect("it compares");
        let expected: Vec<_> = (0..13)
            .map(|month| {
                let late = i64::from(month < 12);
                let tokens = if month == 5 { 0 } else { month as i64 * 10 + 10 };
                (starts[month], starts[month + 1], tokens + late)
            })
            .collect();
        let periods = stage.periods(&admin).await;
        assert_eq!(periods[..13], expected);
        assert_eq!((periods.len(), periods[13].0), (14, starts[13]));
        assert_eq!(
            stage.charges(&id).await,
            [29_900, 29_900],
            "at the beginning, and when the year was over"
        );
        stage.stop().await;
    })
    .await;
}

#[tokio::test]
async fn where_no_webhook_comes_stripe_is_asked_and_where_it_doesnt_answer_the_calendar_goes_on() {
    each_database(|url| async move {
        let stage = Stage::on_a_test_clock(&url, at("2026-01-31T12:00:00Z")).await;
        let plan = stage.plan_of(json!({})).await;
        let (admin, id) = stage.subscribed(&plan).await;
        let admin = admin.by_key().await;
        let billing = &stage.app.running.services.billing;
        assert_eq!(billing.fetch_overdue().await.expect("it asks"), 0);

        // No webhook comes, and Stripe doesn't answer.
        stage.advance_to(at("2026-02-28T14:00:00Z")).await;
        stage.when(Method::GET, "/v1/subscriptions/*", failure(500, "api_error"));
        assert_eq!(billing.fetch_overdue().await.expect("it asks"), 0);
        record(&admin, "provisional", 7, None).await;
        let usage = admin.get(USAGE).await.body;
        assert_eq!(
            (&usage["period_start"], &usage["period_end"]),
            (&json!("2026-02-28T12:00:00Z"), &json!("2026-03-31T12:00:00Z")),
        );
        // The plan gives less from now on. What was opened provisionally is put right once Stripe is heard of.
        let path = format!("/api/subscriptions/plans/{}/", plan["id"].as_str().expect("an id"));
        let less = json!({"name": plan["name"], "price": "29.99", "llm_tokens_limit": 60_000});
        assert_eq!(stage.app.superadmin().await.put(&path, less).await.status, 200);
        stage.heal();
        assert_eq!(billing.fetch_overdue().await.expect("it asks"), 1);
        assert_eq!(billing.fetch_overdue().await.expect("it asks"), 0);
        let usage = admin.get(USAGE).await.body;
        assert_eq!((&usage["llm"]["used"], &usage["llm"]["limit"]), (&json!(7), &json!(60_000)));

        // One that ended meanwhile has no further month in its history.
        stage.cancel(&admin, true).await;
        stage.advance_to(at("2026-03-31T14:00:00Z")).await;
        assert_eq!(stage.at_stripe(&id).await["status"], "canceled");
        assert_eq!(billing.fetch_overdue().await.expect("it asks"), 1);
        let starts: Vec<_> = stage.periods(&admin).await.iter().map(|period| period.0).collect();
        assert_eq!(starts, [at("2026-01-31T12:00:00Z"), at("2026-02-28T12:00:00Z")]);
        stage.stop().await;
    })
    .await;
}
