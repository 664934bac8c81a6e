//! Which of an upstream's models answer, which transcribe and which speak. The API lists ids and doesn't say: it is read
//! from the id, as these are called by those who make them.

use serde::Deserialize;

/// The models there are, by what the chat's page uses them for, in the upstream's order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Models {
    pub chat: Vec<String>,
    /// Empty where there is none.
    pub transcription: String,
    /// Empty where there is none.
    pub speech: String,
}

/// Parts of ids of models that do something else.
const OTHER: [&str; 14] = [
    "embed",
    "moderation",
    "dall-e",
    "image",
    "realtime",
    "audio",
    "sora",
    "video",
    "instruct",
    "babbage",
    "davinci",
    "rerank",
    "deep-research",
    "computer-use",
];

impl Models {
    fn add(&mut self, id: String) {
        let lower = id.to_ascii_lowercase();
        let first = |kept: &mut String, id| {
            if kept.is_empty() {
                *kept = id;
            }
        };
        if lower.contains("whisper") || lower.contains("transcribe") {
            first(&mut self.transcription, id);
        } else if lower.contains("tts") || lower.contains("speech") {
            first(&mut self.speech, id);
        } else if !OTHER.iter().any(|part| lower.contains(part)) {
            self.chat.push(id);
        }
    }
}

/// The models in an answer of `GET /v1/models`; none where it isn't such an answer.
pub fn models_of(body: &[u8]) -> Option<Models> {
    #[derive(Deserialize)]
    struct Body {
        data: Vec<Model>,
    }
    #[derive(Deserialize)]
    struct Model {
        id: String,
    }
    let Body { data } = serde_json::from_slice(body).ok()?;
    let mut models = Models::default();
    data.into_iter().for_each(|model| models.add(model.id));
    Some(models)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_model_is_offered_for_what_it_does() {
        let body = br#"{"object":"list","data":[
            {"id":"text-embedding-3-small"},{"id":"whisper-1"},{"id":"gpt-4o-transcribe"},{"id":"gpt-4o"},{"id":"tts-1"},
            {"id":"gpt-4o-mini-tts"},{"id":"gpt-4o-realtime-preview"},{"id":"omni-moderation-latest"},{"id":"o3-mini"},
            {"id":"gpt-image-1"},{"id":"llama-3.3-70b"}
        ]}"#;
        let models = models_of(body).unwrap();
        assert_eq!(models.chat, ["gpt-4o", "o3-mini", "llama-3.3-70b"]);
        assert_eq!(models.transcription, "whisper-1");
        assert_eq!(models.speech, "tts-1");
        assert_eq!(models_of(b"{}"), None);
    }
}
