//! Reading JSON bodies: what isn't JSON is 415, what is no valid JSON 400, what doesn't fit is 422 and named.

use axum::extract::{FromRequest, Request};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use bytes::Bytes;
use serde::de::DeserializeOwned;

use super::wrong_json;
use crate::domain::Refusal;
use crate::http::body::{SMALL, read};
use crate::http::problem::Problem;

/// A JSON body of at most `LIMIT` bytes.
///
/// `axum::Json` would do, but for its answers: it has other statuses, and its messages name Rust's types.
#[derive(Debug)]
pub struct Json<T, const LIMIT: usize = SMALL>(pub T);

impl<S: Sync, T: DeserializeOwned, const LIMIT: usize> FromRequest<S> for Json<T, LIMIT> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let body = read_json(request, LIMIT).await?;
        Ok(Self(parse(&body, "")?))
    }
}

/// As [`Json`], but an empty body, or null, stands for the default.
#[derive(Debug)]
pub struct OptionalJson<T>(pub T);

impl<S: Sync, T: DeserializeOwned + Default> FromRequest<S> for OptionalJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let body = read(&parts.headers, body, SMALL).await?;
        if body.is_empty() {
            Ok(Self(T::default()))
        } else if is_json(&parts.headers) {
            Ok(Self(parse::<Option<T>>(&body, "")?.unwrap_or_default()))
        } else {
            Err(Problem::not_json())
        }
    }
}

/// A body announced as JSON, not yet parsed.
///
/// # Errors
/// 415, 413, or 400 where the client stopped sending.
pub async fn read_json(request: Request, limit: usize) -> Result<Bytes, Problem> {
    if !is_json(request.headers()) {
        return Err(Problem::not_json());
    }
    let (parts, body) = request.into_parts();
    read(&parts.headers, body, limit).await
}

fn is_json(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(|value| {
        value.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
    })
}

/// Parses a body; `root` names the list where the body itself is one (`events` makes `events[3].id`).
///
/// # Errors
/// 400 for what is no JSON, 422 for a value that doesn't fit or a text with a NUL, which PostgreSQL
/// can't store.
pub fn parse<T: DeserializeOwned>(body: &[u8], root: &str) -> Result<T, Refusal> {
    if may_contain_nul(body) {
        wrong_json::refuse_nul(body, root)?;
    }
    // Tracking the path costs; only what doesn't parse is parsed again with it.
    serde_json::from_slice(body).or_else(|_| {
        let mut deserializer = serde_json::Deserializer::from_slice(body);
        let value: T =
            serde_path_to_error::deserialize(&mut deserializer).map_err(|e| wrong_json::explain(&e, root))?;
        deserializer.end().map_err(|error| wrong_json::syntax(&error))?;
        Ok(value)
    })
}

/// Whether the escape of a NUL stands in the text. (A NUL itself is no valid JSON.)
fn may_contain_nul(body: &[u8]) -> bool {
    body.split(|byte| *byte == b'\\').skip(1).any(|rest| rest.starts_with(b"u0000"))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use serde::Deserialize;

    use super::*;
    use crate::domain::{EventInput, PlanInput};

    fn request(kind: &str, body: impl Into<Body>) -> Request {
        Request::post("/").header(CONTENT_TYPE, kind).body(body.into()).unwrap()
    }

    async fn status<T: DeserializeOwned>(request: Request) -> u16 {
        match Json::<T>::from_request(request, &()).await {
            Ok(_) => 200,
            Err(problem) => problem.status().as_u16(),
        }
    }

    #[derive(Debug, Default, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Named {
        #[allow(dead_code, reason = "only parsing matters here")]
        name: String,
    }

    #[tokio::test]
    async fn each_fault_has_its_status() {
        assert_eq!(status::<Named>(request("application/json", r#"{"name": "x"}"#)).await, 200);
        assert_eq!(
            status::<Named>(request("Application/JSON; charset=utf-8", r#"{"name": "x"}"#)).await,
            200
        );
        assert_eq!(status::<Named>(request("text/plain", r#"{"name": "x"}"#)).await, 415);
        assert_eq!(status::<Named>(Request::post("/").body(Body::from("{}")).unwrap()).await, 415);
        assert_eq!(status::<Named>(request("application/json", r#"{"name": "#)).await, 400);
        assert_eq!(status::<Named>(request("application/json", r#"{"name": "x"} {}"#)).await, 400);
        assert_eq!(status::<Named>(request("application/json", "")).await, 400);
        assert_eq!(status::<Named>(request("application/json", &b"{\"name\": \"\xff\"}"[..])).await, 400);
        assert_eq!(status::<serde_json::Value>(request("application/json", "[".repeat(100_000))).await, 400);
        assert_eq!(status::<Named>(request("application/json", "{}")).await, 422);
        assert_eq!(status::<Named>(request("application/json", vec![b' '; SMALL + 1])).await, 413);
    }

    #[tokio::test]
    async fn an_empty_body_may_stand_for_the_default() {
        let empty = OptionalJson::<Named>::from_request(Request::post("/").body(Body::empty()).unwrap(), &());
        assert!(empty.await.is_ok());
        let null = OptionalJson::<Named>::from_request(request("application/json", "null"), &());
        assert!(null.await.is_ok());
        let plain = OptionalJson::<Named>::from_request(request("text/plain", "{}"), &());
        assert_eq!(plain.await.unwrap_err().status(), 415);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let plan = r#""name": "Basic", "price": "1.00""#;
        let cases = [
            (format!("{{{plan}, \"features\": [\"a\", \"b\", 3]}}"), "features[2]", "Must be a text."),
            (format!("{{{plan}, \"max_users\": \"ten\"}}"), "max_users", "Must be a whole number."),
            (format!("{{{plan}, \"max_users\": 1.5}}"), "max_users", "Must be a whole number."),
            (format!("{{{plan}, \"colour\": \"red\"}}"), "colour", "There is no such field."),
            (format!("{{{plan}, \"name\": \"Pro\"}}"), "name", "Is given twice."),
            (r#"{"name": "Basic"}"#.to_owned(), "price", "Is required."),
            (r#"{"name": null, "price": "1"}"#.to_owned(), "name", "Must be a text."),
            (r#""Basic""#.to_owned(), "body", "Must be an object."),
            (
                format!("{{{plan}, \"description\": \"a\\u0000b\"}}"),
                "description",
                "Must not contain a NUL character.",
            ),
        ];
        for (body, field, message) in cases {
            let Err(Refusal::Invalid(errors)) = parse::<PlanInput>(body.as_bytes(), "") else {
                panic!("{body}")
            };
            assert_eq!((errors[0].field.as_str(), errors[0].message.as_str()), (field, message), "{body}");
        }
    }

    #[test]
    fn in_a_list_the_place_is_named_too() {
        let event = |fields: &str| {
            format!(r#"[{{"id": "a", "usage_type": "llm", "tokens_used": 1}}, {{"id": "b", {fields}}}]"#)
        };
        let cases = [
            (event(r#""usage_type": "llm""#), "events[1].tokens_used", "Is required."),
            (
                event(r#""usage_type": "sms", "tokens_used": 1"#),
                "events[1].usage_type",
                "Must be llm or voice.",
            ),
            (
                event(r#""usage_type": "llm", "tokens_used": 9223372036854775808"#),
                "events[1].tokens_used",
                "Must be a whole number.",
            ),
            (
                event(r#""usage_type": "llm", "tokens_used": 1, "user_id": "me""#),
                "events[1].user_id",
                "Must be a UUID.",
            ),
            (
                event(r#""usage_type": "llm", "tokens_used": 1, "created_at": "today""#),
                "events[1].created_at",
                "Must be a time such as 2026-01-31T09:00:00Z.",
            ),
            (
                event(r#""usage_type": "llm", "tokens_used": 1, "metadata": {"a": {"\u0000": 1}}"#),
                "events[1].metadata.a",
                "Must not contain a NUL character.",
            ),
            (
                event(r#""usage_type": "llm", "tokens_used": 1, "metadata": [1]"#),
                "events[1].metadata",
                "Must be an object.",
            ),
        ];
        for (body, field, message) in cases {
            let Err(Refusal::Invalid(errors)) = parse::<Vec<EventInput>>(body.as_bytes(), "events") else {
                panic!("{body}")
            };
            assert_eq!((errors[0].field.as_str(), errors[0].message.as_str()), (field, message), "{body}");
        }
    }

    #[test]
    fn an_escaped_backslash_before_u0000_is_no_nul() {
        assert!(parse::<Named>(br#"{"name": "C:\\u0000"}"#, "").is_ok());
    }

    #[test]
    fn times_end_in_z() {
        let time: chrono::DateTime<chrono::Utc> = "2026-01-31T10:00:00.123456+01:00".parse().unwrap();
        assert_eq!(serde_json::to_value(time).unwrap(), "2026-01-31T09:00:00.123456Z");
        assert_eq!(serde_json::to_value(chrono::DateTime::UNIX_EPOCH).unwrap(), "1970-01-01T00:00:00Z");
    }
}
