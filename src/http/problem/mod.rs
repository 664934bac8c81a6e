//! Every error of the API as RFC 9457 `application/problem+json`.
//!
//! A handler returns a [`Problem`]; what becomes of it is decided in one place, [`finish`], which the
//! outermost middleware calls: it knows the request's id, and it also turns errors that were born
//! elsewhere (an unknown path, a method that isn't allowed) into the same shape.

pub mod types;

use std::borrow::Cow;

use axum::body::Body;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use self::types::ProblemType;
use super::request_id::RequestId;
use crate::domain::{FieldError, Refusal};
use crate::error::Error;

/// The media type of every error.
pub const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

/// What a handler answers.
pub type ApiResult<T> = Result<T, Problem>;

/// Why a request was not served (RFC 9457). Boxed: results that rarely hold one should stay small.
#[derive(Clone, Debug)]
pub struct Problem(Box<Details>);

/// Why a request was not served (RFC 9457). Some codes add members of their own; their operations say which.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct Details {
    /// Identifies the type of problem: where the page of errors explains its code.
    #[serde(rename = "type")]
    #[schema(value_type = String, format = "uri-reference")]
    uri: String,
    /// The type of problem, for people.
    #[schema(value_type = String)]
    title: &'static str,
    /// The HTTP status, again.
    status: u16,
    /// What happened, for people.
    #[schema(value_type = String)]
    detail: Cow<'static, str>,
    /// The type of problem, for programs: it never changes.
    #[schema(value_type = String)]
    code: &'static str,
    /// The request's id, as in the `x-request-id` header and in the server's log.
    request_id: String,
    /// With status 422: what is wrong, by field.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    errors: Option<Vec<FieldError>>,
    /// With code `card_declined`: the bank's reason in Stripe's words, where it gave one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    decline_code: Option<String>,
    /// The seconds to wait before repeating the request, as in the `Retry-After` header.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    retry_after: Option<u64>,
    #[serde(flatten)]
    #[schema(ignore)]
    members: Map<String, Value>,
}

impl Problem {
    fn new(kind: &'static ProblemType, detail: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Details {
            uri: format!("{}#{}", types::PAGE, kind.code),
            title: kind.title,
            status: kind.status.as_u16(),
            detail: detail.into(),
            code: kind.code,
            request_id: String::new(),
            errors: None,
            decline_code: None,
            retry_after: None,
            members: Map::new(),
        }))
    }

    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    pub fn code(&self) -> &'static str {
        self.0.code
    }

    /// What happened, for people.
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    /// What is wrong, by field; empty unless the status is 422.
    pub fn errors(&self) -> &[FieldError] {
        self.0.errors.as_deref().unwrap_or_default()
    }

    /// Changes how fields are named.
    pub fn rename_fields(mut self, rename: impl Fn(&str) -> String) -> Self {
        for error in self.0.errors.iter_mut().flatten() {
            error.field = rename(&error.field);
        }
        self
    }

    /// Adds a member that the problem's code defines (RFC 9457, section 3.2), described where its operation is.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Serialize) -> Self {
        match serde_json::to_value(value) {
            Ok(value) => {
                self.0.members.insert(name.into(), value);
            }
            Err(error) => tracing::error!(%error, name, "a problem's member could not be written"),
        }
        self
    }

    fn retry_after(mut self, seconds: u64) -> Self {
        self.0.retry_after = Some(seconds);
        self
    }

    /// 405, without an `Allow` header.
    pub fn method_not_allowed() -> Self {
        Self::new(&types::METHOD_NOT_ALLOWED, types::METHOD_NOT_ALLOWED.meaning)
    }

    /// 408: the body didn't arrive in time.
    pub fn request_timeout() -> Self {
        Self::new(&types::REQUEST_TIMEOUT, types::REQUEST_TIMEOUT.meaning)
    }

    /// 413: the body is larger than `limit` bytes.
    pub fn too_large(limit: usize) -> Self {
        Self::new(&types::TOO_LARGE, format!("The body must take at most {limit} bytes."))
    }

    /// 415: the body isn't announced as JSON.
    pub fn not_json() -> Self {
        Self::new(&types::NOT_JSON, "Send JSON, with the header Content-Type: application/json.")
    }

    /// 503: the database can't be reached, or the server has too much to do.
    pub fn unavailable() -> Self {
        Self::new(&types::UNAVAILABLE, "The service can't do this at the moment. Try again shortly.")
    }

    /// 503: Stripe didn't answer, or not in a way that makes sense.
    pub fn stripe() -> Self {
        let detail = "Stripe doesn't answer as it should at the moment. Try again: nothing is charged twice.";
        Self::new(&types::UNAVAILABLE, detail)
    }

    /// 500: a defect of the server, logged where it is found.
    pub fn internal() -> Self {
        let detail = "Something went wrong here. The request's id helps to find out what.";
        Self::new(&types::INTERNAL, detail)
    }

    /// An error that carries nothing but a status, put in words.
    fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => Self::new(&types::NOT_FOUND, "There is nothing at this path."),
            StatusCode::METHOD_NOT_ALLOWED => Self::method_not_allowed(),
            // The session middleware answers so when its store can't be reached.
            status if status.is_server_error() => Self::unavailable(),
            _ => Self::new(&types::MALFORMED, "The request is malformed."),
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let mut problem = Self::new(types::of(&refusal), refusal.to_string());
        match refusal {
            Refusal::Invalid(errors) => problem.0.errors = Some(errors),
            Refusal::CardDeclined { decline_code, .. } => problem.0.decline_code = decline_code,
            Refusal::LimitReached(reached) => {
                return problem
                    .with("limit", reached.limit)
                    .with("usage", &reached.usage)
                    .with("suggested_plan", &reached.suggested_plan)
                    .with("resets_at", reached.resets_at);
            }
            Refusal::TooManyAttempts { retry_after } => return problem.retry_after(retry_after),
            _ => {}
        }
        problem
    }
}

impl From<Error> for Problem {
    /// Logs whatever isn't meant for the client. The request's span adds its id.
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(refusal) => refusal.into(),
            Error::Internal(_) => {
                tracing::error!(%error, "a request failed");
                Self::internal()
            }
            Error::Overloaded { retry_after, .. } => {
                tracing::warn!(%error, "a request could not be served");
                let problem = if error.is_stripes() { Self::stripe() } else { Self::unavailable() };
                problem.retry_after(retry_after)
            }
            Error::Stripe(_) => {
                tracing::error!(%error, "Stripe didn't do what it was asked");
                Self::stripe()
            }
            Error::Database(_) | Error::Unavailable(_) | Error::Stopping(_) => {
                tracing::error!(%error, "a request could not be served");
                Self::unavailable()
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        let headers = response.headers_mut();
        if self.0.code == types::NOT_SIGNED_IN.code {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = self.0.retry_after {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        response.extensions_mut().insert(self);
        response
    }
}

/// Writes the body of a problem, now that the request's id is known. `adopt` also turns any other error
/// response into a problem.
pub fn finish(response: &mut Response, id: &RequestId, adopt: bool) {
    let status = response.status();
    let mut problem = match response.extensions_mut().remove::<Problem>() {
        Some(problem) => problem,
        None if adopt && is_bare_error(response) => {
            let problem = Problem::of_status(status);
            *response.status_mut() = problem.status();
            problem
        }
        None => return,
    };
    id.as_str().clone_into(&mut problem.0.request_id);
    let headers = response.headers_mut();
    headers.remove(CONTENT_LENGTH);
    headers.insert(CONTENT_TYPE, PROBLEM_JSON);
    *response.body_mut() = serde_json::to_vec(&problem.0).map_or_else(|_| Body::empty(), Body::from);
}

fn is_bare_error(response: &Response) -> bool {
    (response.status().is_client_error() || response.status().is_server_error())
        && response.headers().get(CONTENT_TYPE) != Some(&PROBLEM_JSON)
}

/// The answer to a request whose handler panicked. Standard error has the panic's own message.
pub fn on_panic(_: Box<dyn std::any::Any + Send>) -> Response {
    tracing::error!("a handler panicked");
    Problem::internal().into_response()
}

/// The answer to a path under `/api` that is none of the API's.
pub async fn unknown_path() -> Problem {
    Problem::of_status(StatusCode::NOT_FOUND)
}

#[cfg(test)]
mod tests;
