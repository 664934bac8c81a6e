//! Holds: reserving tokens before they are spent, over HTTP.

use chrono::Duration;
use serde_json::{Value, json};
use tollgate::clock::Clock;

use crate::support::app::{Answer, App, Person, eventually};
use crate::support::databases::each_database;
use crate::support::seed::at;

pub const HOLDS: &str = "/api/subscriptions/usage/holds/";
const EVENTS: &str = "/api/subscriptions/usage/events/";
const USAGE: &str = "/api/subscriptions/subscriptions/usage/";

pub fn llm(tokens: i64) -> Value {
    json!({"usage_type": "llm", "tokens": tokens})
}

pub fn with(mut body: Value, more: Value) -> Value {
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

pub async fn act(person: &Person<'_>, hold: &str, action: &str, body: Value) -> Answer {
    person.post(&format!("{HOLDS}{hold}/{action}/"), body).await
}

/// Used and held of the LLM tokens.
pub fn llm_of(usage: &Value) -> (i64, i64) {
    let count = |field: &str| usage["llm"][field].as_i64().unwrap_or_else(|| panic!("no {field} in {usage}"));
    (count("used"), count("held"))
}

#[tokio::test]
async fn a_hold_counts_as_held_until_it_is_settled_or_released() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let admin = app.subscribed().await;
        let member = app.member(&admin).await.by_key().await;
        let hold = member.post(HOLDS, with(llm(1_000), json!({"id": "call-1"}))).await;
        assert_eq!(
            (hold.status, hold.text("id"), &hold.body["tokens"]),
            (201, "call-1", &json!(1_000)),
            "{}",
            hold.body
        );
        assert_eq!(hold.text("usage_type"), "llm");
        assert!(hold.text("expires_at").ends_with('Z'));
        assert_eq!(llm_of(&hold.body["usage"]), (0, 1_000));
        assert_eq!(hold.body["usage"]["llm"]["remaining"], 99_000);

        let settled = act(&member, "call-1", "settle", json!({"tokens_used": 400, "model": "m"})).await;
        assert_eq!((settled.status, llm_of(&settled.body["usage"])), (200, (400, 0)), "{}", settled.body);

        let other = member.post(HOLDS, llm(50)).await;
        let id = other.text("id").to_owned();
        let released = act(&member, &id, "release", json!({})).await;
        assert_eq!((released.status, llm_of(&released.body["usage"])), (200, (400, 0)), "{}", released.body);
        assert_eq!(llm_of(&admin.get(USAGE).await.body), (400, 0));
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn each_of_the_four_is_safe_to_repeat() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let admin = app.subscribed().await;
        let body = with(llm(100), json!({"id": "h", "expires_in": 300}));
        let first = admin.post(HOLDS, body.clone()).await;
        let again = admin.post(HOLDS, body.clone()).await;
        for field in ["id", "tokens", "expires_at", "usage_type"] {
            assert_eq!(first.body[field], again.body[field], "{field}");
        }
        assert_eq!((again.status, llm_of(&again.body["usage"])), (201, (0, 100)));
        admin.post(HOLDS, with(llm(101), json!({"id": "h"}))).await.is_problem(409, "hold_mismatch");

        for _ in 0..2 {
            let extended = act(&admin, "h", "extend", json!({"tokens": 250})).await;
            assert_eq!((extended.status, &extended.body["tokens"]), (200, &json!(250)), "{}", extended.body);
            assert_eq!(llm_of(&extended.body["usage"]), (0, 250));
        }
        for _ in 0..2 {
            let settled = act(&admin, "h", "settle", json!({"tokens_used": 30})).await;
            assert_eq!((settled.status, llm_of(&settled.body["usage"])), (200, (30, 0)), "{}", settled.body);
        }
        act(&admin, "h", "settle", json!({"tokens_used": 31})).await.is_problem(409, "hold_settled");
        act(&admin, "h", "release", json!({})).await.is_problem(409, "hold_settled");
        act(&admin, "h", "extend", json!({})).await.is_problem(409, "hold_settled");

        admin.post(HOLDS, with(llm(5), json!({"id": "r"}))).await;
        for _ in 0..2 {
            assert_eq!(act(&admin, "r", "release", json!({})).await.status, 200);
        }
        act(&admin, "r", "settle", json!({"tokens_used": 1})).await.is_problem(409, "hold_released");
        assert_eq!(llm_of(&admin.get(USAGE).await.body), (30, 0));
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_hold_that_expires_is_freed_and_settling_it_later_still_records_the_tokens() {
    each_database(|url| async move {
        let clock = Clock::manual(at("2026-03-11T12:00:00Z"));
        let app = App::start_at(&url, &[], &clock).await;
        let admin = app.subscribed().await;
        admin.post(HOLDS, with(llm(700), json!({"id": "late", "expires_in": 60}))).await;
        clock.advance(Duration::seconds(59));
        app.running.services.metering.free_due_holds().await.expect("due holds are freed");
        assert_eq!(llm_of(&admin.get(USAGE).await.body), (0, 700));
        clock.advance(-Duration::seconds(3_600));
        app.running.services.metering.free_due_holds().await.expect("due holds are freed");
        assert_eq!(llm_of(&admin.get(USAGE).await.body), (0, 700), "a clock set back frees nothing early");
        clock.advance(Duration::seconds(3_601));
        eventually("the hold is freed", async || {
            (llm_of(&admin.get(USAGE).await.body) == (0, 0)).then_some(())
        })
        .await;
        let settled = act(&admin, "late", "settle", json!({"tokens_used": 650})).await;
        assert_eq!((settled.status, llm_of(&settled.body["usage"])), (200, (650, 0)), "{}", settled.body);
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_clock_set_far_back_holds_nothing_for_ever() {
    each_database(|url| async move {
        let clock = Clock::manual(at("2026-03-11T12:00:00Z"));
        let app = App::start_at(&url, &[], &clock).await;
        let admin = app.subscribed().await;
        admin.post(HOLDS, with(llm(700), json!({"id": "far", "expires_in": 900}))).await;
        clock.advance(-Duration::days(9));
        let metering = &app.running.services.metering;
        metering.free_due_holds().await.expect("due holds are freed");
        assert_eq!(llm_of(&admin.get(USAGE).await.body), (0, 700), "nothing is freed early");
        clock.advance(Duration::minutes(17));
        metering.free_due_holds().await.expect("due holds are freed");
        assert_eq!(llm_of(&admin.get(USAGE).await.body), (0, 0));
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_hold_belongs_to_the_period_it_was_granted_in() {
    each_database(|url| async move {
        let clock = Clock::manual(at("2026-03-11T12:00:00Z"));
        let app = App::start_at(&url, &[], &clock).await;
        let admin = app.subscribed().await;
        let end = at(admin.get(USAGE).await.text("period_end"));
        clock.advance(end - clock.now() - Duration::seconds(10));
        admin.post(HOLDS, with(llm(500), json!({"id": "over the end", "expires_in": 600}))).await;
        clock.advance(Duration::seconds(60));
        assert_eq!(llm_of(&admin.get(USAGE).await.body), (0, 0), "the new period holds nothing");
        let extended =
            act(&admin, "over%20the%20end", "extend", json!({"tokens": 600, "expires_in": 600})).await;
        assert_eq!(extended.status, 200, "{}", extended.body);
        let settled = act(&admin, "over%20the%20end", "settle", json!({"tokens_used": 450})).await;
        assert_eq!((settled.status, llm_of(&settled.body["usage"])), (200, (0, 0)), "{}", settled.body);
        // Its event lies in its period too, though it was settled after its end.
        let event = admin.get(&format!("{EVENTS}?limit=1")).await.body["results"][0].clone();
        assert_eq!(event["id"], "hold:over the end", "{event}");
        assert!(at(event["created_at"].as_str().expect("a time")) < end, "{event}");
        let id = admin.id.parse().expect("an id");
        let user =
            app.running.services.accounts.user(id).await.expect("the database answers").expect("a user");
        let history = app.running.services.metering.history(&user).await.expect("a history");
        assert_eq!((history[0].resources.llm.used, history[0].resources.llm.held), (450, 0));
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn open_holds_are_listed_to_whom_they_concern() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let admin = app.subscribed().await;
        let member = app.member(&admin).await;
        admin.post(HOLDS, with(llm(1), json!({"id": "a"}))).await;
        member.post(HOLDS, with(llm(2), json!({"id": "b"}))).await;
        member.post(HOLDS, with(llm(3), json!({"id": "c"}))).await;
        act(&member, "c", "release", json!({})).await;
        let ids = |answer: &Answer| {
            let results = answer.body["results"].as_array().expect("results");
            results.iter().map(|hold| hold["id"].as_str().expect("an id").to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(ids(&member.get(HOLDS).await), ["b"]);
        let first = admin.get(&format!("{HOLDS}?limit=1")).await;
        assert_eq!(ids(&first), ["a"]);
        assert_eq!(
            ids(&admin.get(&format!("{HOLDS}?limit=1&cursor={}", first.text("next_cursor"))).await),
            ["b"]
        );
        // Another member's is not there to settle, for an admin it is.
        act(&member, "a", "settle", json!({"tokens_used": 1})).await.is_problem(404, "not_found");
        assert_eq!(act(&admin, "b", "settle", json!({"tokens_used": 1})).await.status, 200);
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn what_is_wrong_is_named_and_no_access_is_denied() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let outsider = app.admin().await;
        outsider.post(HOLDS, llm(1)).await.is_problem(404, "no_subscription");
        let admin = app.subscribed().await;
        for (body, field) in [
            (json!({"usage_type": "llm"}), "tokens"),
            (llm(0), "tokens"),
            (with(llm(1), json!({"expires_in": 901})), "expires_in"),
            (with(llm(1), json!({"wait": 31})), "wait"),
            (with(llm(1), json!({"id": ""})), "id"),
            (with(llm(1), json!({"extra": 1})), "extra"),
        ] {
            let answer = admin.post(HOLDS, body).await;
            assert_eq!((answer.status, answer.fields()), (422, vec![field]), "{}", answer.body);
        }
        admin.post(HOLDS, with(llm(10), json!({"id": "x"}))).await;
        for (body, field) in [
            (json!({}), "tokens_used"),
            (json!({"tokens_used": -1}), "tokens_used"),
            (json!({"tokens_used": 5, "details": {"input": 4}}), "details"),
        ] {
            let answer = act(&admin, "x", "settle", body).await;
            assert_eq!((answer.status, answer.fields()), (422, vec![field]), "{}", answer.body);
        }
        act(&admin, "unknown", "release", json!({})).await.is_problem(404, "not_found");
        let nothing = act(&admin, "x", "settle", json!({"tokens_used": 0, "details": {"input": 0}})).await;
        assert_eq!(
            (nothing.status, llm_of(&nothing.body["usage"])),
            (200, (0, 0)),
            "nothing spent, nothing recorded"
        );

        let id = admin.subscription().await["id"].as_str().expect("an id").to_owned();
        let cancel = format!("/api/subscriptions/subscriptions/{id}/cancel/");
        assert_eq!(admin.post(&cancel, json!({"at_period_end": false})).await.status, 200);
        admin.post(HOLDS, llm(1)).await.is_problem(404, "no_subscription");
        app.stop().await;
    })
    .await;
}
