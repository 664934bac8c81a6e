//! `POST /v1/embeddings`.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::support::{Server, count};

async fn embed(server: &Server, more: Value) -> Value {
    let mut body = json!({ "model": "demo-embedding" });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    server.post("/v1/embeddings", &body).await.ok()
}

fn vector(list: &Value, index: usize) -> Vec<f32> {
    serde_json::from_value(list["data"][index]["embedding"].clone()).expect("numbers")
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[tokio::test]
async fn vectors_have_length_one_and_are_always_the_same() {
    let server = Server::start().await;
    let list =
        embed(&server, json!({ "input": ["The sea is blue", "The sea is green", "Nobody sings here"] }))
            .await;
    assert_eq!((&list["object"], &list["data"][2]["index"]), (&json!("list"), &json!(2)));
    let vectors: Vec<_> = (0..3).map(|index| vector(&list, index)).collect();
    for vector in &vectors {
        assert_eq!(vector.len(), 1536);
        assert!((dot(vector, vector) - 1.0).abs() < 1e-4);
    }
    assert!(dot(&vectors[0], &vectors[1]) > dot(&vectors[0], &vectors[2]) + 0.3, "shared words are near");
    let again = embed(&server, json!({ "input": "The sea is blue" })).await;
    assert_eq!(vector(&again, 0), vectors[0]);
    let used: u64 = ["The sea is blue", "The sea is green", "Nobody sings here"].into_iter().map(count).sum();
    assert_eq!(list["usage"], json!({ "prompt_tokens": used, "total_tokens": used }));
}

#[tokio::test]
async fn base64_has_the_same_numbers() {
    let server = Server::start().await;
    let list = embed(&server, json!({ "input": "The sea", "encoding_format": "base64" })).await;
    let bytes = BASE64_STANDARD.decode(list["data"][0]["embedding"].as_str().unwrap()).unwrap();
    let numbers: Vec<f32> =
        bytes.chunks(4).map(|four| f32::from_le_bytes(four.try_into().unwrap())).collect();
    assert_eq!(numbers, vector(&embed(&server, json!({ "input": "The sea" })).await, 0));
}

#[tokio::test]
async fn fewer_dimensions_are_at_length_one_too() {
    let server = Server::start().await;
    let vector = vector(&embed(&server, json!({ "input": "The sea", "dimensions": 256 })).await, 0);
    assert_eq!(vector.len(), 256);
    assert!((dot(&vector, &vector) - 1.0).abs() < 1e-4);
}

#[tokio::test]
async fn a_text_and_its_tokens_are_one() {
    let server = Server::start().await;
    let tokens = tiktoken_rs::o200k_base_singleton().encode_ordinary("The sea is blue");
    let text = vector(&embed(&server, json!({ "input": "The sea is blue" })).await, 0);
    let single = embed(&server, json!({ "input": tokens })).await;
    assert_eq!((vector(&single, 0), single["data"].as_array().unwrap().len()), (text.clone(), 1));
    let several = embed(&server, json!({ "input": [tokens, [1, 2]] })).await;
    assert_eq!((vector(&several, 0), several["data"].as_array().unwrap().len()), (text, 2));
    assert_eq!(several["usage"]["total_tokens"], tokens.len() + 2);
}

#[tokio::test]
async fn a_bad_input_is_refused() {
    let server = Server::start().await;
    let long = "word ".repeat(8193);
    for (more, param, code) in [
        (json!({}), "input", "missing_required_parameter"),
        (json!({ "input": "" }), "input", "invalid_value"),
        (json!({ "input": [] }), "input", "invalid_value"),
        (json!({ "input": ["a", 1] }), "input", "invalid_value"),
        (json!({ "input": [4_000_000_000_u32] }), "input", "invalid_value"),
        (json!({ "input": { "a": 1 } }), "input", "invalid_type"),
        (json!({ "input": ["a", {}] }), "input[1]", "invalid_type"),
        (json!({ "input": long }), "input", "context_length_exceeded"),
        (json!({ "input": "a", "dimensions": 2000 }), "dimensions", "integer_above_max_value"),
        (json!({ "input": "a", "encoding_format": "hex" }), "encoding_format", "invalid_value"),
    ] {
        let mut body = json!({ "model": "demo-embedding" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let refused = server.post("/v1/embeddings", &body).await;
        assert_eq!(refused.error(), (400, json!(param), json!(code)), "{more}");
    }
}
