//! What a message may contain besides text, and how many tokens that is taken for.
//!
//! - A picture: 85 tokens at low detail, else 765: what OpenAI publishes for one of 1024 × 1024 pixels. It isn't
//!   looked at, nor fetched.
//! - Sound: 10 tokens a second. A WAV says how long it is; anything else is taken for 128 kbit/s.
//! - A file: a token for each 4 bytes, begun ones included. Files known by an id or an address only are refused, since
//!   there are none.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;

use crate::body::TextOr;
use crate::error::ApiError;
use crate::wav;

const LOW_DETAIL_TOKENS: u64 = 85;
const HIGH_DETAIL_TOKENS: u64 = 765;
const FILE_BYTES_PER_TOKEN: u64 = 4;

/// A part of a message, of chat completions or of responses: they name them differently.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Part {
    #[serde(alias = "input_text", alias = "output_text")]
    Text {
        text: String,
    },
    Refusal {
        refusal: String,
    },
    ImageUrl {
        image_url: ImageUrl,
    },
    InputImage {
        image_url: Option<String>,
        detail: Option<Detail>,
    },
    InputAudio {
        input_audio: InputAudio,
    },
    File {
        file: FileData,
    },
    InputFile(FileData),
}

#[derive(Debug, Deserialize)]
pub struct ImageUrl {
    /// Of no interest, but it must be there.
    #[allow(dead_code, reason = "read to see that it is there")]
    url: String,
    detail: Option<Detail>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Detail {
    Low,
    High,
    Auto,
    Original,
}

#[derive(Debug, Deserialize)]
pub struct InputAudio {
    data: String,
    #[allow(dead_code, reason = "read to see that it is there")]
    format: String,
}

#[derive(Debug, Deserialize)]
pub struct FileData {
    file_data: Option<String>,
}

/// What messages contained, as the answer and its usage need it.
#[derive(Debug, Default)]
pub struct Content {
    pub text: String,
    pub images: u64,
    pub sounds: u64,
    pub files: u64,
    pub image_tokens: u64,
    pub audio_tokens: u64,
    pub file_tokens: u64,
}

impl Content {
    /// `param` is where the content stands in the request.
    ///
    /// # Errors
    /// 400 for data that isn't base64, and for what isn't in the request itself.
    pub fn read(content: TextOr<Part>, param: &str) -> Result<Self, ApiError> {
        let mut read = Self::default();
        match content {
            TextOr::Text(text) => read.text = text,
            TextOr::List(parts) => {
                for (at, part) in parts.into_iter().enumerate() {
                    read.add(part, &format!("{param}[{at}]"))?;
                }
            }
        }
        Ok(read)
    }

    fn add(&mut self, part: Part, param: &str) -> Result<(), ApiError> {
        match part {
            Part::Text { text } | Part::Refusal { refusal: text } => {
                if !self.text.is_empty() {
                    self.text.push('\n');
                }
                self.text.push_str(&text);
            }
            Part::ImageUrl { image_url } => self.add_image(image_url.detail),
            Part::InputImage { image_url: Some(_), detail } => self.add_image(detail),
            Part::InputImage { .. } => return Err(ApiError::missing(format!("{param}.image_url"))),
            Part::InputAudio { input_audio } => {
                let bytes = decode(&input_audio.data, &format!("{param}.input_audio.data"))?;
                self.sounds += 1;
                self.audio_tokens += audio_tokens(wav::Recording::read(&bytes, bytes.len() as u64).seconds);
            }
            Part::File { file } => self.add_file(&file, &format!("{param}.file"))?,
            Part::InputFile(file) => self.add_file(&file, param)?,
        }
        Ok(())
    }

    fn add_image(&mut self, detail: Option<Detail>) {
        self.images += 1;
        self.image_tokens += if detail == Some(Detail::Low) { LOW_DETAIL_TOKENS } else { HIGH_DETAIL_TOKENS };
    }

    fn add_file(&mut self, file: &FileData, param: &str) -> Result<(), ApiError> {
        let param = format!("{param}.file_data");
        let Some(data) = &file.file_data else { return Err(ApiError::missing(param)) };
        let bytes = decode(data, &param)?.len() as u64;
        self.files += 1;
        self.file_tokens += bytes.div_ceil(FILE_BYTES_PER_TOKEN);
        Ok(())
    }
}

/// Tokens of so many seconds of sound: 10 a second, begun ones included.
pub fn audio_tokens(seconds: f64) -> u64 {
    (seconds * 10.0).ceil() as u64
}

/// Base64, in a `data:` address or alone.
fn decode(data: &str, param: &str) -> Result<Vec<u8>, ApiError> {
    let encoded = if data.starts_with("data:") {
        data.split_once(";base64,").map_or(data, |(_, encoded)| encoded)
    } else {
        data
    };
    BASE64_STANDARD.decode(encoded).map_err(|error| {
        let message = format!("Invalid '{param}': expected base64-encoded data ({error}).");
        ApiError::invalid(param, "invalid_base64", message)
    })
}
