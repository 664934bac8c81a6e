//! Chat completions, responses and embeddings: JSON in, text or numbers out, LLM tokens.

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Method};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use tokio::task::spawn_blocking;

use super::answer::{Api, End, Meter};
use super::error::ApiError;
use super::plan::Plan;
use super::reader::Reader;
use super::relay::{Passing, pass};
use super::reservation::{self, Reservation};
use super::upstream::{Answer, Question};
use super::usage::Spent;
use super::{Gateway, Memory, headers};
use crate::domain::{Caller, MAX_COUNT, UsageType};

/// Up to so many bytes a body is counted at once; a longer one on a thread that may block.
const COUNTED_AT_ONCE: usize = 4 << 10;
/// The longest answer that is gathered, so that its headers can say what it cost. A longer one passes as it comes.
const GATHERED: usize = 8 << 20;

impl Api {
    fn path(self) -> &'static str {
        match self {
            Self::Chat => "/chat/completions",
            Self::Responses => "/responses",
            Self::Embeddings => "/embeddings",
        }
    }
}

/// Serves a request.
///
/// # Errors
/// As the upstream's are put, those of reading, holding and asking.
pub async fn complete(
    gateway: Gateway,
    caller: Caller,
    api: Api,
    request: Request,
) -> Result<Response, ApiError> {
    let group = caller.user.must_have_group()?;
    let place = gateway.place()?;
    let (parts, body) = request.into_parts();
    let (body, memory) = gateway.read(&parts.headers, body).await?;
    let (remembering, length) = (gateway.clone(), body.len());
    let earlier = move |id: &str| remembering.earlier().tokens(group, id);
    let plan = at_once_or_blocking(length, move || Plan::read(api, body, earlier)).await??;
    let request = reservation::Request {
        usage_type: UsageType::Llm,
        prompt: plan.prompt.bound,
        answer: plan.answer.saturating_mul(plan.choices).min(MAX_COUNT / 2),
        model: plan.name.clone(),
    };
    let reservation = Reservation::new(&gateway, caller, place, request).await?;
    let body = plan.body(plan.share(&reservation).await?);
    let Plan { prompt, model, hides_usage, .. } = plan;
    let query = parts.uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let path = format!("{}{query}", api.path());
    let question = Question { method: Method::POST, path, headers: parts.headers, body: body.into() };
    // From here on the upstream reads the prompt, also where the client hangs up.
    reservation.on_drop(Spent::estimate(prompt.estimate, 0));
    let asked = reservation.keep_during(gateway.upstream().ask(question)).await;
    drop(memory);
    let answer = match asked {
        Ok(answer) if answer.status.is_success() => answer,
        Ok(refused) => return Ok(pass_refusal(refused, reservation).await),
        Err(error) => return Err(fail(error, reservation).await),
    };
    let meter = Meter::new(api, model, prompt.estimate);
    let responses = api == Api::Responses;
    let passing = Passing { gateway, group, reservation, meter, prompt: prompt.bound, responses };
    if answer.is_event_stream() {
        return Ok(streamed(passing, Vec::new(), answer, Reader::events(hides_usage)));
    }
    gathered(passing, answer).await
}

/// An answer that is passed on while it comes.
fn streamed(
    passing: Passing,
    first: Vec<(Bytes, Option<Memory>)>,
    answer: Answer,
    reader: Reader,
) -> Response {
    let reservation = &passing.reservation;
    let usage = reservation.usage();
    let held = usage.map(|usage| headers::held(reservation.tokens(), usage, UsageType::Llm));
    let mut head = answer.headers.clone();
    head.extend(held.unwrap_or_default());
    // nginx would hold events back to fill its buffer.
    head.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    (answer.status, head, pass(passing, first, answer, reader)).into_response()
}

/// An answer that is read whole before it is passed on, so that its headers say what it cost; unless it is too long.
async fn gathered(passing: Passing, mut answer: Answer) -> Result<Response, ApiError> {
    let mut pieces: Vec<(Bytes, Option<Memory>)> = Vec::new();
    let mut length = 0;
    loop {
        let piece = match passing.reservation.keep_during(answer.next()).await {
            Ok(Some(piece)) => piece,
            Ok(None) => break,
            // Nothing of it was passed on.
            Err(error) => return Err(fail(error, passing.reservation).await),
        };
        length += piece.len();
        let memory = passing.gateway.memory(piece.len());
        let full = length > GATHERED || memory.is_none();
        pieces.push((piece, memory));
        if full {
            return Ok(streamed(passing, pieces, answer, Reader::Long { tail: Vec::new() }));
        }
    }
    let Passing { gateway, group, reservation, mut meter, .. } = passing;
    let body: Bytes = pieces.iter().map(|(piece, _)| &piece[..]).collect::<Vec<_>>().concat().into();
    let whole = body.clone();
    let meter = at_once_or_blocking(body.len(), move || {
        meter.read(&whole);
        meter
    });
    let meter = meter.await?;
    let spent = meter.spent(End::Complete);
    for id in meter.ids() {
        gateway.earlier().remember(group, id, spent.tokens);
    }
    let usage = reservation.settle(spent).await;
    let mut head = answer.headers;
    head.extend(headers::used(spent.tokens, usage.as_ref(), UsageType::Llm));
    Ok((answer.status, head, body).into_response())
}

/// The upstream's own refusal, which costs nothing.
pub async fn pass_refusal(answer: Answer, reservation: Reservation) -> Response {
    let usage_type = reservation.usage_type();
    let usage = reservation.release().await;
    let mut head = answer.headers.clone();
    head.extend(headers::used(0, usage.as_ref(), usage_type));
    (answer.status, head, answer.into_body()).into_response()
}

/// An upstream that gave no answer: it costs nothing.
pub async fn fail(error: ApiError, reservation: Reservation) -> ApiError {
    let usage_type = reservation.usage_type();
    match reservation.release().await {
        Some(usage) => error.with_usage(&usage, usage_type),
        None => error,
    }
}

async fn at_once_or_blocking<T: Send + 'static>(
    length: usize,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ApiError> {
    if length <= COUNTED_AT_ONCE {
        return Ok(work());
    }
    let failed = |error: tokio::task::JoinError| crate::error::Error::Internal(format!("counting: {error}"));
    Ok(spawn_blocking(work).await.map_err(failed)?)
}
