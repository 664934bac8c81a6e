//! The models, and `GET /v1/models`.

use axum::Json;
use axum::extract::Path;
use serde_json::{Value, json};

use crate::error::ApiError;

/// What a model is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Chat,
    Embedding,
    Speech,
    Transcription,
}

/// The most tokens that a prompt and its answer may have together.
pub const CONTEXT: u64 = 1_000_000;
/// The most tokens that an answer may have.
pub const MAX_OUTPUT: u64 = 16_384;

const MODELS: [(&str, Kind); 4] = [
    ("demo-chat", Kind::Chat),
    ("demo-embedding", Kind::Embedding),
    ("demo-speech", Kind::Speech),
    ("demo-transcribe", Kind::Transcription),
];

/// How names of OpenAI's own models begin or end. Programs that name one are answered by the demo model of its kind,
/// so that they can be tried as they are. Endings go first: `gpt-4o-mini-tts` isn't for chat.
fn openai_kind(name: &str) -> Option<Kind> {
    let begins = |starts: &[&str]| starts.iter().any(|start| name.starts_with(start));
    if begins(&["whisper-"]) || name.contains("-transcribe") {
        Some(Kind::Transcription)
    } else if begins(&["tts-"]) || name.contains("-tts") {
        Some(Kind::Speech)
    } else if begins(&["text-embedding-"]) {
        Some(Kind::Embedding)
    } else if begins(&["gpt-", "chatgpt-", "o1", "o3", "o4"]) {
        Some(Kind::Chat)
    } else {
        None
    }
}

fn kind(name: &str) -> Option<Kind> {
    MODELS.iter().find(|(id, _)| *id == name).map(|(_, kind)| *kind).or_else(|| openai_kind(name))
}

/// # Errors
/// 404 if there is no model of that name, or it's for something else.
pub fn require(name: &str, wanted: Kind) -> Result<(), ApiError> {
    if kind(name) == Some(wanted) { Ok(()) } else { Err(ApiError::model_not_found(name)) }
}

fn object(id: &str) -> Value {
    json!({ "id": id, "object": "model", "created": 1_735_689_600, "owned_by": "demo" })
}

pub async fn list() -> Json<Value> {
    let models: Vec<_> = MODELS.iter().map(|(id, _)| object(id)).collect();
    Json(json!({ "object": "list", "data": models }))
}

pub async fn retrieve(Path(id): Path<String>) -> Result<Json<Value>, ApiError> {
    kind(&id).map(|_| Json(object(&id))).ok_or_else(|| ApiError::model_not_found(&id))
}
