//! The least an HTTP server in axum can do: a route that answers so many bytes, one that reads an event's JSON first, and
//! a page of Leptos. No layers.

use std::env;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use axum::routing::{get, post};
use axum::{Json, Router};
use bytes::Bytes;
use http::Request;
use http::header::{CONTENT_TYPE, HOST};
use http_body_util::Full;
use leptos::prelude::*;
use tokio::net::TcpListener;
use tollgate::domain::EventInput;

use crate::client::{Call, Turn};

/// Set for the process that serves the routes: how many bytes they answer.
const SIZE: &str = "TOLLGATE_BENCH_BARE";

/// A process that serves the bare routes, until this is dropped.
pub struct Bare {
    child: Child,
    address: String,
}

impl Bare {
    pub fn start(size: usize) -> Self {
        let program = env::current_exe().expect("this program");
        let mut child = Command::new(program)
            .env(SIZE, size.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this program starts");
        let mut address = String::new();
        let mut output = BufReader::new(child.stdout.take().expect("its output"));
        output.read_line(&mut address).expect("the address");
        Self { child, address: address.trim().to_owned() }
    }

    /// Reads nothing.
    pub fn get(&self) -> Call {
        self.call(|_| Request::get("/").header(HOST, "localhost").body(Full::default()).expect("a request"))
    }

    /// Reads one event.
    pub fn post(&self) -> Call {
        self.call(|_| {
            let body = r#"{"id": "call-1-1", "usage_type": "llm", "tokens_used": 12, "model": "gpt-4o"}"#;
            Request::post("/")
                .header(HOST, "localhost")
                .header(CONTENT_TYPE, "application/json")
                .body(Full::from(body))
                .expect("a request")
        })
    }

    /// Renders a page.
    pub fn page(&self) -> Call {
        self.call(|_| {
            Request::get("/page").header(HOST, "localhost").body(Full::default()).expect("a request")
        })
    }

    /// What a model server answers to a question.
    pub fn model(&self) -> Call {
        self.call(|_| question().body(Full::from(QUESTION)).expect("a request"))
    }

    /// Where it is a model server.
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    fn call(&self, request: impl Fn(Turn) -> Request<Full<Bytes>> + Send + Sync + 'static) -> Call {
        Call { address: self.address.clone(), request: Box::new(request) }
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The path and headers of a question.
pub fn question() -> http::request::Builder {
    Request::post("/v1/chat/completions").header(HOST, "localhost").header(CONTENT_TYPE, "application/json")
}

/// A question of some words, and an answer of as many.
pub const QUESTION: &str = r#"{"model": "gpt-4o", "max_tokens": 300, "messages": [{"role": "user",
    "content": "How long does a pot of basmati rice take, and how much water does it need?"}]}"#;
const ANSWER: &str = r#"{"id": "chatcmpl-1", "object": "chat.completion", "created": 1767225600, "model": "gpt-4o",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Twelve minutes, and one and a half times as
    much water as rice. Let it rest for ten more before you lift the lid."}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 23, "completion_tokens": 31, "total_tokens": 54}}"#;

/// Whether this process is to serve the routes.
pub fn is_asked_for() -> bool {
    env::var_os(SIZE).is_some()
}

pub async fn serve() {
    let size = env::var(SIZE).ok().and_then(|size| size.parse().ok()).expect("a size in bytes");
    // This sets the runtime that Leptos renders on.
    let _ = leptos_axum::generate_route_list(move || page(size));
    let body = Bytes::from(vec![b'x'; size]);
    let read = body.clone();
    let app = Router::new()
        .route("/", get(move || async move { body }))
        .route("/", post(move |Json(_): Json<EventInput>| async move { read }))
        .route(
            "/v1/chat/completions",
            post(|_: Bytes| async { ([(CONTENT_TYPE, "application/json")], ANSWER) }),
        )
        .route("/page", get(leptos_axum::render_app_to_stream(move || page(size))));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    println!("{}", listener.local_addr().expect("an address"));
    axum::serve(listener, app).await.expect("it serves");
}

/// A table that takes about as many bytes as the page that is measured: as many elements for them as pages have.
fn page(size: usize) -> impl IntoView {
    /// Of one row.
    const ROW: usize = 120;
    let rows = (0..size / ROW).map(|number| {
        view! {
            <tr class="usage-row"><th scope="row">"A member's name"</th><td class="number">{number}</td><td>"tokens"</td></tr>
        }
    });
    view! { <!DOCTYPE html><html lang="en"><head><title>"A page"</title></head><body><table>{rows.collect_view()}</table></body></html> }
}
