//! What a change of the plan costs: as it was previewed, to the second, by the time that the subscription lives by.

use chrono::Duration;
use reqwest::Method;
use serde_json::json;

use crate::billing_life::{EVENTS, USAGE};
use crate::billing_plan_changes::{START, Scene, plan};
use crate::billing_stage::{Stage, at};
use crate::support::databases::each_database;

#[tokio::test]
async fn an_upgrade_costs_what_the_preview_said_and_gives_its_limits_at_once_with_the_usage_carried_over() {
    each_database(|url| async move {
        let stage = Stage::start_at(&url, at(START)).await;
        let scene = Scene::set(&stage).await;
        let event = json!({"id": "before", "usage_type": "llm", "tokens_used": 70_000});
        assert_eq!(scene.admin.post(EVENTS, event).await.status, 200);

        let preview = scene.change(json!({"plan_id": scene.pro["id"], "preview": true})).await;
        assert_eq!(preview.status, 200, "{}", preview.body);
        let told = &preview.body;
        // A third of $90 less a third of $30, each rounded down by itself.
        assert_eq!(
            (&told["amount_due"], &told["currency"], &told["effective"]),
            (&json!("20.00"), &json!("usd"), &json!("now"))
        );
        let amounts: Vec<&str> = told["lines"]
            .as_array()
            .expect("lines")
            .iter()
            .map(|line| line["amount"].as_str().expect("text"))
            .collect();
        assert_eq!(amounts, ["-10.00", "30.00"]);
        assert_eq!(
            (&told["next_amount"], &told["next_charge_at"]),
            (&json!("90.00"), &json!("2026-05-01T00:00:00Z"))
        );
        assert_eq!(scene.admin.subscription().await["plan"]["name"], "Basic", "a preview changes nothing");
        assert_eq!(scene.charged().await, 3000);

        // Some time passes between looking and deciding.
        stage.clock.advance(Duration::minutes(20));
        let body = json!({"plan_id": scene.pro["id"], "proration_date": told["proration_date"]});
        let changed = scene.change(body).await;
        assert_eq!(changed.status, 200, "{}", changed.body);
        assert_eq!(changed.body["client_secret"], json!(null));
        assert_eq!(changed.body["subscription"]["plan"]["name"], "Pro");
        assert_eq!(scene.charged().await, 3000 + 2000);
        let usage = scene.admin.get(USAGE).await.body;
        assert_eq!((&usage["llm"]["used"], &usage["llm"]["limit"]), (&json!(70_000), &json!(500_000)));
        assert_eq!(usage["period_start"], "2026-04-01T00:00:00Z", "the period goes on");

        // Again: nothing more happens.
        assert_eq!(scene.to(&scene.pro).await.status, 200);
        assert_eq!(scene.charged().await, 5000);
        stage.stop().await;
    })
    .await;
}

#[tokio::test]
async fn on_a_test_clock_an_upgrade_is_prorated_by_the_clock_and_charged_at_the_previewed_amount() {
    each_database(|url| async move {
        let stage = Stage::on_a_test_clock(&url, at(START)).await;
        // Here it is the 21st by then, and on the clock it stays the first.
        let scene = Scene::set(&stage).await;
        let clock = stage.test_clock.as_deref().expect("a clock");
        let clock = format!("/test_helpers/test_clocks/{clock}/advance");
        let advance = async |time: &str| {
            let time = at(time).timestamp().to_string();
            stage.stripe(Method::POST, &clock, &[("frozen_time", &time)]).await;
            stage.catch_up().await;
        };
        advance("2026-04-11T00:00:00Z").await;
        let preview = json!({"plan_id": scene.pro["id"], "preview": true});
        let told = scene.change(preview).await.body;
        // Two thirds of $90 less two thirds of $30.
        assert_eq!(
            (&told["amount_due"], &told["proration_date"]),
            (&json!("40.00"), &json!("2026-04-11T00:00:00Z")),
            "{told}"
        );
        let ours = json!({"plan_id": scene.pro["id"], "proration_date": "2026-04-21T00:00:00Z"});
        let refused = scene.change(ours).await;
        assert_eq!(
            (refused.status, &refused.body["errors"][0]["field"]),
            (422, &json!("proration_date")),
            "{}",
            refused.body
        );

        // Some time passes there between looking and deciding.
        advance("2026-04-11T00:59:00Z").await;
        let previewed = json!({"plan_id": scene.pro["id"], "proration_date": told["proration_date"]});
        let mut again = previewed.clone();
        again["preview"] = json!(true);
        assert_eq!(scene.change(again).await.body["amount_due"], "40.00");
        let changed = scene.change(previewed).await;
        assert_eq!(changed.status, 200, "{}", changed.body);
        assert_eq!((scene.charged().await, scene.limit().await), (3000 + 4000, json!(500_000)));
        stage.stop().await;
    })
    .await;
}

#[tokio::test]
async fn another_interval_begins_now_where_a_year_is_paid_ahead_and_later_where_one_is_paid_for() {
    each_database(|url| async move {
        let stage = Stage::start_at(&url, at(START)).await;
        let scene = Scene::set(&stage).await;
        let yearly = plan(&stage, "Basic for a year", "300.00", "year", 100_000).await;
        let told = scene.change(json!({"plan_id": yearly["id"], "preview": true})).await.body;
        assert_eq!((&told["amount_due"], &told["effective"]), (&json!("290.00"), &json!("now")));
        assert_eq!(told["next_charge_at"], "2027-04-21T00:00:00Z");
        let changed = scene.to(&yearly).await;
        assert_eq!(changed.status, 200, "{}", changed.body);
        assert_eq!(changed.body["subscription"]["current_period_end"], "2027-04-21T00:00:00Z");
        assert_eq!(scene.charged().await, 3000 + 29_000);
        assert_eq!(
            scene.admin.get(USAGE).await.body["period_end"],
            "2026-05-21T00:00:00Z",
            "its tokens are a month's"
        );

        let told = scene.change(json!({"plan_id": scene.basic["id"], "preview": true})).await.body;
        assert_eq!(
            (&told["effective"], &told["effective_at"]),
            (&json!("period_end"), &json!("2027-04-21T00:00:00Z"))
        );
        stage.stop().await;
    })
    .await;
}
