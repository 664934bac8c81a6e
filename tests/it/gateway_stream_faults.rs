//! Streams through the gateway that don't end as they should: each is ended in order, and counted.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use tollgate::clock::Clock;
use tollgate::config::UpstreamLimits;
use tollgate::start::StartOptions;

use crate::gateway_stage::{
    PROMPT, answer, ask, chunk, error_in, leave, read, settled, stage, streamed, usage_chunk,
};
use crate::support::app::{App, eventually};
use crate::support::databases::{Database, each_database};
use crate::support::seed::at;
use crate::support::upstream::{Reply, ScriptedUpstream};

#[tokio::test]
async fn an_upstream_that_breaks_off_ends_the_stream_with_an_error() {
    each_database(|url| async move {
        let (app, upstream) = stage(&url).await;
        let member = app.subscribed().await.by_key().await;
        let feed = upstream.feed();
        let answer = ask(&member, streamed(json!({}))).await;
        feed.event(&chunk("Hello, world!")).await;
        feed.raw("data: {\"half\":").await;
        feed.cut().await;
        let text = answer.text().await.expect("an end in order");
        assert!(
            text.starts_with(&format!("data: {}\n\ndata: {{\"error\"", chunk("Hello, world!"))),
            "{text}"
        );
        assert_eq!(error_in(&text)["code"], "upstream_unreachable");
        assert_eq!(settled(&member, "llm").await, PROMPT + 4);
        // Of which nothing came, nothing is counted.
        let feed = upstream.feed();
        let answer = ask(&member, streamed(json!({}))).await;
        feed.cut().await;
        assert_eq!(error_in(&answer.text().await.unwrap())["code"], "upstream_unreachable");
        assert_eq!(settled(&member, "llm").await, PROMPT + 4);
        // An error that the upstream sends passes.
        let error = json!({"error": {"message": "overloaded"}}).to_string();
        upstream.next(Reply::events(&[&error]));
        assert_eq!(read(&member, streamed(json!({}))).await, format!("data: {error}\n\n"));
        assert_eq!(settled(&member, "llm").await, PROMPT + 4);
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn an_upstream_that_falls_silent_ends_the_stream_with_an_error() {
    each_database(|url| async move {
        let upstream = ScriptedUpstream::start(answer).await;
        let limits = UpstreamLimits { idle: Duration::from_millis(200), ..UpstreamLimits::default() };
        let options = StartOptions { upstream_limits: limits, ..StartOptions::default() };
        let app = App::start_with(&url, &upstream.variables(), options).await;
        let member = app.subscribed().await.by_key().await;
        let feed = upstream.feed();
        let answer = ask(&member, streamed(json!({}))).await;
        feed.event(&chunk("Hello, world!")).await;
        let text = answer.text().await.unwrap();
        assert_eq!(error_in(&text)["code"], "upstream_timeout");
        feed.hung_up().await;
        assert_eq!(settled(&member, "llm").await, PROMPT + 4);
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_client_that_hangs_up_ends_the_upstreams_answer_and_is_counted() {
    each_database(|url| async move {
        let (app, upstream) = stage(&url).await;
        let member = app.subscribed().await.by_key().await;
        let feed = upstream.feed();
        let mut body = ask(&member, streamed(json!({}))).await;
        feed.event(&chunk("Hello, world!")).await;
        body.chunk().await.unwrap().unwrap();
        drop(body);
        feed.hung_up().await;
        assert_eq!(settled(&member, "llm").await, PROMPT + 4);
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_stream_that_outlives_its_hold_extends_it() {
    each_database(|url| async move {
        let upstream = ScriptedUpstream::start(answer).await;
        let clock = Clock::manual(at("2026-03-11T12:00:00Z"));
        let app = App::start_at(&url, &upstream.variables(), &clock).await;
        let member = app.subscribed().await.by_key().await;
        let feed = upstream.feed();
        let mut body = ask(&member, streamed(json!({}))).await;
        feed.event(&chunk("Hello")).await;
        body.chunk().await.unwrap().unwrap();
        for _ in 0..3 {
            clock.advance(TimeDelta::seconds(100));
            let holds = eventually("the hold is extended", || async {
                let holds = member.get("/api/subscriptions/usage/holds/").await.body;
                let until = holds["results"][0]["expires_at"].as_str()?.parse::<DateTime<Utc>>().ok()?;
                (until > clock.now() + TimeDelta::seconds(60)).then_some(holds)
            })
            .await;
            assert_eq!(holds["results"][0]["tokens"], 511);
        }
        feed.event(&usage_chunk(20, 280)).await;
        feed.event("[DONE]").await;
        drop(feed);
        while body.chunk().await.unwrap().is_some() {}
        assert_eq!(settled(&member, "llm").await, 300);
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_stream_whose_hold_is_gone_and_taken_by_others_is_ended_and_counted() {
    each_database(|url| async move {
        let upstream = ScriptedUpstream::start(answer).await;
        let clock = Clock::manual(at("2026-03-11T12:00:00Z"));
        let app = App::start_at(&url, &upstream.variables(), &clock).await;
        let admin = app.subscribed().await;
        let member = admin.by_key().await;
        let feed = upstream.feed();
        let answer = ask(&member, streamed(json!({}))).await;
        feed.event(&chunk("Hello, world!")).await;
        // An event doesn't ask for room: what is spent is spent.
        leave(&admin, "llm", 400).await;
        clock.advance(TimeDelta::seconds(121));
        let text = answer.text().await.unwrap();
        assert_eq!(error_in(&text)["code"], "insufficient_quota", "{text}");
        feed.hung_up().await;
        assert_eq!(settled(&member, "llm").await, 99_600 + PROMPT + 4);
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_stream_that_never_ends_is_ended_at_the_limit() {
    each_database(|url| async move {
        let (app, upstream) = stage(&url).await;
        let admin = app.subscribed().await;
        let member = admin.by_key().await;
        leave(&admin, "llm", 6_000).await;
        let feed = upstream.feed();
        let answer = ask(&member, streamed(json!({}))).await;
        let flood = async {
            let words = chunk(&" word".repeat(200));
            loop {
                tokio::select! {
                    () = feed.event(&words) => {}
                    () = feed.hung_up() => return,
                }
            }
        };
        let (text, ()) = tokio::join!(answer.text(), flood);
        assert_eq!(error_in(&text.unwrap())["code"], "insufficient_quota");
        let used = settled(&member, "llm").await;
        // It took all there was, and what came with the last pieces.
        assert!((97_000..=100_000 + 1_000).contains(&used), "{used}");
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_server_that_stops_ends_its_streams_and_counts_them() {
    for database in Database::each().await {
        let upstream = ScriptedUpstream::start(answer).await;
        let limits = UpstreamLimits { stopping: Duration::from_millis(100), ..UpstreamLimits::default() };
        let options = StartOptions { upstream_limits: limits, ..StartOptions::default() };
        let app = App::start_with(&database.url, &upstream.variables(), options).await;
        let member = app.subscribed().await.by_key().await;
        let feed = upstream.feed();
        let answer = ask(&member, streamed(json!({}))).await;
        feed.event(&chunk("Hello, world!")).await;
        let (text, left) = tokio::join!(answer.text(), app.running.stop_within(Duration::from_secs(10)));
        assert_eq!(error_in(&text.unwrap())["code"], "stopping");
        assert!(left.is_empty(), "{left:?}");
        let rows: Vec<(i64, bool)> = database.rows("SELECT tokens, estimated FROM usage_events").await;
        assert_eq!(rows, [(PROMPT + 4, true)]);
        database.drop().await;
    }
}
