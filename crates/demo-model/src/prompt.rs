//! A conversation, as both endpoints have it, and its count of tokens.
//!
//! The rule is the one that OpenAI publishes for its chat models (in its cookbook, "How to count tokens with tiktoken"):
//! three tokens a message, the tokens of its role, its text and its name, one more where there is a name, and three that
//! begin the answer. Pictures, sound and files are counted as `content` says. What is offered and asked for in JSON,
//! functions and a schema, counts as the text of that JSON.

use serde_json::Value;

use crate::content::Content;
use crate::error::ApiError;
use crate::models::CONTEXT;
use crate::tokens;
use crate::tools::Function;

const PER_MESSAGE: u64 = 3;
const PER_NAME: u64 = 1;
const ANSWER_PRIMING: u64 = 3;

/// The most bytes of text that a prompt may have: what fits into the context at four bytes a token. It is looked at
/// before counting, which would take seconds for more.
pub const TEXT_LIMIT: usize = 4 * CONTEXT as usize;

/// Who a message is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    System,
    Developer,
    User,
    Assistant,
    Tool,
    Function,
}

impl Role {
    fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Developer => "developer",
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::Tool => "tool",
            Self::Function => "function",
        }
    }

    fn is_result(self) -> bool {
        matches!(self, Self::Tool | Self::Function)
    }
}

#[derive(Debug)]
pub struct Message {
    pub role: Role,
    pub name: Option<String>,
    pub content: Content,
}

/// Everything that an answer is made from.
#[derive(Debug, Default)]
pub struct Prompt {
    /// Which parameter has the messages.
    pub param: &'static str,
    pub messages: Vec<Message>,
    pub functions: Vec<Function>,
    /// The schema that the answer shall satisfy, if there is one.
    pub schema: Option<Value>,
    /// Tokens of the conversation that an earlier response ended.
    pub earlier_tokens: u64,
    /// What the question before was about, if it isn't among the messages.
    pub earlier_topic: Option<String>,
}

/// A prompt's tokens, and how many of them are of which kind.
#[derive(Clone, Copy, Debug, Default)]
pub struct PromptTokens {
    pub total: u64,
    pub image: u64,
    pub audio: u64,
}

impl Prompt {
    /// The text of the last message from the user, or nothing.
    pub fn question(&self) -> &str {
        self.last(Role::User).map_or("", |message| message.content.text.as_str())
    }

    /// The last message from the user.
    pub fn last(&self, role: Role) -> Option<&Message> {
        self.messages.iter().rfind(|message| message.role == role)
    }

    /// What a tool answered, if the conversation has come to that.
    pub fn tool_result(&self) -> Option<&str> {
        self.messages.last().filter(|last| last.role.is_result()).map(|last| last.content.text.as_str())
    }

    /// # Errors
    /// 400 if there is more than the model's context holds.
    pub fn count(&self) -> Result<PromptTokens, ApiError> {
        let bytes: usize = self.messages.iter().map(|message| message.content.text.len()).sum();
        if bytes > TEXT_LIMIT {
            return Err(self.too_long(&format!("{bytes} bytes of text")));
        }
        let mut count =
            PromptTokens { total: self.earlier_tokens + ANSWER_PRIMING, ..PromptTokens::default() };
        for Message { role, name, content } in &self.messages {
            count.total += PER_MESSAGE + tokens::count(role.name()) + tokens::count(&content.text);
            count.total += name.as_deref().map_or(0, |name| PER_NAME + tokens::count(name));
            count.total += content.image_tokens + content.audio_tokens + content.file_tokens;
            count.image += content.image_tokens;
            count.audio += content.audio_tokens;
        }
        for Function { name, description, parameters, .. } in &self.functions {
            count.total += tokens::count(name)
                + tokens::count(description.as_deref().unwrap_or_default())
                + parameters.as_ref().map_or(0, |schema| tokens::count(&schema.to_string()));
        }
        count.total += self.schema.as_ref().map_or(0, |schema| tokens::count(&schema.to_string()));
        if count.total > CONTEXT {
            return Err(self.too_long(&format!("{} tokens", count.total)));
        }
        Ok(count)
    }

    fn too_long(&self, size: &str) -> ApiError {
        let message = format!(
            "This model's maximum context length is {CONTEXT} tokens, and no more than {TEXT_LIMIT} bytes of text. \
             However, your messages have {size}."
        );
        ApiError::invalid(self.param, "context_length_exceeded", message)
    }
}
