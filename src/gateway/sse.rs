//! Server-sent events, as the bytes that they came in.
//! Source: <https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream>.

use std::borrow::Cow;

use bytes::{Bytes, BytesMut};

/// The longest event that is read, in bytes: the last one of a response repeats all of its output. A longer one passes
/// unread.
const LONGEST: usize = 8 << 20;

/// Finds where events end, however the pieces are cut that they come in.
#[derive(Debug)]
pub struct Framer {
    buffer: BytesMut,
    /// How far it was searched.
    searched: usize,
    /// Whether nothing stands before that in its line.
    line_is_empty: bool,
    /// Whether the event at the beginning of the buffer has begun before it.
    continued: bool,
}

/// One event with the blank line that ends it, or a part of one that is too long to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    pub bytes: Bytes,
    pub whole: bool,
}

impl Default for Framer {
    fn default() -> Self {
        Self { buffer: BytesMut::new(), searched: 0, line_is_empty: true, continued: false }
    }
}

impl Framer {
    pub fn push(&mut self, piece: &[u8]) {
        self.buffer.extend_from_slice(piece);
    }

    /// The next event that has ended.
    pub fn next(&mut self) -> Option<Frame> {
        while let Some(byte) = self.buffer.get(self.searched) {
            let ended = match (byte, self.buffer.get(self.searched + 1)) {
                (b'\n', _) => 1,
                (b'\r', Some(b'\n')) => 2,
                (b'\r', Some(_)) => 1,
                // Whether a line feed belongs to it is seen with what comes next.
                (b'\r', None) => break,
                _ => {
                    self.searched += 1;
                    self.line_is_empty = false;
                    continue;
                }
            };
            self.searched += ended;
            if std::mem::replace(&mut self.line_is_empty, true) {
                let whole = !std::mem::take(&mut self.continued);
                return Some(self.take(whole));
            }
        }
        if self.searched > LONGEST {
            self.continued = true;
            return Some(self.take(false));
        }
        None
    }

    fn take(&mut self, whole: bool) -> Frame {
        let bytes = self.buffer.split_to(self.searched).freeze();
        self.searched = 0;
        Frame { bytes, whole }
    }

    /// What has come of an event that didn't end.
    pub fn rest(self) -> Frame {
        Frame { bytes: self.buffer.freeze(), whole: !self.continued }
    }
}

/// An event's data, its lines joined; none where it has none, as a comment that keeps a connection open.
pub fn data(event: &[u8]) -> Option<Cow<'_, str>> {
    let mut data: Option<Cow<'_, str>> = None;
    for line in event.split(|byte| matches!(byte, b'\n' | b'\r')) {
        let Some(value) = line.strip_prefix(b"data") else { continue };
        let value = match value {
            [] => value,
            [b':', b' ', value @ ..] | [b':', value @ ..] => value,
            // Another field, that begins the same.
            _ => continue,
        };
        let value = String::from_utf8_lossy(value);
        data = Some(match data {
            None => value,
            Some(before) => format!("{before}\n{value}").into(),
        });
    }
    data
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frames(pieces: &[&[u8]]) -> (Vec<Bytes>, Bytes) {
        let mut framer = Framer::default();
        let mut found = Vec::new();
        for piece in pieces {
            framer.push(piece);
            while let Some(frame) = framer.next() {
                assert!(frame.whole);
                found.push(frame.bytes);
            }
        }
        (found, framer.rest().bytes)
    }

    const STREAM: &[u8] =
        b": hello\n\ndata: {\"a\":1}\n\nevent: x\r\ndata: one\r\ndata:two\r\n\r\ndata: \xc3\xa9\r\rdata\n\n\n\ndata: [DONE]\n\ndata: cut";

    #[test]
    fn events_are_found_wherever_a_stream_is_cut() {
        let (whole, rest) = frames(&[STREAM]);
        assert_eq!((whole.len(), &rest[..]), (8, &b"data: cut"[..]));
        for at in 0..=STREAM.len() {
            for second in at..=STREAM.len() {
                let pieces = [&STREAM[..at], &STREAM[at..second], &STREAM[second..]];
                assert_eq!(frames(&pieces), (whole.clone(), rest.clone()), "cut at {at} and {second}");
            }
        }
        let bytes: Vec<&[u8]> = STREAM.chunks(1).collect();
        assert_eq!(frames(&bytes), (whole, rest));
    }

    #[test]
    fn data_is_read_as_it_is_written() {
        let (found, _) = frames(&[STREAM]);
        let read: Vec<_> = found.iter().map(|event| data(event).map(Cow::into_owned)).collect();
        let some = |text: &str| Some(text.to_owned());
        let expected =
            [None, some("{\"a\":1}"), some("one\ntwo"), some("é"), some(""), None, None, some("[DONE]")];
        assert_eq!(read, expected);
    }

    #[test]
    fn an_event_that_is_too_long_passes_in_parts() {
        let mut framer = Framer::default();
        let mut passed = 0;
        for _ in 0..5 {
            framer.push(&vec![b'x'; LONGEST / 2]);
            while let Some(frame) = framer.next() {
                assert!(!frame.whole);
                passed += frame.bytes.len();
            }
        }
        framer.push(b"\n\ndata: 1\n\n");
        let end = framer.next().unwrap();
        assert!(!end.whole);
        assert_eq!(passed + end.bytes.len(), LONGEST / 2 * 5 + 2);
        assert_eq!(framer.next(), Some(Frame { bytes: "data: 1\n\n".into(), whole: true }));
    }

    proptest! {
        #[test]
        fn no_byte_is_lost_or_changed(
            pieces in proptest::collection::vec(proptest::collection::vec(
                prop_oneof![Just(b'\n'), Just(b'\r'), Just(b'd'), any::<u8>()], 0..12), 0..12),
        ) {
            let pieces: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
            let (found, rest) = frames(&pieces);
            prop_assert_eq!([found.concat(), rest.to_vec()].concat(), pieces.concat());
        }
    }
}
