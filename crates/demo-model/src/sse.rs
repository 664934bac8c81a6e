//! Streams: server-sent events at the pace of a fast typist.

use std::convert::Infallible;
use std::time::Duration;

use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use futures::{StreamExt, stream};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

/// Between two events: about eighty words a second.
const PAUSE: Duration = Duration::from_millis(12);

/// How fast events follow each other.
#[derive(Clone)]
pub struct Pace {
    shutdown: CancellationToken,
}

impl Pace {
    /// No more pauses once `shutdown` is cancelled: what is left of a stream is sent at once.
    pub fn until(shutdown: CancellationToken) -> Self {
        Self { shutdown }
    }

    async fn pause(self) {
        tokio::select! {
            () = self.shutdown.cancelled() => {}
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}

/// One event of a stream.
pub enum Frame {
    /// `data:` alone.
    Data(Value),
    /// `event:` with the object's own `type`, and `data:`.
    Typed(Value),
    /// `data: [DONE]`.
    Done,
}

impl From<Frame> for Event {
    fn from(frame: Frame) -> Self {
        match frame {
            Frame::Data(data) => Self::default().data(data.to_string()),
            Frame::Typed(data) => {
                let kind = data["type"].as_str().unwrap_or_default();
                Self::default().event(kind).data(data.to_string())
            }
            Frame::Done => Self::default().data("[DONE]"),
        }
    }
}

/// The frames as a response. A client that hangs up ends the iteration.
pub fn paced(frames: impl Iterator<Item = Frame> + Send + 'static, pace: Pace) -> Response {
    let events = stream::iter(frames).then(move |frame| {
        let pace = pace.clone();
        async move {
            pace.pause().await;
            Ok::<_, Infallible>(Event::from(frame))
        }
    });
    Sse::new(events).into_response()
}

/// A text in pieces that end where words do, spaces before the word they lead to.
pub fn words(text: &str) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    let mut after_space = true;
    for c in text.chars() {
        match pieces.last_mut() {
            // A space starts a piece unless the piece has nothing but spaces.
            Some(piece) if !c.is_whitespace() || after_space => piece.push(c),
            _ => pieces.push(c.into()),
        }
        after_space = c.is_whitespace();
    }
    pieces
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use tokio_util::sync::CancellationToken;

    use super::{Pace, words};

    #[tokio::test]
    async fn there_is_no_pause_any_more_once_the_server_stops() {
        let shutdown = CancellationToken::new();
        let pace = Pace::until(shutdown.clone());
        assert!(pace.clone().pause().now_or_never().is_none());
        shutdown.cancel();
        assert!(pace.pause().now_or_never().is_some());
    }

    #[test]
    fn words_lose_nothing_and_end_where_words_end() {
        let text = "  One, two\n\n- **three**  four\n";
        assert_eq!(words(text).concat(), text);
        assert_eq!(words("One, two\n\n- x"), ["One,", " two", "\n\n-", " x"]);
        assert!(words("").is_empty());
    }
}
