//! Errors in the shape that OpenAI's clients read.
//!
//! What Tollgate refuses is said in that shape too, whichever layer refused it ([`in_openai_shape`]); what the upstream
//! refuses passes through as it is. Clients repeat a request on 408, 409, 429 and 5xx unless `x-should-retry` says
//! otherwise, so a denial says so.
//! Source: <https://platform.openai.com/docs/guides/error-codes>.

use axum::Json;
use axum::extract::Request;
use axum::http::header::{HeaderName, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value, json};
use thiserror::Error;

use super::headers::{remaining, used_nothing};
use crate::domain::{LimitReached, Refusal, Usage, UsageType};
use crate::error;
use crate::http::problem::Problem;

const X_SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");

/// An error as OpenAI's clients read it.
#[derive(Clone, Debug, Error)]
#[error("{}", .0.body.message)]
pub struct ApiError(Box<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    status: StatusCode,
    body: Body,
    headers: HeaderMap,
}

#[derive(Clone, Debug, Serialize)]
struct Body {
    message: String,
    #[serde(rename = "type")]
    kind: &'static str,
    param: Option<String>,
    code: &'static str,
    /// What Tollgate adds.
    #[serde(flatten)]
    more: Map<String, Value>,
}

impl ApiError {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        let kind = match status {
            StatusCode::UNAUTHORIZED => "authentication_error",
            StatusCode::FORBIDDEN => "permission_error",
            StatusCode::TOO_MANY_REQUESTS => "insufficient_quota",
            status if status.is_server_error() => "server_error",
            _ => "invalid_request_error",
        };
        let body = Body { message: message.into(), kind, param: None, code, more: Map::new() };
        Self(Box::new(Inner { status, body, headers: used_nothing() }))
    }

    fn retry(mut self, retry: bool) -> Self {
        self.0.headers.insert(X_SHOULD_RETRY, HeaderValue::from_static(if retry { "true" } else { "false" }));
        self
    }

    fn after(mut self, seconds: u64) -> Self {
        self.0.headers.insert(RETRY_AFTER, seconds.into());
        self
    }

    fn with(mut self, name: &str, value: Value) -> Self {
        self.0.body.more.insert(name.to_owned(), value);
        self
    }

    /// 400: the body can't be read.
    pub fn not_json(why: impl AsRef<str>) -> Self {
        let message = format!("The body must be a JSON object: {}", why.as_ref());
        Self::new(StatusCode::BAD_REQUEST, "invalid_json", message)
    }

    /// 400: a value can't be metered as it is.
    pub fn invalid(param: &str, message: impl Into<String>) -> Self {
        let mut error = Self::new(StatusCode::BAD_REQUEST, "invalid_value", message);
        error.0.body.param = Some(param.to_owned());
        error
    }

    /// 404: a path that isn't metered, and so isn't passed on.
    pub fn unknown_path(method: &str, path: &str) -> Self {
        let message = format!("Unknown or unmetered request: {method} {path}.");
        Self::new(StatusCode::NOT_FOUND, "unknown_url", message)
    }

    /// 405.
    pub fn wrong_method(method: &str, path: &str) -> Self {
        let message = format!("{path} doesn't take {method}.");
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message)
    }

    /// 413: more than `limit` bytes.
    pub fn too_large(limit: u64) -> Self {
        let message = format!("The body must take at most {limit} bytes.");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "request_too_large", message)
    }

    /// 400: the body ended before its end.
    pub fn not_whole() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "incomplete_body", "The body ended early.")
    }

    /// 415: a body in an encoding in which nothing can be counted.
    pub fn encoded() -> Self {
        let message = "Send the body as it is, without a Content-Encoding.";
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_encoding", message)
    }

    /// 503: more is asked for at once than can be served.
    pub fn overloaded() -> Self {
        let message = "Too many requests are being served at the moment. Try again shortly.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", message).retry(true).after(1)
    }

    /// 503: the server stops.
    pub fn stopping() -> Self {
        let message = "The server is stopping. Try again shortly.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "stopping", message).retry(true).after(1)
    }

    /// 502: the upstream can't be reached, or broke its answer off.
    pub fn upstream_unreachable() -> Self {
        let message = "The model's server can't be reached, or broke off its answer. Nothing was counted.";
        Self::new(StatusCode::BAD_GATEWAY, "upstream_unreachable", message)
    }

    /// 504: the upstream doesn't answer. Asking again would only wait again.
    pub fn upstream_timeout() -> Self {
        let message = "The model's server doesn't answer.";
        Self::new(StatusCode::GATEWAY_TIMEOUT, "upstream_timeout", message).retry(false)
    }

    fn unavailable() -> Self {
        let message = "Whether there are tokens left can't be found out at the moment. Try again shortly.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message).retry(true).after(1)
    }

    /// 429 that is not worth repeating.
    fn denied(message: impl Into<String>) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "insufficient_quota", message).retry(false)
    }

    fn limit_reached(reached: &LimitReached) -> Self {
        let resets = reached.resets_at.format("%-d %B %Y, %H:%M UTC");
        let mut message = format!("{} It resets on {resets}.", reached.message());
        if let Some(plan) = &reached.suggested_plan {
            message.push_str(&format!(" The plan {} gives more.", plan.name));
        }
        let plan = reached.suggested_plan.as_ref().map(|plan| json!({"id": plan.id, "name": plan.name}));
        Self::denied(message)
            .with("limit", json!(reached.limit))
            .with("usage_type", json!(reached.usage_type))
            .with("resets_at", json!(reached.resets_at))
            .with("suggested_plan", json!(plan))
            .with_usage(&reached.usage, reached.usage_type)
    }

    /// Says what remains.
    pub fn with_usage(mut self, usage: &Usage, usage_type: UsageType) -> Self {
        self.0.headers.extend([remaining(usage, usage_type)]);
        self
    }

    /// Whether it is the upstream that failed.
    pub fn is_upstreams(&self) -> bool {
        matches!(self.0.status, StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT)
    }

    /// As an event of a stream that has begun: nothing else can be said there any more.
    pub fn event(&self, responses: bool) -> String {
        let Body { message, code, param, .. } = &self.0.body;
        if responses {
            let data = json!({"type": "error", "code": code, "message": message, "param": param});
            return format!("event: error\ndata: {data}\n\n");
        }
        format!("data: {}\n\n", json!({"error": self.0.body}))
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        match &refusal {
            Refusal::LimitReached(reached) => Self::limit_reached(reached),
            Refusal::NoSubscription | Refusal::NoAccess => Self::denied(refusal.to_string()),
            _ => Problem::from(refusal).into(),
        }
    }
}

impl From<error::Error> for ApiError {
    /// Logs whatever isn't meant for the client.
    fn from(error: error::Error) -> Self {
        match error {
            error::Error::Refused(refusal) => refusal.into(),
            error::Error::Overloaded { retry_after, .. } => {
                tracing::warn!(%error, "a request could not be metered");
                Self::overloaded().after(retry_after)
            }
            error => {
                tracing::error!(%error, "a request could not be metered");
                Self::unavailable()
            }
        }
    }
}

impl From<Problem> for ApiError {
    fn from(problem: Problem) -> Self {
        let status = problem.status();
        let code = match status {
            StatusCode::UNAUTHORIZED => "invalid_api_key",
            StatusCode::PAYLOAD_TOO_LARGE => "request_too_large",
            _ => problem.code(),
        };
        let error = Self::new(status, code, problem.detail());
        match status {
            StatusCode::UNAUTHORIZED => {
                let mut error = error;
                error.0.headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
                error
            }
            StatusCode::SERVICE_UNAVAILABLE => error.retry(true).after(1),
            _ => error,
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let Inner { status, body, headers } = *self.0;
        (status, headers, Json(json!({"error": body}))).into_response()
    }
}

/// Middleware: puts what other layers refuse into OpenAI's shape.
pub async fn in_openai_shape(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    match response.extensions_mut().remove::<Problem>() {
        Some(problem) => ApiError::from(problem).into_response(),
        None => response,
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    async fn answered(error: ApiError) -> (StatusCode, HeaderMap, Value) {
        let response = error.into_response();
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        (head.status, head.headers, serde_json::from_slice(&body).unwrap())
    }

    #[tokio::test]
    async fn a_denial_is_not_to_be_repeated() {
        let (status, headers, body) = answered(Refusal::NoSubscription.into()).await;
        assert_eq!(status, 429);
        assert_eq!(headers["x-should-retry"], "false");
        assert_eq!(body["error"]["code"], "insufficient_quota");
        assert_eq!(body["error"]["message"], "The group has no subscription.");
    }

    #[tokio::test]
    async fn who_is_not_known_has_an_invalid_key() {
        let (status, headers, body) = answered(Refusal::NotSignedIn.into()).await;
        assert_eq!((status.as_u16(), &body["error"]["code"]), (401, &json!("invalid_api_key")));
        assert_eq!(headers["www-authenticate"], "Bearer");
        assert!(body["error"]["param"].is_null());
    }

    #[tokio::test]
    async fn a_database_out_of_reach_is_a_denial_that_may_be_repeated() {
        let (status, headers, _) = answered(error::Error::Unavailable("secret".into()).into()).await;
        assert_eq!((status.as_u16(), &headers["x-should-retry"]), (503, &HeaderValue::from_static("true")));
        assert!(headers.contains_key(RETRY_AFTER));
    }

    #[test]
    fn an_error_in_a_stream_is_one_event() {
        let error = ApiError::upstream_unreachable();
        for responses in [false, true] {
            let event = error.event(responses);
            assert!(event.ends_with("\n\n") && event.matches("data: ").count() == 1, "{event}");
            assert!(event.contains("upstream_unreachable"));
        }
    }
}
