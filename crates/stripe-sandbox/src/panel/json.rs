//! An object as indented JSON, with the ids in it as links.

use serde_json::Value;

use super::html::{Html, html};
use super::kinds::address_of;

pub(super) fn pretty(value: &Value) -> Html {
    at_depth(value, 0)
}

fn at_depth(value: &Value, depth: usize) -> Html {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            let lines: Vec<Html> = fields
                .iter()
                .map(|(name, value)| {
                    html! { "<span class=\"k\">", quoted(name), "</span>: ", at_depth(value, depth + 1) }
                })
                .collect();
            block("{", lines, "}", depth)
        }
        Value::Array(items) if !items.is_empty() => {
            let lines = items.iter().map(|item| at_depth(item, depth + 1)).collect();
            block("[", lines, "]", depth)
        }
        Value::String(text) => match address_of(text) {
            Some(address) => html! { "<a class=\"s\" href=\"", address, "\">", quoted(text), "</a>" },
            None => html! { "<span class=\"s\">", quoted(text), "</span>" },
        },
        Value::Object(_) => html! { "{}" },
        Value::Array(_) => html! { "[]" },
        other => html! { "<span class=\"n\">", other.to_string(), "</span>" },
    }
}

fn block(open: &str, lines: Vec<Html>, close: &str, depth: usize) -> Html {
    let last = lines.len() - 1;
    let inside = "  ".repeat(depth + 1);
    let lines: Vec<Html> = lines
        .into_iter()
        .enumerate()
        .map(|(index, line)| html! { inside, line, if index == last { "\n" } else { ",\n" } })
        .collect();
    html! { open, "\n", lines, "  ".repeat(depth), close }
}

/// With JSON's own escapes; [`html!`] adds its own on top.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use axum::response::IntoResponse;
    use serde_json::json;

    use super::*;

    async fn shown(value: &Value) -> String {
        let body = pretty(value).into_response().into_body();
        String::from_utf8(to_bytes(body, usize::MAX).await.unwrap().to_vec()).unwrap()
    }

    #[tokio::test]
    async fn what_is_shown_is_json_again_once_tags_and_escapes_are_gone() {
        let value =
            json!({ "a": [1, null, true, []], "b": {}, "c": { "d": "\"<&>\n" }, "customer": "cus_1" });
        let mut text = String::new();
        let mut inside_tag = false;
        for character in shown(&value).await.chars() {
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

    #[tokio::test]
    async fn ids_are_links_and_markup_stays_text() {
        let shown = shown(&json!({ "customer": "cus_1", "<b>": "</pre><script>" })).await;
        assert!(shown.contains("href=\"/panel/customers/cus_1\""));
        assert!(!shown.contains("<script>") && !shown.contains("<b>"), "{shown}");
    }
}
