//! Chat completions.
//! Source: <https://cookbook.openai.com/examples/how_to_count_tokens_with_tiktoken>.

use super::{Counter, FRAME, Prompt, TOOL_RESULTS};
use crate::gateway::document::Document;
use crate::gateway::error::ApiError;
use crate::gateway::json::Json;
use crate::gateway::models::Model;

/// What frames a message.
const MESSAGE: i64 = 3;
/// What a name adds.
const NAME: i64 = 1;
/// What begins every answer.
const PRIMING: i64 = 3;

/// Counts the prompt of a chat completion.
///
/// # Errors
/// 400 where it nests too deep.
pub fn chat(document: &Document, model: Model) -> Result<Prompt, ApiError> {
    let mut counter = Counter::new(model);
    counter.add(PRIMING);
    for messages in document.values("messages")? {
        messages.items().iter().for_each(|each| message(&mut counter, each));
    }
    for name in ["tools", "functions", "response_format", "tool_choice", "function_call"] {
        // A plain word, such as `auto`, isn't shown to the model.
        if document.texts(name).any(|text| text.starts_with(['[', '{'])) && !is_plain_format(document, name)?
        {
            counter.definitions(document, name);
        }
    }
    // What is predicted and not taken is charged as answered.
    for prediction in document.values("prediction")? {
        counter.strings(&prediction);
    }
    if document.texts("web_search_options").any(|text| text != "null") {
        counter.add(TOOL_RESULTS);
    }
    Ok(counter.finish())
}

/// Whether a response format has no schema.
fn is_plain_format(document: &Document, name: &str) -> Result<bool, ApiError> {
    Ok(name == "response_format"
        && document.values(name)?.iter().all(|format| format.get("json_schema").is_none()))
}

fn message(counter: &mut Counter, message: &Json<'_>) {
    counter.add(MESSAGE);
    for (name, value) in message.members() {
        match (&**name, value) {
            (_, Json::Null) => {}
            ("content", Json::List(parts)) => parts.iter().for_each(|each| part(counter, each)),
            ("name", _) => {
                counter.add(NAME);
                counter.strings(value);
            }
            ("tool_calls", Json::List(calls)) => {
                for call in calls {
                    counter.add(FRAME);
                    call.get("function").into_iter().for_each(|function| counter.strings(function));
                }
            }
            // An earlier answer that was spoken.
            ("audio", _) => counter.file(None),
            _ => counter.strings(value),
        }
    }
}

fn part(counter: &mut Counter, part: &Json<'_>) {
    let inside = |name: &str| part.get(name).unwrap_or(&Json::Null);
    match part.text_of("type") {
        Some("text") => part.get("text").into_iter().for_each(|text| counter.strings(text)),
        Some("image_url") => {
            let image = inside("image_url");
            counter.image(image.text_of("url"), image.text_of("detail"));
        }
        Some("input_audio") => counter.audio(inside("input_audio").text_of("data").unwrap_or_default()),
        Some("file") => counter.file(inside("file").text_of("file_data")),
        _ => counter.strings(part),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use serde_json::{Value, json};

    use super::*;
    use crate::gateway::models::find;

    fn counted(name: &str, body: Value) -> Prompt {
        chat(&Document::parse(Bytes::from(body.to_string())).unwrap(), find(name)).unwrap()
    }

    #[test]
    fn messages_cost_what_the_provider_says() {
        // The example of OpenAI's cookbook, with the count its API gives.
        let system = "You are a helpful, pattern-following assistant that translates corporate jargon into plain English.";
        let messages = json!([
            {"role": "system", "content": system},
            {"role": "system", "name": "example_user", "content": "New synergies will help drive top-line growth."},
            {"role": "system", "name": "example_assistant", "content": "Things working well together will increase revenue."},
            {"role": "system", "name": "example_user",
                "content": "Let's circle back when we have more bandwidth to touch base on opportunities for increased leverage."},
            {"role": "system", "name": "example_assistant",
                "content": "Let's talk later when we're less busy about how to do better."},
            {"role": "user", "content": "This late pivot means we don't have time to boil the ocean for the client deliverable."},
        ]);
        assert_eq!(counted("gpt-4-0613", json!({"messages": messages})).bound, 129);
        assert_eq!(counted("gpt-4o", json!({"messages": messages})).bound, 124);
    }

    #[test]
    fn parts_cost_by_their_kinds() {
        let base = counted("gpt-4o", json!({"messages": [{"role": "user", "content": []}]})).bound;
        let with = |part: Value| {
            counted("gpt-4o", json!({"messages": [{"role": "user", "content": [part]}]})).bound - base
        };
        assert_eq!(with(json!({"type": "text", "text": "Hello, world!"})), 4);
        assert_eq!(with(json!({"type": "image_url", "image_url": {"url": "https://x/y.png"}})), 1_445);
        assert_eq!(with(json!({"type": "image_url", "image_url": {"url": "x", "detail": "low"}})), 85);
        let data = "A".repeat(8_000);
        assert_eq!(with(json!({"type": "input_audio", "input_audio": {"data": data, "format": "mp3"}})), 30);
        assert_eq!(with(json!({"type": "file", "file": {"file_data": data}})), 1_024);
        assert_eq!(with(json!({"type": "file", "file": {"file_id": "file-1"}})), 16_384);
    }

    #[test]
    fn tools_and_schemas_cost_and_plain_words_do_not() {
        let cost = |extra: Value| {
            let mut body = json!({"messages": [{"role": "user", "content": "Hi"}]});
            let plain = counted("gpt-4o", body.clone()).bound;
            body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
            counted("gpt-4o", body).bound - plain
        };
        let tool = json!({"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}});
        assert!(cost(json!({"tools": [tool]})) > 20);
        assert!(cost(json!({"response_format": {"type": "json_schema", "json_schema": {"name": "x"}}})) > 16);
        assert_eq!(cost(json!({"tool_choice": "auto", "response_format": {"type": "json_object"}})), 0);
        assert_eq!(cost(json!({"web_search_options": {}})), 8_192);
        assert_eq!(cost(json!({"prediction": {"type": "content", "content": "Hello, world!"}})), 7);
    }

    #[test]
    fn a_model_that_is_not_known_is_counted_by_its_bound() {
        let prompt =
            counted("mistral-large", json!({"messages": [{"role": "user", "content": "Hello there"}]}));
        assert!(prompt.bound > prompt.estimate && prompt.bound <= 2 * prompt.estimate);
    }

    #[test]
    fn a_prompt_has_no_more_tokens_than_the_context() {
        let long = "word ".repeat(20_000);
        assert_eq!(counted("gpt-4", json!({"messages": [{"role": "user", "content": long}]})).bound, 8_192);
    }
}
