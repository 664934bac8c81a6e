//! Voice through the gateway: uploads that stream, and a live call held in slices.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::{StreamExt, stream};
use reqwest::Method;
use serde_json::{Value, json};

use crate::gateway_stage::{count, counts, is_error, leave, recording, settled, stage, upload};
use crate::support::app::{App, Person, eventually};
use crate::support::databases::each_database;
use crate::support::upstream::Reply;
use crate::time_limits::streamed;

const TRANSCRIPTIONS: &str = "/v1/audio/transcriptions";
const HOLDS: &str = "/api/subscriptions/usage/holds/";

#[tokio::test]
async fn an_upload_passes_while_it_comes() {
    each_database(|url| async move {
        let (app, upstream) = stage(&url).await;
        let member = app.subscribed().await.by_key().await;
        let (content_type, form) = recording(2_000_000);
        let whole = form.clone();
        let seen = Arc::new(AtomicBool::new(false));
        let (first, second) = (form[..1_000_000].to_vec(), form[1_000_000..].to_vec());
        let (watched, flag) = (upstream.clone(), Arc::clone(&seen));
        // The second half is sent when most of the first has arrived at the other end.
        let second = stream::once(async move {
            eventually("the first half arrives", || async { (watched.arrived() > 500_000).then_some(()) })
                .await;
            flag.store(true, Ordering::SeqCst);
            Ok::<_, io::Error>(second)
        });
        let pieces = stream::iter([Ok(first)]).chain(second.boxed());
        let sync = Box::pin(sync(pieces));
        let request = member
            .request(Method::POST, TRANSCRIPTIONS)
            .header("content-type", content_type)
            .body(streamed(sync));
        let answer = member.send(request).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert!(seen.load(Ordering::SeqCst));
        assert_eq!(count(&answer, "x-tollgate-tokens-used"), 125);
        assert_eq!(upstream.last().body, whole);
        assert_eq!(counts(&member, "voice").await, (125, 0));
        app.stop().await;
    })
    .await;
}

/// The pieces, by way of a channel: a request's body has to be `Sync`.
fn sync<T: Send + 'static>(
    pieces: impl futures::Stream<Item = T> + Send + 'static,
) -> impl futures::Stream<Item = T> + Send + Sync {
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    tokio::spawn(async move {
        let mut pieces = std::pin::pin!(pieces);
        while let Some(piece) = pieces.next().await {
            if sender.send(piece).await.is_err() {
                return;
            }
        }
    });
    tokio_stream::wrappers::ReceiverStream::new(receiver)
}

#[tokio::test]
async fn an_upload_is_held_by_its_length_before_it_is_sent() {
    each_database(|url| async move {
        let (app, upstream) = stage(&url).await;
        let admin = app.subscribed().await;
        leave(&admin, "voice", 10).await;
        let denied = upload(&admin.by_key().await, TRANSCRIPTIONS, 176_000).await;
        is_error(&denied, 429, "insufficient_quota");
        assert!(denied.body["error"]["message"].as_str().unwrap().contains("voice tokens"));
        assert_eq!(upstream.arrived(), 0);
        let served = upload(&admin.by_key().await, TRANSCRIPTIONS, 160_000).await;
        assert_eq!((served.status, count(&served, "x-tollgate-tokens-remaining")), (200, 0));
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn an_upload_of_unknown_length_is_held_in_slices_and_ends_where_there_is_no_next() {
    each_database(|url| async move {
        let (app, upstream) = stage(&url).await;
        let admin = app.subscribed().await;
        leave(&admin, "voice", 100).await;
        let member = admin.by_key().await;
        let send = async |bytes: usize| {
            let (content_type, form) = recording(bytes);
            let pieces: Vec<_> = form.chunks(50_000).map(|piece| Ok(piece.to_vec())).collect();
            let request = member
                .request(Method::POST, TRANSCRIPTIONS)
                .header("content-type", content_type)
                .body(streamed(stream::iter(pieces)));
            member.send(request).await
        };
        let served = send(100_000).await;
        assert_eq!((served.status, count(&served, "x-tollgate-tokens-used")), (200, 6));
        let before = upstream.asked().len();
        let denied = send(4_000_000).await;
        is_error(&denied, 429, "insufficient_quota");
        assert_eq!(upstream.asked().len(), before, "the upstream never has it whole");
        assert_eq!(settled(&admin, "voice").await, 49_906);
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn what_is_too_large_or_refused_costs_nothing() {
    each_database(|url| async move {
        let (app, upstream) = stage(&url).await;
        let member = app.subscribed().await.by_key().await;
        let announced = member
            .request(Method::POST, TRANSCRIPTIONS)
            .header("content-type", "multipart/form-data; boundary=x")
            .header("content-length", (257_u64 << 20).to_string())
            .body(streamed(stream::pending::<io::Result<Vec<u8>>>()));
        is_error(&member.send(announced).await, 413, "request_too_large");
        upstream.next(Reply::json(400, &json!({"error": {"message": "no audio", "code": "invalid"}})));
        let refused = upload(&member, TRANSCRIPTIONS, 32_000).await;
        assert_eq!((refused.status, count(&refused, "x-tollgate-tokens-used")), (400, 0));
        upstream.next(Reply::json(400, &json!({"error": {"message": "no voice", "code": "invalid"}})));
        let refused = member.post("/v1/audio/speech", json!({"input": "Hello"})).await;
        assert_eq!(refused.status, 400);
        assert_eq!(counts(&member, "voice").await, (0, 0));
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn speech_passes_as_audio() {
    each_database(|url| async move {
        let (app, _) = stage(&url).await;
        let member = app.subscribed().await.by_key().await;
        let body = json!({"model": "tts-1", "voice": "alloy", "input": "Hello"});
        let answer = member.request(Method::POST, "/v1/audio/speech").json(&body).send().await.unwrap();
        assert_eq!(answer.headers()["content-type"], "audio/mpeg");
        assert_eq!(answer.headers()["x-tollgate-tokens-used"], "10");
        assert_eq!(answer.bytes().await.unwrap(), vec![7; 5_000]);
        app.stop().await;
    })
    .await;
}

/// A program that carries a call: it holds a slice of tokens, spends it second by second, and asks for the next slice
/// before it is used up.
struct LiveCall<'a> {
    person: &'a Person<'a>,
    hold: String,
    held: i64,
    spent: i64,
}

impl<'a> LiveCall<'a> {
    const SLICE: i64 = 100;
    const SECOND: i64 = 20;

    async fn begin(person: &'a Person<'a>) -> Self {
        let body = json!({"usage_type": "voice", "tokens": Self::SLICE, "expires_in": 30});
        let hold = person.post(HOLDS, body).await;
        assert_eq!(hold.status, 201, "{}", hold.body);
        Self { person, hold: hold.text("id").to_owned(), held: Self::SLICE, spent: 0 }
    }

    /// A second of talk; false where it must be the last.
    async fn second(&mut self) -> bool {
        self.spent += Self::SECOND;
        if self.held - self.spent >= Self::SECOND {
            return true;
        }
        let more = json!({"tokens": self.held + Self::SLICE, "expires_in": 30});
        let extended = self.person.post(&format!("{HOLDS}{}/extend/", self.hold), more).await;
        match extended.status {
            200 => {
                self.held += Self::SLICE;
                true
            }
            402 => {
                extended.is_problem(402, "limit_reached");
                false
            }
            status => panic!("{status}: {}", extended.body),
        }
    }

    async fn end(self) -> Value {
        let body = json!({"tokens_used": self.spent, "model": "live"});
        let settled = self.person.post(&format!("{HOLDS}{}/settle/", self.hold), body).await;
        assert_eq!(settled.status, 200, "{}", settled.body);
        settled.body["usage"]["voice"].clone()
    }
}

#[tokio::test]
async fn a_live_call_ends_in_order_when_its_next_slice_is_refused() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let admin = app.subscribed().await;
        leave(&admin, "voice", 350).await;
        let member = app.member(&admin).await.by_key().await;
        let mut call = LiveCall::begin(&member).await;
        let mut seconds = 1;
        while call.second().await {
            let (used, held) = counts(&admin, "voice").await;
            assert!(used + held <= 50_000);
            seconds += 1;
        }
        // Three slices of five seconds fit; the fourth doesn't, and the caller has what was held.
        assert_eq!(seconds, 15);
        let usage = call.end().await;
        assert_eq!((&usage["used"], &usage["held"]), (&json!(49_950), &json!(0)));
        app.stop().await;
    })
    .await;
}
