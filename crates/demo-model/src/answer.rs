//! The answer to a conversation: a text, or a call of a tool.

use serde_json::json;

use crate::error::ApiError;
use crate::prompt::{Prompt, Role};
use crate::tools::{Choice, Format, Function};
use crate::{schema, seed, text, tokens};

/// What the request says about its answer.
#[derive(Debug, Default)]
pub struct Wanted {
    /// The most tokens that it may have.
    pub most: u64,
    /// It ends before the first of these.
    pub stop: Vec<String>,
    pub format: Format,
    /// Where the request says so.
    pub format_param: &'static str,
    pub tool_choice: Choice,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Body {
    Text(String),
    /// The arguments are JSON, unless they were cut off.
    Call {
        name: String,
        arguments: String,
    },
}

/// Why an answer ends where it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    Stop,
    Length,
    Call,
}

#[derive(Debug)]
pub struct Answer {
    pub body: Body,
    /// A text's tokens; a call's are those of its name and of its arguments.
    pub tokens: u64,
    pub finish: Finish,
}

/// The answer. `variation` tells apart the answers to one request that wants several.
///
/// # Errors
/// 400 if a schema has no instance that can be found.
pub fn answer(prompt: &Prompt, wanted: &Wanted, variation: u64) -> Result<Answer, ApiError> {
    if let Some(function) = chosen(prompt, &wanted.tool_choice) {
        return call(function, prompt, wanted.most);
    }
    let subject = text::topic(prompt.question()).unwrap_or_else(|| "a sample".into());
    let whole = match &wanted.format {
        Format::Text => prose(prompt, variation),
        Format::JsonObject => {
            json!({ "model": "offline demo", "subject": subject, "answer": "A sample in JSON." }).to_string()
        }
        Format::JsonSchema(schema) => {
            schema::instance(schema, &subject).ok_or_else(|| no_instance(wanted.format_param))?.to_string()
        }
    };
    let stopped = wanted.stop.iter().filter_map(|stop| whole.find(stop.as_str())).min();
    let beginning = tokens::cut(&whole[..stopped.unwrap_or(whole.len())], wanted.most);
    let finish = if beginning.cut { Finish::Length } else { Finish::Stop };
    Ok(Answer { body: Body::Text(beginning.text), tokens: beginning.tokens, finish })
}

fn prose(prompt: &Prompt, variation: u64) -> String {
    let content = prompt.last(Role::User).map(|message| &message.content);
    text::compose(&text::Brief {
        question: prompt.question(),
        earlier_topic: prompt.earlier_topic.as_deref(),
        tool_result: prompt.tool_result(),
        images: content.map_or(0, |content| content.images),
        sounds: content.map_or(0, |content| content.sounds),
        files: content.map_or(0, |content| content.files),
        seed: seed::mix(seed::of(prompt.question()) ^ variation),
    })
}

/// The function to call: the named one, or the one whose name and description share most words with the question. Left
/// to itself the model calls one, once: what a tool answered is answered with a text.
fn chosen<'a>(prompt: &'a Prompt, choice: &Choice) -> Option<&'a Function> {
    match choice {
        Choice::None => None,
        Choice::Named(name) => prompt.functions.iter().find(|function| function.name == *name),
        Choice::Auto if prompt.tool_result().is_some() => None,
        Choice::Auto | Choice::Required => {
            let question = words(prompt.question());
            let shared = |function: &Function| {
                let about =
                    format!("{} {}", function.name, function.description.as_deref().unwrap_or_default());
                words(&about).iter().filter(|word| question.contains(word)).count()
            };
            // Of equals `max_by_key` takes the last; the first is the likelier meant.
            prompt.functions.iter().rev().max_by_key(|function| shared(function))
        }
    }
}

/// Words of some weight, in lower case: names of functions are cut at their underscores.
fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| word.chars().count() > 3)
        .map(str::to_lowercase)
        .collect()
}

fn call(function: &Function, prompt: &Prompt, most: u64) -> Result<Answer, ApiError> {
    let subject = text::topic(prompt.question()).unwrap_or_else(|| "a sample".into());
    let arguments = match &function.parameters {
        Some(schema) => schema::instance(schema, &subject).ok_or_else(|| no_instance("tools"))?,
        None => json!({}),
    };
    let name_tokens = tokens::count(&function.name);
    let beginning = tokens::cut(&arguments.to_string(), most.saturating_sub(name_tokens));
    Ok(Answer {
        tokens: (name_tokens + beginning.tokens).min(most),
        finish: if beginning.cut { Finish::Length } else { Finish::Call },
        body: Body::Call { name: function.name.clone(), arguments: beginning.text },
    })
}

fn no_instance(param: &str) -> ApiError {
    let message = format!("Invalid schema in '{param}': the demo model finds no instance of it.");
    ApiError::invalid(param, "invalid_json_schema", message)
}
