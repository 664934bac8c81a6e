//! The gateway's wire format, as far as the chat's page speaks it: what it sends, what it reads of an answer, and why
//! there may be none. Source: <https://platform.openai.com/docs/api-reference>.

mod chunks;
mod models;

use std::fmt;

use serde::de::{Deserializer, Visitor};
use serde::{Deserialize, Serialize};

use crate::domain::ChatMessage;

pub use chunks::{Chunk, Chunks};
pub use models::{Models, models_of};

/// The most characters that are read aloud at once: the API takes no more.
pub const MAX_SPOKEN: usize = 4_096;

/// Why a request to the gateway gave nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// No answer came, or it broke off.
    Unreachable,
    /// The session has ended.
    SignedOut,
    /// A limit stands in the way; which one, in the gateway's words.
    Limit(String),
    /// The gateway or what is behind it refused, in its words.
    Refused(String),
}

impl Failure {
    /// What an answer of this status, which is none of success, says.
    pub fn of(status: u16, body: &[u8]) -> Self {
        if status == 401 {
            return Self::SignedOut;
        }
        match serde_json::from_slice::<ErrorBody>(body) {
            Ok(ErrorBody { error }) => error.into(),
            Err(_) => Self::Refused(format!("The model's service answered {status}.")),
        }
    }
}

#[derive(Deserialize)]
struct ErrorBody {
    error: ErrorObject,
}

#[derive(Deserialize)]
struct ErrorObject {
    #[serde(default)]
    message: String,
    #[serde(default)]
    code: Code,
}

/// A word, but some services write a number or nothing. None of these matters here.
#[derive(Default)]
struct Code(String);

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self::default())
    }
}

impl<'de> Visitor<'de> for Code {
    type Value = Self;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a code")
    }

    fn visit_str<E>(self, code: &str) -> Result<Self, E> {
        Ok(Self(code.to_owned()))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }
}

impl From<ErrorObject> for Failure {
    fn from(error: ErrorObject) -> Self {
        if error.code.0 == "insufficient_quota" {
            Self::Limit(error.message)
        } else {
            Self::Refused(error.message)
        }
    }
}

/// Why there is no microphone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoMicrophone {
    /// The browser's user, or its settings, don't let the page have it.
    Denied,
    /// There is none.
    Missing,
    /// The browser can't record, or the page didn't come by HTTPS.
    Unsupported,
}

/// The body of a request for a streamed answer that says what it cost.
pub fn chat_request(model: &str, messages: &[ChatMessage]) -> String {
    #[derive(Serialize)]
    struct Options {
        include_usage: bool,
    }
    #[derive(Serialize)]
    struct Body<'a> {
        model: &'a str,
        messages: &'a [ChatMessage],
        stream: bool,
        stream_options: Options,
    }
    let body = Body { model, messages, stream: true, stream_options: Options { include_usage: true } };
    serde_json::to_string(&body).unwrap_or_default()
}

/// The body of a request to have `text` spoken; what is more than [`MAX_SPOKEN`] characters of it is left out.
pub fn speech_request(model: &str, text: &str) -> String {
    #[derive(Serialize)]
    struct Body<'a> {
        model: &'a str,
        voice: &'a str,
        input: &'a str,
    }
    let end = text.char_indices().nth(MAX_SPOKEN).map_or(text.len(), |(at, _)| at);
    serde_json::to_string(&Body { model, voice: "alloy", input: &text[..end] }).unwrap_or_default()
}

/// The words in an answer to a transcription.
pub fn transcribed(body: &[u8]) -> Result<String, Failure> {
    #[derive(Deserialize)]
    struct Body {
        text: String,
    }
    match serde_json::from_slice::<Body>(body) {
        Ok(Body { text }) => Ok(text),
        Err(_) => Err(Failure::Refused("The model's service answered in an unknown form.".into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ChatRole;

    #[test]
    fn a_limit_is_told_from_any_other_refusal() {
        let limit = br#"{"error":{"message":"Your cap.","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}"#;
        assert_eq!(Failure::of(429, limit), Failure::Limit("Your cap.".into()));
        let rate = br#"{"error":{"message":"Slow down.","code":"rate_limit_exceeded"}}"#;
        assert_eq!(Failure::of(429, rate), Failure::Refused("Slow down.".into()));
        let number = br#"{"error":{"message":"No.","code":400}}"#;
        let none = br#"{"error":{"message":"No.","code":null}}"#;
        assert_eq!(Failure::of(400, none), Failure::Refused("No.".into()));
        assert_eq!(Failure::of(400, number), Failure::Refused("No.".into()));
        assert_eq!(Failure::of(401, b""), Failure::SignedOut);
        assert!(matches!(Failure::of(502, b"<html>"), Failure::Refused(text) if text.contains("502")));
    }

    #[test]
    fn a_stream_is_asked_for_what_it_costs() {
        let messages = [ChatMessage { role: ChatRole::User, content: "\"Hi\"".into() }];
        let body: serde_json::Value = serde_json::from_str(&chat_request("m", &messages)).unwrap();
        assert_eq!(
            body,
            serde_json::json!({
                "model": "m", "stream": true, "stream_options": {"include_usage": true},
                "messages": [{"role": "user", "content": "\"Hi\""}],
            })
        );
    }

    #[test]
    fn what_is_spoken_is_cut_between_characters() {
        let body: serde_json::Value = serde_json::from_str(&speech_request("m", &"ü".repeat(5_000))).unwrap();
        assert_eq!(body["input"].as_str().unwrap().chars().count(), MAX_SPOKEN);
    }
}
