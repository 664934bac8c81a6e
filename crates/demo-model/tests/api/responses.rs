//! `POST /v1/responses`.

use serde_json::{Value, json};

use crate::support::{Server, count};

async fn respond(server: &Server, more: Value) -> Value {
    let mut body = json!({ "model": "demo-chat" });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    server.post("/v1/responses", &body).await.ok()
}

fn text(response: &Value) -> &str {
    response["output"][0]["content"][0]["text"].as_str().expect("text")
}

#[tokio::test]
async fn a_response_has_openais_shape_and_true_counts() {
    let server = Server::start().await;
    let response = respond(
        &server,
        json!({ "input": "Tell me about bread", "instructions": "Be brief.", "metadata": { "a": "b" } }),
    )
    .await;
    assert_eq!((&response["object"], &response["status"]), (&json!("response"), &json!("completed")));
    assert_eq!((&response["error"], &response["incomplete_details"]), (&Value::Null, &Value::Null));
    assert_eq!(response["instructions"], "Be brief.");
    assert_eq!(response["metadata"], json!({ "a": "b" }));
    let item = &response["output"][0];
    assert_eq!(
        (&item["type"], &item["role"], &item["status"]),
        (&json!("message"), &json!("assistant"), &json!("completed"))
    );
    assert!(text(&response).contains("bread"));
    let input: u64 = ["developer", "Be brief.", "user", "Tell me about bread"].into_iter().map(count).sum();
    let output = count(text(&response));
    assert_eq!(
        response["usage"],
        json!({
            "input_tokens": input + 9,
            "input_tokens_details": { "cached_tokens": 0, "cache_write_tokens": 0 },
            "output_tokens": output,
            "output_tokens_details": { "reasoning_tokens": 0 },
            "total_tokens": input + 9 + output,
        })
    );
}

#[tokio::test]
async fn a_maximum_leaves_it_incomplete() {
    let server = Server::start().await;
    let response = respond(&server, json!({ "input": "Tell me about bread", "max_output_tokens": 20 })).await;
    assert_eq!(response["status"], "incomplete");
    assert_eq!(response["incomplete_details"], json!({ "reason": "max_output_tokens" }));
    assert_eq!((response["usage"]["output_tokens"].as_u64(), count(text(&response))), (Some(20), 20));
}

#[tokio::test]
async fn a_stream_has_the_typed_events_in_their_order() {
    let server = Server::start().await;
    let whole = respond(&server, json!({ "input": "Tell me about bread" })).await;
    let body = json!({ "model": "demo-chat", "input": "Tell me about bread", "stream": true });
    let events: Vec<Value> = server
        .post("/v1/responses", &body)
        .await
        .events()
        .into_iter()
        .map(|(event, data)| {
            let data: Value = serde_json::from_str(&data).unwrap();
            assert_eq!(event.as_deref(), data["type"].as_str());
            data
        })
        .collect();
    let mut types: Vec<_> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    types.dedup();
    assert_eq!(
        types,
        [
            "response.created",
            "response.in_progress",
            "response.output_item.added",
            "response.content_part.added",
            "response.output_text.delta",
            "response.output_text.done",
            "response.content_part.done",
            "response.output_item.done",
            "response.completed",
        ]
    );
    let numbers = events.iter().map(|event| event["sequence_number"].as_u64().unwrap());
    assert!(numbers.eq(0..events.len() as u64));
    let deltas: String = events.iter().filter_map(|event| event["delta"].as_str()).collect();
    assert_eq!(deltas, text(&whole));
    let last = &events.last().unwrap()["response"];
    assert_eq!((text(last), &last["usage"]), (text(&whole), &whole["usage"]));
    assert_eq!(events[0]["response"]["status"], "in_progress");
}

#[tokio::test]
async fn a_stream_that_was_cut_ends_as_incomplete() {
    let server = Server::start().await;
    let body = json!({ "model": "demo-chat", "input": "Bread", "stream": true, "max_output_tokens": 16 });
    let events = server.post("/v1/responses", &body).await.events();
    assert_eq!(events.last().unwrap().0.as_deref(), Some("response.incomplete"));
}

#[tokio::test]
async fn a_conversation_goes_on_from_an_earlier_response() {
    let server = Server::start().await;
    let first = respond(&server, json!({ "input": "Tell me about bread" })).await;
    let second =
        respond(&server, json!({ "input": "And butter?", "previous_response_id": first["id"] })).await;
    assert!(text(&second).contains("you asked about bread"), "{}", text(&second));
    assert_eq!(
        second["usage"]["input_tokens"].as_u64().unwrap(),
        first["usage"]["total_tokens"].as_u64().unwrap() + 7 + count("And butter?")
    );
    assert_eq!(second["previous_response_id"], first["id"]);

    let forgotten = respond(&server, json!({ "input": "Tell me about bread", "store": false })).await;
    for id in [forgotten["id"].clone(), json!("resp_none")] {
        let body = json!({ "model": "demo-chat", "input": "And?", "previous_response_id": id });
        let refused = server.post("/v1/responses", &body).await;
        assert_eq!(
            refused.error(),
            (400, json!("previous_response_id"), json!("previous_response_not_found"))
        );
    }
}

#[tokio::test]
async fn a_function_is_called_and_its_answer_taken_up() {
    let server = Server::start().await;
    let schema =
        json!({ "type": "object", "properties": { "city": { "type": "string" } }, "required": ["city"] });
    let tools = json!([{ "type": "function", "name": "get_weather", "parameters": schema, "strict": true }]);
    let question =
        json!({ "role": "user", "content": [{ "type": "input_text", "text": "The weather in Oslo?" }] });
    let response = respond(&server, json!({ "input": [question], "tools": tools })).await;
    let call = response["output"][0].clone();
    assert_eq!((&call["type"], &call["name"]), (&json!("function_call"), &json!("get_weather")));
    assert_eq!(call["arguments"], json!({ "city": "Oslo" }).to_string());
    assert_eq!(response["tools"][0]["name"], "get_weather");

    let body = json!({ "model": "demo-chat", "input": [question], "tools": tools, "stream": true });
    let events = server.post("/v1/responses", &body).await.events();
    let done =
        events.iter().find(|(event, _)| event.as_deref() == Some("response.function_call_arguments.done"));
    assert!(done.unwrap().1.contains("Oslo"));

    let output = json!({ "type": "function_call_output", "call_id": call["call_id"], "output": "Rain" });
    let answer = respond(&server, json!({ "input": [question, call, output], "tools": tools })).await;
    assert!(text(&answer).contains("> Rain"), "{}", text(&answer));
}

#[tokio::test]
async fn pictures_and_files_are_taken() {
    let server = Server::start().await;
    let content = json!([
        { "type": "input_text", "text": "What is this?" },
        { "type": "input_image", "image_url": "https://example.com/x.png", "detail": "low" },
        { "type": "input_file", "filename": "x.txt", "file_data": "data:text/plain;base64,YWJjZA==" },
    ]);
    let response = respond(&server, json!({ "input": [{ "role": "user", "content": content }] })).await;
    assert_eq!(response["usage"]["input_tokens"], 7 + count("What is this?") + 85 + 1);
}

#[tokio::test]
async fn a_bad_parameter_is_named() {
    let server = Server::start().await;
    for (body, param, code) in [
        (json!({ "input": "Hi" }), "model", "missing_required_parameter"),
        (json!({ "model": "demo-chat" }), "input", "missing_required_parameter"),
        (json!({ "model": "demo-chat", "input": 5 }), "input", "invalid_type"),
        (
            json!({ "model": "demo-chat", "input": [{ "content": "Hi" }] }),
            "input[0].role",
            "missing_required_parameter",
        ),
        (
            json!({ "model": "demo-chat", "input": [{ "type": "function_call" }] }),
            "input[0].name",
            "missing_required_parameter",
        ),
        (
            json!({ "model": "demo-chat", "input": [{ "type": "teapot" }] }),
            "input[0].type",
            "unsupported_value",
        ),
        (
            json!({ "model": "demo-chat", "input": "Hi", "max_output_tokens": 3 }),
            "max_output_tokens",
            "integer_below_min_value",
        ),
        (
            json!({ "model": "demo-chat", "input": "x ".repeat(2_100_000) }),
            "input",
            "context_length_exceeded",
        ),
        (
            json!({ "model": "demo-chat", "input": "Hi", "text": { "format": {
                "type": "json_schema", "name": "x", "schema": false,
            } } }),
            "text.format",
            "invalid_json_schema",
        ),
        (
            json!({ "model": "demo-chat", "input": "Hi", "background": true }),
            "background",
            "unsupported_value",
        ),
        (
            json!({ "model": "demo-chat", "input": "Hi", "tools": [{ "type": "web_search" }] }),
            "tools[0].type",
            "invalid_value",
        ),
    ] {
        let refused = server.post("/v1/responses", &body).await;
        assert_eq!(refused.error(), (400, json!(param), json!(code)), "{param}");
    }
}
