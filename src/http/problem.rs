//! Every error of the API as RFC 9457 `application/problem+json`.
//!
//! A handler returns a [`Problem`]; what becomes of it is decided in one place, [`finish`], which the
//! outermost middleware calls: it knows the request's id, and it also turns errors that were born
//! elsewhere (an unknown path, a method that isn't allowed) into the same shape.

use std::borrow::Cow;

use axum::body::Body;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

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

/// Why a request was not served (RFC 9457).
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct Details {
    /// Identifies the kind of problem; ends in its code.
    #[serde(rename = "type")]
    #[schema(value_type = String, format = "uri-reference")]
    kind: String,
    /// The kind of problem, in words.
    #[schema(value_type = String)]
    title: &'static str,
    /// The HTTP status, again.
    status: u16,
    /// What happened, for people.
    #[schema(value_type = String)]
    detail: Cow<'static, str>,
    /// The kind of problem, for programs: a stable word.
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
    #[serde(skip)]
    #[schema(ignore)]
    retry_after: Option<u64>,
}

impl Problem {
    fn new(
        status: StatusCode,
        code: &'static str,
        title: &'static str,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self(Box::new(Details {
            kind: format!("/api/docs/#problem-{code}"),
            title,
            status: status.as_u16(),
            detail: detail.into(),
            code,
            request_id: String::new(),
            errors: None,
            decline_code: None,
            retry_after: None,
        }))
    }

    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    pub fn code(&self) -> &'static str {
        self.0.code
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

    /// 413: the body is larger than `limit` bytes.
    pub fn too_large(limit: usize) -> Self {
        let detail = format!("The body must take at most {limit} bytes.");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "Too large", detail)
    }

    /// 415: the body isn't announced as JSON.
    pub fn not_json() -> Self {
        let detail = "Send JSON, with the header Content-Type: application/json.";
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_json", "Not JSON", detail)
    }

    /// 503: the database or Stripe can't be reached.
    pub fn unavailable() -> Self {
        let detail = "The service can't do this at the moment. Try again shortly.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Unavailable", detail)
    }

    /// 500: a defect of the server. Whoever finds it logs it.
    pub fn internal() -> Self {
        let detail = "Something went wrong here. The request's id helps to find out what.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Internal error", detail)
    }

    /// An error that carries nothing but a status, put in words.
    fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => {
                Self::new(status, "not_found", "Not found", "There is nothing at this path.")
            }
            StatusCode::METHOD_NOT_ALLOWED => {
                let detail = "This path doesn't take this method. The Allow header lists those it takes.";
                Self::new(status, "method_not_allowed", "Method not allowed", detail)
            }
            // What fails without a word is the session middleware, when its store can't be reached.
            status if status.is_server_error() => Self::unavailable(),
            status => Self::new(status, "malformed", "Malformed request", "The request is malformed."),
        }
    }
}

/// Status and title of a refusal.
fn kind(refusal: &Refusal) -> (StatusCode, &'static str) {
    match refusal {
        Refusal::Malformed(_) => (StatusCode::BAD_REQUEST, "Malformed request"),
        Refusal::NotSignedIn => (StatusCode::UNAUTHORIZED, "Not signed in"),
        Refusal::WrongCredentials => (StatusCode::UNAUTHORIZED, "Wrong credentials"),
        Refusal::CardDeclined { .. } => (StatusCode::PAYMENT_REQUIRED, "Card declined"),
        Refusal::Forbidden(_) => (StatusCode::FORBIDDEN, "Forbidden"),
        Refusal::CrossOrigin => (StatusCode::FORBIDDEN, "Cross-origin request"),
        Refusal::SignupClosed => (StatusCode::FORBIDDEN, "Sign-up closed"),
        Refusal::NotFound(_) => (StatusCode::NOT_FOUND, "Not found"),
        Refusal::NoSubscription => (StatusCode::NOT_FOUND, "No subscription"),
        Refusal::InvitationGone => (StatusCode::NOT_FOUND, "Invitation gone"),
        Refusal::SubscriptionExists => (StatusCode::CONFLICT, "Subscription exists"),
        Refusal::PurchaseInProgress => (StatusCode::CONFLICT, "Purchase in progress"),
        Refusal::StripeRefused(_) => (StatusCode::CONFLICT, "Refused by Stripe"),
        Refusal::MaxUsersReached(_) => (StatusCode::CONFLICT, "No seat left"),
        Refusal::TooManyMembers { .. } => (StatusCode::CONFLICT, "Too many members"),
        Refusal::LastAdmin => (StatusCode::CONFLICT, "Last admin"),
        Refusal::EmailTaken => (StatusCode::CONFLICT, "E-mail address taken"),
        Refusal::PlanArchived => (StatusCode::CONFLICT, "Plan archived"),
        Refusal::EventMismatch { .. } => (StatusCode::CONFLICT, "Event mismatch"),
        Refusal::IdempotencyMismatch => (StatusCode::CONFLICT, "Idempotency-Key mismatch"),
        Refusal::IdempotencyInProgress => (StatusCode::CONFLICT, "Request in progress"),
        Refusal::Conflict(_) => (StatusCode::CONFLICT, "Conflict"),
        Refusal::TooManyAttempts { .. } => (StatusCode::TOO_MANY_REQUESTS, "Too many attempts"),
        Refusal::Invalid(_) => (StatusCode::UNPROCESSABLE_ENTITY, "Invalid"),
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let (status, title) = kind(&refusal);
        let mut problem = Self::new(status, refusal.code(), title, refusal.to_string());
        match refusal {
            Refusal::Invalid(errors) => problem.0.errors = Some(errors),
            Refusal::CardDeclined { decline_code, .. } => problem.0.decline_code = decline_code,
            Refusal::TooManyAttempts { retry_after } => problem.0.retry_after = Some(retry_after),
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
                let mut problem = Self::unavailable();
                problem.0.retry_after = Some(retry_after);
                problem
            }
            Error::Database(_) | Error::Stripe(_) | Error::Stopping(_) => {
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
        if self.0.code == Refusal::NotSignedIn.code() {
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

/// Whatever under `/api` is no path of the API.
pub async fn nothing_here() -> Problem {
    Problem::of_status(StatusCode::NOT_FOUND)
}

#[cfg(test)]
mod tests;
