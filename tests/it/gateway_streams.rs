//! Streams through the gateway: passed as they come, and counted.

use axum::body::Bytes;
use futures::{StreamExt, stream};
use reqwest::Method;
use serde_json::{Value, json};

use crate::gateway_stage::{
    PROMPT, ask, chunk, counts, read, response, settled, stage, streamed, usage_chunk,
};
use crate::support::databases::{Database, each_database};
use crate::support::upstream::Reply;

#[tokio::test]
async fn a_stream_passes_as_it_comes_and_is_counted_before_it_ends() {
    each_database(|url| async move {
        let (app, upstream) = stage(&url).await;
        let member = app.subscribed().await.by_key().await;
        let feed = upstream.feed();
        let answer = ask(&member, streamed(json!({}))).await;
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        assert!(!answer.headers().contains_key("content-encoding"));
        assert_eq!(answer.headers()["x-tollgate-tokens-held"], "511");
        assert_eq!(answer.headers()["x-tollgate-tokens-remaining"], "99489");
        assert!(!answer.headers().contains_key("x-tollgate-tokens-used"));
        let mut body = answer;
        for word in ["Hello", ", ", "world"] {
            feed.event(&chunk(word)).await;
            // It comes before the next is sent.
            let piece = body.chunk().await.unwrap().unwrap();
            assert_eq!(piece, format!("data: {}\n\n", chunk(word)));
        }
        assert_eq!(counts(&member, "llm").await, (0, 511));
        feed.event(&usage_chunk(20, 280)).await;
        feed.event("[DONE]").await;
        assert_eq!(body.chunk().await.unwrap().unwrap(), "data: [DONE]\n\n");
        assert_eq!(counts(&member, "llm").await, (300, 0));
        drop(feed);
        assert!(body.chunk().await.unwrap().is_none());
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn the_usage_is_asked_for_and_shown_to_who_asked() {
    each_database(|url| async move {
        let (app, upstream) = stage(&url).await;
        let member = app.subscribed().await.by_key().await;
        let events = [chunk("Hi"), usage_chunk(20, 280), "[DONE]".into()];
        upstream.next(Reply::events(&events));
        let hidden = read(&member, streamed(json!({}))).await;
        assert_eq!(hidden, format!("data: {}\n\ndata: [DONE]\n\n", events[0]));
        assert_eq!(upstream.last().json()["stream_options"], json!({"include_usage": true}));
        upstream.next(Reply::events(&events));
        let options = json!({"stream_options": {"include_usage": true, "x": 1}});
        let shown = read(&member, streamed(options.clone())).await;
        assert!(shown.contains(&events[1]));
        assert_eq!(upstream.last().json()["stream_options"], options["stream_options"]);
        assert_eq!(counts(&member, "llm").await, (600, 0));
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn events_may_be_cut_anywhere() {
    let database = Database::sqlite();
    let (app, upstream) = stage(&database.url).await;
    let member = app.subscribed().await.by_key().await;
    let text = format!(
        ": hello\r\n\r\ndata: {}\r\n\r\ndata: {}\n\ndata: {}\n\ndata: [DONE]\n\n",
        chunk("Grüße"),
        chunk("!"),
        usage_chunk(1, 1)
    );
    let expected = text.replace(&format!("data: {}\n\n", usage_chunk(1, 1)), "");
    let bytes = Bytes::from(text);
    let cuts = (1..bytes.len()).map(|at| vec![bytes.slice(..at), bytes.slice(at..)]);
    let single = std::iter::once((0..bytes.len()).map(|at| bytes.slice(at..=at)).collect());
    let all: Vec<Vec<Bytes>> = cuts.chain(single).collect();
    let times = all.len();
    all.into_iter().for_each(|pieces| upstream.next(Reply::pieces("text/event-stream", pieces)));
    let answers = stream::iter(0..times).map(|_| read(&member, streamed(json!({})))).buffer_unordered(16);
    answers.for_each(async |text| assert_eq!(text, expected)).await;
    assert_eq!(settled(&member, "llm").await, 2 * i64::try_from(times).unwrap());
    app.stop().await;
}

#[tokio::test]
async fn a_stream_without_a_sound_usage_is_counted_by_its_text() {
    each_database(|url| async move {
        let (app, upstream) = stage(&url).await;
        let member = app.subscribed().await.by_key().await;
        let hello = chunk("Hello, world!");
        let done = "[DONE]".to_owned();
        let mut used = 0;
        for (events, tokens) in [
            (vec![hello.clone(), done.clone()], PROMPT + 4),
            (vec![hello.clone(), usage_chunk(0, 0), done.clone()], PROMPT + 4),
            // Without an end of its own.
            (vec![hello.clone()], PROMPT + 4),
            // Twice is once.
            (vec![hello.clone(), usage_chunk(20, 5), usage_chunk(20, 5), done.clone()], 25),
            // The last of those that grow.
            (vec![usage_chunk(20, 1), hello.clone(), usage_chunk(20, 5), done.clone()], 25),
            // What isn't JSON passes, and is counted as text.
            (vec!["Hello, world!".into(), "{\"choices\":".into(), done.clone()], PROMPT + 4 + 3),
            // What isn't a usage is none.
            (
                vec![hello.clone(), json!({"choices": [], "usage": "much"}).to_string(), done.clone()],
                PROMPT + 4,
            ),
        ] {
            upstream.next(Reply::events(&events));
            let text = read(&member, streamed(json!({"stream_options": {"include_usage": true}}))).await;
            assert!(events.iter().all(|event| text.contains(event.as_str())), "{text}");
            used += tokens;
            assert_eq!(counts(&member, "llm").await, (used, 0), "{events:?}");
        }
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn what_was_counted_here_is_marked_as_estimated() {
    let database = Database::sqlite();
    let (app, upstream) = stage(&database.url).await;
    let member = app.subscribed().await.by_key().await;
    upstream.next(Reply::events(&[chunk("Hello, world!"), "[DONE]".into()]));
    read(&member, streamed(json!({}))).await;
    upstream.next(Reply::events(&[chunk("Hello, world!"), usage_chunk(11, 9), "[DONE]".into()]));
    read(&member, streamed(json!({}))).await;
    app.stop().await;
    let rows: Vec<(i64, bool)> =
        database.rows("SELECT tokens, estimated FROM usage_events ORDER BY tokens").await;
    assert_eq!(rows, [(15, true), (20, false)]);
}

#[tokio::test]
async fn a_response_is_streamed_by_its_own_events() {
    each_database(|url| async move {
        let (app, upstream) = stage(&url).await;
        let member = app.subscribed().await.by_key().await;
        let delta = json!({"type": "response.output_text.delta", "delta": "Hello, world!"}).to_string();
        let done = json!({"type": "response.completed", "response": response("resp_7", 20, 280)}).to_string();
        let events = format!(
            "event: response.output_text.delta\ndata: {delta}\n\nevent: response.completed\ndata: {done}\n\n"
        );
        upstream.next(Reply::text(200, "text/event-stream; charset=utf-8", events.clone()));
        let body = json!({"model": "gpt-4o", "input": "Hi", "stream": true});
        let answer = member.request(Method::POST, "/v1/responses").json(&body).send().await.unwrap();
        assert_eq!(answer.text().await.unwrap(), events);
        assert_eq!(counts(&member, "llm").await, (300, 0));
        let feed = upstream.feed();
        let answer = member.request(Method::POST, "/v1/responses").json(&body).send().await.unwrap();
        feed.event(&delta).await;
        feed.cut().await;
        let text = answer.text().await.unwrap();
        let last = text.rsplit("event: error\ndata: ").next().unwrap();
        let error: Value = serde_json::from_str(last.trim()).unwrap();
        assert_eq!((&error["type"], &error["code"]), (&json!("error"), &json!("upstream_unreachable")));
        assert!(settled(&member, "llm").await > 304);
        app.stop().await;
    })
    .await;
}
