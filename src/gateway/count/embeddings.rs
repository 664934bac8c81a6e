//! Embeddings: texts, or tokens that the client made itself.

use super::{Counter, Prompt};
use crate::gateway::document::Document;
use crate::gateway::error::ApiError;
use crate::gateway::json::Json;
use crate::gateway::models::Model;

/// Counts what is to be embedded.
///
/// # Errors
/// 400 where it nests too deep.
pub fn embeddings(document: &Document, model: Model) -> Result<Prompt, ApiError> {
    let mut counter = Counter::new(model);
    for input in document.values("input")? {
        add(&mut counter, &input);
    }
    Ok(counter.finish())
}

fn add(counter: &mut Counter, input: &Json<'_>) {
    match input {
        Json::List(items) => items.iter().for_each(|item| add(counter, item)),
        Json::Number(_) => counter.add(1),
        _ => counter.strings(input),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use serde_json::{Value, json};

    use super::*;
    use crate::gateway::models::find;

    #[test]
    fn texts_and_tokens_are_counted_alone_and_in_lists() {
        let counted = |input: Value| {
            let body = Bytes::from(json!({"input": input}).to_string());
            embeddings(&Document::parse(body).unwrap(), find("text-embedding-3-small")).unwrap().bound
        };
        assert_eq!(counted(json!("Hello, world!")), 4);
        assert_eq!(counted(json!(["Hello, world!", "Hello, world!"])), 8);
        assert_eq!(counted(json!([1, 2, 3])), 3);
        assert_eq!(counted(json!([[1, 2, 3], [4]])), 4);
    }
}
