//! `POST /v1/audio/transcriptions` and `/v1/audio/translations`.
//!
//! A recording that this program spoke is answered with its words; any other with a sentence that says what this is.

use axum::extract::multipart::MultipartRejection;
use axum::extract::{DefaultBodyLimit, Multipart, State as FromState};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::subtitles::{self, Segment};
use super::upload::{FORM_LIMIT, Upload};
use crate::State;
use crate::blocking::blocking;
use crate::content::audio_tokens;
use crate::error::ApiError;
use crate::models::{self, Kind};
use crate::sse::{self, Frame};
use crate::tokens;

type Form = Result<Multipart, MultipartRejection>;

pub fn routes() -> Router<State> {
    Router::new()
        .route("/v1/audio/transcriptions", post(transcribe))
        .route("/v1/audio/translations", post(translate))
        .layer(DefaultBodyLimit::max(FORM_LIMIT))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Task {
    Transcribe,
    Translate,
}

async fn transcribe(FromState(state): FromState<State>, form: Form) -> Result<Response, ApiError> {
    answer(state, form, Task::Transcribe).await
}

async fn translate(FromState(state): FromState<State>, form: Form) -> Result<Response, ApiError> {
    answer(state, form, Task::Translate).await
}

async fn answer(state: State, form: Form, task: Task) -> Result<Response, ApiError> {
    let form = form.map_err(|rejection| ApiError::bad_request(rejection.body_text()))?;
    let upload = Upload::read(form).await?;
    blocking(move || respond(&state, upload, task)).await
}

fn respond(state: &State, upload: Upload, task: Task) -> Result<Response, ApiError> {
    let recording = upload.recording.ok_or_else(|| ApiError::missing("file"))?;
    models::require(&upload.model.ok_or_else(|| ApiError::missing("model"))?, Kind::Transcription)?;
    let seconds = recording.seconds;
    let text = recording.words.unwrap_or_else(|| {
        format!(
            "This is the offline demo model: it can only write down what it has spoken itself, and this recording of \
             {seconds:.1} seconds is not its own."
        )
    });
    let usage = usage(&text, upload.prompt.as_deref(), seconds);
    if upload.stream && task == Task::Transcribe {
        let words = sse::words(&text);
        let deltas = words
            .into_iter()
            .map(|word| json!({ "type": "transcript.text.delta", "delta": word, "logprobs": [] }));
        let done = json!({ "type": "transcript.text.done", "text": text, "logprobs": [], "usage": usage });
        return Ok(sse::paced(deltas.chain([done]).map(Frame::Data), state.pace.clone()));
    }
    let segments = subtitles::segments(&text, seconds);
    let as_text = |content_type, body: String| ([(CONTENT_TYPE, content_type)], body).into_response();
    Ok(match upload.response_format.as_deref().unwrap_or("json") {
        "json" if task == Task::Transcribe => Json(json!({ "text": text, "usage": usage })).into_response(),
        "json" => Json(json!({ "text": text })).into_response(),
        "text" => as_text("text/plain; charset=utf-8", text + "\n"),
        "srt" => as_text("text/plain; charset=utf-8", subtitles::srt(&segments)),
        "vtt" => as_text("text/vtt; charset=utf-8", subtitles::vtt(&segments)),
        "verbose_json" => {
            let language = match (task, upload.language) {
                (Task::Transcribe, Some(language)) => language,
                _ => "english".into(),
            };
            let task = if task == Task::Transcribe { "transcribe" } else { "translate" };
            let mut answer = json!({
                "task": task,
                "language": language,
                "duration": seconds,
                "text": text,
                "segments": segments.iter().enumerate().map(verbose).collect::<Vec<_>>(),
                "usage": { "type": "duration", "seconds": seconds.ceil() },
            });
            if upload.granularities.iter().any(|granularity| granularity == "word") {
                answer["words"] = json!(subtitles::words(&text, seconds));
            }
            Json(answer).into_response()
        }
        other => {
            let supported = "'json', 'text', 'srt', 'verbose_json' and 'vtt'";
            let message = format!("Invalid value: '{other}'. Supported values are: {supported}.");
            return Err(ApiError::invalid("response_format", "invalid_value", message));
        }
    })
}

fn usage(text: &str, prompt: Option<&str>, seconds: f64) -> Value {
    let (audio, prompt) = (audio_tokens(seconds), prompt.map_or(0, tokens::count));
    let output = tokens::count(text);
    json!({
        "type": "tokens",
        "input_tokens": audio + prompt,
        "input_token_details": { "audio_tokens": audio, "text_tokens": prompt },
        "output_tokens": output,
        "total_tokens": audio + prompt + output,
    })
}

fn verbose((id, segment): (usize, &Segment)) -> Value {
    json!({
        "id": id,
        "seek": 0,
        "start": segment.start,
        "end": segment.end,
        "text": segment.text,
        "tokens": tokens::encode(&segment.text),
        "temperature": 0.0,
        "avg_logprob": 0.0,
        "compression_ratio": 1.0,
        "no_speech_prob": 0.0,
    })
}
