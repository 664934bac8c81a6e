//! `POST /v1/chat/completions`, not streamed.

use serde_json::{Value, json};

use crate::support::{Server, count};

fn text(completion: &Value) -> &str {
    completion["choices"][0]["message"]["content"].as_str().expect("text")
}

#[tokio::test]
async fn an_answer_has_openais_shape_and_true_counts() {
    let server = Server::start().await;
    let completion = server.chat("What is the capital of France?", json!({})).await.ok();

    assert_eq!(completion["object"], "chat.completion");
    assert_eq!(completion["model"], "demo-chat");
    assert!(completion["id"].as_str().unwrap().starts_with("chatcmpl-"));
    assert!(completion["created"].as_u64().unwrap() > 1_700_000_000);
    let choice = &completion["choices"][0];
    assert_eq!((&choice["finish_reason"], &choice["message"]["role"]), (&json!("stop"), &json!("assistant")));
    assert!(text(&completion).contains("the capital of France"));
    assert!(text(&completion).contains("offline demo model"));

    let usage = &completion["usage"];
    // 3 for the message, 1 for "user", 3 that begin the answer.
    assert_eq!(usage["prompt_tokens"], 7 + count("What is the capital of France?"));
    assert_eq!(usage["completion_tokens"], count(text(&completion)));
    assert_eq!(
        usage["total_tokens"].as_u64().unwrap(),
        usage["prompt_tokens"].as_u64().unwrap() + usage["completion_tokens"].as_u64().unwrap()
    );
    assert_eq!(usage["prompt_tokens_details"]["cached_tokens"], 0);
    assert_eq!(usage["completion_tokens_details"]["reasoning_tokens"], 0);
}

#[tokio::test]
async fn the_same_request_has_the_same_answer() {
    let server = Server::start().await;
    let first = server.chat("Tell me about bread", json!({})).await.ok();
    let again = server.chat("Tell me about bread", json!({})).await.ok();
    assert_eq!(text(&first), text(&again));
    assert_ne!(first["id"], again["id"]);
    let other = server.chat("Tell me about bread", json!({ "n": 2 })).await.ok();
    assert_eq!(text(&other), text(&first));
    assert_ne!(other["choices"][1]["message"]["content"], other["choices"][0]["message"]["content"]);
}

#[tokio::test]
async fn a_maximum_is_kept_to_the_token() {
    let server = Server::start().await;
    for name in ["max_tokens", "max_completion_tokens"] {
        for most in [1, 2, 7, 16, 33, 50] {
            let completion = server.chat("Write Python code about the sea", json!({ name: most })).await.ok();
            assert_eq!(completion["choices"][0]["finish_reason"], "length");
            assert_eq!(completion["usage"]["completion_tokens"], most);
            assert_eq!(count(text(&completion)), most, "{}", text(&completion));
        }
    }
    let whole = server.chat("Write Python code about the sea", json!({ "max_tokens": 5000 })).await.ok();
    assert_eq!(whole["choices"][0]["finish_reason"], "stop");
}

#[tokio::test]
async fn several_answers_are_counted_together() {
    let server = Server::start().await;
    let completion = server.chat("Tell me about bread", json!({ "n": 3, "max_tokens": 20 })).await.ok();
    assert_eq!(completion["choices"].as_array().unwrap().len(), 3);
    assert_eq!(completion["choices"][2]["index"], 2);
    assert_eq!(completion["usage"]["completion_tokens"], 60);
}

#[tokio::test]
async fn an_answer_ends_before_a_stop_sequence() {
    let server = Server::start().await;
    let whole = server.chat("Tell me about bread", json!({})).await.ok();
    for stop in [json!("\n- "), json!(["nowhere to be found", "", "\n- "])] {
        let stopped = server.chat("Tell me about bread", json!({ "stop": stop })).await.ok();
        assert_eq!(Some(text(&stopped)), text(&whole).split("\n- ").next());
        assert_eq!(stopped["choices"][0]["finish_reason"], "stop");
        assert_eq!(stopped["usage"]["completion_tokens"], count(text(&stopped)));
    }
}

#[tokio::test]
async fn a_long_answer_is_long() {
    let server = Server::start().await;
    let completion = server.chat("Write 2000 words about the sea", json!({})).await.ok();
    let words = text(&completion).split_whitespace().count();
    assert!((2000..2030).contains(&words), "{words} words");
    assert_eq!(completion["usage"]["completion_tokens"], count(text(&completion)));
}

#[tokio::test]
async fn a_prompt_of_a_megabyte_is_counted() {
    let server = Server::start().await;
    let question = "All work and no play makes a dull text. ".repeat(25_000);
    let completion = server.chat(&question, json!({ "max_tokens": 1 })).await.ok();
    assert_eq!(completion["usage"]["prompt_tokens"], 7 + count(&question));
}

#[tokio::test]
async fn openais_own_names_are_answered_too() {
    let server = Server::start().await;
    let completion = server.chat("Hi", json!({ "model": "gpt-4o-mini" })).await.ok();
    assert_eq!(completion["model"], "gpt-4o-mini");
}
