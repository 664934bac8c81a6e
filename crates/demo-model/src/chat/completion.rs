//! The answer, whole and as a stream of chunks.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::answer::{Answer, Body, Finish};
use crate::prompt::PromptTokens;
use crate::sse::{self, Frame};
use crate::time::unix_now;

pub struct Completion {
    id: String,
    created: u64,
    model: String,
    prompt: PromptTokens,
    answers: Vec<Answer>,
    /// OpenAI says "stop", not "tool_calls", if the request itself named the function.
    called_by_name: bool,
}

impl Completion {
    pub fn new(model: String, prompt: PromptTokens, answers: Vec<Answer>, called_by_name: bool) -> Self {
        let id = format!("chatcmpl-{}", Uuid::new_v4().simple());
        Self { id, created: unix_now(), model, prompt, answers, called_by_name }
    }

    pub fn object(&self) -> Value {
        let choices: Vec<Value> = self
            .answers
            .iter()
            .enumerate()
            .map(|(index, answer)| {
                json!({
                    "index": index,
                    "message": message(answer),
                    "logprobs": null,
                    "finish_reason": self.finish_reason(answer),
                })
            })
            .collect();
        json!({
            "id": self.id,
            "object": "chat.completion",
            "created": self.created,
            "model": self.model,
            "choices": choices,
            "usage": self.usage(),
            "service_tier": "default",
            "system_fingerprint": "fp_demo",
        })
    }

    /// The chunks of a stream, the answers' in turn.
    pub fn chunks(self, usage_asked: bool) -> impl Iterator<Item = Frame> + Send + 'static {
        let mut deltas: Vec<_> = self
            .answers
            .iter()
            .map(|answer| {
                let end = (json!({}), Some(self.finish_reason(answer)));
                deltas(answer)
                    .into_iter()
                    .map(|delta| (delta, None))
                    .chain([end])
                    .collect::<Vec<_>>()
                    .into_iter()
            })
            .collect();
        let rounds = deltas.iter().map(ExactSizeIterator::len).max().unwrap_or(0);
        let ordered: Vec<_> = (0..rounds)
            .flat_map(|_| {
                deltas
                    .iter_mut()
                    .enumerate()
                    .filter_map(|(at, deltas)| Some((at, deltas.next()?)))
                    .collect::<Vec<_>>()
            })
            .collect();
        let end = usage_asked.then(|| Frame::Data(self.chunk(json!([]), usage_asked, self.usage())));
        ordered
            .into_iter()
            .map(move |(index, (delta, finish))| {
                let choice =
                    json!({ "index": index, "delta": delta, "logprobs": null, "finish_reason": finish });
                Frame::Data(self.chunk(json!([choice]), usage_asked, Value::Null))
            })
            .chain(end)
            .chain([Frame::Done])
    }

    /// `usage` is in every chunk, null but in the last, if it was asked for; else in none.
    fn chunk(&self, choices: Value, usage_asked: bool, usage: Value) -> Value {
        let mut chunk = json!({
            "id": self.id,
            "object": "chat.completion.chunk",
            "created": self.created,
            "model": self.model,
            "service_tier": "default",
            "system_fingerprint": "fp_demo",
            "choices": choices,
        });
        if usage_asked {
            chunk["usage"] = usage;
        }
        chunk
    }

    fn usage(&self) -> Value {
        let completion: u64 = self.answers.iter().map(|answer| answer.tokens).sum();
        json!({
            "prompt_tokens": self.prompt.total,
            "completion_tokens": completion,
            "total_tokens": self.prompt.total + completion,
            "prompt_tokens_details": {
                "cached_tokens": 0,
                "audio_tokens": self.prompt.audio,
                "image_tokens": self.prompt.image,
            },
            "completion_tokens_details": {
                "reasoning_tokens": 0,
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        })
    }

    fn finish_reason(&self, answer: &Answer) -> &'static str {
        match answer.finish {
            Finish::Stop => "stop",
            Finish::Length => "length",
            Finish::Call if self.called_by_name => "stop",
            Finish::Call => "tool_calls",
        }
    }
}

fn call_id() -> String {
    format!("call_{}", Uuid::new_v4().simple())
}

fn message(answer: &Answer) -> Value {
    match &answer.body {
        Body::Text(text) => {
            json!({ "role": "assistant", "content": text, "refusal": null, "annotations": [] })
        }
        Body::Call { name, arguments } => {
            let function = json!({ "name": name, "arguments": arguments });
            let call = json!({ "id": call_id(), "type": "function", "function": function });
            json!({
                "role": "assistant", "content": null, "refusal": null, "annotations": [], "tool_calls": [call],
            })
        }
    }
}

/// What the chunks of one answer add, one after the other.
fn deltas(answer: &Answer) -> Vec<Value> {
    match &answer.body {
        Body::Text(text) => {
            let first = json!({ "role": "assistant", "content": "", "refusal": null });
            let rest = sse::words(text).into_iter().map(|word| json!({ "content": word }));
            std::iter::once(first).chain(rest).collect()
        }
        Body::Call { name, arguments } => {
            let function = json!({ "name": name, "arguments": "" });
            let call = json!({ "index": 0, "id": call_id(), "type": "function", "function": function });
            let first =
                json!({ "role": "assistant", "content": null, "refusal": null, "tool_calls": [call] });
            let rest = sse::words(arguments)
                .into_iter()
                .map(|piece| json!({ "tool_calls": [{ "index": 0, "function": { "arguments": piece } }] }));
            std::iter::once(first).chain(rest).collect()
        }
    }
}
