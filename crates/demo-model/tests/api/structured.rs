//! Tools and structured output: what is answered satisfies the schema.

use serde_json::{Value, json};

use crate::support::{Server, count};

/// Schemas as they are met in the wild, each with something of its own.
fn schemas() -> Vec<Value> {
    vec![
        json!({ "type": "object", "properties": {
            "name": { "type": "string", "minLength": 3, "maxLength": 12 },
            "age": { "type": "integer", "minimum": 18, "maximum": 120, "multipleOf": 5 },
            "share": { "type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1 },
            "below": { "type": "number", "maximum": -3.5 },
            "unit": { "enum": ["celsius", "fahrenheit"] },
            "note": { "type": ["string", "null"] },
            "story": { "type": "string", "minLength": 80 },
        }, "required": ["name", "age", "share", "below", "unit", "note", "story"], "additionalProperties": false }),
        json!({ "type": "object", "properties": {
            "zip": { "type": "string", "pattern": "^[0-9]{5}(-[0-9]{4})?$" },
            "slug": { "type": "string", "pattern": "^[a-z]+$", "minLength": 8 },
            "day": { "type": "string", "format": "date" },
            "mail": { "type": "string", "format": "email" },
            "id": { "type": "string", "format": "uuid" },
            "ids": { "type": "array", "items": { "type": "integer" }, "minItems": 3, "uniqueItems": true },
            "tags": { "type": "array", "items": { "type": "string" }, "minItems": 2, "maxItems": 4, "uniqueItems": true },
            "pair": { "type": "array", "prefixItems": [{ "type": "boolean" }, { "const": "x" }], "items": false },
        }, "required": ["zip", "slug", "day", "mail", "id", "ids", "tags", "pair"] }),
        // A list that names itself, as pydantic writes one.
        json!({ "$defs": { "Node": { "type": "object", "properties": {
            "value": { "type": "integer" },
            "next": { "anyOf": [{ "$ref": "#/$defs/Node" }, { "type": "null" }] },
            "children": { "type": "array", "items": { "$ref": "#/$defs/Node" } },
        }, "required": ["value", "next", "children"], "additionalProperties": false } }, "$ref": "#/$defs/Node" }),
        json!({ "$defs": { "A": { "type": "object", "properties": { "a": { "const": 1 } }, "required": ["a"] },
                           "B": { "type": "object", "properties": { "b": { "type": "boolean" } }, "required": ["b"] } },
            "allOf": [{ "$ref": "#/$defs/A" }, { "$ref": "#/$defs/B" }, { "required": ["c"] }] }),
        json!({ "type": "object", "properties": { "step": { "oneOf": [
            { "type": "object", "properties": { "kind": { "const": "wait" } }, "required": ["kind"] },
            { "type": "object", "properties": { "kind": { "const": "go" } }, "required": ["kind"] },
        ] } }, "required": ["step"] }),
        json!({ "type": "object" }),
    ]
}

#[track_caller]
fn satisfies(text: &str, schema: &Value) {
    let instance: Value = serde_json::from_str(text).expect("JSON");
    let validator = jsonschema::options().should_validate_formats(true).build(schema).expect("a schema");
    let errors: Vec<_> = validator.iter_errors(&instance).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?} in {text}");
}

#[tokio::test]
async fn structured_output_satisfies_its_schema() {
    let server = Server::start().await;
    for schema in schemas() {
        let format = json!({ "type": "json_schema", "json_schema": { "name": "x", "strict": true, "schema": schema } });
        let completion = server.chat("Fill it in", json!({ "response_format": format })).await.ok();
        let text = completion["choices"][0]["message"]["content"].as_str().unwrap();
        satisfies(text, &schema);
        assert_eq!(completion["usage"]["completion_tokens"], count(text));

        let format = json!({ "type": "json_schema", "name": "x", "schema": schema });
        let body = json!({ "model": "demo-chat", "input": "Fill it in", "text": { "format": format } });
        let response = server.post("/v1/responses", &body).await.ok();
        satisfies(response["output"][0]["content"][0]["text"].as_str().unwrap(), &schema);
    }
}

#[tokio::test]
async fn a_json_object_is_one() {
    let server = Server::start().await;
    let more = json!({ "response_format": { "type": "json_object" } });
    let completion = server.chat("Bread, in JSON", more).await.ok();
    satisfies(completion["choices"][0]["message"]["content"].as_str().unwrap(), &json!({ "type": "object" }));
}

#[tokio::test]
async fn a_schema_without_an_instance_is_refused() {
    let server = Server::start().await;
    let endless = json!({ "$defs": { "A": { "type": "object", "properties": { "a": { "$ref": "#/$defs/A" } },
        "required": ["a"] } }, "$ref": "#/$defs/A" });
    let itself = json!({ "$defs": { "A": { "allOf": [{ "$ref": "#/$defs/A" }] } }, "$ref": "#/$defs/A" });
    let huge = json!({ "type": "string", "pattern": "((a{1000}){1000}){1000}" });
    for schema in [json!(false), endless, itself, huge] {
        let format = json!({ "type": "json_schema", "json_schema": { "name": "x", "schema": schema } });
        let refused = server.chat("Fill it in", json!({ "response_format": format })).await;
        assert_eq!(refused.error(), (400, json!("response_format"), json!("invalid_json_schema")));
    }
}

#[tokio::test]
async fn a_tool_is_called_with_arguments_that_satisfy_its_schema() {
    let server = Server::start().await;
    for schema in schemas() {
        let tool = json!({ "type": "function", "function": { "name": "fill", "parameters": schema } });
        let completion = server.chat("Fill it in", json!({ "tools": [tool] })).await.ok();
        let choice = &completion["choices"][0];
        assert_eq!(choice["finish_reason"], "tool_calls");
        assert_eq!(choice["message"]["content"], Value::Null);
        let call = &choice["message"]["tool_calls"][0];
        assert_eq!((&call["type"], &call["function"]["name"]), (&json!("function"), &json!("fill")));
        let arguments = call["function"]["arguments"].as_str().unwrap();
        satisfies(arguments, &schema);
        assert_eq!(completion["usage"]["completion_tokens"], count("fill") + count(arguments));
    }
}

#[tokio::test]
async fn the_tool_that_fits_or_is_named_is_called() {
    let server = Server::start().await;
    let tool = |name: &str, about: &str| json!({ "type": "function", "function": { "name": name, "description": about } });
    let tools = json!([tool("send_mail", "Sends a message"), tool("get_weather", "The weather in a place")]);
    let called = async |choice: Value| {
        let more = json!({ "tools": tools, "tool_choice": choice });
        let completion = server.chat("What is the weather in Oslo?", more).await.ok();
        completion["choices"][0]["message"]["tool_calls"][0]["function"]["name"].clone()
    };
    assert_eq!(called(json!("auto")).await, "get_weather");
    assert_eq!(called(json!("required")).await, "get_weather");
    assert_eq!(called(json!({ "type": "function", "function": { "name": "send_mail" } })).await, "send_mail");
    assert_eq!(called(json!("none")).await, Value::Null);
}

#[tokio::test]
async fn what_a_tool_answered_is_answered_with_a_text() {
    let server = Server::start().await;
    let call = json!({ "id": "call_1", "type": "function", "function": { "name": "get_weather", "arguments": "{}" } });
    let body = json!({
        "model": "demo-chat",
        "messages": [
            { "role": "user", "content": "What is the weather?" },
            { "role": "assistant", "content": null, "tool_calls": [call] },
            { "role": "tool", "tool_call_id": "call_1", "content": "Four degrees and rain" },
        ],
        "tools": [{ "type": "function", "function": { "name": "get_weather" } }],
    });
    let completion = server.post("/v1/chat/completions", &body).await.ok();
    assert!(
        completion["choices"][0]["message"]["content"].as_str().unwrap().contains("Four degrees and rain")
    );
}

#[tokio::test]
async fn a_call_is_cut_at_the_maximum_too() {
    let server = Server::start().await;
    let schema =
        json!({ "type": "object", "properties": { "a": { "type": "string" }, "b": { "type": "string" } } });
    let tool = json!({ "type": "function", "function": { "name": "fill", "parameters": schema } });
    let completion =
        server.chat("Something or other", json!({ "tools": [tool], "max_tokens": 5 })).await.ok();
    assert_eq!(completion["choices"][0]["finish_reason"], "length");
    assert_eq!(completion["usage"]["completion_tokens"], 5);
}
