//! The request, and what has to be so in it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::earlier::Earlier;
use crate::answer::Wanted;
use crate::body::{TextOr, check_range};
use crate::content::{Content, Part};
use crate::error::ApiError;
use crate::models::{self, Kind, MAX_OUTPUT};
use crate::prompt::{Message, Prompt, Role};
use crate::tools::{Choice, Format, FormatParam, Function};

/// OpenAI takes no fewer.
const LEAST_OUTPUT: i64 = 16;

#[derive(Debug, Deserialize)]
pub struct Request {
    model: String,
    input: TextOr<Item>,
    instructions: Option<String>,
    max_output_tokens: Option<i64>,
    stream: Option<bool>,
    store: Option<bool>,
    tools: Option<Vec<Tool>>,
    tool_choice: Option<Value>,
    text: Option<TextParam>,
    previous_response_id: Option<String>,
    background: Option<bool>,
    conversation: Option<Value>,
    prompt: Option<Value>,
    temperature: Option<f64>,
    top_p: Option<f64>,
    /// Everything else, of which some is repeated in the answer.
    #[serde(flatten)]
    rest: Map<String, Value>,
}

#[derive(Debug, Deserialize, Serialize)]
struct TextParam {
    format: Option<FormatParam>,
    verbosity: Option<String>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Tool {
    Function(Function),
}

/// A message, where no other type is given, or a call and what came of it.
#[derive(Debug, Deserialize)]
struct Item {
    #[serde(rename = "type")]
    kind: Option<String>,
    role: Option<Role>,
    content: Option<TextOr<Part>>,
    name: Option<String>,
    arguments: Option<String>,
    output: Option<TextOr<Part>>,
}

/// A request that can be answered.
pub struct Checked {
    pub echo: Echo,
    pub prompt: Prompt,
    pub wanted: Wanted,
    pub streamed: bool,
    pub stored: bool,
}

/// What the answer repeats of the request.
pub struct Echo {
    pub model: String,
    pub parameters: Map<String, Value>,
}

impl Request {
    /// # Errors
    /// 404 for an unknown model, 400 that names the parameter for anything else.
    pub fn checked(self, earlier: &Earlier) -> Result<Checked, ApiError> {
        models::require(&self.model, Kind::Chat)?;
        check_range("max_output_tokens", self.max_output_tokens, LEAST_OUTPUT, MAX_OUTPUT.cast_signed())?;
        check_range("temperature", self.temperature, 0.0, 2.0)?;
        check_range("top_p", self.top_p, 0.0, 1.0)?;
        if self.background == Some(true) {
            return Err(ApiError::unsupported("background", "background responses"));
        }
        for (param, value) in [("conversation", &self.conversation), ("prompt", &self.prompt)] {
            if value.is_some() {
                return Err(ApiError::unsupported(param, "stored conversations and prompts"));
            }
        }
        let before = match &self.previous_response_id {
            Some(id) => Some(earlier.get(id).ok_or_else(|| {
                let message = format!("Previous response with id '{id}' not found.");
                ApiError::invalid("previous_response_id", "previous_response_not_found", message)
            })?),
            None => None,
        };
        let echo = self.echo();
        let functions: Vec<Function> =
            self.tools.unwrap_or_default().into_iter().map(|Tool::Function(function)| function).collect();
        let tool_choice = Choice::read(self.tool_choice.as_ref(), &functions)?;
        let format = Format::from(self.text.and_then(|text| text.format));
        let schema = if let Format::JsonSchema(schema) = &format { Some(schema.clone()) } else { None };
        let prompt = Prompt {
            param: "input",
            messages: messages(self.instructions, self.input)?,
            functions,
            schema,
            earlier_tokens: before.as_ref().map_or(0, |before| before.tokens),
            earlier_topic: before.and_then(|before| before.topic),
        };
        let most = self.max_output_tokens.map_or(MAX_OUTPUT, i64::unsigned_abs);
        Ok(Checked {
            echo,
            prompt,
            wanted: Wanted { most, stop: Vec::new(), format, format_param: "text.format", tool_choice },
            streamed: self.stream == Some(true),
            stored: self.store != Some(false),
        })
    }

    fn echo(&self) -> Echo {
        let repeated = ["metadata", "parallel_tool_calls", "reasoning", "truncation", "user", "service_tier"];
        let mut parameters: Map<String, Value> =
            self.rest.iter().filter(|(name, _)| repeated.contains(&name.as_str())).map(own).collect();
        let known = [
            ("instructions", self.instructions.clone().map(Value::from)),
            ("max_output_tokens", self.max_output_tokens.map(Value::from)),
            ("previous_response_id", self.previous_response_id.clone().map(Value::from)),
            ("store", self.store.map(Value::from)),
            ("temperature", self.temperature.map(Value::from)),
            ("top_p", self.top_p.map(Value::from)),
            ("tool_choice", self.tool_choice.clone()),
            ("tools", self.tools.as_ref().map(|tools| json!(tools))),
            ("text", self.text.as_ref().map(|text| json!(text))),
        ];
        parameters.extend(known.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        Echo { model: self.model.clone(), parameters }
    }
}

fn own((name, value): (&String, &Value)) -> (String, Value) {
    (name.clone(), value.clone())
}

fn messages(instructions: Option<String>, input: TextOr<Item>) -> Result<Vec<Message>, ApiError> {
    let text_from =
        |role, text| Message { role, name: None, content: Content { text, ..Content::default() } };
    let mut messages: Vec<Message> =
        instructions.into_iter().map(|text| text_from(Role::Developer, text)).collect();
    match input {
        TextOr::Text(text) => messages.push(text_from(Role::User, text)),
        TextOr::List(items) => {
            for (at, item) in items.into_iter().enumerate() {
                messages.extend(item.read(&format!("input[{at}]"))?);
            }
        }
    }
    Ok(messages)
}

impl Item {
    /// Nothing for an item that adds nothing to the prompt.
    fn read(self, param: &str) -> Result<Option<Message>, ApiError> {
        let missing = |field: &str| ApiError::missing(format!("{param}.{field}"));
        let message = match self.kind.as_deref() {
            None | Some("message") => {
                let role = self.role.ok_or_else(|| missing("role"))?;
                let content = self.content.ok_or_else(|| missing("content"))?;
                Message { role, name: None, content: Content::read(content, &format!("{param}.content"))? }
            }
            Some("function_call") => {
                let name = self.name.ok_or_else(|| missing("name"))?;
                let text = name + &self.arguments.ok_or_else(|| missing("arguments"))?;
                Message { role: Role::Assistant, name: None, content: Content { text, ..Content::default() } }
            }
            Some("function_call_output") => {
                let output = self.output.ok_or_else(|| missing("output"))?;
                Message {
                    role: Role::Tool,
                    name: None,
                    content: Content::read(output, &format!("{param}.output"))?,
                }
            }
            // The demo model has no reasoning; another model's can't be read.
            Some("reasoning") => return Ok(None),
            Some(other) => {
                return Err(ApiError::unsupported(
                    format!("{param}.type"),
                    &format!("items of the type '{other}'"),
                ));
            }
        };
        Ok(Some(message))
    }
}
