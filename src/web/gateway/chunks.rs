//! An answer as it streams in: server-sent events whose data are JSON, cut into network packets anywhere.

use serde::Deserialize;

use super::{ErrorObject, Failure};

/// What one event of the stream says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chunk {
    /// More of the answer.
    Text(String),
    /// What question and answer cost, in tokens.
    Cost(i64),
    /// The answer ends here, and why.
    Failed(Failure),
    /// The answer is whole.
    Done,
}

/// Reads the stream, whatever the packets it comes in.
#[derive(Debug, Default)]
pub struct Chunks {
    /// The begun line.
    line: Vec<u8>,
}

impl Chunks {
    /// What the bytes that came, with those before, complete.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Chunk> {
        let mut chunks = Vec::new();
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(part);
            if part.ends_with(b"\n") {
                read_line(self.line.trim_ascii(), &mut chunks);
                self.line.clear();
            }
        }
        chunks
    }
}

#[derive(Deserialize)]
struct Event {
    #[serde(default)]
    choices: Vec<Choice>,
    #[serde(default)]
    usage: Option<Usage>,
    #[serde(default)]
    error: Option<ErrorObject>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    delta: Delta,
}

#[derive(Default, Deserialize)]
struct Delta {
    #[serde(default)]
    content: Option<String>,
    /// Said in place of an answer by a model that won't give one.
    #[serde(default)]
    refusal: Option<String>,
}

#[derive(Deserialize)]
struct Usage {
    total_tokens: i64,
}

fn read_line(line: &[u8], chunks: &mut Vec<Chunk>) {
    // Comments, event names and the empty lines between events say nothing here.
    let Some(data) = line.strip_prefix(b"data:").map(<[u8]>::trim_ascii) else { return };
    if data == b"[DONE]" {
        return chunks.push(Chunk::Done);
    }
    let Ok(event) = serde_json::from_slice::<Event>(data) else { return };
    if let Some(error) = event.error {
        return chunks.push(Chunk::Failed(error.into()));
    }
    if let Some(Choice { delta: Delta { content, refusal } }) = event.choices.into_iter().next() {
        chunks.extend(
            [content, refusal].into_iter().flatten().filter(|text| !text.is_empty()).map(Chunk::Text),
        );
    }
    chunks.extend(event.usage.map(|usage| Chunk::Cost(usage.total_tokens)));
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str = concat!(
        ": keep-alive\n\n",
        "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}],\"usage\":null}\n\n",
        "data: {\"choices\":[{\"delta\":{\"content\":\"Grü\"}}]}\r\n\r\n",
        "data:{\"choices\":[{\"delta\":{\"content\":\"ße\"}}]}\n\n",
        "data: {\"choices\":[],\"usage\":{\"total_tokens\":12}}\n\n",
        "data: [DONE]\n\n",
    );

    #[test]
    fn a_stream_is_read_alike_however_it_is_cut() {
        let expected = [Chunk::Text("Grü".into()), Chunk::Text("ße".into()), Chunk::Cost(12), Chunk::Done];
        for size in 1..STREAM.len() {
            let mut chunks = Chunks::default();
            let read: Vec<_> =
                STREAM.as_bytes().chunks(size).flat_map(|packet| chunks.push(packet)).collect();
            assert_eq!(read, expected, "in packets of {size}");
        }
    }

    #[test]
    fn an_error_in_the_stream_ends_it_and_what_is_no_json_is_passed_over() {
        let mut chunks = Chunks::default();
        let read = chunks.push(
            b"data: {\"choices\":\n\ndata: {\"error\":{\"message\":\"Full.\",\"code\":\"insufficient_quota\"}}\n\n",
        );
        assert_eq!(read, [Chunk::Failed(Failure::Limit("Full.".into()))]);
    }
}
