//! How many tokens a request is read for, before it is asked.
//!
//! Text is counted by the model's tokenizer. What can't be counted has a bound:
//!
//! | what | tokens |
//! |---|---|
//! | an image | by the model's published rule: of its size where it is in the request, else of any size |
//! | audio | 1 for each 100 ms: a WAV's length by its header, anything else as 16 kbit/s |
//! | a file in the request | 1 for each 16 bytes, at least [`FILE`] |
//! | a file, an item or a prompt stored at the provider; an earlier response that isn't known here | [`STORED`] |
//! | each built-in tool (web search, file search, code interpreter, …) | [`TOOL_RESULTS`] |
//!
//! A prompt never has more than the model's context: beyond that the provider refuses it.

mod chat;
mod embeddings;
mod media;
mod responses;

use super::document::Document;
use super::error::ApiError;
use super::json::Json;
use super::models::Model;
use super::tokens::{Tokenizer, whole};

pub use chat::chat;
pub use embeddings::embeddings;
pub use responses::responses;

/// The least for a file in the request.
const FILE: i64 = 1_024;
/// For what is stored at the provider and never seen here.
const STORED: i64 = 16_384;
/// For what a built-in tool adds to the prompt.
const TOOL_RESULTS: i64 = 8_192;
/// What frames a tool's definition and each of its calls, at most.
const FRAME: i64 = 16;

/// A count under way.
#[derive(Clone, Copy, Debug)]
struct Counter {
    model: Model,
    /// Tokens of text, as counted, and its bytes.
    text: i64,
    bytes: usize,
    /// Tokens by rules and bounds.
    fixed: i64,
}

/// The tokens of a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prompt {
    /// The most it can have.
    pub bound: i64,
    /// What it probably has: the same, where the tokenizer is known.
    pub estimate: i64,
}

impl Counter {
    fn new(model: Model) -> Self {
        Self { model, text: 0, bytes: 0, fixed: 0 }
    }

    fn finish(self) -> Prompt {
        let capped = |tokens: i64| tokens.clamp(1, self.model.context.max(1));
        let bound = self.model.tokenizer.bound(self.text, self.bytes);
        Prompt {
            bound: capped(bound.saturating_add(self.fixed)),
            estimate: capped(self.text.saturating_add(self.fixed)),
        }
    }

    fn add(&mut self, tokens: i64) {
        self.fixed = self.fixed.saturating_add(tokens);
    }

    fn text(&mut self, text: &str) {
        self.text = self.text.saturating_add(self.model.tokenizer.count(text));
        self.bytes = self.bytes.saturating_add(text.len());
    }

    /// Every text in a value, names included.
    fn strings(&mut self, value: &Json<'_>) {
        match value {
            Json::Text(text) => self.text(text),
            Json::List(items) => items.iter().for_each(|item| self.strings(item)),
            Json::Object(members) => {
                for (name, value) in members {
                    self.text(name);
                    self.strings(value);
                }
            }
            Json::Null | Json::Bool(_) | Json::Number(_) => self.add(1),
        }
    }

    /// The definitions of tools or of a format: at most the tokens of their JSON, with a frame.
    fn definitions(&mut self, document: &Document, name: &str) {
        for text in document.texts(name).filter(|text| *text != "null") {
            self.text(text);
            self.add(FRAME);
        }
    }

    fn image(&mut self, url: Option<&str>, detail: Option<&str>) {
        let size = url.and_then(media::image_size);
        self.add(self.model.image.cost(detail == Some("low"), size));
    }

    fn audio(&mut self, base64: &str) {
        self.add(media::audio(base64));
    }

    /// A file: in the request in base64, or stored elsewhere.
    fn file(&mut self, base64: Option<&str>) {
        self.add(match base64 {
            Some(base64) => whole(media::decoded_length(base64) / 16).max(FILE),
            None => STORED,
        });
    }
}

/// Counts the text of an answer as it comes.
#[derive(Debug)]
pub struct AnswerCounter {
    tokenizer: Tokenizer,
    counted: i64,
    /// Text that isn't counted yet: a token may go on in what comes next.
    pending: String,
}

impl AnswerCounter {
    /// How much text is gathered before it is counted, in bytes.
    const GATHER: usize = 2 << 10;

    pub fn new(model: Model) -> Self {
        Self { tokenizer: model.tokenizer, counted: 0, pending: String::new() }
    }

    pub fn text(&mut self, text: &str) {
        self.pending.push_str(text);
        if self.pending.len() >= Self::GATHER {
            self.counted += self.tokenizer.count(&self.pending);
            self.pending.clear();
        }
    }

    /// Every text in a value.
    pub fn strings(&mut self, value: &Json<'_>) {
        match value {
            Json::Text(text) => self.text(text),
            Json::List(items) => items.iter().for_each(|item| self.strings(item)),
            Json::Object(members) => members.iter().for_each(|(_, value)| self.strings(value)),
            Json::Null | Json::Bool(_) | Json::Number(_) => {}
        }
    }

    /// Tokens of what was spoken: see [`media::spoken`].
    pub fn spoken(&mut self, base64: &str) {
        self.counted += media::spoken(base64);
    }

    /// The tokens until now, exact to the last text.
    pub fn total(&self) -> i64 {
        self.counted + if self.pending.is_empty() { 0 } else { self.tokenizer.count(&self.pending) }
    }

    /// No more than the tokens until now, at no cost.
    pub fn at_least(&self) -> i64 {
        self.counted
    }
}

/// A request's maximum: the largest of the values it gives.
///
/// # Errors
/// 400 for anything but a whole number from 1 on.
pub fn maximum(document: &Document, names: &[&str]) -> Result<Option<i64>, ApiError> {
    let mut most = None;
    for name in names {
        for value in document.values(name)? {
            match (&value, value.count()) {
                (Json::Null, _) => {}
                (_, Some(count)) if count >= 1 => most = most.max(Some(count)),
                _ => {
                    return Err(ApiError::invalid(name, format!("{name} must be a whole number from 1 on.")));
                }
            }
        }
    }
    Ok(most)
}

/// Whether a flag is set, in any of the values given.
pub fn flag(document: &Document, name: &str) -> bool {
    document.texts(name).any(|text| text == "true")
}

/// A text, the last given.
pub fn text(document: &Document, name: &str) -> Option<String> {
    let text = document.texts(name).last()?;
    Some(Json::parse(text).ok()?.text()?.to_owned())
}
