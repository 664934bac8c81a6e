//! What takes too long ends: requests half sent, and a server that is to stop.

use std::io;
use std::time::Duration;

use futures::future::join_all;
use futures::{Stream, StreamExt, TryStreamExt};
use http_body_util::StreamBody;
use hyper::body::Frame;
use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tollgate::http::limits::TimeLimits;
use tollgate::start::StartOptions;

use crate::support::app::{App, PASSWORD, eventually};
use crate::support::databases::each_database;

/// A body that is sent in pieces, without its length said beforehand.
pub fn streamed<B: Into<Vec<u8>>>(
    pieces: impl Stream<Item = io::Result<B>> + Send + Sync + 'static,
) -> reqwest::Body {
    let frames = pieces.map_ok(|piece| Frame::data(hyper::body::Bytes::from(piece.into())));
    reqwest::Body::wrap(StreamBody::new(frames))
}

/// Limits short enough to wait for.
fn short() -> StartOptions {
    let short = Duration::from_millis(300);
    let time_limits = TimeLimits {
        first_headers: short,
        next_headers: short,
        body_idle: short,
        body: 3 * short,
        ..TimeLimits::default()
    };
    StartOptions { time_limits, ..StartOptions::default() }
}

/// A connection on which something was sent.
async fn sent(app: &App, text: &str) -> TcpStream {
    let mut connection = TcpStream::connect(app.running.addr).await.expect("a connection");
    connection.write_all(text.as_bytes()).await.expect("it is sent");
    connection
}

/// What comes until the server closes.
async fn rest(connection: &mut TcpStream) -> String {
    let mut rest = Vec::new();
    // A reset is an end too.
    let _ = connection.read_to_end(&mut rest).await;
    String::from_utf8_lossy(&rest).into_owned()
}

#[tokio::test]
async fn headers_that_do_not_end_are_not_waited_for() {
    each_database(|url| async move {
        let app = App::start_with(&url, &[], short()).await;
        for beginning in ["", "G", "PRI * HTTP/2.0\r\n", "GET /healthz HTTP/1.1\r\nHost: a\r\nX-Half: "] {
            let answer = rest(&mut sent(&app, beginning).await).await;
            assert!(!answer.contains(" 200 "), "{beginning:?}: {answer}");
        }
        let second = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\nGET /healthz HTTP/1.1\r\nHost: ";
        let answer = rest(&mut sent(&app, second).await).await;
        assert_eq!(answer.matches(" 200 OK").count(), 1, "{answer}");
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_thousand_half_sent_requests_keep_no_one_out() {
    each_database(|url| async move {
        let app = App::start(&url).await;
        let half = join_all((0..1_100).map(|_| sent(&app, "GET /healthz HTTP/1.1\r\nHost: "))).await;
        let alive = app.anonymous().get("/healthz").await;
        assert_eq!(alive.status, 200);
        drop(half);
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_body_that_does_not_come_is_the_clients_fault() {
    each_database(|url| async move {
        let app = App::start_with(&url, &[], short()).await;
        let anonymous = app.anonymous();
        for path in ["/api/auth/login/", "/fn/account/sign-in"] {
            let never =
                futures::stream::iter([Ok::<_, std::io::Error>("{")]).chain(futures::stream::pending());
            let request = anonymous.request(Method::POST, path).header("content-type", "application/json");
            anonymous.send(request.body(streamed(never))).await.is_problem(408, "request_timeout");
        }
        let slowly = futures::stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            Some((Ok::<_, std::io::Error>(" "), ()))
        });
        let request =
            anonymous.request(Method::POST, "/api/auth/login/").header("content-type", "application/json");
        anonymous.send(request.body(streamed(slowly))).await.is_problem(408, "request_timeout");
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_stream_has_no_limit() {
    each_database(|url| async move {
        let app = App::start_with(&url, &[], short()).await;
        let admin = app.subscribed().await;
        let path = "/api/subscriptions/subscriptions/usage/stream/";
        let mut stream = admin.request(Method::GET, path).send().await.expect("an answer");
        assert!(stream.chunk().await.expect("a piece").is_some());
        // Longer than any of the limits.
        tokio::time::sleep(Duration::from_secs(1)).await;
        let event = json!({"id": "late", "usage_type": "llm", "tokens_used": 7});
        assert_eq!(admin.post("/api/subscriptions/usage/events/", event).await.status, 200);
        let mut seen = String::new();
        while !seen.contains("\"used\":7") {
            let piece = stream.chunk().await.expect("a piece").expect("the stream is open");
            seen.push_str(&String::from_utf8_lossy(&piece));
        }
        drop(stream);
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_503() {
    each_database(|url| async move {
        let limits = TimeLimits { answer: Duration::from_millis(1), ..TimeLimits::default() };
        let app =
            App::start_with(&url, &[], StartOptions { time_limits: limits, ..StartOptions::default() }).await;
        // Hashing a password takes longer.
        let body = json!({"email": "a@example.com", "password": PASSWORD});
        app.anonymous().post("/api/auth/login/", body).await.is_problem(503, "unavailable");
        app.stop().await;
    })
    .await;
}

/// A Stripe that takes every connection and never says anything.
async fn silent_stripe() -> (String, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    let task = tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((connection, _)) = listener.accept().await {
            held.push(connection);
        }
    });
    (base, task)
}

#[tokio::test]
async fn stopping_waits_for_no_one_longer_than_it_may() {
    each_database(|url| async move {
        let (stripe, silence) = silent_stripe().await;
        let variables = [
            ("STRIPE_PUBLIC_KEY", "pk_test_1"),
            ("STRIPE_SECRET_KEY", "sk_test_1"),
            ("STRIPE_WEBHOOK_SECRET", "whsec_1"),
            ("STRIPE_API_BASE", stripe.as_str()),
        ];
        let app = App::start_with(&url, &variables, StartOptions::default()).await;
        let superadmin = app.superadmin().await;
        let plan = json!({"name": "Hanging", "price": "1.00"});
        let asked = superadmin.request(Method::POST, "/api/subscriptions/plans/").json(&plan);
        let hanging = tokio::spawn(asked.send());
        let mut idle = sent(&app, "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n").await;
        let mut half = sent(&app, "GET /healthz HTTP/1.1\r\nHost: ").await;
        let mut first = [0; 12];
        idle.read_exact(&mut first).await.expect("an answer");
        // In flight by then: the request before this one on the same pool was answered.
        eventually("the request reaches the server", || async {
            let metrics = app.anonymous().get("/metrics").await.body.to_string();
            metrics.contains("tollgate_http_requests_in_flight 2").then_some(())
        })
        .await;
        let left = app.running.stop_within(Duration::from_secs(2)).await;
        assert_eq!(left, ["1 open connections"]);
        assert!(hanging.await.expect("a task").is_err(), "cut off");
        rest(&mut idle).await;
        rest(&mut half).await;
        silence.abort();
    })
    .await;
}
