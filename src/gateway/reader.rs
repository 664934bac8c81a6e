//! Reading an answer that passes.

use bytes::Bytes;

use super::answer::{Meter, Pass};
use super::json::Json;
use super::sse::Framer;
use super::usage::Spent;

/// How much of the end of a long answer is kept to find its usage in, in bytes.
const TAIL: usize = 64 << 10;

/// Reads an answer that passes.
#[derive(Debug)]
pub enum Reader {
    Events {
        framer: Framer,
        hide_usage: bool,
    },
    /// JSON that is too long to be gathered: its usage is near its end.
    Long {
        tail: Vec<u8>,
    },
}

impl Reader {
    pub fn events(hide_usage: bool) -> Self {
        Self::Events { framer: Framer::default(), hide_usage }
    }

    /// Takes a piece and says what passes of it, and whether the answer is complete with that.
    pub fn take(&mut self, piece: Bytes, meter: &mut Meter) -> (Bytes, bool) {
        match self {
            Self::Long { tail } => {
                tail.extend_from_slice(&piece);
                let surplus = tail.len().saturating_sub(TAIL);
                tail.drain(..surplus);
                (piece, false)
            }
            Self::Events { framer, hide_usage } => {
                let (mut passed, mut last) = (Vec::new(), false);
                framer.push(&piece);
                while let Some(frame) = framer.next() {
                    let pass = meter.event(&frame, *hide_usage);
                    last |= pass == Pass::Last;
                    if pass != Pass::Hidden {
                        passed.extend_from_slice(&frame.bytes);
                    }
                }
                (passed.into(), last)
            }
        }
    }

    /// The answer has ended: what is left to pass. `held` is what a long answer costs that doesn't say it.
    pub fn end(self, meter: &mut Meter, held: i64) -> Bytes {
        match self {
            Self::Long { tail } => {
                meter.long(usage_in(&String::from_utf8_lossy(&tail)), held);
                Bytes::new()
            }
            Self::Events { framer, hide_usage } => {
                let frame = framer.rest();
                // Not every server ends its last event.
                match meter.event(&frame, hide_usage) {
                    Pass::Hidden => Bytes::new(),
                    Pass::Yes | Pass::Last => frame.bytes,
                }
            }
        }
    }
}

/// The usage in the end of an answer.
fn usage_in(tail: &str) -> Option<Spent> {
    let found = tail.rmatch_indices("\"usage\"").find_map(|(at, name)| {
        let value = tail[at + name.len()..].trim_start().strip_prefix(':')?;
        serde_json::Deserializer::from_str(value).into_iter::<Json<'_>>().next()?.ok()
    });
    Spent::read(&found?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::answer::{Api, End};
    use crate::gateway::models::find;

    #[test]
    fn the_usage_at_the_end_of_a_long_answer_is_found() {
        let mut meter = Meter::new(Api::Embeddings, find("gpt-4o"), 10);
        let mut reader = Reader::Long { tail: Vec::new() };
        for _ in 0..100 {
            reader.take(Bytes::from(vec![b'1'; 10_000]), &mut meter);
        }
        reader
            .take(Bytes::from_static(b"],\"usage\" : {\"prompt_tokens\":5,\"total_tokens\":5}}"), &mut meter);
        reader.end(&mut meter, 99);
        assert_eq!(meter.spent(End::Complete).tokens, 5);
        let mut silent = Meter::new(Api::Chat, find("gpt-4o"), 10);
        Reader::Long { tail: b"[1,2]".to_vec() }.end(&mut silent, 99);
        assert_eq!((silent.spent(End::Complete).tokens, silent.spent(End::Complete).estimated), (99, true));
    }
}
