//! A model server that answers as a test says, down to the byte.

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// What it was asked.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: Method,
    /// With the query.
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Asked {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a JSON body")
    }
}

/// What it answers.
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Body,
}

impl Reply {
    pub fn text(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        Self {
            status,
            headers: vec![("content-type", content_type.to_owned())],
            body: Body::from(body.into()),
        }
    }

    pub fn json(status: u16, body: &Value) -> Self {
        Self::text(status, "application/json", body.to_string())
    }

    /// A stream of events, in one piece.
    pub fn events(events: &[impl AsRef<str>]) -> Self {
        let text: String = events.iter().map(|event| format!("data: {}\n\n", event.as_ref())).collect();
        Self::text(200, "text/event-stream", text)
    }

    /// A body that comes in these pieces, each sent by itself.
    pub fn pieces(content_type: &str, pieces: Vec<Bytes>) -> Self {
        let pieces = futures::stream::iter(pieces.into_iter().map(Ok::<_, io::Error>)).then(async |piece| {
            // Lets what came before go out.
            tokio::task::yield_now().await;
            piece
        });
        let headers = vec![("content-type", content_type.to_owned())];
        Self { status: 200, headers, body: Body::from_stream(pieces) }
    }

    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }
}

/// An answer that a test gives piece by piece.
pub struct Feed(mpsc::Sender<io::Result<Bytes>>);

impl Feed {
    pub async fn event(&self, data: &str) {
        self.raw(format!("data: {data}\n\n")).await;
    }

    pub async fn raw(&self, bytes: impl Into<Bytes>) {
        let _ = self.0.send(Ok(bytes.into())).await;
    }

    /// Breaks the connection off.
    pub async fn cut(self) {
        let _ = self.0.send(Err(io::Error::other("cut"))).await;
    }

    /// Waits until the client has hung up.
    pub async fn hung_up(&self) {
        self.0.closed().await;
    }
}

type Answer = Box<dyn Fn(&Asked) -> Reply + Send + Sync>;

struct Inner {
    answer: Answer,
    queue: Mutex<VecDeque<Reply>>,
    asked: Mutex<Vec<Asked>>,
    arrived: AtomicU64,
}

/// A model server on a free port. It ends with its runtime.
#[derive(Clone)]
pub struct ScriptedUpstream {
    pub base_url: String,
    inner: Arc<Inner>,
}

impl ScriptedUpstream {
    /// Answers by `answer` whatever no reply was put into the queue for.
    pub async fn start(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let inner = Arc::new(Inner {
            answer: Box::new(answer),
            queue: Mutex::default(),
            asked: Mutex::default(),
            arrived: AtomicU64::new(0),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let base_url = format!("http://{}/v1", listener.local_addr().expect("an address"));
        let router = Router::new().fallback(serve).with_state(Arc::clone(&inner));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { base_url, inner }
    }

    /// The variables that make it the gateway's.
    pub fn variables(&self) -> [(&str, &str); 2] {
        [("OPENAI_BASE_URL", &self.base_url), ("OPENAI_API_KEY", "sk-upstream")]
    }

    /// The next request is answered by this.
    pub fn next(&self, reply: Reply) {
        self.inner.queue.lock().expect("the queue").push_back(reply);
    }

    /// The next request is answered by a stream of events that the test feeds.
    pub fn feed(&self) -> Feed {
        let (sender, receiver) = mpsc::channel(1);
        let pieces = futures::stream::unfold(receiver, async |mut receiver| {
            let piece = receiver.recv().await?;
            Some((piece, receiver))
        });
        let headers = vec![("content-type", "text/event-stream".to_owned())];
        self.next(Reply { status: 200, headers, body: Body::from_stream(pieces) });
        Feed(sender)
    }

    /// What it was asked until now.
    pub fn asked(&self) -> Vec<Asked> {
        self.inner.asked.lock().expect("the list").clone()
    }

    pub fn last(&self) -> Asked {
        self.asked().pop().expect("it was asked")
    }

    /// Bytes of bodies that have arrived, also of those that aren't complete.
    pub fn arrived(&self) -> u64 {
        self.inner.arrived.load(Ordering::SeqCst)
    }
}

async fn serve(State(inner): State<Arc<Inner>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let mut body = body.into_data_stream();
    let mut whole = Vec::new();
    while let Some(piece) = body.next().await {
        let Ok(piece) = piece else { return StatusCode::BAD_REQUEST.into_response() };
        inner.arrived.fetch_add(piece.len() as u64, Ordering::SeqCst);
        whole.extend_from_slice(&piece);
    }
    let path = parts.uri.path_and_query().expect("a path").to_string();
    let asked = Asked { method: parts.method, path, headers: parts.headers, body: whole.into() };
    let queued = inner.queue.lock().expect("the queue").pop_front();
    let Reply { status, headers, body } = queued.unwrap_or_else(|| (inner.answer)(&asked));
    inner.asked.lock().expect("the list").push(asked);
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(name, value);
    }
    response.body(body).expect("a response")
}
