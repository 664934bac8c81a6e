//! Texts of a format, a pattern or a length.

use serde_json::{Map, Value};

use super::pattern;

/// The subject, unless something else is asked for.
pub fn string(schema: &Map<String, Value>, subject: &str, name: &str, variant: usize) -> Option<String> {
    let length =
        |key| schema.get(key).and_then(Value::as_u64).and_then(|length| usize::try_from(length).ok());
    let (least, most) = (length("minLength").unwrap_or(0), length("maxLength").unwrap_or(usize::MAX));
    if let Some(pattern) = schema.get("pattern").and_then(Value::as_str) {
        return pattern::matching(pattern, least);
    }
    if let Some(sample) = schema.get("format").and_then(Value::as_str).and_then(of_format) {
        return Some(sample.to_owned());
    }
    let mut text = place(subject, name).unwrap_or(subject).to_owned();
    if variant > 0 {
        text = format!("{} {text}", variant + 1);
    }
    // One that is too short is lengthened; an unreasonable length has no instance.
    if least > 1 << 20 {
        return None;
    }
    while text.chars().count() < least {
        text.push('.');
    }
    Some(text.chars().take(most).collect())
}

/// A question about the weather in Paris is about Paris where a place is asked for.
fn place<'a>(subject: &'a str, name: &str) -> Option<&'a str> {
    let wanted =
        ["location", "city", "place", "country", "destination"].contains(&name.to_lowercase().as_str());
    wanted.then(|| subject.rsplit_once(" in ").map(|(_, place)| place))?
}

fn of_format(format: &str) -> Option<&'static str> {
    Some(match format {
        "date-time" => "2026-01-01T12:00:00Z",
        "date" => "2026-01-01",
        "time" => "12:00:00Z",
        "duration" => "P1D",
        "email" | "idn-email" => "someone@example.com",
        "hostname" | "idn-hostname" => "example.com",
        "ipv4" => "192.0.2.1",
        "ipv6" => "2001:db8::1",
        "uuid" => "00000000-0000-4000-8000-000000000000",
        "uri" | "iri" | "uri-reference" => "https://example.com/",
        _ => return None,
    })
}
