//! Spending from the shared allowance, and reading what is left.

use chrono::Duration;
use reqwest::Method;
use serde_json::{Value, json};
use tollgate::clock::Clock;

use crate::support::app::{App, eventually, unique};
use crate::support::databases::each_database;

const EVENTS: &str = "/api/subscriptions/usage/events/";
const USAGE: &str = "/api/subscriptions/subscriptions/usage/";
const CHECK: &str = "/api/subscriptions/subscriptions/check_limits/";
const STREAM: &str = "/api/subscriptions/subscriptions/usage/stream/";

fn event(usage_type: &str, tokens: i64) -> Value {
    json!({"id": unique("event-"), "usage_type": usage_type, "tokens_used": tokens})
}

#[tokio::test]
async fn everyone_in_the_group_spends_from_one_allowance() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let admin = app.subscribed().await;
        let member = app.member(&admin).await.by_key().await;
        let first = member.post(EVENTS, event("llm", 75_000)).await;
        assert_eq!((first.status, &first.body["accepted"], &first.body["duplicates"]), (200, &json!(1), &json!(0)));
        admin.post(EVENTS, json!([event("llm", 234), event("voice", 42_891)])).await;
        let usage = member.get(USAGE).await;
        assert_eq!(usage.status, 200, "{}", usage.body);
        assert_eq!(
            usage.body["llm"],
            json!({"used": 75_234, "held": 0, "limit": 100_000, "remaining": 24_766, "percentage": 75.2, "level": "ok"})
        );
        assert_eq!(
            usage.body["voice"],
            json!({"used": 42_891, "held": 0, "limit": 50_000, "remaining": 7_109, "percentage": 85.8, "level": "warning"})
        );
        for field in ["period_start", "period_end", "as_of"] {
            assert!(usage.text(field).ends_with('Z'), "{field}");
        }
        assert_eq!(usage.body["plan"]["id"], admin.subscription().await["plan"]["id"]);
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_warning_comes_at_80_per_cent_and_the_limit_at_100_with_the_next_plan_up() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let admin = app.subscribed().await;
        let dearer = json!({
            "name": "Dearer", "price": "79.99", "llm_tokens_limit": 500_000, "voice_tokens_limit": 250_000,
        });
        let dearer = app.superadmin().await.post("/api/subscriptions/plans/", dearer).await.body;
        let quiet = admin.get(CHECK).await;
        assert_eq!(quiet.body["warnings"], json!([]));
        assert!(quiet.body["suggested_plan"].is_null());

        admin.post(EVENTS, event("llm", 79_999)).await;
        assert_eq!(admin.get(CHECK).await.body["warnings"], json!([]));
        admin.post(EVENTS, event("llm", 1)).await;
        let warned = admin.get(CHECK).await;
        assert_eq!(warned.body["allowed"], json!({"llm": true, "voice": true}));
        let warning = &warned.body["warnings"][0];
        assert_eq!((&warning["level"], &warning["percentage"]), (&json!("warning"), &json!(80.0)));
        assert_eq!(warning["message"], "Warning - approaching limit");
        assert_eq!(warned.body["suggested_plan"]["id"], dearer["id"]);

        admin.post(EVENTS, event("llm", 20_000)).await;
        let reached = admin.get(CHECK).await;
        assert_eq!(reached.body["allowed"], json!({"llm": false, "voice": true}));
        assert_eq!(reached.body["warnings"][0]["message"], "Limit reached - upgrade required");
        let over = admin.post(EVENTS, event("llm", 50_000)).await;
        assert_eq!((over.status, &over.body["usage"]["llm"]["percentage"]), (200, &json!(150.0)));
        assert_eq!(over.body["usage"]["llm"]["remaining"], 0);
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn an_event_counts_once_however_often_it_is_sent() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let admin = app.subscribed().await;
        let one = event("llm", 10);
        admin.post(EVENTS, one.clone()).await;
        let again = admin.post(EVENTS, json!([one, one, event("llm", 5)])).await;
        assert_eq!(
            (&again.body["accepted"], &again.body["duplicates"]),
            (&json!(1), &json!(2)),
            "{}",
            again.body
        );
        assert_eq!(again.body["usage"]["llm"]["used"], 15);
        let mut other = one.clone();
        other["tokens_used"] = json!(11);
        admin.post(EVENTS, json!([event("llm", 7), other])).await.is_problem(409, "event_mismatch");
        assert_eq!(admin.get(USAGE).await.body["llm"]["used"], 15, "a batch is all or nothing");
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn the_same_id_in_another_group_is_another_event() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let (one, other) = (app.subscribed().await, app.subscribed().await);
        let shared = event("voice", 3);
        for admin in [one, other] {
            assert_eq!(admin.post(EVENTS, shared.clone()).await.body["accepted"], 1);
        }
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_batch_names_what_is_wrong_with_which_event() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let admin = app.subscribed().await;
        let late = (Clock::system().now() - Duration::days(36)).to_rfc3339();
        let early = (Clock::system().now() + Duration::minutes(6)).to_rfc3339();
        let mut old = event("llm", 1);
        old["created_at"] = json!(late);
        let mut ahead = event("llm", 1);
        ahead["created_at"] = json!(early);
        let refused = admin.post(EVENTS, json!([event("llm", 1), event("llm", 0), old, ahead])).await;
        refused.is_problem(422, "invalid");
        assert_eq!(
            refused.fields(),
            ["events[1].tokens_used", "events[2].created_at", "events[3].created_at"]
        );
        for (body, field) in [
            (json!({"id": "x", "usage_type": "video", "tokens_used": 1}), "usage_type"),
            (json!({"id": "x", "usage_type": "llm", "tokens_used": 1.5}), "tokens_used"),
            (json!({"id": "x", "usage_type": "llm", "tokens_used": 0}), "tokens_used"),
            (json!({"usage_type": "llm", "tokens_used": 1}), "id"),
            (json!({"id": "x", "usage_type": "llm", "tokens_used": 1, "cost": 2}), "cost"),
        ] {
            let refused = admin.post(EVENTS, body.clone()).await;
            refused.is_problem(422, "invalid");
            assert_eq!(refused.fields(), [field], "{body}");
        }
        assert_eq!(admin.post(EVENTS, json!([])).await.status, 422);
        assert_eq!(admin.get(USAGE).await.body["llm"]["used"], 0);
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_member_records_for_itself_and_an_admin_for_any_member() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let admin = app.subscribed().await;
        let member = app.member(&admin).await;
        let named = |id: &str| {
            let mut event = event("llm", 1);
            event["user_id"] = json!(id);
            event
        };
        assert_eq!(member.post(EVENTS, named(&member.id)).await.status, 200);
        member.post(EVENTS, named(&admin.id)).await.is_problem(403, "forbidden");
        assert_eq!(admin.post(EVENTS, named(&member.id)).await.status, 200);
        let stranger = app.admin().await;
        let refused = admin.post(EVENTS, named(&stranger.id)).await;
        assert_eq!((refused.status, refused.fields()), (422, vec!["user_id"]));
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn without_a_subscription_there_is_nothing_to_spend_from() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let admin = app.admin().await;
        admin.get(USAGE).await.is_problem(404, "no_subscription");
        admin.get(CHECK).await.is_problem(404, "no_subscription");
        admin.post(EVENTS, event("llm", 1)).await.is_problem(404, "no_subscription");
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn the_stream_follows_what_others_spend() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let admin = app.subscribed().await;
        let member = app.member(&admin).await;
        let mut response = member.request(Method::GET, STREAM).send().await.unwrap();
        assert!(response.headers()["content-type"].to_str().unwrap().starts_with("text/event-stream"));
        let mut text = String::new();
        let used = |text: &str| {
            text.lines()
                .filter_map(|line| line.strip_prefix("data:"))
                .filter_map(|data| serde_json::from_str::<Value>(data.trim()).ok())
                .filter_map(|usage| usage["llm"]["used"].as_i64())
                .next_back()
        };
        while used(&text).is_none() {
            text.push_str(&String::from_utf8_lossy(&response.chunk().await.unwrap().unwrap()));
        }
        assert!(text.contains("event: usage"), "{text}");
        admin.post(EVENTS, event("llm", 77)).await;
        while used(&text) != Some(77) {
            text.push_str(&String::from_utf8_lossy(&response.chunk().await.unwrap().unwrap()));
        }
        // Who is removed sees no more of it.
        admin.delete(&format!("/api/team/members/{}/", member.id)).await;
        admin.post(EVENTS, event("llm", 1)).await;
        while let Some(chunk) = response.chunk().await.unwrap() {
            text.push_str(&String::from_utf8_lossy(&chunk));
        }
        assert_eq!(used(&text), Some(77));
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn the_demo_has_the_numbers_it_promises() {
    each_database(|url| async move {
        let app = App::start_demo(&url).await;
        let member = app.log_in("member@acme.test", "tollgate-demo").await;
        let usage = member.get(USAGE).await;
        assert_eq!(usage.body["plan"]["name"], "Basic");
        assert_eq!(usage.body["status"], "active");
        assert_eq!(
            (&usage.body["llm"]["used"], &usage.body["voice"]["used"]),
            (&json!(75_234), &json!(42_891))
        );
        let services = &app.running.services;
        let user = services.accounts.user(member.id.parse().unwrap()).await.unwrap().unwrap();
        assert_eq!(services.metering.history(&user).await.unwrap().len(), 3);
        let newco = app.log_in("admin@newco.test", "tollgate-demo").await;
        newco.get(USAGE).await.is_problem(404, "no_subscription");
        let plans = app.anonymous().get("/api/subscriptions/plans/").await;
        let names: Vec<_> =
            plans.body["results"].as_array().unwrap().iter().map(|plan| plan["name"].clone()).collect();
        assert_eq!(names, ["Basic", "Pro", "Scale"]);
        eventually("the sandbox's events are worked off", || async {
            services
                .store
                .due_events(Clock::system().now() + chrono::Duration::days(2), 10)
                .await
                .unwrap()
                .is_empty()
                .then_some(())
        })
        .await;
        app.stop().await;
    })
    .await;
}
