//! Conversations with a model.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::ConversationId;

/// The most characters of a question.
pub const MAX_QUESTION: usize = 32_000;
/// The most characters of an answer that are kept.
pub const MAX_ANSWER: usize = 100_000;
/// The most characters of a conversation's title.
pub const MAX_TITLE: usize = 80;

/// Who says a message, in the words of the chat API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChatRole {
    User,
    Assistant,
}

impl ChatRole {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }
}

impl TryFrom<String> for ChatRole {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "user" => Ok(Self::User),
            "assistant" => Ok(Self::Assistant),
            _ => Err(format!("{text:?} is no role of a conversation.")),
        }
    }
}

/// A message as a model is sent it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatMessage {
    pub role: ChatRole,
    pub content: String,
}

/// A message that is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptMessage {
    pub role: ChatRole,
    /// Of an answer, Markdown.
    pub content: String,
    /// Which model answered; null for a question.
    pub model: Option<String>,
    /// What question and answer cost; null where that isn't known.
    pub tokens: Option<i64>,
    pub created_at: DateTime<Utc>,
}

/// An answer to keep.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    pub content: String,
    pub model: String,
    pub tokens: Option<i64>,
}

/// A conversation in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConversationSummary {
    pub id: ConversationId,
    pub title: String,
    /// When the last message came.
    pub updated_at: DateTime<Utc>,
}

/// A conversation with all its messages, in the order they were said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conversation {
    pub id: ConversationId,
    pub title: String,
    pub messages: Vec<KeptMessage>,
}

impl Conversation {
    /// Whether the last message is a question.
    pub fn is_unanswered(&self) -> bool {
        self.messages.last().is_some_and(|last| last.role == ChatRole::User)
    }

    /// The newest messages that have at most `characters` in all, to be sent to a model with the last question among
    /// them whatever its length. Never begins with an answer, whose question would be missing.
    pub fn context(&self, characters: usize) -> Vec<ChatMessage> {
        let mut left = characters;
        let mut first = self.messages.len();
        for (at, message) in self.messages.iter().enumerate().rev() {
            let length = message.content.chars().count();
            let is_last = at + 1 == self.messages.len();
            if !is_last && length > left {
                break;
            }
            left = left.saturating_sub(length);
            first = at;
        }
        let fitting = self.messages[first..].iter().skip_while(|message| message.role == ChatRole::Assistant);
        fitting.map(|message| ChatMessage { role: message.role, content: message.content.clone() }).collect()
    }
}

/// A title made of a conversation's first question: its first line, cut after a word where it is long.
pub fn title_of(question: &str) -> String {
    let line = question.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= MAX_TITLE {
        return line;
    }
    let cut: String = line.chars().take(MAX_TITLE - 1).collect();
    let cut = cut.rsplit_once(' ').map_or(cut.as_str(), |(words, _)| words);
    format!("{cut}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conversation(contents: &[&str]) -> Conversation {
        let roles = [ChatRole::User, ChatRole::Assistant];
        let messages = contents.iter().zip(roles.into_iter().cycle()).map(|(content, role)| KeptMessage {
            role,
            content: (*content).into(),
            model: None,
            tokens: None,
            created_at: DateTime::UNIX_EPOCH,
        });
        Conversation { id: uuid::Uuid::nil().into(), title: String::new(), messages: messages.collect() }
    }

    fn sent(contents: &[&str], characters: usize) -> Vec<String> {
        conversation(contents).context(characters).into_iter().map(|message| message.content).collect()
    }

    #[test]
    fn a_model_is_sent_the_newest_messages_that_fit_beginning_with_a_question() {
        let all = ["one", "two", "three", "four", "five"];
        assert_eq!(sent(&all, 1_000), all);
        assert_eq!(sent(&all, 13), ["three", "four", "five"], "“two” has no question before it");
        assert_eq!(sent(&all, 8), ["five"], "“four” would fit, and has no question before it");
        assert_eq!(sent(&all, 1), ["five"], "the question is sent whatever its length");
        assert_eq!(sent(&[], 10), [""; 0]);
    }

    #[test]
    fn a_conversation_is_called_after_its_first_question() {
        assert_eq!(title_of("\n  How do\tI  cook rice?\nI have a pot."), "How do I cook rice?");
        let long = title_of(&"word ".repeat(40));
        assert!(long.ends_with("word…") && long.chars().count() <= MAX_TITLE, "{long}");
        assert_eq!(title_of(&"x".repeat(200)).chars().count(), MAX_TITLE);
    }

    #[test]
    fn a_conversation_waits_for_an_answer_after_a_question() {
        assert!(conversation(&["question"]).is_unanswered());
        assert!(!conversation(&["question", "answer"]).is_unanswered());
        assert!(!conversation(&[]).is_unanswered());
    }
}
