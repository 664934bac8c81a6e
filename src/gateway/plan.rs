//! What a request for text asks for: how many tokens it may take, and the body to ask the upstream with.

use bytes::Bytes;

use super::answer::Api;
use super::count::{self, Prompt};
use super::document::{Document, with_member};
use super::error::ApiError;
use super::json::Json;
use super::models::{self, Model};
use super::reservation::Reservation;
use crate::domain::MAX_COUNT;

/// What a request asks for.
pub struct Plan {
    api: Api,
    document: Document,
    /// The model's name, as the request says it.
    pub name: Option<String>,
    pub model: Model,
    pub prompt: Prompt,
    /// The most tokens that each of the choices may have.
    pub answer: i64,
    pub choices: i64,
    /// Whether a stream's usage is for us alone.
    pub hides_usage: bool,
    streams: bool,
}

impl Plan {
    /// Reads and counts a body. `earlier` says how many tokens what it goes on from had.
    ///
    /// # Errors
    /// 400 where it can't be read, or not be metered.
    pub fn read(api: Api, body: Bytes, earlier: impl Fn(&str) -> Option<i64>) -> Result<Self, ApiError> {
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
    ///
    /// # Errors
    /// As [`Reservation::grow`], where there isn't one for each.
    pub async fn share(&self, reservation: &Reservation) -> Result<i64, ApiError> {
        let held = reservation.tokens() - self.prompt.bound;
        if self.answer > 0 && held < self.choices {
            // One token each, or none of them.
            reservation.grow(self.prompt.bound.saturating_add(self.choices).min(MAX_COUNT)).await?;
            return Ok(1);
        }
        Ok(held / self.choices)
    }

    /// The body with its maximum lowered to what each choice may have, and asking for its usage.
    pub fn body(&self, share: i64) -> Bytes {
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
