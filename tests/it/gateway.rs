//! The gateway: what passes, and what it costs.

use std::time::Duration;

use futures::future::{join, join_all};
use reqwest::Method;
use serde_json::{Value, json};

use crate::gateway_stage::{
    CHAT, completion, count, counts, hello, is_error, leave, response, settled, stage, start, upload,
};
use crate::support::app::App;
use crate::support::databases::{Database, each_database};
use crate::support::upstream::{Reply, ScriptedUpstream};

#[tokio::test]
async fn bodies_and_answers_pass_byte_for_byte() {
    each_database(|url| async move {
        let (app, upstream) = stage(&url).await;
        let member = app.subscribed().await.by_key().await;
        let body = "{ \"seed\":1.50e2,\n\"model\" :\"gpt-4o\", \"max_tokens\":10, \"x_unknown\":{\"b\":1,\"a\":[ ]},\
             \"messages\":[{\"role\":\"user\",\"content\":\"\\u00e9\"}], \"seed\": 2 }\n";
        let sent = "{\"usage\" : {\"total_tokens\":12},\"x_new\":1e2, \"choices\":[]  }\n";
        upstream.next(Reply::text(201, "application/json; charset=x", sent).header("x-ratelimit-limit-tokens", "9"));
        let request = member
            .request(Method::POST, &format!("{CHAT}?api-version=1"))
            .header("content-type", "application/json")
            .header("openai-beta", "x=1")
            .header("cookie", "a=b");
        let answer = request.body(body).send().await.unwrap();
        assert_eq!(answer.status(), 201);
        assert_eq!(answer.headers()["content-type"], "application/json; charset=x");
        assert_eq!(answer.headers()["x-ratelimit-limit-tokens"], "9");
        assert_eq!(answer.headers()["x-tollgate-tokens-used"], "12");
        assert_eq!(answer.text().await.unwrap(), sent);
        let asked = upstream.last();
        assert_eq!(asked.path, "/v1/chat/completions?api-version=1");
        assert_eq!(asked.body, body);
        assert_eq!(asked.headers["authorization"], "Bearer sk-upstream");
        assert_eq!(asked.headers["openai-beta"], "x=1");
        assert!(!asked.headers.contains_key("cookie"));
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn every_path_is_counted_by_its_own_rule() {
    each_database(|url| async move {
        let (app, _) = stage(&url).await;
        let member = app.subscribed().await.by_key().await;
        let speech = json!({"model": "tts-1", "voice": "alloy", "input": "Grüße 🙂"});
        for (path, body, llm, voice) in [
            (CHAT, hello(json!({})), 300, 0),
            ("/v1/responses", json!({"model": "gpt-4o", "input": "Hello"}), 300, 0),
            ("/v1/embeddings", json!({"model": "text-embedding-3-small", "input": "Hello, world!"}), 4, 0),
            ("/v1/audio/speech", speech, 0, 14),
        ] {
            let before = (counts(&member, "llm").await.0, counts(&member, "voice").await.0);
            let answer = member.post(path, body).await;
            assert_eq!(answer.status, 200, "{path}: {}", answer.body);
            assert_eq!(count(&answer, "x-tollgate-tokens-used"), llm + voice, "{path}");
            let used = (counts(&member, "llm").await, counts(&member, "voice").await);
            assert_eq!(used, ((before.0 + llm, 0), (before.1 + voice, 0)), "{path}");
            let (limit, used) =
                if voice > 0 { (50_000, before.1 + voice) } else { (100_000, before.0 + llm) };
            assert_eq!(count(&answer, "x-tollgate-tokens-remaining"), limit - used, "{path}");
        }
        for (path, bytes, tokens) in [
            ("/v1/audio/transcriptions", 100, 1),
            ("/v1/audio/transcriptions", 47_999, 2),
            ("/v1/audio/translations", 48_000, 3),
        ] {
            let before = counts(&member, "voice").await.0;
            let answer = upload(&member, path, bytes).await;
            assert_eq!((answer.status, answer.text("text")), (200, "Hello"));
            assert_eq!(count(&answer, "x-tollgate-tokens-used"), tokens, "{bytes} bytes");
            assert_eq!(counts(&member, "voice").await, (before + tokens, 0));
        }
        let models = member.get("/v1/models").await;
        assert_eq!((models.status, &models.body["data"][0]["id"]), (200, &json!("gpt-4o")));
        assert_eq!(count(&models, "x-tollgate-tokens-used"), 0);
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn what_was_cached_reasoned_and_spoken_is_recorded_in_its_class() {
    let database = Database::sqlite();
    let (app, upstream) = stage(&database.url).await;
    let member = app.subscribed().await.by_key().await;
    let mut reply = completion("Hi", 100, 50);
    reply["usage"]["prompt_tokens_details"] = json!({"cached_tokens": 60, "audio_tokens": 10});
    reply["usage"]["completion_tokens_details"] = json!({"reasoning_tokens": 20, "audio_tokens": 5});
    upstream.next(Reply::json(200, &reply));
    assert_eq!(member.post(CHAT, hello(json!({}))).await.status, 200);
    app.stop().await;
    let rows: Vec<(i64, String)> =
        database.rows("SELECT tokens, model FROM usage_events WHERE usage_type = 'llm'").await;
    assert_eq!(rows, [(150, "gpt-4o".to_owned())]);
    let details: Vec<(String,)> =
        database.rows("SELECT CAST(details AS TEXT) FROM usage_events WHERE usage_type = 'llm'").await;
    let details: Value = serde_json::from_str(&details[0].0).unwrap();
    assert_eq!(
        details,
        json!({"input": 30, "cached_input": 60, "audio_input": 10, "output": 25, "reasoning": 20, "audio_output": 5})
    );
}

#[tokio::test]
async fn an_answers_maximum_is_set_to_what_is_held_for_it() {
    each_database(|url| async move {
        let (app, upstream) = stage(&url).await;
        let admin = app.subscribed().await;
        let member = admin.by_key().await;
        leave(&admin, "llm", 80_000).await;
        let maximum = |field: &str| upstream.last().json()[field].as_i64();
        // An eighth of what remains.
        member.post(CHAT, hello(json!({}))).await;
        assert_eq!(maximum("max_completion_tokens"), Some(10_000));
        member.post(CHAT, hello(json!({"max_tokens": 50_000}))).await;
        assert!((9_900..10_000).contains(&maximum("max_tokens").unwrap()));
        assert_eq!(maximum("max_completion_tokens"), None);
        // Each of several choices may have its share.
        member.post(CHAT, hello(json!({"n": 4}))).await;
        assert!((2_400..=2_500).contains(&maximum("max_completion_tokens").unwrap()));
        member.post("/v1/responses", json!({"model": "o3", "input": "Hi"})).await;
        assert!((9_800..10_000).contains(&maximum("max_output_tokens").unwrap()));
        // What is asked for and there stays.
        member.post(CHAT, hello(json!({"max_completion_tokens": 77}))).await;
        assert_eq!(maximum("max_completion_tokens"), Some(77));
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn thirty_callers_at_once_are_all_served_and_the_limit_is_never_passed() {
    each_database(|url| async move {
        let (app, upstream) = stage(&url).await;
        let admin = app.subscribed().await;
        leave(&admin, "llm", 20_000).await;
        let member = app.member(&admin).await.by_key().await;
        let body = hello(json!({"max_tokens": 16_000}));
        let callers = join_all((0..30).map(|_| member.post(CHAT, body.clone())));
        let watch = async {
            let mut most = 0;
            loop {
                let (used, held) = counts(&admin, "llm").await;
                most = most.max(used + held);
                if used == 80_000 + 30 * 300 {
                    return most;
                }
            }
        };
        let (answers, most) = join(callers, tokio::time::timeout(Duration::from_secs(60), watch)).await;
        let served = answers.iter().filter(|answer| answer.status == 200).count();
        assert_eq!(served, 30, "{:?}", answers.iter().find(|answer| answer.status != 200));
        assert!(most.expect("all are counted") <= 100_000);
        assert_eq!(settled(&admin, "llm").await, 80_000 + 30 * 300);
        // Each had room to answer as it did.
        assert!(upstream.asked().iter().all(|asked| asked.json()["max_tokens"].as_i64() >= Some(300)));
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn an_answer_without_a_usage_is_counted() {
    each_database(|url| async move {
        let (app, upstream) = stage(&url).await;
        let member = app.subscribed().await.by_key().await;
        let mut silent = completion("Hello, world!", 0, 0);
        for usage in [Value::Null, json!({"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0})] {
            silent["usage"] = usage;
            upstream.next(Reply::json(200, &silent));
            let answer = member.post(CHAT, hello(json!({}))).await;
            // Four of text, one of its role and seven that frame a prompt; four of text answered.
            assert_eq!(count(&answer, "x-tollgate-tokens-used"), 11 + 4);
        }
        assert_eq!(counts(&member, "llm").await, (30, 0));
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn an_answer_that_used_more_than_was_held_is_recorded_as_it_is() {
    each_database(|url| async move {
        let (app, upstream) = stage(&url).await;
        let member = app.subscribed().await.by_key().await;
        upstream.next(Reply::json(200, &completion("Hi", 20, 70_000)));
        let answer = member.post(CHAT, hello(json!({"max_tokens": 5}))).await;
        assert_eq!(count(&answer, "x-tollgate-tokens-used"), 70_020);
        assert_eq!(counts(&member, "llm").await, (70_020, 0));
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_response_is_held_with_what_it_goes_on_from() {
    each_database(|url| async move {
        let (app, upstream) = stage(&url).await;
        let admin = app.subscribed().await;
        let member = admin.by_key().await;
        leave(&admin, "llm", 10_000).await;
        upstream.next(Reply::json(200, &response("resp_long", 4_000, 1_000)));
        assert_eq!(member.post("/v1/responses", json!({"model": "gpt-4o", "input": "Hi"})).await.status, 200);
        let go_on = |id: &str| json!({"model": "gpt-4o", "input": "Hi", "previous_response_id": id});
        // 5,000 are left, and the earlier one alone has as many.
        let denied = member.post("/v1/responses", go_on("resp_long")).await;
        is_error(&denied, 429, "insufficient_quota");
        upstream.next(Reply::json(200, &response("resp_short", 100, 100)));
        assert_eq!(member.post("/v1/responses", json!({"model": "gpt-4o", "input": "Hi"})).await.status, 200);
        assert_eq!(member.post("/v1/responses", go_on("resp_short")).await.status, 200);
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_client_that_hangs_up_frees_what_it_held() {
    each_database(|url| async move {
        let (app, upstream) = stage(&url).await;
        let member = app.subscribed().await.by_key().await;
        let feed = upstream.feed();
        let asking = tokio::time::timeout(Duration::from_millis(500), async {
            let answer = member.request(Method::POST, CHAT).json(&hello(json!({}))).send().await.unwrap();
            answer.text().await
        });
        assert!(asking.await.is_err(), "the upstream hasn't answered");
        feed.hung_up().await;
        // The upstream has read the prompt.
        assert_eq!(settled(&member, "llm").await, 11);
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_prompt_of_a_megabyte_does_not_hold_up_others() {
    each_database(|url| async move {
        let (app, _) = stage(&url).await;
        let admin = app.subscribed().await;
        let member = admin.by_key().await;
        let long =
            json!({"model": "gpt-4.1", "messages": [{"role": "user", "content": "a".repeat(1 << 20)}]});
        let (long, health) = join(member.post(CHAT, long), app.anonymous().get("/healthz")).await;
        assert_eq!((long.status, health.status), (429, 200), "131,072 tokens don't fit into 100,000");
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_key_that_is_used_by_many_at_once_is_never_overspent() {
    each_database(|url| async move {
        // Answers as much as it may.
        let upstream = ScriptedUpstream::start(|asked| {
            let most = asked.json()["max_tokens"].as_i64().expect("a maximum");
            Reply::json(200, &completion("Hello", 11, most))
        });
        let upstream = upstream.await;
        let app = start(&url, &upstream).await;
        let admin = app.subscribed().await;
        leave(&admin, "llm", 1_000).await;
        let member = admin.by_key().await;
        let answers = join_all((0..20).map(|_| member.post(CHAT, hello(json!({"max_tokens": 289}))))).await;
        let served = answers.iter().filter(|answer| answer.status == 200).count();
        // 300 each for three, and for a fourth what is left.
        assert_eq!((served, upstream.asked().len()), (4, 4));
        for denied in answers.iter().filter(|answer| answer.status != 200) {
            is_error(denied, 429, "insufficient_quota");
        }
        assert_eq!(settled(&admin, "llm").await, 100_000);
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn the_demo_model_answers_where_no_server_is_set() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let member = app.subscribed().await.by_key().await;
        let answer = member
            .post(CHAT, json!({"model": "demo-chat", "messages": [{"role": "user", "content": "Hi"}]}))
            .await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let total = answer.body["usage"]["total_tokens"].as_i64().unwrap();
        assert_eq!(count(&answer, "x-tollgate-tokens-used"), total);
        assert_eq!(counts(&member, "llm").await, (total, 0));
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_session_may_ask_as_a_key_does() {
    each_database(|url| async move {
        let (app, _) = stage(&url).await;
        let admin = app.subscribed().await;
        let own = format!("http://{}", app.running.addr);
        let request = admin.request(Method::POST, CHAT).header("origin", own).json(&hello(json!({})));
        assert_eq!(admin.send(request).await.status, 200);
        app.stop().await;
    })
    .await;
}
