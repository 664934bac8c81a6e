//! What the gateway refuses, and how it says so.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use tollgate::config::UpstreamLimits;
use tollgate::start::StartOptions;

use crate::gateway_stage::{CHAT, count, counts, hello, is_error, leave, stage};
use crate::support::app::{App, Auth, Person};
use crate::support::databases::each_database;
use crate::support::upstream::Reply;

async fn post_text(person: &Person<'_>, path: &str, body: impl Into<reqwest::Body>) -> reqwest::Response {
    let request = person.request(Method::POST, path).header("content-type", "application/json");
    request.body(body).send().await.expect("an answer")
}

#[tokio::test]
async fn a_denial_names_the_limit_its_reset_and_the_plan_to_change_to() {
    each_database(|url| async move {
        let (app, upstream) = stage(&url).await;
        let admin = app.subscribed().await;
        let dearer = json!({"name": "Dearer", "price": "79.99", "llm_tokens_limit": 500_000,
            "voice_tokens_limit": 250_000, "interval": "month", "currency": "usd"});
        app.superadmin().await.post("/api/subscriptions/plans/", dearer).await;
        let member = app.member(&admin).await;
        let key = member.post("/api/auth/keys/", json!({"name": "capped"})).await;
        let capped = Person { auth: Auth::Key(key.text("key").to_owned()), ..member.clone() };

        let caps = format!("/api/auth/keys/{}/caps/", key.text("id"));
        assert_eq!(member.put(&caps, json!({"llm": 5, "voice": null})).await.status, 200);
        let denied = capped.post(CHAT, hello(json!({}))).await;
        is_error(&denied, 429, "insufficient_quota");
        assert_eq!(denied.headers["x-should-retry"], "false");
        assert_eq!(denied.body["error"]["limit"], "key");
        assert!(denied.body["error"]["message"].as_str().unwrap().contains("API key's cap"));

        let caps = format!("/api/team/members/{}/caps/", member.id);
        assert_eq!(admin.put(&caps, json!({"llm": 5, "voice": null})).await.status, 200);
        let denied = member.by_key().await.post(CHAT, hello(json!({}))).await;
        is_error(&denied, 429, "insufficient_quota");
        assert_eq!(denied.body["error"]["limit"], "member");

        leave(&admin, "llm", 10).await;
        let denied = admin.by_key().await.post(CHAT, hello(json!({}))).await;
        is_error(&denied, 429, "insufficient_quota");
        assert_eq!(denied.body["error"]["limit"], "group");
        assert_eq!(count(&denied, "x-tollgate-tokens-used"), 0);
        assert_eq!(count(&denied, "x-tollgate-tokens-remaining"), 10);
        let message = denied.body["error"]["message"].as_str().unwrap();
        assert!(message.contains("resets on") && message.contains("Dearer"), "{message}");
        for field in ["resets_at", "suggested_plan"] {
            assert!(!denied.body["error"][field].is_null(), "{field}");
        }
        assert!(upstream.asked().is_empty(), "a denied request never reaches the upstream");
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn without_a_subscription_or_a_right_to_it_nothing_is_asked() {
    each_database(|url| async move {
        let (app, upstream) = stage(&url).await;
        let none = app.admin().await;
        is_error(&none.by_key().await.post(CHAT, hello(json!({}))).await, 429, "insufficient_quota");
        is_error(&app.anonymous().post(CHAT, hello(json!({}))).await, 401, "invalid_api_key");
        let wrong = Person { auth: Auth::Key("tg_wrong".into()), ..app.anonymous() };
        is_error(&wrong.get("/v1/models").await, 401, "invalid_api_key");
        is_error(&app.superadmin().await.by_key().await.post(CHAT, hello(json!({}))).await, 403, "forbidden");
        // A page of another site can't spend with a visitor's cookie.
        let foreign =
            none.request(Method::POST, CHAT).header("origin", "https://evil.example").json(&hello(json!({})));
        is_error(&none.send(foreign).await, 403, "cross_origin");
        assert!(upstream.asked().is_empty());
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn what_is_not_metered_is_refused() {
    each_database(|url| async move {
        let (app, upstream) = stage(&url).await;
        let member = app.subscribed().await.by_key().await;
        for (method, path, status) in [
            ("GET", "/v1", 404),
            ("POST", "/v1/completions", 404),
            ("GET", "/v1/files", 404),
            ("POST", "/v1/images/generations", 404),
            ("POST", "/v1/moderations", 404),
            ("GET", "/v1/responses/resp_1", 404),
            ("GET", "/v1/chat/completions/chatcmpl-1", 404),
            ("DELETE", "/v1/models/gpt-4o", 405),
            ("GET", CHAT, 405),
        ] {
            let request = member.request(method.parse().unwrap(), path);
            let code = if status == 404 { "unknown_url" } else { "method_not_allowed" };
            is_error(&member.send(request).await, status, code);
        }
        let background = json!({"model": "gpt-4o", "input": "Hi", "background": true});
        is_error(&member.post("/v1/responses", background).await, 400, "invalid_value");
        // `..` in a model's name leads nowhere else. Sent by hand: a client would take it out.
        for path in ["/v1/models/%2e%2e/files", "/v1/models/../files", "/v1/models/x/%2E./../files"] {
            let answer = raw(&app, &member, path).await;
            assert!(answer.starts_with("HTTP/1.1 404"), "{path}: {answer}");
        }
        assert!(upstream.asked().is_empty());
        app.stop().await;
    })
    .await;
}

async fn raw(app: &App, member: &Person<'_>, path: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let Auth::Key(key) = &member.auth else { panic!("a key") };
    let mut connection = tokio::net::TcpStream::connect(app.running.addr).await.unwrap();
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {key}\r\nConnection: close\r\n\r\n");
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn bodies_that_cannot_be_metered_are_refused_in_words() {
    each_database(|url| async move {
        let (app, upstream) = stage(&url).await;
        let member = app.subscribed().await.by_key().await;
        for body in ["", "[]", "{", "\"text\"", "{\"messages\":\u{0}}"] {
            let answer = post_text(&member, CHAT, body).await;
            assert_eq!(answer.status(), 400, "{body:?}");
        }
        let nested = format!(r#"{{"messages":{}1{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
        assert_eq!(post_text(&member, CHAT, nested).await.status(), 400);
        is_error(&member.post(CHAT, hello(json!({"max_tokens": "many"}))).await, 400, "invalid_value");
        let huge = vec![b' '; (32 << 20) + 1];
        assert_eq!(post_text(&member, CHAT, huge).await.status(), 413);
        let packed = member.request(Method::POST, CHAT).header("content-encoding", "gzip").body("x");
        is_error(&member.send(packed).await, 415, "unsupported_encoding");
        assert!(upstream.asked().is_empty());
        assert_eq!(counts(&member, "llm").await, (0, 0));
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn what_the_upstream_refuses_passes_and_costs_nothing() {
    each_database(|url| async move {
        let (app, upstream) = stage(&url).await;
        let member = app.subscribed().await.by_key().await;
        for status in [400, 401, 404, 409, 418, 422, 429, 500, 503] {
            let error = json!({"error": {"message": "as the upstream says", "code": "its_own"}, "x": status});
            upstream.next(Reply::json(status, &error).header("retry-after", "7"));
            let answer = member.post(CHAT, hello(json!({}))).await;
            assert_eq!((answer.status, &answer.body), (status, &error));
            assert_eq!(
                (&answer.headers["retry-after"], count(&answer, "x-tollgate-tokens-used")),
                (&"7".parse().unwrap(), 0)
            );
            assert_eq!(count(&answer, "x-tollgate-tokens-remaining"), 100_000);
        }
        let unknown = member.get("/v1/models/meta/llama%2F3").await;
        assert_eq!((unknown.status, &unknown.body["error"]["code"]), (404, &json!("model_not_found")));
        assert_eq!(upstream.last().path, "/v1/models/meta/llama%2F3");
        assert_eq!(counts(&member, "llm").await, (0, 0));
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn an_upstream_that_is_away_or_silent_costs_nothing() {
    each_database(|url| async move {
        let away =
            App::start_with(&url, &[("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")], StartOptions::default());
        let app = away.await;
        let member = app.subscribed().await.by_key().await;
        is_error(&member.post(CHAT, hello(json!({}))).await, 502, "upstream_unreachable");
        is_error(&member.get("/v1/models").await, 502, "upstream_unreachable");
        assert_eq!(counts(&member, "llm").await, (0, 0));
        app.stop().await;
    })
    .await;
    each_database(|url| async move {
        let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/v1", silent.local_addr().unwrap());
        let limits = UpstreamLimits { answer: Duration::from_millis(200), ..UpstreamLimits::default() };
        let options = StartOptions { upstream_limits: limits, ..StartOptions::default() };
        let app = App::start_with(&url, &[("OPENAI_BASE_URL", &base)], options).await;
        let member = app.subscribed().await.by_key().await;
        let answer = member.post(CHAT, hello(json!({}))).await;
        is_error(&answer, 504, "upstream_timeout");
        assert_eq!(answer.headers["x-should-retry"], "false");
        assert_eq!(counts(&member, "llm").await, (0, 0));
        app.stop().await;
    })
    .await;
}
