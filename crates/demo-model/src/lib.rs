//! The demo model: a server that speaks OpenAI's API and answers offline.
//!
//! For trying and testing what calls such an API, without an account or a network: chat completions and responses
//! (streamed or not, tools, structured output, images, audio and files in messages), embeddings, speech and
//! transcription. It is no language model: its text is composed from the question, and says so. What it reports of
//! tokens is true: the text is counted with OpenAI's own tokenizer (`o200k_base`), and a maximum is kept to the token.
//! The same request has the same answer; only ids and times differ. It takes any key, or none.
//!
//! Layer by layer, each using only what stands above it in this list:
//!
//! - `error`, `body`, `sse`, `blocking`, `time`: OpenAI's conventions of HTTP
//! - `models`: which there are
//! - `tokens`, `seed`, `schema`, `text`, `wav`: counting, and what an answer is made of
//! - `content`, `tools`, `prompt`, `answer`: a conversation, and the answer to it
//! - `chat`, `responses`, `embeddings`, `audio`: the endpoints

mod answer;
mod audio;
mod blocking;
mod body;
mod chat;
mod content;
mod embeddings;
mod error;
mod models;
mod prompt;
mod responses;
mod schema;
mod seed;
mod sse;
mod text;
mod time;
mod tokens;
mod tools;
mod wav;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderValue, Method, Uri, header::HeaderName};
use axum::middleware::map_response;
use axum::response::Response;
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use error::ApiError;

/// The most bytes that a JSON body may have. Pictures and files travel inside it, in base64.
const JSON_LIMIT: usize = 32 << 20;

/// What the endpoints share.
#[derive(Clone)]
struct State {
    pace: sse::Pace,
    earlier: Arc<responses::Earlier>,
}

/// Serves until `shutdown` is cancelled: then nothing more is accepted, answers at hand are finished without their
/// pauses between the words, and the future resolves.
///
/// # Errors
/// None of those of single connections; what `axum::serve` may come to return.
pub async fn serve(listener: TcpListener, shutdown: CancellationToken) -> std::io::Result<()> {
    // The first request shall not wait for the vocabulary.
    tokio::task::spawn_blocking(tokens::load);
    let router = router_until(shutdown.clone());
    // A word shall not wait for the next one to fill a packet.
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, router).with_graceful_shutdown(shutdown.cancelled_owned()).await
}

/// The API, to be served by the caller.
pub fn router() -> Router {
    router_until(CancellationToken::new())
}

fn router_until(shutdown: CancellationToken) -> Router {
    let state = State { pace: sse::Pace::until(shutdown), earlier: Arc::default() };
    Router::new()
        .route("/v1/models", get(models::list))
        .route("/v1/models/{id}", get(models::retrieve))
        .route("/v1/chat/completions", post(chat::create))
        .route("/v1/responses", post(responses::create))
        .route("/v1/embeddings", post(embeddings::create))
        .route("/v1/audio/speech", post(audio::speech::create))
        .layer(DefaultBodyLimit::max(JSON_LIMIT))
        .merge(audio::transcriptions::routes())
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
        .layer(map_response(request_id))
        .with_state(state)
}

async fn unknown_path(method: Method, uri: Uri) -> ApiError {
    ApiError::unknown_path(&method, uri.path())
}

async fn wrong_method(method: Method, uri: Uri) -> ApiError {
    ApiError::wrong_method(&method, uri.path())
}

/// Every answer has an id, as OpenAI's have; its clients show it in their errors.
async fn request_id(mut response: Response) -> Response {
    let id = format!("req_{}", uuid::Uuid::new_v4().simple());
    if let Ok(id) = HeaderValue::try_from(id) {
        response.headers_mut().insert(HeaderName::from_static("x-request-id"), id);
    }
    response
}
