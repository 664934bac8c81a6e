//! An object as indented JSON, with the ids in it as links.

use maud::{Markup, html};
use serde_json::Value;

use super::collections::address_of;

pub(super) fn pretty(value: &Value) -> Markup {
    at_depth(value, 0)
}

fn at_depth(value: &Value, depth: usize) -> Markup {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            let lines: Vec<Markup> = fields
                .iter()
                .map(|(name, value)| html! { span.k { (quoted(name)) } ": " (at_depth(value, depth + 1)) })
                .collect();
            block("{", &lines, "}", depth)
        }
        Value::Array(items) if !items.is_empty() => {
            let lines: Vec<Markup> = items.iter().map(|item| at_depth(item, depth + 1)).collect();
            block("[", &lines, "]", depth)
        }
        Value::String(text) => match address_of(text) {
            Some(address) => html! { a.s href=(address) { (quoted(text)) } },
            None => html! { span.s { (quoted(text)) } },
        },
        Value::Object(_) => html! { "{}" },
        Value::Array(_) => html! { "[]" },
        other => html! { span.n { (other) } },
    }
}

fn block(open: &str, lines: &[Markup], close: &str, depth: usize) -> Markup {
    html! {
        (open) "\n"
        @for (index, line) in lines.iter().enumerate() {
            ("  ".repeat(depth + 1)) (line) @if index + 1 < lines.len() { "," } "\n"
        }
        ("  ".repeat(depth)) (close)
    }
}

/// With JSON's own escapes; those of HTML come on top.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_shown_is_json_again_once_tags_and_escapes_are_gone() {
        let value =
            json!({ "a": [1, null, true, []], "b": {}, "c": { "d": "\"<&>\n" }, "customer": "cus_1" });
        let mut text = String::new();
        let mut inside_tag = false;
        for character in pretty(&value).into_string().chars() {
            match character {
                '<' => inside_tag = true,
                '>' => inside_tag = false,
                other if !inside_tag => text.push(other),
                _ => {}
            }
        }
        let text =
            text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }

    #[test]
    fn ids_are_links_and_markup_stays_text() {
        let shown = pretty(&json!({ "customer": "cus_1", "<b>": "</pre><script>" })).into_string();
        assert!(shown.contains("href=\"/panel/customers/cus_1\""));
        assert!(!shown.contains("<script>") && !shown.contains("<b>"), "{shown}");
    }
}
