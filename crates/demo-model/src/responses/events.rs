//! The response as a stream of typed events.

use serde_json::{Value, json};

use super::object::{ResponseObject, text_part};
use crate::answer::Body;
use crate::sse::{self, Frame};

/// Its beginning, its only item piece by piece, its end with the usage; numbered from 0.
pub fn events(response: ResponseObject) -> impl Iterator<Item = Frame> + Send + 'static {
    let item = response.item_id.clone();
    let mut head = vec![
        json!({ "type": "response.created", "response": response.begun() }),
        json!({ "type": "response.in_progress", "response": response.begun() }),
        json!({ "type": "response.output_item.added", "output_index": 0, "item": response.item_begun() }),
    ];
    let mut tail = Vec::new();
    let (pieces, delta_type) = match &response.answer.body {
        Body::Text(text) => {
            head.push(of_part(
                &item,
                json!({ "type": "response.content_part.added", "part": text_part("") }),
            ));
            tail.push(of_part(
                &item,
                json!({ "type": "response.output_text.done", "text": text, "logprobs": [] }),
            ));
            tail.push(of_part(
                &item,
                json!({ "type": "response.content_part.done", "part": text_part(text) }),
            ));
            (sse::words(text), "response.output_text.delta")
        }
        Body::Call { name, arguments } => {
            let done = json!({
                "type": "response.function_call_arguments.done", "name": name, "arguments": arguments,
            });
            tail.push(of_item(&item, done));
            (sse::words(arguments), "response.function_call_arguments.delta")
        }
    };
    let end = if response.is_complete() { "response.completed" } else { "response.incomplete" };
    tail.push(
        json!({ "type": "response.output_item.done", "output_index": 0, "item": response.item_finished() }),
    );
    tail.push(json!({ "type": end, "response": response.finished() }));

    let is_text = matches!(response.answer.body, Body::Text(_));
    let deltas = pieces.into_iter().map(move |piece| {
        if is_text {
            of_part(&item, json!({ "type": delta_type, "delta": piece, "logprobs": [] }))
        } else {
            of_item(&item, json!({ "type": delta_type, "delta": piece }))
        }
    });
    head.into_iter().chain(deltas).chain(tail).enumerate().map(|(number, mut event)| {
        event["sequence_number"] = number.into();
        Frame::Typed(event)
    })
}

fn of_item(item: &str, mut event: Value) -> Value {
    event["item_id"] = item.into();
    event["output_index"] = 0.into();
    event
}

fn of_part(item: &str, event: Value) -> Value {
    let mut event = of_item(item, event);
    event["content_index"] = 0.into();
    event
}
