//! `POST /v1/embeddings`.
//!
//! A vector is the sum of its tokens' vectors, which are random but fixed, at length one: the same text has the same
//! vector, texts that share words are near each other, and a text and its list of tokens are one. It isn't meaning.

use axum::Json;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};

use crate::blocking::blocking;
use crate::body::{RawBody, TextOr, check_range};
use crate::error::ApiError;
use crate::models::{self, Kind};
use crate::{seed, tokens};

const DIMENSIONS: i64 = 1536;
/// OpenAI's limits.
const MOST_INPUTS: usize = 2048;
const MOST_TOKENS: usize = 8192;
const MOST_TOKENS_TOGETHER: usize = 300_000;

#[derive(Debug, Deserialize)]
struct Request {
    model: String,
    input: TextOr<Input>,
    encoding_format: Option<Encoding>,
    dimensions: Option<i64>,
}

/// One of several texts, or one token of the only text, or the tokens of one of several texts.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "expected strings, integers, or arrays of integers")]
enum Input {
    Text(String),
    Token(u32),
    Tokens(Vec<u32>),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Encoding {
    #[default]
    Float,
    Base64,
}

#[derive(Debug, Serialize)]
struct List {
    object: &'static str,
    data: Vec<Embedding>,
    model: String,
    usage: Usage,
}

#[derive(Debug, Serialize)]
struct Embedding {
    object: &'static str,
    index: usize,
    embedding: Vector,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Vector {
    Float(Vec<f32>),
    /// Of the numbers' bytes, the least significant first.
    Base64(String),
}

#[derive(Debug, Serialize)]
struct Usage {
    prompt_tokens: usize,
    total_tokens: usize,
}

pub async fn create(body: RawBody) -> Result<Json<impl Serialize>, ApiError> {
    blocking(move || answer(body.parse()?).map(Json)).await
}

fn answer(request: Request) -> Result<List, ApiError> {
    models::require(&request.model, Kind::Embedding)?;
    check_range("dimensions", request.dimensions, 1, DIMENSIONS)?;
    let dimensions = request.dimensions.unwrap_or(DIMENSIONS).unsigned_abs();
    let inputs = inputs(&request.input)?;
    let used: usize = inputs.iter().map(Vec::len).sum();
    if used > MOST_TOKENS_TOGETHER {
        let message =
            format!("Invalid 'input': maximum request size is {MOST_TOKENS_TOGETHER} tokens per request.");
        return Err(ApiError::invalid("input", "max_tokens_per_request", message));
    }
    let encode = |vector: Vec<f32>| match request.encoding_format.unwrap_or_default() {
        Encoding::Float => Vector::Float(vector),
        Encoding::Base64 => {
            let bytes: Vec<u8> = vector.into_iter().flat_map(f32::to_le_bytes).collect();
            Vector::Base64(BASE64_STANDARD.encode(bytes))
        }
    };
    let data = inputs
        .iter()
        .enumerate()
        .map(|(index, input)| Embedding {
            object: "embedding",
            index,
            embedding: encode(embed(input, dimensions)),
        })
        .collect();
    let usage = Usage { prompt_tokens: used, total_tokens: used };
    Ok(List { object: "list", data, model: request.model, usage })
}

/// Each input's tokens.
fn inputs(input: &TextOr<Input>) -> Result<Vec<Vec<u32>>, ApiError> {
    let inputs: Vec<Vec<u32>> = match input {
        TextOr::Text(text) => vec![text_tokens(text)?],
        TextOr::List(list) if list.iter().all(|input| matches!(input, Input::Token(_))) => {
            vec![
                list.iter()
                    .filter_map(|input| if let Input::Token(token) = input { Some(*token) } else { None })
                    .collect(),
            ]
        }
        TextOr::List(list) => list
            .iter()
            .map(|input| match input {
                Input::Text(text) => text_tokens(text),
                Input::Tokens(tokens) => Ok(tokens.clone()),
                Input::Token(_) => Err(invalid("a list has either texts or tokens")),
            })
            .collect::<Result<_, _>>()?,
    };
    if inputs.len() > MOST_INPUTS {
        return Err(invalid(&format!("at most {MOST_INPUTS} inputs a request")));
    }
    for input in &inputs {
        if input.is_empty() {
            return Err(invalid("an input can't be empty"));
        }
        if input.len() > MOST_TOKENS {
            let message = format!(
                "This model's maximum context length is {MOST_TOKENS} tokens, however you requested {} tokens.",
                input.len()
            );
            return Err(ApiError::invalid("input", "context_length_exceeded", message));
        }
        if !tokens::known(input) {
            return Err(invalid("a number that isn't a token of o200k_base"));
        }
    }
    Ok(inputs)
}

/// Much longer texts than fit aren't counted to the end.
fn text_tokens(text: &str) -> Result<Vec<u32>, ApiError> {
    /// No token is longer.
    const TOKEN_BYTES: usize = 128;
    if text.len() > MOST_TOKENS * TOKEN_BYTES {
        return Err(invalid(&format!("a text has more than {MOST_TOKENS} tokens")));
    }
    Ok(tokens::encode(text))
}

fn invalid(what: &str) -> ApiError {
    ApiError::invalid("input", "invalid_value", format!("Invalid 'input': {what}."))
}

/// The first `dimensions` of the vector, at length one.
fn embed(input: &[u32], dimensions: u64) -> Vec<f32> {
    let mut vector: Vec<f32> = (0..dimensions)
        .map(|dimension| {
            let of_token = |token: &u32| seed::signed_unit(seed::mix(u64::from(*token)) ^ dimension);
            input.iter().map(of_token).sum()
        })
        .collect();
    let length = vector.iter().map(|value| value * value).sum::<f32>().sqrt();
    if length > 0.0 {
        vector.iter_mut().for_each(|value| *value /= length);
    }
    vector
}
