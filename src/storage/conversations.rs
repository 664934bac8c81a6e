//! Members' conversations with a model. Every statement names the member: no other user has access to it.

use chrono::{DateTime, Utc};
use sqlx::FromRow;

use super::Store;
use crate::domain::{
    ChatRole, Conversation, ConversationId, ConversationSummary, GroupId, KeptMessage, Refusal, UserId,
};
use crate::error::Result;

/// A message to add.
#[derive(Clone, Debug)]
pub struct NewMessageRow {
    pub role: ChatRole,
    pub content: String,
    pub model: Option<String>,
    pub tokens: Option<i64>,
}

fn not_found() -> Refusal {
    Refusal::NotFound("conversation".into())
}

impl Store {
    /// Begins a conversation with its first message, where the member has fewer than `most`.
    ///
    /// # Errors
    /// [`Refusal::Conflict`] where the member has as many; the database's.
    #[allow(clippy::too_many_arguments, reason = "a row's columns")]
    pub async fn add_conversation(
        &self,
        group: GroupId,
        user: UserId,
        id: ConversationId,
        title: &str,
        first: &NewMessageRow,
        most: i64,
        now: DateTime<Utc>,
    ) -> Result<()> {
        in_tx!(self, |tx| {
            let added = sqlx::query(
                "INSERT INTO chat_conversations (group_id, id, user_id, title, created_at, updated_at)
                 SELECT $1, $2, $3, $4, $5, $5
                 WHERE (SELECT COUNT(*) FROM chat_conversations WHERE group_id = $1 AND user_id = $3) < $6",
            )
            .bind(group)
            .bind(id)
            .bind(user)
            .bind(title)
            .bind(now)
            .bind(most)
            .execute(&mut *tx)
            .await?
            .rows_affected();
            if added == 0 {
                let text = format!(
                    "There are {most} conversations, as many as one member may keep. Delete one first."
                );
                return Err(Refusal::Conflict(text).into());
            }
            sqlx::query(
                "INSERT INTO chat_messages (group_id, conversation_id, position, role, content, created_at)
                 VALUES ($1, $2, 1, $3, $4, $5)",
            )
            .bind(group)
            .bind(id)
            .bind(first.role.as_str())
            .bind(&first.content)
            .bind(now)
            .execute(&mut *tx)
            .await?;
        });
        Ok(())
    }

    /// Adds a message to a conversation of fewer than `most`. An answer is added only behind a question.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] where the conversation isn't the member's; [`Refusal::Conflict`] where it is full, or the
    /// last message is an answer already; the database's.
    pub async fn add_message(
        &self,
        group: GroupId,
        user: UserId,
        id: ConversationId,
        message: &NewMessageRow,
        most: i64,
        now: DateTime<Utc>,
    ) -> Result<()> {
        in_tx!(self, |tx| {
            // First of all the update, which on PostgreSQL keeps another message of the same conversation waiting.
            let found = sqlx::query(
                "UPDATE chat_conversations SET updated_at = $4 WHERE group_id = $1 AND user_id = $2 AND id = $3",
            )
            .bind(group)
            .bind(user)
            .bind(id)
            .bind(now)
            .execute(&mut *tx)
            .await?
            .rows_affected();
            if found == 0 {
                return Err(not_found().into());
            }
            let (last, role): (i64, String) = sqlx::query_as(
                "SELECT position, role FROM chat_messages WHERE group_id = $1 AND conversation_id = $2
                 ORDER BY position DESC LIMIT 1",
            )
            .bind(group)
            .bind(id)
            .fetch_one(&mut *tx)
            .await?;
            if last >= most {
                let text = format!("A conversation has at most {most} messages. Begin a new one.");
                return Err(Refusal::Conflict(text).into());
            }
            if message.role == ChatRole::Assistant && role == ChatRole::Assistant.as_str() {
                return Err(Refusal::Conflict("The question was answered already.".into()).into());
            }
            sqlx::query(
                "INSERT INTO chat_messages (group_id, conversation_id, position, role, content, model, tokens, created_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            )
            .bind(group)
            .bind(id)
            .bind(last + 1)
            .bind(message.role.as_str())
            .bind(&message.content)
            .bind(&message.model)
            .bind(message.tokens)
            .bind(now)
            .execute(&mut *tx)
            .await?;
        });
        Ok(())
    }

    /// The member's conversations, the one that changed last first.
    ///
    /// # Errors
    /// The database's.
    pub async fn conversations(&self, group: GroupId, user: UserId) -> Result<Vec<ConversationSummary>> {
        let rows: Vec<(ConversationId, String, DateTime<Utc>)> = on_db!(self, |pool| {
            sqlx::query_as(
                "SELECT id, title, updated_at FROM chat_conversations WHERE group_id = $1 AND user_id = $2
                 ORDER BY updated_at DESC, id DESC",
            )
            .bind(group)
            .bind(user)
            .fetch_all(pool)
            .await?
        });
        let summary = |(id, title, updated_at)| ConversationSummary { id, title, updated_at };
        Ok(rows.into_iter().map(summary).collect())
    }

    /// A conversation of the member's, whole.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] where it isn't the member's; the database's.
    pub async fn conversation(
        &self,
        group: GroupId,
        user: UserId,
        id: ConversationId,
    ) -> Result<Conversation> {
        #[derive(FromRow)]
        struct Row {
            #[sqlx(try_from = "String")]
            role: ChatRole,
            content: String,
            model: Option<String>,
            tokens: Option<i64>,
            created_at: DateTime<Utc>,
        }
        let title: Option<String> = on_db!(self, |pool| {
            sqlx::query_scalar(
                "SELECT title FROM chat_conversations WHERE group_id = $1 AND user_id = $2 AND id = $3",
            )
            .bind(group)
            .bind(user)
            .bind(id)
            .fetch_optional(pool)
            .await?
        });
        let title = title.ok_or_else(not_found)?;
        let rows: Vec<Row> = on_db!(self, |pool| {
            sqlx::query_as(
                "SELECT role, content, model, tokens, created_at FROM chat_messages
                 WHERE group_id = $1 AND conversation_id = $2 ORDER BY position",
            )
            .bind(group)
            .bind(id)
            .fetch_all(pool)
            .await?
        });
        let kept = |Row { role, content, model, tokens, created_at }| KeptMessage {
            role,
            content,
            model,
            tokens,
            created_at,
        };
        Ok(Conversation { id, title, messages: rows.into_iter().map(kept).collect() })
    }

    /// The model that answered the member last.
    ///
    /// # Errors
    /// The database's.
    pub async fn last_model(&self, group: GroupId, user: UserId) -> Result<Option<String>> {
        Ok(on_db!(self, |pool| {
            sqlx::query_scalar(
                "SELECT m.model FROM chat_messages m
                 JOIN chat_conversations c ON c.group_id = m.group_id AND c.id = m.conversation_id
                 WHERE c.group_id = $1 AND c.user_id = $2 AND m.group_id = $1 AND m.model IS NOT NULL
                 ORDER BY c.updated_at DESC, m.position DESC LIMIT 1",
            )
            .bind(group)
            .bind(user)
            .fetch_optional(pool)
            .await?
        }))
    }

    /// Gives a conversation of the member's another title.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] where it isn't the member's; the database's.
    pub async fn rename_conversation(
        &self,
        group: GroupId,
        user: UserId,
        id: ConversationId,
        title: &str,
    ) -> Result<()> {
        let renamed = write_db!(self, |pool| {
            sqlx::query(
                "UPDATE chat_conversations SET title = $4 WHERE group_id = $1 AND user_id = $2 AND id = $3",
            )
            .bind(group)
            .bind(user)
            .bind(id)
            .bind(title)
            .execute(pool)
            .await?
            .rows_affected()
        });
        if renamed == 0 { Err(not_found().into()) } else { Ok(()) }
    }

    /// Deletes a conversation of the member's with its messages.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] where it isn't the member's; the database's.
    pub async fn delete_conversation(&self, group: GroupId, user: UserId, id: ConversationId) -> Result<()> {
        let deleted = write_db!(self, |pool| {
            sqlx::query("DELETE FROM chat_conversations WHERE group_id = $1 AND user_id = $2 AND id = $3")
                .bind(group)
                .bind(user)
                .bind(id)
                .execute(pool)
                .await?
                .rows_affected()
        });
        if deleted == 0 { Err(not_found().into()) } else { Ok(()) }
    }
}
