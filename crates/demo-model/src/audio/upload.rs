//! The form of a transcription, read as it arrives.
//!
//! Of the sound only the beginning is kept: it says how long it is, and what this program's own says. The rest is
//! counted and dropped, so that an upload takes as much memory as its beginning.

use axum::extract::Multipart;
use axum::extract::multipart::{Field, MultipartError};
use axum::http::StatusCode;

use crate::error::ApiError;
use crate::wav::Recording;

/// OpenAI's limit for a file.
pub const FILE_LIMIT: usize = 25 << 20;
/// For the other fields, and for what stands between them.
pub const FORM_LIMIT: usize = FILE_LIMIT + (1 << 20);
/// The words of the longest text that can be spoken fit in.
const BEGINNING: usize = 64 << 10;
const MOST_FIELD_BYTES: usize = 64 << 10;

const EXTENSIONS: [&str; 10] = ["flac", "m4a", "mp3", "mp4", "mpeg", "mpga", "oga", "ogg", "wav", "webm"];

/// The fields that have an effect.
#[derive(Debug, Default)]
pub struct Upload {
    pub recording: Option<Recording>,
    pub model: Option<String>,
    pub language: Option<String>,
    pub prompt: Option<String>,
    pub response_format: Option<String>,
    pub stream: bool,
    pub granularities: Vec<String>,
}

impl Upload {
    /// # Errors
    /// 413 above the limit, 400 for a form that can't be read or a file of another kind than sound.
    pub async fn read(mut form: Multipart) -> Result<Self, ApiError> {
        let mut upload = Self::default();
        while let Some(field) = form.next_field().await.map_err(unreadable)? {
            let name = field.name().unwrap_or_default().to_owned();
            match name.as_str() {
                "file" => upload.recording = Some(recording(field).await?),
                "model" => upload.model = Some(text(field, &name).await?),
                "language" => upload.language = Some(text(field, &name).await?),
                "prompt" => upload.prompt = Some(text(field, &name).await?),
                "response_format" => upload.response_format = Some(text(field, &name).await?),
                "stream" => upload.stream = text(field, &name).await?.eq_ignore_ascii_case("true"),
                "timestamp_granularities[]" | "timestamp_granularities" => {
                    upload.granularities.push(text(field, &name).await?);
                }
                _ => {
                    text(field, &name).await?;
                }
            }
        }
        Ok(upload)
    }
}

async fn recording(mut field: Field<'_>) -> Result<Recording, ApiError> {
    let extension =
        field.file_name().and_then(|name| name.rsplit_once('.')).map(|(_, end)| end.to_lowercase());
    if extension.is_some_and(|extension| !EXTENSIONS.contains(&extension.as_str())) {
        let message = format!("Invalid file format. Supported formats: {EXTENSIONS:?}");
        return Err(ApiError::invalid("file", "unsupported_value", message));
    }
    let (mut beginning, mut size) = (Vec::new(), 0);
    while let Some(chunk) = field.chunk().await.map_err(unreadable)? {
        size += chunk.len();
        if size > FILE_LIMIT {
            return Err(ApiError::too_large(FILE_LIMIT));
        }
        beginning.extend_from_slice(&chunk[..chunk.len().min(BEGINNING - beginning.len())]);
    }
    if size == 0 {
        return Err(ApiError::invalid(
            "file",
            "empty_file",
            "The audio file could not be decoded: it is empty.",
        ));
    }
    Ok(Recording::read(&beginning, size as u64))
}

async fn text(mut field: Field<'_>, name: &str) -> Result<String, ApiError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = field.chunk().await.map_err(unreadable)? {
        if bytes.len() + chunk.len() > MOST_FIELD_BYTES {
            let message = format!("Invalid '{name}': more than {MOST_FIELD_BYTES} bytes.");
            return Err(ApiError::invalid(name, "string_above_max_length", message));
        }
        bytes.extend_from_slice(&chunk);
    }
    String::from_utf8(bytes).map_err(|_| {
        ApiError::invalid(name, "invalid_type", format!("Invalid type for '{name}': expected text."))
    })
}

fn unreadable(error: MultipartError) -> ApiError {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        ApiError::too_large(FILE_LIMIT)
    } else {
        ApiError::bad_request(format!("Could not parse multipart form: {}.", error.body_text()))
    }
}
