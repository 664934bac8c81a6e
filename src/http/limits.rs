//! How long a client may take. Nothing here limits an answer's body: a stream stays open.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use thiserror::Error;
use tokio::time::{Instant, Sleep, sleep_until, timeout};

use super::problem::Problem;

/// Time limits on requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeLimits {
    /// From the connection to the end of the first request's headers.
    pub first_headers: Duration,
    /// From one answer to the end of the next request's headers. Proxies keep connections open for a minute and
    /// more; a shorter limit would close one just as it is used again.
    pub next_headers: Duration,
    /// Between two pieces of a body.
    pub body_idle: Duration,
    /// For a whole body.
    pub body: Duration,
    /// From the headers of a request to the headers of its answer. Longer than a body and a long poll may take, so
    /// that it is never the client's slowness that is answered with 503.
    pub answer: Duration,
}

impl TimeLimits {
    /// Those of the gateway: recordings are uploaded for minutes, and a model may think for ten. How long it may is
    /// limited where it is asked.
    pub fn of_gateway(self) -> Self {
        Self { body: Duration::from_secs(600), answer: Duration::from_secs(1_800), ..self }
    }
}

impl Default for TimeLimits {
    fn default() -> Self {
        Self {
            first_headers: Duration::from_secs(10),
            next_headers: Duration::from_secs(75),
            body_idle: Duration::from_secs(10),
            body: Duration::from_secs(30),
            answer: Duration::from_secs(75),
        }
    }
}

/// Middleware: 503 where the answer takes too long, and a body that ends with [`BodyTimeout`] where it does.
pub async fn limit_time(State(limits): State<TimeLimits>, request: Request, next: Next) -> Response {
    let request = request.map(|body| match body.is_end_stream() {
        true => body,
        false => Body::new(TimedBody::new(body, limits)),
    });
    match timeout(limits.answer, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            tracing::error!(limit = ?limits.answer, "a request took too long");
            Problem::unavailable().into_response()
        }
    }
}

/// The client sends its body too slowly.
#[derive(Clone, Copy, Debug, Error)]
#[error("the body took too long")]
pub struct BodyTimeout;

/// A body that has to arrive in time.
struct TimedBody {
    body: Body,
    idle: Duration,
    until: Instant,
    /// Set while a piece is waited for.
    wait: Option<Pin<Box<Sleep>>>,
}

impl TimedBody {
    fn new(body: Body, limits: TimeLimits) -> Self {
        Self { body, idle: limits.body_idle, until: Instant::now() + limits.body, wait: None }
    }
}

impl HttpBody for TimedBody {
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            self.wait = None;
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let until = self.until.min(Instant::now() + self.idle);
        let wait = self.wait.get_or_insert_with(|| Box::pin(sleep_until(until)));
        ready!(wait.as_mut().poll(context));
        Poll::Ready(Some(Err(BodyTimeout.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
