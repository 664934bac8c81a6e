//! What is refused, and that it is said in OpenAI's shape, with the parameter.

use serde_json::{Value, json};

use crate::support::Server;

#[tokio::test]
async fn a_bad_parameter_is_named() {
    let server = Server::start().await;
    let messages = json!([{ "role": "user", "content": "Hi" }]);
    let with = |name: &str, value: Value| json!({ "model": "demo-chat", "messages": messages, name: value });
    for (body, param, code) in [
        (json!({ "messages": messages }), "model", "missing_required_parameter"),
        (json!({ "model": "demo-chat" }), "messages", "missing_required_parameter"),
        (json!({ "model": "demo-chat", "messages": "Hi" }), "messages", "invalid_type"),
        (json!({ "model": "demo-chat", "messages": [] }), "messages", "empty_array"),
        (
            json!({ "model": "demo-chat", "messages": [{ "content": "Hi" }] }),
            "messages[0].role",
            "missing_required_parameter",
        ),
        (
            json!({ "model": "demo-chat", "messages": [{ "role": "king", "content": "Hi" }] }),
            "messages[0].role",
            "invalid_value",
        ),
        (
            json!({ "model": "demo-chat", "messages": [{ "role": "user", "content": 3 }] }),
            "messages[0].content",
            "invalid_type",
        ),
        (
            json!({ "model": "demo-chat", "messages": [{ "role": "user" }] }),
            "messages[0].content",
            "missing_required_parameter",
        ),
        (
            json!({ "model": "demo-chat", "messages": [{ "role": "tool", "content": "Hi" }] }),
            "messages[0].tool_call_id",
            "missing_required_parameter",
        ),
        (with("max_tokens", json!("many")), "max_tokens", "invalid_type"),
        (with("max_tokens", json!(0)), "max_tokens", "integer_below_min_value"),
        (with("max_completion_tokens", json!(-5)), "max_completion_tokens", "integer_below_min_value"),
        (with("max_tokens", json!(1_000_000)), "max_tokens", "integer_above_max_value"),
        (with("n", json!(0)), "n", "integer_below_min_value"),
        (with("temperature", json!(3)), "temperature", "decimal_above_max_value"),
        (with("stop", json!(["a", "b", "c", "d", "e"])), "stop", "array_above_max_length"),
        (with("stream_options", json!({ "include_usage": true })), "stream_options", "invalid_value"),
        (with("tool_choice", json!("perhaps")), "tool_choice", "invalid_value"),
        (with("tool_choice", json!("required")), "tool_choice", "invalid_value"),
        (with("tools", json!([{ "type": "function" }])), "tools[0].function", "missing_required_parameter"),
        (with("modalities", json!(["text", "audio"])), "modalities", "unsupported_value"),
    ] {
        let refused = server.post("/v1/chat/completions", &body).await;
        assert_eq!(refused.error(), (400, json!(param), json!(code)), "{body}");
    }
}

#[tokio::test]
async fn parameters_that_are_not_known_are_taken() {
    let server = Server::start().await;
    server
        .chat("Hi", json!({ "something_new": { "a": 1 }, "seed": 7, "user": "ann", "max_tokens": null }))
        .await
        .ok();
}

#[tokio::test]
async fn what_is_no_json_is_refused() {
    let server = Server::start().await;
    for body in ["", "{", "[]", "nonsense"] {
        let refused = server.post_bytes("/v1/chat/completions", "application/json", body).await;
        assert_eq!(refused.error(), (400, Value::Null, Value::Null));
    }
}

#[tokio::test]
async fn an_unknown_model_is_not_found() {
    let server = Server::start().await;
    let not_found = (404, Value::Null, json!("model_not_found"));
    assert_eq!(server.chat("Hi", json!({ "model": "nonsense" })).await.error(), not_found);
    assert_eq!(server.chat("Hi", json!({ "model": "demo-speech" })).await.error(), not_found);
    let body = json!({ "model": "nonsense", "input": "Hi" });
    for path in ["/v1/responses", "/v1/embeddings"] {
        assert_eq!(server.post(path, &body).await.error(), not_found);
    }
    assert_eq!(server.speak("Hi", json!({ "model": "nonsense" })).await.error(), not_found);
    let upload = server.upload("/v1/audio/transcriptions", "a.wav", b"x", &[("model", "nonsense")]).await;
    assert_eq!(upload.error(), not_found);
    assert_eq!(server.get("/v1/models/nonsense").await.error(), not_found);
}

#[tokio::test]
async fn an_unknown_path_or_method_is_refused_in_the_same_shape() {
    let server = Server::start().await;
    for path in ["/", "/v1", "/v1/files", "/v1/chat"] {
        assert_eq!(server.get(path).await.error(), (404, Value::Null, json!("unknown_url")));
    }
    assert_eq!(
        server.get("/v1/chat/completions").await.error(),
        (405, Value::Null, json!("method_not_supported"))
    );
}

#[tokio::test]
async fn too_large_a_body_is_refused() {
    let server = Server::start().await;
    let refused = server.post_bytes("/v1/embeddings", "application/json", " ".repeat((32 << 20) + 1)).await;
    assert_eq!(refused.error(), (413, Value::Null, Value::Null));
}

#[tokio::test]
async fn too_long_a_prompt_is_refused() {
    let server = Server::start().await;
    // More tokens than the context has; and more bytes than are counted, though they would be half as many tokens.
    for text in ["x ".repeat(1_050_000), "a".repeat(4_100_000)] {
        let refused = server.chat(&text, json!({})).await;
        assert_eq!(refused.error(), (400, json!("messages"), json!("context_length_exceeded")));
    }
}
