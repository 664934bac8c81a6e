//! What is served at `/v1`. Each path is metered; every other is refused.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{Method, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, any, get, post};

use super::answer::Api;
use super::completion::complete;
use super::error::ApiError;
use super::speech::speak;
use super::upload::listen;
use super::upstream::Question;
use super::{Gateway, headers};
use crate::domain::UsageType;
use crate::http::auth::GroupCaller;

/// The gateway's routes. They need to know who asks.
pub fn routes(gateway: Gateway) -> Router {
    Router::new()
        .route("/v1/chat/completions", text(Api::Chat))
        .route("/v1/responses", text(Api::Responses))
        .route("/v1/embeddings", text(Api::Embeddings))
        .route("/v1/audio/speech", only(post(speech)))
        .route("/v1/audio/transcriptions", recording("/audio/transcriptions"))
        .route("/v1/audio/translations", recording("/audio/translations"))
        .route("/v1/models", only(get(models)))
        // Names of models may have slashes.
        .route("/v1/models/{*model}", only(get(models)))
        .route("/v1", any(unknown_path))
        .route("/v1/{*path}", any(unknown_path))
        .with_state(gateway)
}

fn only(methods: MethodRouter<Gateway>) -> MethodRouter<Gateway> {
    methods.fallback(wrong_method)
}

fn text(api: Api) -> MethodRouter<Gateway> {
    only(post(move |State(gateway), GroupCaller(caller), request| complete(gateway, caller, api, request)))
}

fn recording(path: &'static str) -> MethodRouter<Gateway> {
    only(post(move |State(gateway), GroupCaller(caller), request| listen(gateway, caller, path, request)))
}

async fn speech(
    State(gateway): State<Gateway>,
    GroupCaller(caller): GroupCaller,
    request: Request,
) -> Answered {
    speak(gateway, caller, request).await
}

type Answered = Result<Response, ApiError>;

/// The upstream's models, which cost nothing.
async fn models(
    State(gateway): State<Gateway>,
    GroupCaller(caller): GroupCaller,
    request: Request,
) -> Answered {
    let _place = gateway.place()?;
    let (parts, _) = request.into_parts();
    let whole = parts.uri.path_and_query().map_or("", |path| path.as_str());
    let path = whole.strip_prefix("/v1").unwrap_or(whole).to_owned();
    let question =
        Question { method: Method::GET, path, headers: parts.headers, body: reqwest::Body::default() };
    let answer = gateway.upstream().ask(question).await?;
    let usage = gateway.metering().usage(&caller.user).await.ok();
    let mut head = answer.headers.clone();
    head.extend(headers::used(0, usage.as_ref(), UsageType::Llm));
    Ok((answer.status, head, answer.into_body()).into_response())
}

async fn unknown_path(method: Method, uri: Uri) -> ApiError {
    ApiError::unknown_path(method.as_str(), uri.path())
}

async fn wrong_method(method: Method, uri: Uri) -> ApiError {
    ApiError::wrong_method(method.as_str(), uri.path())
}
