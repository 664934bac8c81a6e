//! The models, and how the server begins and ends.

use serde_json::json;

use crate::support::Server;

#[tokio::test]
async fn the_models_are_listed() {
    let server = Server::start().await;
    let list = server.get("/v1/models").await.ok();
    let ids: Vec<_> =
        list["data"].as_array().unwrap().iter().map(|model| model["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["demo-chat", "demo-embedding", "demo-speech", "demo-transcribe"]);
    for id in ids {
        let model = server.get(&format!("/v1/models/{id}")).await.ok();
        assert_eq!((&model["id"], &model["object"]), (&json!(id), &json!("model")));
    }
}

#[tokio::test]
async fn every_answer_has_an_id() {
    let server = Server::start().await;
    let (first, second) = (server.get("/v1/models").await, server.get("/nowhere").await);
    assert!(first.headers["x-request-id"].to_str().unwrap().starts_with("req_"));
    assert_ne!(first.headers["x-request-id"], second.headers["x-request-id"]);
}

#[tokio::test]
async fn a_stream_at_hand_is_finished_at_once_when_the_server_stops() {
    let server = Server::start().await;
    // With its pauses this answer would take minutes.
    let body = json!({
        "model": "demo-chat", "stream": true, "messages": [{ "role": "user", "content": "Write 10000 words" }],
    });
    let request = server.http.post(format!("{}/v1/chat/completions", server.base)).body(body.to_string());
    let mut response = request.send().await.unwrap();
    let mut received = response.chunk().await.unwrap().unwrap().to_vec();
    server.shutdown.cancel();
    while let Some(chunk) = response.chunk().await.unwrap() {
        received.extend(chunk);
    }
    assert!(received.ends_with(b"data: [DONE]\n\n"));
    server.task.await.unwrap().unwrap();
}
