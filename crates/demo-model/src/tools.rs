//! Tools that a request offers, which of them is called, and the form that the answer shall have.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::error::ApiError;

/// A function that the caller offers.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Function {
    pub name: String,
    pub description: Option<String>,
    /// A JSON schema; without one the function has no parameters.
    pub parameters: Option<Value>,
    /// Arguments always satisfy the schema here, strict or not.
    pub strict: Option<bool>,
}

/// Whether a tool is to be called.
#[derive(Debug, Default, PartialEq, Eq)]
pub enum Choice {
    None,
    #[default]
    Auto,
    Required,
    Named(String),
}

impl Choice {
    /// Reads `tool_choice`. Chat completions put the name into an object of its own, responses don't.
    ///
    /// # Errors
    /// 400 for anything else than a mode or a function among those offered.
    pub fn read(value: Option<&Value>, offered: &[Function]) -> Result<Self, ApiError> {
        let invalid = || {
            let expected =
                "expected one of 'none', 'auto' and 'required', or an object that names a function";
            ApiError::invalid(
                "tool_choice",
                "invalid_value",
                format!("Invalid value for 'tool_choice': {expected}."),
            )
        };
        let choice = match value {
            None | Some(Value::Null) => return Ok(Self::default()),
            Some(Value::String(mode)) => match mode.as_str() {
                "none" => Self::None,
                "auto" => Self::Auto,
                "required" => Self::Required,
                _ => return Err(invalid()),
            },
            Some(object) => {
                let name = object["function"]["name"].as_str().or(object["name"].as_str());
                match (object["type"].as_str(), name) {
                    (Some("function"), Some(name)) => Self::Named(name.to_owned()),
                    _ => return Err(invalid()),
                }
            }
        };
        let refused = match &choice {
            Self::Named(name) => !offered.iter().any(|function| function.name == *name),
            Self::Required => offered.is_empty(),
            _ => false,
        };
        if refused {
            let message = "Invalid value for 'tool_choice': there is no such function in 'tools'.";
            return Err(ApiError::invalid("tool_choice", "invalid_value", message));
        }
        Ok(choice)
    }
}

/// What the text of an answer has to be.
#[derive(Debug, Default)]
pub enum Format {
    #[default]
    Text,
    /// Some JSON object.
    JsonObject,
    /// An instance of this schema.
    JsonSchema(Value),
}

/// `response_format`, or `text.format`: responses have the schema beside the type, chat completions one level down.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FormatParam {
    Text,
    JsonObject,
    JsonSchema {
        #[serde(skip_serializing)]
        json_schema: Option<NamedSchema>,
        name: Option<String>,
        schema: Option<Value>,
        strict: Option<bool>,
    },
}

#[derive(Clone, Debug, Deserialize)]
pub struct NamedSchema {
    schema: Option<Value>,
}

impl From<Option<FormatParam>> for Format {
    fn from(param: Option<FormatParam>) -> Self {
        match param {
            None | Some(FormatParam::Text) => Self::Text,
            Some(FormatParam::JsonObject) => Self::JsonObject,
            Some(FormatParam::JsonSchema { json_schema, schema, .. }) => Self::JsonSchema(
                json_schema
                    .and_then(|named| named.schema)
                    .or(schema)
                    .unwrap_or_else(|| json!({ "type": "object" })),
            ),
        }
    }
}
