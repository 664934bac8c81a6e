//! Reading what an answer cost, while it passes or once it is there.

use super::count::AnswerCounter;
use super::json::Json;
use super::models::Model;
use super::sse::{Frame, data};
use super::usage::Spent;

/// An API whose answers are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Api {
    Chat,
    Responses,
    Embeddings,
}

/// How an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// As it should.
    Complete,
    /// The upstream failed.
    Broken,
    /// We or the client stopped it.
    Stopped,
}

/// What an answer cost and which it was, as far as it is known by now.
#[derive(Debug)]
pub struct Meter {
    api: Api,
    /// What the prompt probably had, where the upstream doesn't say.
    prompt: i64,
    counter: AnswerCounter,
    usage: Option<Spent>,
    /// Whether the upstream said that it failed.
    failed: bool,
    /// A response's id, and its conversation's.
    ids: Vec<String>,
}

impl Meter {
    pub fn new(api: Api, model: Model, prompt: i64) -> Self {
        let counter = AnswerCounter::new(model);
        Self { api, prompt, counter, usage: None, failed: false, ids: Vec::new() }
    }

    /// What to settle: what the upstream says, or else what was counted. An answer of which nothing came because the
    /// upstream failed costs nothing.
    pub fn spent(&self, end: End) -> Spent {
        if let Some(usage) = self.usage {
            return usage;
        }
        let answer = self.counter.total();
        if answer == 0 && (self.failed || end == End::Broken) {
            return Spent::default();
        }
        Spent::estimate(self.prompt, answer)
    }

    /// No more than the tokens that the answer has by now.
    pub fn produced(&self) -> i64 {
        self.counter.at_least()
    }

    /// What a later request may go on from.
    pub fn ids(&self) -> &[String] {
        &self.ids
    }

    /// Reads a whole answer.
    pub fn read(&mut self, body: &[u8]) {
        let text = String::from_utf8_lossy(body);
        match Json::parse(&text) {
            Ok(answer) if self.api == Api::Responses => self.response(&answer, true),
            Ok(answer) => self.chat(&answer),
            // Whatever it is, it was answered.
            Err(_) => self.counter.text(&text),
        }
    }

    fn usage(&mut self, of: &Json<'_>) {
        if let Some(spent) = of.get("usage").and_then(Spent::read) {
            self.usage = Some(spent);
        }
    }

    /// A chat completion or a piece of one; embeddings have the same usage.
    fn chat(&mut self, answer: &Json<'_>) {
        self.usage(answer);
        self.failed |= answer.get("error").is_some_and(|error| *error != Json::Null);
        for choice in answer.get("choices").map(Json::items).unwrap_or_default() {
            let message = choice.get("delta").or_else(|| choice.get("message"));
            for (name, value) in message.map(Json::members).unwrap_or_default() {
                match &**name {
                    "role" => {}
                    "audio" => {
                        self.counter.spoken(value.text_of("data").unwrap_or_default());
                        self.counter.text(value.text_of("transcript").unwrap_or_default());
                    }
                    "tool_calls" => value.items().iter().for_each(|call| {
                        call.get("function").into_iter().for_each(|function| self.counter.strings(function));
                    }),
                    _ => self.counter.strings(value),
                }
            }
        }
    }

    /// A response. Its output is counted where it wasn't while it came.
    fn response(&mut self, response: &Json<'_>, with_output: bool) {
        self.usage(response);
        self.failed |= response.text_of("status") == Some("failed");
        let conversation = response.get("conversation").and_then(|conversation| conversation.text_of("id"));
        let ids = response.text_of("id").into_iter().chain(conversation);
        self.ids = ids.map(str::to_owned).collect();
        for item in response.get("output").map(Json::items).unwrap_or_default().iter().filter(|_| with_output)
        {
            for (name, value) in item.members() {
                match &**name {
                    "content" | "summary" => value.items().iter().for_each(|part| {
                        let text = part.get("text").or_else(|| part.get("refusal"));
                        text.into_iter().for_each(|text| self.counter.strings(text));
                    }),
                    "name" | "arguments" | "input" => self.counter.strings(value),
                    _ => {}
                }
            }
        }
    }
}

impl Meter {
    /// Takes the usage of an answer that was too long to be read. Where it has none, what was `held` for it counts.
    pub fn long(&mut self, usage: Option<Spent>, held: i64) {
        let tokens = if self.api == Api::Embeddings { self.prompt } else { held };
        self.usage = Some(usage.unwrap_or(Spent { estimated: true, ..Spent::of(tokens) }));
    }
}

/// What becomes of an event of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    Yes,
    /// The client didn't ask for it.
    Hidden,
    /// The answer is complete with it.
    Last,
}

impl Meter {
    /// Reads an event of a stream. `hide_usage`: the event that has nothing but the usage is for us alone.
    pub fn event(&mut self, frame: &Frame, hide_usage: bool) -> Pass {
        if !frame.whole {
            // Too long to be read as JSON.
            self.counter.text(&String::from_utf8_lossy(&frame.bytes));
            return Pass::Yes;
        }
        let Some(data) = data(&frame.bytes) else { return Pass::Yes };
        if data.trim() == "[DONE]" {
            return Pass::Last;
        }
        let Ok(event) = Json::parse(&data) else {
            self.counter.text(&data);
            return Pass::Yes;
        };
        if self.api == Api::Responses { self.response_event(&event) } else { self.chunk(&event, hide_usage) }
    }

    fn chunk(&mut self, chunk: &Json<'_>, hide_usage: bool) -> Pass {
        self.chat(chunk);
        let bare = matches!(chunk.get("choices"), Some(Json::List(choices)) if choices.is_empty());
        let usage = matches!(chunk.get("usage"), Some(Json::Object(_)));
        if hide_usage && bare && usage { Pass::Hidden } else { Pass::Yes }
    }

    fn response_event(&mut self, event: &Json<'_>) -> Pass {
        let kind = event.text_of("type").unwrap_or_default();
        match kind {
            "response.completed" | "response.incomplete" | "response.failed" => {
                event.get("response").into_iter().for_each(|response| self.response(response, false));
                Pass::Last
            }
            "error" => {
                self.failed = true;
                Pass::Yes
            }
            "response.audio.delta" | "response.output_audio.delta" => {
                self.counter.spoken(event.text_of("delta").unwrap_or_default());
                Pass::Yes
            }
            _ => {
                if kind.ends_with(".delta") {
                    event.get("delta").into_iter().for_each(|delta| self.counter.strings(delta));
                }
                Pass::Yes
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::gateway::models::find;
    use crate::gateway::reader::Reader;

    fn meter(api: Api) -> Meter {
        Meter::new(api, find("gpt-4o"), 10)
    }

    fn streamed(api: Api, events: &[&str]) -> (Meter, String) {
        let (mut meter, mut reader) = (meter(api), Reader::events(true));
        let mut passed = String::new();
        for event in events {
            let piece = Bytes::from(format!("data: {event}\n\n"));
            passed.push_str(std::str::from_utf8(&reader.take(piece, &mut meter).0).unwrap());
        }
        reader.end(&mut meter, 99);
        (meter, passed)
    }

    const HELLO: &str =
        r#"{"choices":[{"delta":{"role":"assistant","content":"Hello, world!"}}],"usage":null}"#;
    const USAGE: &str =
        r#"{"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":4,"total_tokens":13}}"#;

    #[test]
    fn the_usage_of_a_stream_is_read_and_hidden() {
        let (meter, passed) = streamed(Api::Chat, &[HELLO, USAGE, "[DONE]"]);
        assert_eq!(meter.spent(End::Complete).tokens, 13);
        assert!(!meter.spent(End::Complete).estimated);
        assert_eq!(passed, format!("data: {HELLO}\n\ndata: [DONE]\n\n"));
    }

    #[test]
    fn a_usage_that_comes_twice_counts_once() {
        let (meter, _) = streamed(Api::Chat, &[HELLO, USAGE, USAGE, "[DONE]"]);
        assert_eq!(meter.spent(End::Complete).tokens, 13);
    }

    #[test]
    fn without_a_usage_the_text_is_counted() {
        let zero = r#"{"choices":[],"usage":{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}}"#;
        for events in [&[HELLO, "[DONE]"][..], &[HELLO, zero, "[DONE]"], &[HELLO]] {
            let (meter, _) = streamed(Api::Chat, events);
            assert_eq!(meter.spent(End::Complete), Spent::estimate(10, 4), "{events:?}");
        }
    }

    #[test]
    fn what_the_upstream_failed_to_answer_costs_nothing() {
        let error = r#"{"error":{"message":"overloaded"}}"#;
        assert_eq!(streamed(Api::Chat, &[error]).0.spent(End::Complete).tokens, 0);
        assert_eq!(streamed(Api::Chat, &[]).0.spent(End::Broken).tokens, 0);
        assert_eq!(streamed(Api::Chat, &[]).0.spent(End::Stopped), Spent::estimate(10, 0));
        assert_eq!(streamed(Api::Chat, &[HELLO, error]).0.spent(End::Broken).tokens, 14);
        let failed = r#"{"type":"response.failed","response":{"id":"r","status":"failed","usage":null}}"#;
        assert_eq!(streamed(Api::Responses, &[failed]).0.spent(End::Complete).tokens, 0);
    }

    #[test]
    fn tool_calls_and_reasoning_are_counted_too() {
        let call = r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"call_1","function":
            {"name":"weather","arguments":"{\"city\":\"Paris\"}"}}]}}]}"#;
        let thought = r#"{"choices":[{"delta":{"reasoning_content":"Hello, world!"}}]}"#;
        let (meter, _) = streamed(Api::Chat, &[&call.replace('\n', " "), thought]);
        assert!(meter.spent(End::Complete).tokens > 10 + 4 + 5);
    }

    #[test]
    fn events_of_a_response_are_read() {
        let delta = r#"{"type":"response.output_text.delta","delta":"Hello, world!"}"#;
        assert_eq!(streamed(Api::Responses, &[delta]).0.spent(End::Stopped), Spent::estimate(10, 4));
        let done = r#"{"type":"response.completed","response":{"id":"resp_1","conversation":{"id":"conv_1"},
            "output":[],"usage":{"input_tokens":7,"output_tokens":4,"total_tokens":11}}}"#;
        let (meter, _) = streamed(Api::Responses, &[delta, &done.replace('\n', " ")]);
        assert_eq!(
            (meter.spent(End::Complete).tokens, meter.ids()),
            (11, &["resp_1".into(), "conv_1".into()][..])
        );
    }

    #[test]
    fn a_whole_answer_is_read_or_counted() {
        let read = |api, body: &str| {
            let mut meter = meter(api);
            meter.read(body.as_bytes());
            meter.spent(End::Complete)
        };
        assert_eq!(read(Api::Chat, USAGE).tokens, 13);
        let message = r#"{"choices":[{"message":{"role":"assistant","content":"Hello, world!"}}]}"#;
        assert_eq!(read(Api::Chat, message), Spent::estimate(10, 4));
        let output = r#"{"id":"r","output":[{"type":"message","id":"m","content":[{"type":"output_text","text":"Hello, world!"}]}]}"#;
        assert_eq!(read(Api::Responses, output), Spent::estimate(10, 4));
        assert_eq!(read(Api::Embeddings, r#"{"data":[{"embedding":[0.1]}]}"#), Spent::estimate(10, 0));
        assert_eq!(read(Api::Chat, "Hello, world!"), Spent::estimate(10, 4));
    }
}
