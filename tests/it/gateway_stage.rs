//! What the gateway's tests share: the application before a scripted model server, and a group that may spend.

use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::support::app::{Answer, App, Person, eventually, unique};
use crate::support::upstream::{Asked, Reply, ScriptedUpstream};

pub const USAGE: &str = "/api/subscriptions/subscriptions/usage/";
pub const CHAT: &str = "/v1/chat/completions";

/// What an upstream answers to every path of the gateway where a test doesn't say otherwise: 300 tokens of text.
pub fn answer(asked: &Asked) -> Reply {
    let path = asked.path.split('?').next().expect("a path");
    match path.strip_prefix("/v1").expect("below the base URL") {
        "/chat/completions" => Reply::json(200, &completion("Hello, world!", 20, 280)),
        "/responses" => Reply::json(200, &response("resp_1", 20, 280)),
        "/embeddings" => Reply::json(
            200,
            &json!({"object": "list", "data": [{"index": 0, "embedding": [0.5, -0.25]}], "model": "text-embedding-3-small",
                "usage": {"prompt_tokens": 4, "total_tokens": 4}}),
        ),
        "/audio/speech" => Reply::text(200, "audio/mpeg", vec![7; 5_000]),
        "/audio/transcriptions" | "/audio/translations" => Reply::json(200, &json!({"text": "Hello"})),
        "/models" => {
            Reply::json(200, &json!({"object": "list", "data": [{"id": "gpt-4o", "object": "model"}]}))
        }
        _ => Reply::json(404, &json!({"error": {"message": "no such model", "code": "model_not_found"}})),
    }
}

pub fn usage(prompt: i64, answer: i64) -> Value {
    json!({"prompt_tokens": prompt, "completion_tokens": answer, "total_tokens": prompt + answer})
}

pub fn completion(text: &str, prompt: i64, answer: i64) -> Value {
    json!({"id": "chatcmpl-1", "object": "chat.completion", "model": "gpt-4o-2024-08-06",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": usage(prompt, answer)})
}

pub fn response(id: &str, input: i64, output: i64) -> Value {
    json!({"id": id, "object": "response", "status": "completed",
        "output": [{"type": "message", "content": [{"type": "output_text", "text": "Hello"}]}],
        "usage": {"input_tokens": input, "output_tokens": output, "total_tokens": input + output}})
}

/// A piece of a streamed answer.
pub fn chunk(text: &str) -> String {
    json!({"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": text}}], "usage": null})
        .to_string()
}

/// The piece that has the usage alone.
pub fn usage_chunk(prompt: i64, answer: i64) -> String {
    json!({"object": "chat.completion.chunk", "choices": [], "usage": usage(prompt, answer)}).to_string()
}

pub fn hello(more: Value) -> Value {
    let mut body = json!({"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello, world!"}]});
    body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    body
}

pub async fn ask(person: &Person<'_>, body: Value) -> Response {
    let answer = person.request(Method::POST, CHAT).json(&body).send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    answer
}

pub fn streamed(more: Value) -> Value {
    let mut body = hello(json!({"stream": true, "max_tokens": 500}));
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

/// What a client gets that reads to the end.
pub async fn read(person: &Person<'_>, body: Value) -> String {
    ask(person, body).await.text().await.expect("the answer's end")
}

/// What a stream says of an error.
pub fn error_in(text: &str) -> Value {
    let last = text.trim_end().rsplit("data: ").next().expect("an event");
    serde_json::from_str::<Value>(last).expect("JSON")["error"].clone()
}

/// The tokens of the prompt that [`hello`] sends.
pub const PROMPT: i64 = 11;

/// An application before an upstream that answers as [`answer`] does.
pub async fn stage(url: &str) -> (App, ScriptedUpstream) {
    let upstream = ScriptedUpstream::start(answer).await;
    (start(url, &upstream).await, upstream)
}

pub async fn start(url: &str, upstream: &ScriptedUpstream) -> App {
    App::start_with(url, &upstream.variables(), tollgate::start::StartOptions::default()).await
}

/// Spends of the group's 100,000 LLM or 50,000 voice tokens all but `left`.
pub async fn leave(admin: &Person<'_>, usage_type: &str, left: i64) {
    let limit = if usage_type == "llm" { 100_000 } else { 50_000 };
    let body = json!({"id": unique("spent-"), "usage_type": usage_type, "tokens_used": limit - left});
    let spent = admin.post("/api/subscriptions/usage/events/", body).await;
    assert_eq!(spent.status, 200, "{}", spent.body);
}

/// Used and held.
pub async fn counts(person: &Person<'_>, usage_type: &str) -> (i64, i64) {
    let usage = person.get(USAGE).await;
    let count = |field: &str| usage.body[usage_type][field].as_i64().expect("a count");
    (count("used"), count("held"))
}

/// Waits until nothing is held, and gives what is used.
pub async fn settled(person: &Person<'_>, usage_type: &str) -> i64 {
    eventually("everything is settled", || async {
        let (used, held) = counts(person, usage_type).await;
        (held == 0).then_some(used)
    })
    .await
}

/// An error in OpenAI's shape.
#[track_caller]
pub fn is_error(answer: &Answer, status: u16, code: &str) {
    let error = &answer.body["error"];
    assert_eq!((answer.status, error["code"].as_str()), (status, Some(code)), "{}", answer.body);
    assert!(
        error["message"].is_string() && error["type"].is_string() && error.get("param").is_some(),
        "{error}"
    );
    assert_eq!(answer.headers["content-type"], "application/json");
    assert!(answer.headers.contains_key("x-request-id"));
}

/// A header as a count.
#[track_caller]
pub fn count(answer: &Answer, header: &str) -> i64 {
    let value = answer.headers.get(header).unwrap_or_else(|| panic!("no {header} in {:?}", answer.headers));
    value.to_str().expect("text").parse().expect("a count")
}

/// A form with an audio file of so many bytes, and its content type.
pub fn recording(bytes: usize) -> (String, Vec<u8>) {
    let mut form = b"--cut\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nwhisper-1\r\n--cut\r\n\
        Content-Disposition: form-data; name=\"file\"; filename=\"speech.wav\"\r\nContent-Type: audio/wav\r\n\r\n"
        .to_vec();
    form.extend((0..bytes).map(|at| (at % 251) as u8));
    form.extend(b"\r\n--cut--\r\n");
    ("multipart/form-data; boundary=cut".to_owned(), form)
}

pub async fn upload(person: &Person<'_>, path: &str, bytes: usize) -> Answer {
    let (content_type, form) = recording(bytes);
    let request = person.request(Method::POST, path).header("content-type", content_type).body(form);
    person.send(request).await
}
