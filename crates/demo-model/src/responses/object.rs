//! The response, as it is when it begins and when it is finished.

use serde_json::{Value, json};
use uuid::Uuid;

use super::request::Echo;
use crate::answer::{Answer, Body, Finish};
use crate::prompt::PromptTokens;
use crate::time::unix_now;

pub struct ResponseObject {
    pub id: String,
    /// Of its only item.
    pub item_id: String,
    call_id: String,
    created: u64,
    echo: Echo,
    prompt: PromptTokens,
    pub answer: Answer,
}

impl ResponseObject {
    pub fn new(echo: Echo, prompt: PromptTokens, answer: Answer) -> Self {
        let id = |prefix: &str| format!("{prefix}_{}", Uuid::new_v4().simple());
        let item_id = match &answer.body {
            Body::Text(_) => id("msg"),
            Body::Call { .. } => id("fc"),
        };
        Self { id: id("resp"), item_id, call_id: id("call"), created: unix_now(), echo, prompt, answer }
    }

    pub fn total_tokens(&self) -> u64 {
        self.prompt.total + self.answer.tokens
    }

    /// Whether all of the answer is there.
    pub fn is_complete(&self) -> bool {
        self.answer.finish != Finish::Length
    }

    /// Before there is any output.
    pub fn begun(&self) -> Value {
        self.object("in_progress", json!([]), Value::Null)
    }

    /// With its output and usage.
    pub fn finished(&self) -> Value {
        let usage = json!({
            "input_tokens": self.prompt.total,
            "input_tokens_details": { "cached_tokens": 0, "cache_write_tokens": 0 },
            "output_tokens": self.answer.tokens,
            "output_tokens_details": { "reasoning_tokens": 0 },
            "total_tokens": self.total_tokens(),
        });
        self.object(self.end_status(), json!([self.item_finished()]), usage)
    }

    fn end_status(&self) -> &'static str {
        if self.is_complete() { "completed" } else { "incomplete" }
    }

    /// The output item before it has any content.
    pub fn item_begun(&self) -> Value {
        match &self.answer.body {
            Body::Text(_) => self.message("in_progress", json!([])),
            Body::Call { name, .. } => self.call("in_progress", name, ""),
        }
    }

    /// The output item with all of its content.
    pub fn item_finished(&self) -> Value {
        match &self.answer.body {
            Body::Text(text) => self.message(self.end_status(), json!([text_part(text)])),
            Body::Call { name, arguments } => self.call(self.end_status(), name, arguments),
        }
    }

    fn message(&self, status: &str, content: Value) -> Value {
        json!({
            "id": self.item_id, "type": "message", "status": status, "role": "assistant", "content": content,
        })
    }

    fn call(&self, status: &str, name: &str, arguments: &str) -> Value {
        json!({
            "id": self.item_id, "type": "function_call", "status": status,
            "call_id": self.call_id, "name": name, "arguments": arguments,
        })
    }

    fn object(&self, status: &str, output: Value, usage: Value) -> Value {
        let incomplete = status == "incomplete";
        let mut object = json!({
            "id": self.id,
            "object": "response",
            "created_at": self.created,
            "completed_at": (status == "completed").then_some(self.created),
            "status": status,
            "background": false,
            "error": null,
            "incomplete_details": incomplete.then(|| json!({ "reason": "max_output_tokens" })),
            "instructions": null,
            "max_output_tokens": null,
            "model": self.echo.model,
            "output": output,
            "parallel_tool_calls": true,
            "previous_response_id": null,
            "reasoning": { "effort": null, "summary": null },
            "service_tier": "default",
            "store": true,
            "temperature": 1.0,
            "text": { "format": { "type": "text" }, "verbosity": "medium" },
            "tool_choice": "auto",
            "tools": [],
            "top_p": 1.0,
            "truncation": "disabled",
            "usage": usage,
            "user": null,
            "metadata": {},
        });
        for (name, value) in &self.echo.parameters {
            object[name] = value.clone();
        }
        object
    }
}

/// A part of a message's content.
pub fn text_part(text: &str) -> Value {
    json!({ "type": "output_text", "text": text, "annotations": [], "logprobs": [] })
}
