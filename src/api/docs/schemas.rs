//! Schemas as tables of their properties.

use maud::{Markup, html};
use serde_json::Value;

use super::layout::{inline, prose};
use super::reference::{list, text};

/// Every schema of the document.
pub fn all(schemas: &Value) -> Markup {
    html! {
        @for (name, schema) in schemas.as_object().into_iter().flatten() {
            section id={ "schema-" (name) } aria-labelledby={ "schema-" (name) "-title" } {
                h3 id={ "schema-" (name) "-title" } { (name) }
                (prose(text(&schema["description"])))
                @match schema["properties"].as_object() {
                    Some(properties) => (table(properties, list(&schema["required"]))),
                    None => p { (kind(schema)) },
                }
                @if schema["example"].is_object() { (example(&schema["example"])) }
            }
        }
    }
}

fn table(properties: &serde_json::Map<String, Value>, required: &[Value]) -> Markup {
    html! {
        table {
            caption { "Properties" }
            thead { tr { th scope="col" { "Name" } th scope="col" { "Type" } th scope="col" { "Meaning" } } }
            tbody {
                @for (name, property) in properties {
                    tr {
                        th scope="row" { code { (name) } @if required.iter().any(|item| item == name) { " required" } }
                        td { (kind(property)) (limits(property)) }
                        td { (inline(text(&property["description"]))) }
                    }
                }
            }
        }
    }
}

/// Can be scrolled where it is wider than the screen, so it can have the focus.
fn example(example: &Value) -> Markup {
    let example = serde_json::to_string_pretty(example).unwrap_or_default();
    html! { pre { code { (example) } } }
}

/// A schema's type in a few words, with a link where it has a name.
pub fn kind(schema: &Value) -> Markup {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap_or_default();
        return html! { a href={ "#schema-" (name) } { (name) } };
    }
    for alternatives in [&schema["oneOf"], &schema["anyOf"]] {
        if alternatives.is_array() {
            return joined(list(alternatives).iter().map(kind));
        }
    }
    if schema["enum"].is_array() {
        return joined(list(&schema["enum"]).iter().map(|value| html! { code { (value) } }));
    }
    match &schema["type"] {
        Value::String(kind) if kind == "array" => html! { "array of " (self::kind(&schema["items"])) },
        Value::String(kind) => {
            html! { (kind) @if let Some(format) = schema["format"].as_str() { ", " (format) } }
        }
        Value::Array(kinds) if kinds.iter().any(|kind| kind == "array") => {
            html! { "array of " (self::kind(&schema["items"])) " or null" }
        }
        Value::Array(kinds) => joined(kinds.iter().map(|kind| html! { (text(kind)) })),
        _ => html! { "any" },
    }
}

fn joined(parts: impl Iterator<Item = Markup>) -> Markup {
    html! {
        @for (index, part) in parts.enumerate() {
            @if index > 0 { " or " }
            (part)
        }
    }
}

/// How large or long a value may be.
fn limits(schema: &Value) -> Markup {
    let named = [
        ("minLength", "at least", "characters"),
        ("maxLength", "at most", "characters"),
        ("minimum", "at least", ""),
        ("maximum", "at most", ""),
        ("maxItems", "at most", "items"),
    ];
    html! {
        @for (keyword, relation, unit) in named {
            @if let Some(limit) = schema[keyword].as_i64() { ", " (relation) " " (limit) " " (unit) }
        }
    }
}
