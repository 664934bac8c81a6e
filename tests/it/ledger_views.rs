//! Looking into the ledger: its events, and what they add up to, by those who may.

use chrono::Duration;
use reqwest::Method;
use serde_json::{Value, json};
use tollgate::clock::Clock;
use tollgate::domain::{BreakdownBy, EventInput, OTHERS, UsageType};
use tollgate::metering::BreakdownQuery;

use crate::support::app::{App, Person, unique};
use crate::support::databases::{each_database, each_store};
use crate::support::seed::{Seed, at, event};

const EVENTS: &str = "/api/subscriptions/usage/events/";
const BREAKDOWN: &str = "/api/subscriptions/usage/breakdown/";
const USAGE: &str = "/api/subscriptions/subscriptions/usage/";

/// A group that has spent: the admin by its session and the member by a key.
struct Stage<'a> {
    admin: Person<'a>,
    member: Person<'a>,
    by_key: Person<'a>,
}

async fn stage(app: &App) -> Stage<'_> {
    let admin = app.subscribed().await;
    let member = app.member(&admin).await;
    let by_key = member.by_key().await;
    let event = |usage_type: &str, tokens: i64, model: Option<&str>| json!({"id": unique("event-"), "usage_type": usage_type, "tokens_used": tokens, "model": model});
    let by_admin = json!([event("llm", 100, Some("large")), event("voice", 7, None)]);
    assert_eq!(admin.post(EVENTS, by_admin).await.status, 200);
    let by_member = json!([event("llm", 30, Some("small")), event("llm", 5, Some("large"))]);
    assert_eq!(by_key.post(EVENTS, by_member).await.status, 200);
    assert_eq!(member.post(EVENTS, event("llm", 2, None)).await.status, 200);
    Stage { admin, member, by_key }
}

async fn breakdown(person: &Person<'_>, query: &str) -> Value {
    let answer = person.get(&format!("{BREAKDOWN}?{query}")).await;
    assert_eq!(answer.status, 200, "{query}: {}", answer.body);
    answer.body
}

async fn events(person: &Person<'_>, query: &str) -> Vec<Value> {
    let answer = person.get(&format!("{EVENTS}?{query}")).await;
    assert_eq!(answer.status, 200, "{query}: {}", answer.body);
    answer.body["results"].as_array().expect("results").clone()
}

/// The rows as label, LLM tokens, voice tokens, events.
fn rows(breakdown: &Value) -> Vec<(String, i64, i64, i64)> {
    let number = |row: &Value, field: &str| row[field].as_i64().expect("a number");
    let of = |row: &Value| {
        let label = row["label"].as_str().expect("a label").to_owned();
        (label, number(row, "llm"), number(row, "voice"), number(row, "events"))
    };
    breakdown["rows"].as_array().expect("rows").iter().map(of).collect()
}

fn row(label: &str, llm: i64, voice: i64, events: i64) -> (String, i64, i64, i64) {
    (label.to_owned(), llm, voice, events)
}

#[tokio::test]
async fn every_breakdown_adds_up_to_what_the_usage_says() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let Stage { admin, member, by_key } = stage(&app).await;
        let usage = admin.get(USAGE).await.body;
        assert_eq!((&usage["llm"]["used"], &usage["voice"]["used"]), (&json!(137), &json!(7)));
        for by in ["day", "member", "model", "key"] {
            for person in [&admin, &member, &by_key] {
                let found = breakdown(person, &format!("by={by}")).await;
                assert_eq!(found["total"], json!({"llm": 137, "voice": 7, "events": 5}), "{by}");
                let sum = rows(&found).into_iter().fold((0, 0, 0), |sum, (_, llm, voice, events)| {
                    (sum.0 + llm, sum.1 + voice, sum.2 + events)
                });
                assert_eq!(sum, (137, 7, 5), "{by}");
                assert_eq!((&found["by"], &found["tz"]), (&json!(by), &json!("UTC")));
                assert_eq!((&found["from"], &found["to"]), (&usage["period_start"], &usage["period_end"]));
            }
        }
        let by_member = breakdown(&admin, "by=member").await;
        assert_eq!(rows(&by_member), [row("Ada", 100, 7, 2), row("Max", 37, 0, 3)]);
        assert_eq!(by_member["rows"][0]["key"], admin.id);
        let by_model = breakdown(&admin, "by=model").await;
        assert_eq!(
            rows(&by_model),
            [row("large", 105, 0, 2), row("small", 30, 0, 1), row("No model", 2, 7, 2)]
        );
        assert_eq!(
            (&by_model["rows"][0]["key"], &by_model["rows"][2]["key"]),
            (&json!("large"), &Value::Null)
        );
        let by_key = breakdown(&admin, "by=key").await;
        assert_eq!(rows(&by_key), [row("No key", 102, 7, 3), row("test", 35, 0, 2)]);

        let voice = breakdown(&admin, "by=member&usage_type=voice").await;
        assert_eq!((rows(&voice), &voice["total"]["llm"]), (vec![row("Ada", 0, 7, 1)], &json!(0)));
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_member_sees_the_group_s_totals_and_of_members_keys_and_events_its_own() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let Stage { admin, member, .. } = stage(&app).await;
        let by_member = breakdown(&member, "by=member").await;
        assert_eq!(rows(&by_member), [row("Max", 37, 0, 3), row("Others", 100, 7, 2)]);
        assert_eq!(by_member["rows"][1]["key"], OTHERS);
        let by_key = breakdown(&member, "by=key").await;
        assert_eq!(rows(&by_key), [row("test", 35, 0, 2), row("No key", 2, 0, 1), row("Others", 100, 7, 2)]);
        assert_eq!(rows(&breakdown(&member, "by=model").await), rows(&breakdown(&admin, "by=model").await));

        let of =
            |events: &[Value]| events.iter().map(|event| event["tokens_used"].clone()).collect::<Vec<_>>();
        assert_eq!(of(&events(&member, "").await), [2, 5, 30]);
        assert_eq!(of(&events(&member, &format!("user_id={}", member.id)).await), [2, 5, 30]);
        member.get(&format!("{EVENTS}?user_id={}", admin.id)).await.is_problem(403, "forbidden");
        assert_eq!(events(&admin, "").await.len(), 5);
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_superadmin_looks_into_any_group_s_ledger_and_others_into_their_own() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let Stage { admin, .. } = stage(&app).await;
        let me = admin.get("/api/auth/me/").await.body;
        let group = me["group"]["id"].as_str().expect("a group");
        let superadmin = app.superadmin().await;
        for path in [EVENTS, BREAKDOWN] {
            let unsaid = superadmin.get(path).await;
            assert_eq!((unsaid.status, unsaid.fields()), (422, vec!["group_id"]));
            assert_eq!(superadmin.get(&format!("{path}?group_id={group}")).await.status, 200);
            assert_eq!(admin.get(&format!("{path}?group_id={group}")).await.status, 200);
            let other = app.admin().await;
            other.get(&format!("{path}?group_id={group}")).await.is_problem(404, "not_found");
        }
        let found = breakdown(&superadmin, &format!("by=member&group_id={group}")).await;
        assert_eq!(rows(&found), [row("Ada", 100, 7, 2), row("Max", 37, 0, 3)]);
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn events_are_listed_newest_first_in_pages_and_by_filter() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let Stage { admin, member, .. } = stage(&app).await;
        let body = json!({
            "id": "whole", "usage_type": "llm", "tokens_used": 9, "model": "large", "estimated": true,
            "details": {"input": 4, "reasoning": 5}, "metadata": {"a": [1, null]}, "user_id": member.id,
        });
        assert_eq!(admin.post(EVENTS, body).await.status, 200);
        let all = events(&admin, "").await;
        assert_eq!(all.len(), 6);
        let whole = &all[0];
        for (field, expected) in [
            ("id", json!("whole")),
            ("usage_type", json!("llm")),
            ("tokens_used", json!(9)),
            ("user_id", json!(member.id)),
            ("user", json!("Max")),
            ("key_id", Value::Null),
            ("key", Value::Null),
            ("model", json!("large")),
            ("details", json!({"input": 4, "reasoning": 5})),
            ("estimated", json!(true)),
            ("metadata", json!({"a": [1, null]})),
        ] {
            assert_eq!(whole[field], expected, "{field}");
        }
        let keyed = &all[2];
        assert_eq!((&keyed["key"], &keyed["user"]), (&json!("test"), &json!("Max")));

        let mut paged = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = admin.get(&format!("{EVENTS}?limit=4{cursor}")).await.body;
            paged.extend(page["results"].as_array().expect("results").clone());
            let Some(next) = page["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(paged, all);

        let key = keyed["key_id"].as_str().expect("a key");
        let newest = whole["created_at"].as_str().expect("a time");
        for (query, expected) in [
            ("usage_type=voice".to_owned(), 1),
            (format!("user_id={}", member.id), 4),
            (format!("key_id={key}"), 2),
            ("model=large".to_owned(), 3),
            ("model=".to_owned(), 2),
            (format!("from={newest}"), 1),
            (format!("to={newest}"), 5),
            (format!("model=large&user_id={}&usage_type=llm", member.id), 2),
        ] {
            assert_eq!(events(&admin, &query).await.len(), expected, "{query}");
        }
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn what_can_t_be_looked_for_is_refused_by_name() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let admin = app.subscribed().await;
        let (from, to) = ("2026-11-02T00:00:00Z", "2026-11-01T00:00:00Z");
        for (path, query, field) in [
            (BREAKDOWN, "by=week".to_owned(), "by"),
            (BREAKDOWN, "tz=Europe/Atlantis".to_owned(), "tz"),
            (BREAKDOWN, "tz=".to_owned(), "tz"),
            (BREAKDOWN, "limit=5".to_owned(), "limit"),
            (BREAKDOWN, "from=2026-11-01".to_owned(), "from"),
            (BREAKDOWN, format!("from={from}&to={to}"), "to"),
            (BREAKDOWN, format!("from={from}&to={from}"), "to"),
            (BREAKDOWN, "from=9000-01-01T00:00:00Z".to_owned(), "from"),
            (EVENTS, format!("from={from}&to={to}"), "to"),
            (EVENTS, "by=day".to_owned(), "by"),
            (EVENTS, "usage_type=sms".to_owned(), "usage_type"),
            (EVENTS, "limit=0".to_owned(), "limit"),
        ] {
            let answer = admin.get(&format!("{path}?{query}")).await;
            answer.is_problem(422, "invalid");
            assert_eq!(answer.fields(), [field], "{path}?{query}");
        }
        // Without a subscription there is no current period, and a window of one's own has nothing in it.
        let newcomer = app.admin().await;
        newcomer.get(BREAKDOWN).await.is_problem(404, "no_subscription");
        newcomer.get(&format!("{BREAKDOWN}?from={to}")).await.is_problem(404, "no_subscription");
        let window = breakdown(&newcomer, &format!("from={to}&to={from}")).await;
        assert_eq!((&window["rows"], &window["total"]["events"]), (&json!([]), &json!(0)));
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn who_is_gone_keeps_the_name_in_the_ledger() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let Stage { admin, member, .. } = stage(&app).await;
        let keys = member.get("/api/auth/keys/").await.body;
        let key = keys["results"][0]["id"].as_str().expect("a key").to_owned();
        assert_eq!(member.delete(&format!("/api/auth/keys/{key}/")).await.status, 204);
        let removed = admin.request(Method::DELETE, &format!("/api/team/members/{}/", member.id));
        assert_eq!(admin.send(removed).await.status, 204);
        assert_eq!(rows(&breakdown(&admin, "by=member").await)[1], row("Max", 37, 0, 3));
        assert_eq!(rows(&breakdown(&admin, "by=key").await)[1], row("test", 35, 0, 2));
        let kept = events(&admin, &format!("key_id={key}")).await;
        assert_eq!((&kept[0]["user"], &kept[0]["key"]), (&json!("Max"), &json!("test")));
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn days_have_23_and_25_hours_where_the_zone_says_so() {
    each_store(|store| async move {
        for (now, short_or_long, hours) in
            [("2026-03-31T12:00:00Z", "2026-03-29", 23), ("2026-10-27T12:00:00Z", "2026-10-25", 25)]
        {
            let seed = Seed::with_clock(&store, Clock::manual(at(now))).await;
            let metering = seed.metering();
            let hourly = (0..120).map(|hour| EventInput {
                created_at: Some(seed.clock.now() - Duration::hours(hour)),
                ..event(&format!("event-{hour}"), UsageType::Llm, 1)
            });
            metering.record(&seed.member, hourly.collect()).await.expect("the events are recorded");
            let query =
                BreakdownQuery { tz: "Europe/Berlin".into(), ..BreakdownQuery::current(BreakdownBy::Day) };
            let days = metering.breakdown(&seed.member, query).await.expect("a breakdown").rows;
            let day = days.iter().find(|row| row.key.as_deref() == Some(short_or_long)).expect("the day");
            assert_eq!(day.llm, hours);
            metering.stop().await;
        }
    })
    .await;
}
