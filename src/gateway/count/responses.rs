//! The Responses API: its input items, and what the provider adds by itself.

use super::{Counter, FRAME, Prompt, STORED, TOOL_RESULTS};
use crate::gateway::document::Document;
use crate::gateway::error::ApiError;
use crate::gateway::json::Json;
use crate::gateway::models::Model;

/// What frames a message or another item, and begins the answer.
const ITEM: i64 = 4;

/// The ids of earlier responses or conversations that a request goes on from.
///
/// # Errors
/// 400 where one nests too deep.
fn continues(document: &Document) -> Result<Vec<String>, ApiError> {
    let mut ids = Vec::new();
    for name in ["previous_response_id", "conversation"] {
        for value in document.values(name)? {
            ids.extend(value.text().or_else(|| value.text_of("id")).map(str::to_owned));
        }
    }
    Ok(ids)
}

/// Counts the prompt of a response. `earlier` says how many tokens what it goes on from had, where that is known.
///
/// # Errors
/// 400 where it nests too deep.
pub fn responses(
    document: &Document,
    model: Model,
    earlier: impl Fn(&str) -> Option<i64>,
) -> Result<Prompt, ApiError> {
    let mut counter = Counter::new(model);
    counter.add(ITEM);
    for id in continues(document)? {
        counter.add(earlier(&id).unwrap_or(STORED));
    }
    for instructions in document.values("instructions")? {
        counter.add(ITEM);
        input(&mut counter, &instructions);
    }
    for given in document.values("input")? {
        counter.add(ITEM);
        input(&mut counter, &given);
    }
    // A stored prompt, and what is put into it.
    for prompt in document.values("prompt")?.iter().filter(|prompt| !prompt.members().is_empty()) {
        counter.add(STORED);
        prompt.get("variables").into_iter().for_each(|variables| input(&mut counter, variables));
    }
    for tool in document.values("tools")?.iter().flat_map(Json::items) {
        if !matches!(tool.text_of("type"), Some("function" | "custom")) {
            counter.add(TOOL_RESULTS);
        }
    }
    counter.definitions(document, "tools");
    for text in document.values("text")? {
        if let Some(format) = text.get("format").filter(|format| format.get("schema").is_some()) {
            counter.add(FRAME);
            counter.strings(format);
        }
    }
    Ok(counter.finish())
}

/// A text, an item, a list of items, or a list of an item's parts.
fn input(counter: &mut Counter, value: &Json<'_>) {
    match value {
        Json::List(items) => items.iter().for_each(|item| input(counter, item)),
        Json::Object(_) => item(counter, value),
        Json::Null => {}
        _ => counter.strings(value),
    }
}

fn item(counter: &mut Counter, item: &Json<'_>) {
    match item.text_of("type") {
        Some("input_image" | "computer_screenshot") => {
            counter.image(item.text_of("image_url"), item.text_of("detail"));
        }
        Some("input_audio") => {
            let audio = item.get("input_audio").unwrap_or(item);
            counter.audio(audio.text_of("data").unwrap_or_default());
        }
        Some("input_file") => counter.file(item.text_of("file_data")),
        Some("item_reference") => counter.file(None),
        // Its encrypted content stands for no more tokens than a quarter of its characters.
        Some("reasoning") => {
            counter.add(ITEM);
            let hidden = item.text_of("encrypted_content").map_or(0, str::len) / 4;
            counter.add(super::whole(hidden));
            item.get("summary").into_iter().for_each(|summary| counter.strings(summary));
        }
        _ => {
            counter.add(ITEM);
            for (name, value) in item.members() {
                match (&**name, value) {
                    ("id" | "status" | "type", _) => {}
                    ("content" | "output", _) => input(counter, value),
                    _ => counter.strings(value),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use serde_json::{Value, json};

    use super::*;
    use crate::gateway::models::find;

    fn counted(body: Value) -> i64 {
        let document = Document::parse(Bytes::from(body.to_string())).unwrap();
        responses(&document, find("gpt-4o"), |id| (id == "resp_known").then_some(700)).unwrap().bound
    }

    #[test]
    fn text_and_messages_are_counted() {
        let base = counted(json!({"input": ""}));
        assert_eq!(counted(json!({"input": "Hello, world!"})) - base, 4);
        let message = json!({"role": "user", "content": [{"type": "input_text", "text": "Hello, world!"}]});
        assert!(counted(json!({"input": [message]})) - base >= 4);
        assert_eq!(counted(json!({"input": [{"type": "input_image", "image_url": "x"}]})) - base, 1_445);
    }

    #[test]
    fn what_it_goes_on_from_costs_what_is_known_of_it_or_a_bound() {
        let base = counted(json!({"input": "Hi"}));
        assert_eq!(counted(json!({"input": "Hi", "previous_response_id": "resp_known"})) - base, 700);
        assert_eq!(counted(json!({"input": "Hi", "previous_response_id": "resp_other"})) - base, STORED);
        assert_eq!(counted(json!({"input": "Hi", "conversation": {"id": "conv_1"}})) - base, STORED);
        assert_eq!(counted(json!({"input": "Hi", "prompt": {"id": "pmpt_1"}})) - base, STORED);
        assert_eq!(counted(json!({"input": "Hi", "previous_response_id": null})) - base, 0);
    }

    #[test]
    fn a_built_in_tool_may_add_its_results() {
        let base = counted(json!({"input": "Hi"}));
        assert!(counted(json!({"input": "Hi", "tools": [{"type": "web_search"}]})) - base > TOOL_RESULTS);
        let function = json!({"type": "function", "name": "f", "parameters": {"type": "object"}});
        assert!(counted(json!({"input": "Hi", "tools": [function]})) - base < 100);
    }
}
