//! Chat completions, responses and embeddings: JSON in, text or numbers out, LLM tokens.

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Method};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use tokio::task::spawn_blocking;

use super::answer::{Api, End, Meter, Reader};
use super::count::{self, Prompt};
use super::document::{Document, with_member};
use super::error::ApiError;
use super::json::Json;
use super::models::{self, Model};
use super::relay::{Passing, pass};
use super::reservation::{self, Reservation};
use super::upstream::{Answer, Question};
use super::usage::Spent;
use super::{Gateway, Memory, headers};
use crate::domain::{Caller, GroupId, MAX_COUNT, UsageType};

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
    let plan = Plan::of(&gateway, group, api, body).await?;
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
    // From here on the upstream reads the prompt, whoever hangs up.
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

/// What a request asks for.
struct Plan {
    api: Api,
    document: Document,
    name: Option<String>,
    model: Model,
    prompt: Prompt,
    /// The most tokens that each of the choices may have.
    answer: i64,
    choices: i64,
    /// Whether a stream's usage is for us alone.
    hides_usage: bool,
    streams: bool,
}

impl Plan {
    /// Reads and counts a body.
    async fn of(gateway: &Gateway, group: GroupId, api: Api, body: Bytes) -> Result<Self, ApiError> {
        let (gateway, length) = (gateway.clone(), body.len());
        let read = move || Self::read(api, body, |id| gateway.earlier().tokens(group, id));
        at_once_or_blocking(length, read).await?
    }

    fn read(api: Api, body: Bytes, earlier: impl Fn(&str) -> Option<i64>) -> Result<Self, ApiError> {
        let document = Document::parse(body)?;
        let name = count::text(&document, "model");
        let model = name.as_deref().map_or(models::UNKNOWN, models::find);
        let (mut choices, mut answer) = (1, 0);
        let prompt = match api {
            Api::Chat => {
                choices = count::maximum(&document, &["n"])?.unwrap_or(1);
                answer = count::maximum(&document, &CHAT_MAXIMA)?.unwrap_or(model.max_output);
                count::chat(&document, model)?
            }
            Api::Responses => {
                if count::flag(&document, "background") {
                    let message = "A response in the background is read at a path that isn't metered.";
                    return Err(ApiError::invalid("background", message));
                }
                answer = count::maximum(&document, &[RESPONSES_MAXIMUM])?.unwrap_or(model.max_output);
                count::responses(&document, model, earlier)?
            }
            Api::Embeddings => count::embeddings(&document, model)?,
        };
        let streams = api == Api::Chat && count::flag(&document, "stream");
        let asked = document.values(STREAM_OPTIONS)?;
        let hides_usage =
            !asked.last().is_some_and(|options| options.get("include_usage") == Some(&Json::Bool(true)));
        Ok(Self { api, name, model, prompt, answer, choices, hides_usage, streams, document })
    }

    /// How many tokens each choice may have of those that are held.
    async fn share(&self, reservation: &Reservation) -> Result<i64, ApiError> {
        let held = reservation.tokens() - self.prompt.bound;
        if self.answer > 0 && held < self.choices {
            // One token each, or none of them.
            reservation.grow(self.prompt.bound.saturating_add(self.choices).min(MAX_COUNT)).await?;
            return Ok(1);
        }
        Ok(held / self.choices)
    }

    /// The body with its maximum lowered to what each choice may have, and asking for its usage.
    fn body(&self, share: i64) -> Bytes {
        let mut edit = self.document.edit();
        let lowered = |text: &str| {
            let asked = Json::parse(text).ok().and_then(|value| value.count());
            asked.is_some_and(|asked| asked > share).then(|| share.to_string())
        };
        let (names, preferred): (&[&str], _) = match self.api {
            Api::Chat => (&CHAT_MAXIMA, self.model.chat_maximum),
            Api::Responses => (&[RESPONSES_MAXIMUM], RESPONSES_MAXIMUM),
            Api::Embeddings => (&[], ""),
        };
        let given = names.iter().any(|name| self.document.texts(name).any(|text| text != "null"));
        for name in names {
            if given || *name != preferred {
                edit.each(name, lowered, None);
            } else {
                let set = share.to_string();
                edit.each(name, |_| Some(set.clone()), Some(set.clone()));
            }
        }
        if self.streams && self.hides_usage {
            let asking = |options: &str| Some(with_member(options, "include_usage", "true"));
            edit.each(STREAM_OPTIONS, asking, asking("null"));
        }
        edit.apply()
    }
}

const CHAT_MAXIMA: [&str; 2] = ["max_completion_tokens", "max_tokens"];
const RESPONSES_MAXIMUM: &str = "max_output_tokens";
const STREAM_OPTIONS: &str = "stream_options";

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(api: Api, body: &str) -> Result<Plan, ApiError> {
        Plan::read(api, Bytes::copy_from_slice(body.as_bytes()), |_| None)
    }

    fn lowered(api: Api, body: &str, share: i64) -> String {
        String::from_utf8(plan(api, body).unwrap().body(share).into()).unwrap()
    }

    #[test]
    fn a_maximum_is_lowered_where_it_stands_and_never_raised() {
        let body = r#"{ "max_tokens" : 4e3, "messages":[],"x":1.0, "model":"gpt-4o"}"#;
        assert_eq!(lowered(Api::Chat, body, 300), body.replace("4e3", "300"));
        assert_eq!(lowered(Api::Chat, body, 5_000), body);
        let twice = r#"{"model":"gpt-4o","max_tokens":9,"max_tokens":900,"max_completion_tokens":901}"#;
        let expected = r#"{"model":"gpt-4o","max_tokens":9,"max_tokens":300,"max_completion_tokens":300}"#;
        assert_eq!(lowered(Api::Chat, twice, 300), expected);
    }

    #[test]
    fn a_maximum_that_is_not_given_is_set_in_the_field_that_the_model_knows() {
        for (model, name) in [("gpt-4o", "max_completion_tokens"), ("mistral-large", "max_tokens")] {
            let body = format!(r#"{{"model":"{model}","messages":[]}}"#);
            let expected = body.replacen('{', &format!("{{\"{name}\":300,"), 1);
            assert_eq!(lowered(Api::Chat, &body, 300), expected);
        }
        let null = r#"{"model":"gpt-4o","max_completion_tokens":null,"max_tokens":null}"#;
        let expected = r#"{"model":"gpt-4o","max_completion_tokens":300,"max_tokens":null}"#;
        assert_eq!(lowered(Api::Chat, null, 300), expected);
        assert_eq!(
            lowered(Api::Responses, r#"{"input":"x"}"#, 300),
            r#"{"max_output_tokens":300,"input":"x"}"#
        );
        assert_eq!(lowered(Api::Embeddings, r#"{"input":"x"}"#, 0), r#"{"input":"x"}"#);
    }

    #[test]
    fn a_streams_usage_is_asked_for_and_kept_from_who_did_not() {
        let body = |rest: &str| format!(r#"{{"model":"gpt-4o","max_tokens":9{rest}}}"#);
        let asked = r#","stream":true,"stream_options":{"include_usage":true,"x":1}"#;
        assert_eq!(lowered(Api::Chat, &body(asked), 300), body(asked));
        assert!(!plan(Api::Chat, &body(asked)).unwrap().hides_usage);
        let unasked = body(r#","stream":true"#);
        let expected = unasked.replacen('{', r#"{"stream_options":{"include_usage":true},"#, 1);
        assert_eq!(lowered(Api::Chat, &unasked, 300), expected);
        let refused = body(r#","stream":true,"stream_options":{"include_usage":false}"#);
        assert_eq!(lowered(Api::Chat, &refused, 300), refused.replace("false", "true"));
        assert!(plan(Api::Chat, &refused).unwrap().hides_usage);
        assert_eq!(lowered(Api::Chat, &body(""), 300), body(""));
    }

    #[test]
    fn what_cannot_be_metered_is_refused_by_its_name() {
        for (api, body, field) in [
            (Api::Chat, r#"{"max_tokens":"many"}"#, "max_tokens"),
            (Api::Chat, r#"{"max_completion_tokens":0}"#, "max_completion_tokens"),
            (Api::Chat, r#"{"n":-1}"#, "n must"),
            (Api::Responses, r#"{"max_output_tokens":1.5}"#, "max_output_tokens"),
            (Api::Responses, r#"{"background":true}"#, "background"),
        ] {
            let error = plan(api, body).err().unwrap();
            assert!(error.to_string().contains(field), "{body}: {error}");
        }
    }
}
