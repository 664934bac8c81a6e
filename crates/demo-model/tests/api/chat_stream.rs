//! `POST /v1/chat/completions`, streamed.

use serde_json::{Value, json};

use crate::support::{Answer, Server, count};

/// The chunks, the last of which is followed by `[DONE]`.
fn chunks(answer: &Answer) -> Vec<Value> {
    let mut events = answer.events();
    assert_eq!(events.pop(), Some((None, "[DONE]".to_owned())));
    events
        .into_iter()
        .map(|(event, data)| {
            assert_eq!(event, None);
            let chunk: Value = serde_json::from_str(&data).unwrap();
            assert_eq!(chunk["object"], "chat.completion.chunk");
            chunk
        })
        .collect()
}

fn content(chunks: &[Value], index: u64) -> String {
    let choices = chunks.iter().flat_map(|chunk| chunk["choices"].as_array().unwrap());
    choices
        .filter(|choice| choice["index"] == index)
        .filter_map(|choice| choice["delta"]["content"].as_str())
        .collect()
}

#[tokio::test]
async fn the_words_of_a_stream_are_those_of_the_whole_answer() {
    let server = Server::start().await;
    let whole = server.chat("Tell me about bread", json!({})).await.ok();
    let chunks = chunks(&server.chat("Tell me about bread", json!({ "stream": true })).await);

    assert_eq!(content(&chunks, 0), whole["choices"][0]["message"]["content"]);
    assert_eq!(chunks[0]["choices"][0]["delta"]["role"], "assistant");
    let last = chunks.last().unwrap();
    assert_eq!(last["choices"][0]["finish_reason"], "stop");
    assert_eq!(last["choices"][0]["delta"], json!({}));
    assert!(chunks[..chunks.len() - 1].iter().all(|chunk| chunk["choices"][0]["finish_reason"].is_null()));
    assert!(chunks.iter().all(|chunk| chunk["id"] == chunks[0]["id"]), "one id");
    assert!(chunks.iter().all(|chunk| chunk.get("usage").is_none()), "no usage unless it's asked for");
    assert!(chunks.len() > 30, "word by word");
}

#[tokio::test]
async fn usage_comes_last_if_asked_for() {
    let server = Server::start().await;
    let whole = server.chat("Tell me about bread", json!({})).await.ok();
    let more = json!({ "stream": true, "stream_options": { "include_usage": true } });
    let chunks = chunks(&server.chat("Tell me about bread", more).await);
    let (last, others) = chunks.split_last().unwrap();
    assert_eq!(last["choices"], json!([]));
    assert_eq!(last["usage"], whole["usage"]);
    assert!(others.iter().all(|chunk| chunk["usage"].is_null() && chunk.get("usage").is_some()));
}

#[tokio::test]
async fn several_answers_come_in_turn() {
    let server = Server::start().await;
    let whole = server.chat("Tell me about bread", json!({ "n": 2, "max_tokens": 10 })).await.ok();
    let chunks = chunks(
        &server.chat("Tell me about bread", json!({ "n": 2, "max_tokens": 10, "stream": true })).await,
    );
    for index in 0..2 {
        let text = content(&chunks, index);
        assert_eq!(text, whole["choices"][index as usize]["message"]["content"]);
        assert_eq!(count(&text), 10);
    }
    let ends: Vec<_> =
        chunks.iter().filter(|chunk| chunk["choices"][0]["finish_reason"] == "length").collect();
    assert_eq!(ends.len(), 2);
    assert_eq!(
        (&chunks[0]["choices"][0]["index"], &chunks[1]["choices"][0]["index"]),
        (&json!(0), &json!(1))
    );
}

#[tokio::test]
async fn a_call_is_streamed_in_pieces() {
    let server = Server::start().await;
    let tool = json!({ "type": "function", "function": { "name": "get_weather", "parameters": {
        "type": "object", "properties": { "city": { "type": "string" }, "days": { "type": "integer" } },
        "required": ["city", "days"],
    } } });
    let chunks =
        chunks(&server.chat("The weather in Oslo?", json!({ "stream": true, "tools": [tool] })).await);
    let first = &chunks[0]["choices"][0]["delta"]["tool_calls"][0];
    assert_eq!((&first["function"]["name"], &first["type"]), (&json!("get_weather"), &json!("function")));
    assert!(first["id"].as_str().unwrap().starts_with("call_"));
    let arguments: String = chunks
        .iter()
        .filter_map(|chunk| chunk["choices"][0]["delta"]["tool_calls"][0]["function"]["arguments"].as_str())
        .collect();
    assert_eq!(serde_json::from_str::<Value>(&arguments).unwrap(), json!({ "city": "Oslo", "days": 1 }));
    assert_eq!(chunks.last().unwrap()["choices"][0]["finish_reason"], "tool_calls");
}
