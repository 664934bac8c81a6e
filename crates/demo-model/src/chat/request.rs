//! The request, and what has to be so in it.

use serde::Deserialize;
use serde_json::Value;

use crate::answer::Wanted;
use crate::body::{TextOr, check_range};
use crate::content::{Content, Part};
use crate::error::ApiError;
use crate::models::{self, Kind, MAX_OUTPUT};
use crate::prompt::{Message, Prompt, Role};
use crate::tools::{Choice, Format, FormatParam, Function};

const MOST_ANSWERS: i64 = 128;
const MOST_STOPS: usize = 4;

/// The parameters that have an effect or a range. Others are taken and have none, as `temperature` within its range.
#[derive(Debug, Deserialize)]
pub struct Request {
    model: String,
    messages: Vec<MessageParam>,
    max_tokens: Option<i64>,
    max_completion_tokens: Option<i64>,
    n: Option<i64>,
    stop: Option<TextOr<String>>,
    stream: Option<bool>,
    stream_options: Option<StreamOptions>,
    tools: Option<Vec<Tool>>,
    tool_choice: Option<Value>,
    response_format: Option<FormatParam>,
    modalities: Option<Vec<String>>,
    temperature: Option<f64>,
    top_p: Option<f64>,
    frequency_penalty: Option<f64>,
    presence_penalty: Option<f64>,
}

#[derive(Debug, Deserialize)]
struct MessageParam {
    role: Role,
    content: Option<TextOr<Part>>,
    name: Option<String>,
    tool_calls: Option<Vec<ToolCall>>,
    tool_call_id: Option<String>,
}

#[derive(Debug, Deserialize)]
struct ToolCall {
    function: CalledFunction,
}

#[derive(Debug, Deserialize)]
struct CalledFunction {
    name: String,
    arguments: String,
}

#[derive(Debug, Deserialize)]
struct StreamOptions {
    include_usage: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Tool {
    Function { function: Function },
}

/// A request that can be answered.
#[derive(Debug)]
pub struct Checked {
    pub model: String,
    pub prompt: Prompt,
    pub wanted: Wanted,
    /// How many answers it wants.
    pub answers: u64,
    pub streamed: bool,
    pub usage_asked: bool,
    /// Whether `tool_choice` names a function.
    pub called_by_name: bool,
}

impl Request {
    /// # Errors
    /// 404 for an unknown model, 400 that names the parameter for anything else.
    pub fn checked(self) -> Result<Checked, ApiError> {
        models::require(&self.model, Kind::Chat)?;
        let most = most_tokens("max_completion_tokens", self.max_completion_tokens)?
            .min(most_tokens("max_tokens", self.max_tokens)?);
        check_range("n", self.n, 1, MOST_ANSWERS)?;
        check_range("temperature", self.temperature, 0.0, 2.0)?;
        check_range("top_p", self.top_p, 0.0, 1.0)?;
        check_range("frequency_penalty", self.frequency_penalty, -2.0, 2.0)?;
        check_range("presence_penalty", self.presence_penalty, -2.0, 2.0)?;
        if self.modalities.is_some_and(|modalities| modalities.iter().any(|modality| modality != "text")) {
            return Err(ApiError::unsupported("modalities", "answers but text"));
        }
        let streamed = self.stream == Some(true);
        if self.stream_options.is_some() && !streamed {
            let message = "The 'stream_options' parameter is only allowed when 'stream' is enabled.";
            return Err(ApiError::invalid("stream_options", "invalid_value", message));
        }
        let functions: Vec<Function> =
            self.tools.unwrap_or_default().into_iter().map(|Tool::Function { function }| function).collect();
        let tool_choice = Choice::read(self.tool_choice.as_ref(), &functions)?;
        let format = Format::from(self.response_format);
        let schema = if let Format::JsonSchema(schema) = &format { Some(schema.clone()) } else { None };
        if self.messages.is_empty() {
            let message = "Invalid 'messages': empty array. Expected an array with minimum length 1.";
            return Err(ApiError::invalid("messages", "empty_array", message));
        }
        let messages = self
            .messages
            .into_iter()
            .enumerate()
            .map(|(at, message)| message.read(&format!("messages[{at}]")))
            .collect::<Result<_, _>>()?;
        Ok(Checked {
            model: self.model,
            called_by_name: matches!(tool_choice, Choice::Named(_)),
            wanted: Wanted {
                most,
                stop: stops(self.stop)?,
                format,
                format_param: "response_format",
                tool_choice,
            },
            prompt: Prompt { param: "messages", messages, functions, schema, ..Prompt::default() },
            answers: self.n.unwrap_or(1).unsigned_abs(),
            streamed,
            usage_asked: self.stream_options.and_then(|options| options.include_usage) == Some(true),
        })
    }
}

fn most_tokens(param: &str, value: Option<i64>) -> Result<u64, ApiError> {
    check_range(param, value, 1, MAX_OUTPUT.cast_signed())?;
    Ok(value.map_or(MAX_OUTPUT, i64::unsigned_abs))
}

fn stops(stop: Option<TextOr<String>>) -> Result<Vec<String>, ApiError> {
    let stops = match stop {
        None => Vec::new(),
        Some(TextOr::Text(stop)) => vec![stop],
        Some(TextOr::List(stops)) => stops,
    };
    if stops.len() > MOST_STOPS {
        let message =
            format!("Invalid 'stop': array too long. Expected an array with maximum length {MOST_STOPS}.");
        return Err(ApiError::invalid("stop", "array_above_max_length", message));
    }
    // An empty text stands everywhere and would end every answer before it begins.
    Ok(stops.into_iter().filter(|stop| !stop.is_empty()).collect())
}

impl MessageParam {
    fn read(self, param: &str) -> Result<Message, ApiError> {
        let calls = self.tool_calls.unwrap_or_default();
        if self.role == Role::Tool && self.tool_call_id.is_none() {
            return Err(ApiError::missing(format!("{param}.tool_call_id")));
        }
        let mut content = match self.content {
            Some(content) => Content::read(content, &format!("{param}.content"))?,
            None if !calls.is_empty() => Content::default(),
            None => return Err(ApiError::missing(format!("{param}.content"))),
        };
        // What the model said when it called is part of the conversation.
        for ToolCall { function } in calls {
            content.text.push_str(&function.name);
            content.text.push_str(&function.arguments);
        }
        Ok(Message { role: self.role, name: self.name, content })
    }
}
