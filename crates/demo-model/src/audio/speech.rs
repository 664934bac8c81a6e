//! `POST /v1/audio/speech`.
//!
//! The sound is made while it is sent, so that the longest text takes no more memory than the shortest.

use std::convert::Infallible;

use axum::body::{Body, Bytes};
use axum::extract::State as FromState;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use futures::stream;
use serde::Deserialize;
use serde_json::json;

use super::voice::Speech;

use crate::State;
use crate::body::{RawBody, check_range};
use crate::content::audio_tokens;
use crate::error::ApiError;
use crate::models::{self, Kind};
use crate::sse::{self, Frame};
use crate::{tokens, wav};

/// OpenAI's limit.
const MOST_CHARACTERS: usize = 4096;

#[derive(Debug, Deserialize)]
struct Request {
    model: String,
    input: String,
    voice: Voice,
    response_format: Option<Format>,
    speed: Option<f64>,
    stream_format: Option<StreamFormat>,
}

/// Any voice has a sound.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "expected a voice's name, or an object with its id")]
enum Voice {
    Name(String),
    Custom { id: String },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Format {
    /// Compressed formats are answered with a WAV, and the content type says so.
    Mp3,
    Opus,
    Aac,
    Flac,
    Wav,
    /// The samples alone.
    Pcm,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StreamFormat {
    Audio,
    Sse,
}

pub async fn create(FromState(state): FromState<State>, body: RawBody) -> Result<Response, ApiError> {
    let request: Request = body.parse()?;
    models::require(&request.model, Kind::Speech)?;
    check_range("speed", request.speed, 0.25, 4.0)?;
    let characters = request.input.chars().count();
    if !(1..=MOST_CHARACTERS).contains(&characters) {
        let (code, bound) = if characters == 0 {
            ("string_below_min_length", "minimum length 1".to_owned())
        } else {
            ("string_above_max_length", format!("maximum length {MOST_CHARACTERS}"))
        };
        let message =
            format!("Invalid 'input': expected a string with {bound}, but got one with length {characters}.");
        return Err(ApiError::invalid("input", code, message));
    }
    let voice = match &request.voice {
        Voice::Name(name) => name,
        Voice::Custom { id } => id,
    };
    let speech = Speech::new(&request.input, voice, request.speed.unwrap_or(1.0) as f32);
    let samples = speech.samples();
    let (content_type, header) = match request.response_format {
        Some(Format::Pcm) => ("audio/pcm", Vec::new()),
        _ => ("audio/wav", wav::header(samples, &request.input)),
    };
    let pieces = std::iter::once(header)
        .filter(|header| !header.is_empty())
        .chain(speech.map(|samples| samples.into_iter().flat_map(i16::to_le_bytes).collect()));
    if request.stream_format == Some(StreamFormat::Sse) {
        let input = tokens::count(&request.input);
        let output = audio_tokens(f64::from(samples) / f64::from(wav::SAMPLE_RATE));
        let done = json!({
            "type": "speech.audio.done",
            "usage": { "input_tokens": input, "output_tokens": output, "total_tokens": input + output },
        });
        let deltas = pieces.map(|piece: Vec<u8>| {
            Frame::Data(json!({ "type": "speech.audio.delta", "audio": BASE64_STANDARD.encode(piece) }))
        });
        return Ok(sse::paced(deltas.chain([Frame::Data(done)]), state.pace));
    }
    let body = Body::from_stream(stream::iter(pieces.map(|piece| Ok::<_, Infallible>(Bytes::from(piece)))));
    Ok(([(CONTENT_TYPE, content_type)], body).into_response())
}
