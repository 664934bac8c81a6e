//! Says what is wrong with a JSON body in our words, by field: serde's own speak of Rust's types.

use serde_json::Value;
use serde_json::error::Category;

use crate::domain::{FieldError, Refusal};

/// Why `error` happened.
pub fn explain(error: &serde_path_to_error::Error<serde_json::Error>, root: &str) -> Refusal {
    let inner = error.inner();
    if inner.classify() != Category::Data {
        return syntax(inner);
    }
    let text = inner.to_string();
    let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(text, _)| text);
    let place = match error.path().to_string() {
        path if path == "." => root.to_owned(),
        path if path.starts_with('[') => format!("{root}{path}"),
        path => path,
    };
    // A field that isn't there, or is there again, is named in the text only: the path ends at its object.
    let (inside, message) = if let Some(name) = named(text, "missing field `") {
        (Some(name), "Is required.".to_owned())
    } else if let Some(name) = named(text, "duplicate field `") {
        (Some(name), "Is given twice.".to_owned())
    } else {
        (None, message(text))
    };
    let field = match inside {
        Some(name) if place.is_empty() => name.to_owned(),
        Some(name) => format!("{place}.{name}"),
        None if place.is_empty() => "body".to_owned(),
        None => place,
    };
    Refusal::Invalid(vec![FieldError { field, message }])
}

/// What is no JSON at all.
pub fn syntax(error: &serde_json::Error) -> Refusal {
    Refusal::Malformed(format!(
        "the body is no valid JSON (line {}, column {}).",
        error.line(),
        error.column()
    ))
}

fn named<'a>(text: &'a str, before: &str) -> Option<&'a str> {
    text.strip_prefix(before)?.strip_suffix('`')
}

/// Our words for serde's. Source of the texts: the default methods of `serde::de::Error`.
fn message(text: &str) -> String {
    if text.starts_with("unknown field") {
        return "There is no such field.".into();
    }
    if text.starts_with("unknown variant") {
        let words: Vec<_> = text.split('`').skip(3).step_by(2).collect();
        return format!("Must be {}.", words.join(" or "));
    }
    if text.starts_with("UUID parsing failed") {
        return "Must be a UUID.".into();
    }
    let expected = text.rsplit_once("expected ").map_or("", |(_, expected)| expected);
    match expected {
        "i64" | "u64" | "i32" | "u32" | "u16" => "Must be a whole number.",
        "a boolean" => "Must be true or false.",
        "a UUID string" | "a formatted UUID string" => "Must be a UUID.",
        "a string" => "Must be a text.",
        "a sequence" => "Must be a list.",
        "a map" => "Must be an object.",
        expected if expected.starts_with("struct ") => "Must be an object.",
        // What gives neither an expectation nor one of serde's sentences is chrono.
        "" => "Must be a time such as 2026-01-31T09:00:00Z.",
        expected if expected.contains("date and time") => "Must be a time such as 2026-01-31T09:00:00Z.",
        expected if expected.contains("enum ") || expected.contains("variant") => {
            "Must be one of the words documented."
        }
        _ => "Is not valid.",
    }
    .into()
}

/// Refuses a body that has a NUL in a text or in a field's name.
///
/// # Errors
/// The first place that has one. A body that doesn't parse passes: the parser says why.
pub fn refuse_nul(body: &[u8], root: &str) -> Result<(), Refusal> {
    let place = serde_json::from_slice::<Value>(body).ok().and_then(|value| nul(&value, root));
    match place {
        Some(place) => {
            let field = if place.is_empty() { "body" } else { &place };
            Err(Refusal::field(field, "Must not contain a NUL character."))
        }
        None => Ok(()),
    }
}

fn nul(value: &Value, place: &str) -> Option<String> {
    match value {
        Value::String(text) => text.contains('\0').then(|| place.to_owned()),
        Value::Array(items) => {
            items.iter().enumerate().find_map(|(index, item)| nul(item, &format!("{place}[{index}]")))
        }
        Value::Object(fields) => fields.iter().find_map(|(name, value)| {
            if name.contains('\0') {
                return Some(place.to_owned());
            }
            nul(value, &if place.is_empty() { name.clone() } else { format!("{place}.{name}") })
        }),
        _ => None,
    }
}
