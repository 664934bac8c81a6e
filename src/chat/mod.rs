//! Conversations with a model, kept for the member who has them.
//!
//! Owns: what is kept of a conversation, how much of it a model is sent again, and how an answer's Markdown becomes HTML.
//! Doesn't own: asking a model, which goes through the gateway as any program's request does.
//!
//! A conversation is its member's own: for anyone else, the group's admin included, it isn't there.

pub mod markdown;

use uuid::Uuid;

use crate::clock::Clock;
use crate::domain::{
    Answer, ChatMessage, ChatRole, Conversation, ConversationId, ConversationSummary, FieldErrors,
    MAX_ANSWER, MAX_COUNT, MAX_QUESTION, MAX_TITLE, Refusal, User, multiline_text, text, title_of,
};
use crate::error::Result;
use crate::storage::{NewMessageRow, Store};

/// Conversations one member may keep.
const MOST_CONVERSATIONS: i64 = 200;
/// Messages of one conversation.
const MOST_MESSAGES: i64 = 500;
/// The most characters of earlier messages that a model is sent with a question: each question pays for them again.
const CONTEXT: usize = 48_000;

/// The members' conversations. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Chat {
    store: Store,
    clock: Clock,
}

impl Chat {
    pub fn new(store: Store, clock: Clock) -> Self {
        Self { store, clock }
    }

    /// The user's conversations, the one that changed last first.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] for a SuperAdmin; the database's.
    pub async fn conversations(&self, user: &User) -> Result<Vec<ConversationSummary>> {
        self.store.conversations(user.must_have_group()?, user.id).await
    }

    /// One of the user's conversations.
    ///
    /// # Errors
    /// [`Refusal::NotFound`], also for another member's; [`Refusal::Forbidden`] for a SuperAdmin; the database's.
    pub async fn conversation(&self, user: &User, id: ConversationId) -> Result<Conversation> {
        self.store.conversation(user.must_have_group()?, user.id, id).await
    }

    /// The model that answered the user last, if one has.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] for a SuperAdmin; the database's.
    pub async fn last_model(&self, user: &User) -> Result<Option<String>> {
        self.store.last_model(user.must_have_group()?, user.id).await
    }

    /// Begins a conversation with a question, and calls it after that.
    ///
    /// # Errors
    /// [`Refusal::Invalid`]; [`Refusal::Conflict`] where the user keeps as many as one may; [`Refusal::Forbidden`] for a
    /// SuperAdmin; the database's.
    pub async fn begin(&self, user: &User, question: &str) -> Result<ConversationId> {
        let group = user.must_have_group()?;
        let first = question_row(question)?;
        let id = ConversationId(Uuid::now_v7());
        let title = title_of(&first.content);
        let now = self.clock.now();
        self.store.add_conversation(group, user.id, id, &title, &first, MOST_CONVERSATIONS, now).await?;
        Ok(id)
    }

    /// Adds a question to a conversation. Gives what the model is to be sent.
    ///
    /// # Errors
    /// [`Refusal::Invalid`]; [`Refusal::NotFound`], also for another member's; [`Refusal::Conflict`] where the
    /// conversation is full; [`Refusal::Forbidden`] for a SuperAdmin; the database's.
    pub async fn ask(&self, user: &User, id: ConversationId, question: &str) -> Result<Vec<ChatMessage>> {
        let group = user.must_have_group()?;
        let row = question_row(question)?;
        // One more is kept free for the answer.
        self.store.add_message(group, user.id, id, &row, MOST_MESSAGES - 1, self.clock.now()).await?;
        self.context(user, id).await
    }

    /// What a model is to be sent for the conversation's last question.
    ///
    /// # Errors
    /// As [`Chat::conversation`].
    pub async fn context(&self, user: &User, id: ConversationId) -> Result<Vec<ChatMessage>> {
        Ok(self.conversation(user, id).await?.context(CONTEXT))
    }

    /// Keeps the answer to the conversation's last question.
    ///
    /// # Errors
    /// [`Refusal::Invalid`]; [`Refusal::NotFound`], also for another member's; [`Refusal::Conflict`] where the question
    /// was answered; [`Refusal::Forbidden`] for a SuperAdmin; the database's.
    pub async fn answer(&self, user: &User, id: ConversationId, answer: Answer) -> Result<()> {
        let group = user.must_have_group()?;
        let row = answer_row(answer)?;
        self.store.add_message(group, user.id, id, &row, MOST_MESSAGES, self.clock.now()).await
    }

    /// Gives a conversation another title.
    ///
    /// # Errors
    /// [`Refusal::Invalid`]; [`Refusal::NotFound`], also for another member's; [`Refusal::Forbidden`] for a SuperAdmin;
    /// the database's.
    pub async fn rename(&self, user: &User, id: ConversationId, title: &str) -> Result<()> {
        let group = user.must_have_group()?;
        let title = text(title, "Title", 1, MAX_TITLE).map_err(|message| Refusal::field("title", message))?;
        self.store.rename_conversation(group, user.id, id, &title).await
    }

    /// Deletes a conversation and all its messages. What they cost stays in the ledger, which has none of their text.
    ///
    /// # Errors
    /// [`Refusal::NotFound`], also for another member's; [`Refusal::Forbidden`] for a SuperAdmin; the database's.
    pub async fn delete(&self, user: &User, id: ConversationId) -> Result<()> {
        self.store.delete_conversation(user.must_have_group()?, user.id, id).await
    }
}

fn question_row(question: &str) -> Result<NewMessageRow, Refusal> {
    let content = multiline_text(question, "Message", 1, MAX_QUESTION);
    let content = content.map_err(|message| Refusal::field("question", message))?;
    Ok(NewMessageRow { role: ChatRole::User, content, model: None, tokens: None })
}

fn answer_row(answer: Answer) -> Result<NewMessageRow, Refusal> {
    let mut errors = FieldErrors::new();
    // A model may write anything; what can't be shown is left out rather than refused.
    let shown: String = answer.content.chars().filter(|c| !c.is_control() || "\n\t".contains(*c)).collect();
    let content = errors.take("content", multiline_text(&shown, "Answer", 1, MAX_ANSWER));
    let model = errors.take("model", text(&answer.model, "Model", 1, 255));
    if answer.tokens.is_some_and(|tokens| !(0..=MAX_COUNT).contains(&tokens)) {
        errors.add("tokens", format!("Tokens must be 0 to {MAX_COUNT}."));
    }
    match (content, model) {
        (Some(content), Some(model)) if errors.is_empty() => Ok(NewMessageRow {
            role: ChatRole::Assistant,
            content,
            model: Some(model),
            tokens: answer.tokens,
        }),
        _ => Err(errors.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_an_answer_is_named() {
        let answer = |content: &str, model: &str, tokens| {
            answer_row(Answer { content: content.into(), model: model.into(), tokens })
        };
        assert_eq!(answer("one\r\n\u{1b}[2Jtwo", "gpt", Some(1)).unwrap().content, "one\n[2Jtwo");
        let Refusal::Invalid(errors) = answer(" ", "", Some(-1)).unwrap_err() else {
            panic!("another refusal")
        };
        let fields: Vec<_> = errors.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(fields, ["content", "model", "tokens"]);
        assert!(answer(&"x".repeat(MAX_ANSWER + 1), "gpt", None).is_err());
    }
}
