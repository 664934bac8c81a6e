//! Text to speech: voice tokens, two for each character.

use axum::extract::Request;
use axum::http::Method;
use axum::response::{IntoResponse, Response};

use super::completion::{fail, pass_refusal};
use super::document::Document;
use super::error::ApiError;
use super::reservation::{self, Reservation};
use super::tokens::whole;
use super::upstream::Question;
use super::usage::Spent;
use super::{Gateway, count, headers};
use crate::domain::{Caller, MAX_COUNT, UsageType};

/// Voice tokens for each character that is spoken.
const PER_CHARACTER: i64 = 2;

/// Serves a request. It is settled when the upstream begins to speak: what it costs is known before.
///
/// # Errors
/// Those of reading, holding and asking.
pub async fn speak(gateway: Gateway, caller: Caller, request: Request) -> Result<Response, ApiError> {
    let place = gateway.place()?;
    let (parts, body) = request.into_parts();
    let (body, memory) = gateway.read(&parts.headers, body).await?;
    let document = Document::parse(body.clone())?;
    let tokens = cost(&document)?;
    let request = reservation::Request {
        usage_type: UsageType::Voice,
        prompt: tokens.max(1),
        answer: 0,
        model: count::text(&document, "model"),
    };
    let reservation = Reservation::new(&gateway, caller, place, request).await?;
    let query = parts.uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let path = format!("/audio/speech{query}");
    let question = Question { method: Method::POST, path, headers: parts.headers, body: body.into() };
    reservation.on_drop(Spent { estimated: true, ..Spent::of(tokens) });
    let asked = reservation.keep_during(gateway.upstream().ask(question)).await;
    drop(memory);
    match asked {
        Ok(answer) if answer.status.is_success() => {
            let usage = reservation.settle(Spent::of(tokens)).await;
            let mut head = answer.headers.clone();
            head.extend(headers::used(tokens, usage.as_ref(), UsageType::Voice));
            Ok((answer.status, head, answer.into_body()).into_response())
        }
        Ok(refused) => Ok(pass_refusal(refused, reservation).await),
        Err(error) => Err(fail(error, reservation).await),
    }
}

/// Characters times two. Of several texts under the name, whichever the upstream takes is paid.
fn cost(document: &Document) -> Result<i64, ApiError> {
    let inputs = document.values("input")?;
    let characters = inputs.iter().map(|input| input.text().map_or(0, |text| text.chars().count())).max();
    Ok(whole(characters.unwrap_or(0)).saturating_mul(PER_CHARACTER).min(MAX_COUNT))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn a_character_costs_two_tokens() {
        let of = |text: &'static str| {
            cost(&Document::parse(Bytes::from_static(text.as_bytes())).unwrap()).unwrap()
        };
        assert_eq!(of(r#"{"input":"Hello"}"#), 10);
        assert_eq!(of(r#"{"input":"h\u00e9llo 🙂"}"#), 14);
        assert_eq!(of(r#"{"input":""}"#), 0);
        assert_eq!(of("{}"), 0);
    }
}
