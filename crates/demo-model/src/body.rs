//! Bodies in JSON, and what is wrong with them, told by the parameter's path as OpenAI tells it.

use std::fmt;
use std::marker::PhantomData;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use serde::Deserialize;
use serde::de::value::SeqAccessDeserializer;
use serde::de::{DeserializeOwned, Deserializer, SeqAccess, Visitor};
use serde_json::Value;

use crate::JSON_LIMIT;
use crate::error::ApiError;

/// A whole body, not read as JSON yet: a large one is read off the async runtime.
pub struct RawBody(Bytes);

impl<S: Send + Sync> FromRequest<S> for RawBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        match Bytes::from_request(request, state).await {
            Ok(bytes) => Ok(Self(bytes)),
            Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                Err(ApiError::too_large(JSON_LIMIT))
            }
            Err(rejection) => Err(ApiError::bad_request(rejection.body_text())),
        }
    }
}

impl RawBody {
    /// # Errors
    /// 400 if it isn't JSON, or a parameter is missing or of a wrong type.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        let value: Value = serde_json::from_slice(&self.0).map_err(|error| {
            ApiError::bad_request(format!("We could not parse the JSON body of your request: {error}."))
        })?;
        if !value.is_object() {
            return Err(ApiError::bad_request("The JSON body of your request must be an object."));
        }
        serde_path_to_error::deserialize(value)
            .map_err(|error| explain(&error.path().to_string(), &error.inner().to_string()))
    }
}

/// From serde's words to OpenAI's. serde has no other way of telling its kinds of error apart than their texts.
fn explain(path: &str, error: &str) -> ApiError {
    // The document itself is ".".
    let at = |field: &str| if path == "." { field.to_owned() } else { format!("{path}.{field}") };
    if let Some(field) = error.strip_prefix("missing field `").and_then(|rest| rest.split('`').next()) {
        return ApiError::missing(at(field));
    }
    if let Some(rest) = error.strip_prefix("unknown variant ") {
        return ApiError::invalid(path, "invalid_value", format!("Invalid value for '{path}': {rest}."));
    }
    ApiError::invalid(path, "invalid_type", format!("Invalid type for '{path}': {error}."))
}

/// What OpenAI takes as a string or as a list of something.
#[derive(Debug)]
pub enum TextOr<T> {
    Text(String),
    List(Vec<T>),
}

/// By hand, not `untagged`: that would lose the path of an error inside the list.
impl<'de, T: Deserialize<'de>> Deserialize<'de> for TextOr<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrVisitor<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for TextOrVisitor<T> {
            type Value = TextOr<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or an array")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(TextOr::Text(text.to_owned()))
            }

            fn visit_string<E: serde::de::Error>(self, text: String) -> Result<Self::Value, E> {
                Ok(TextOr::Text(text))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
                Deserialize::deserialize(SeqAccessDeserializer::new(list)).map(TextOr::List)
            }
        }

        deserializer.deserialize_any(TextOrVisitor(PhantomData))
    }
}

/// A parameter's number, and OpenAI's codes for one that is out of range.
pub trait Number: PartialOrd + fmt::Display {
    const BELOW: &'static str;
    const ABOVE: &'static str;
}

impl Number for i64 {
    const BELOW: &'static str = "integer_below_min_value";
    const ABOVE: &'static str = "integer_above_max_value";
}

impl Number for f64 {
    const BELOW: &'static str = "decimal_below_min_value";
    const ABOVE: &'static str = "decimal_above_max_value";
}

/// # Errors
/// 400 if a number is given and is outside of `least..=most`.
pub fn check_range<N: Number>(param: &str, value: Option<N>, least: N, most: N) -> Result<(), ApiError> {
    let Some(value) = value else { return Ok(()) };
    if value < least {
        let message = format!(
            "Invalid '{param}': below minimum value. Expected a value >= {least}, but got {value} instead."
        );
        return Err(ApiError::invalid(param, N::BELOW, message));
    }
    if value > most {
        let message = format!(
            "Invalid '{param}': above maximum value. Expected a value <= {most}, but got {value} instead."
        );
        return Err(ApiError::invalid(param, N::ABOVE, message));
    }
    Ok(())
}
