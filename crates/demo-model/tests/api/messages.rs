//! What messages contain, and how it is counted.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::support::{Server, count};

async fn completion(server: &Server, messages: Value) -> Value {
    server.post("/v1/chat/completions", &json!({ "model": "demo-chat", "messages": messages })).await.ok()
}

#[tokio::test]
async fn pictures_sound_and_files_are_counted_by_the_stated_rule() {
    let server = Server::start().await;
    let wav = server.speak("Two seconds or so of sound.", json!({})).await.bytes;
    let samples = hound::WavReader::new(wav.as_slice()).unwrap().duration();
    let seconds = f64::from(samples) / 24_000.0;
    let url = "data:image/png;base64,iVBORw0KGgo=";
    let content = json!([
        { "type": "text", "text": "What is all this?" },
        { "type": "image_url", "image_url": { "url": url, "detail": "low" } },
        { "type": "image_url", "image_url": { "url": "https://example.com/x.png" } },
        { "type": "input_audio", "input_audio": { "data": BASE64_STANDARD.encode(&wav), "format": "wav" } },
        { "type": "file", "file": { "filename": "x.txt", "file_data": BASE64_STANDARD.encode("nine char") } },
    ]);
    let completion = completion(&server, json!([{ "role": "user", "content": content }])).await;
    let audio = (seconds * 10.0).ceil() as u64;
    let usage = &completion["usage"];
    assert_eq!(usage["prompt_tokens"], 7 + count("What is all this?") + 85 + 765 + audio + 3);
    assert_eq!(usage["prompt_tokens_details"]["image_tokens"], 850);
    assert_eq!(usage["prompt_tokens_details"]["audio_tokens"], audio);
    let text = completion["choices"][0]["message"]["content"].as_str().unwrap();
    assert!(text.contains("2 pictures, 1 recording and 1 file"), "{text}");
}

#[tokio::test]
async fn every_message_and_name_counts() {
    let server = Server::start().await;
    let completion = completion(
        &server,
        json!([
            { "role": "system", "content": "Be brief." },
            { "role": "user", "name": "ann", "content": "Hello" },
            { "role": "assistant", "content": "Hello Ann" },
            { "role": "user", "content": [{ "type": "text", "text": "And" }, { "type": "text", "text": "now?" }] },
        ]),
    )
    .await;
    let texts: u64 =
        ["system", "Be brief.", "user", "ann", "Hello", "assistant", "Hello Ann", "user", "And\nnow?"]
            .into_iter()
            .map(count)
            .sum();
    assert_eq!(completion["usage"]["prompt_tokens"], texts + 4 * 3 + 1 + 3);
}

#[tokio::test]
async fn what_looks_like_a_special_token_is_text() {
    let server = Server::start().await;
    let completion = completion(&server, json!([{ "role": "user", "content": "<|endoftext|>" }])).await;
    assert_eq!(completion["usage"]["prompt_tokens"], 7 + count("<|endoftext|>"));
    assert!(count("<|endoftext|>") > 1);
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_by_its_place() {
    let server = Server::start().await;
    for (part, param, code) in [
        (
            json!({ "type": "input_audio", "input_audio": { "data": "%", "format": "wav" } }),
            "messages[0].content[0].input_audio.data",
            "invalid_base64",
        ),
        (
            json!({ "type": "file", "file": { "file_id": "file-1" } }),
            "messages[0].content[0].file.file_data",
            "missing_required_parameter",
        ),
        (json!({ "type": "text" }), "messages[0].content[0].text", "missing_required_parameter"),
        (json!({ "type": "smell" }), "messages[0].content[0].type", "invalid_value"),
    ] {
        let body = json!({ "model": "demo-chat", "messages": [{ "role": "user", "content": [part] }] });
        assert_eq!(
            server.post("/v1/chat/completions", &body).await.error(),
            (400, json!(param), json!(code))
        );
    }
}
