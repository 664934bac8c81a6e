//! A member's conversations with a model. Asking the model itself is the browser's, at the gateway.

use leptos::prelude::*;

use crate::domain::{ChatMessage, ConversationId};
use crate::web::AppError;

/// Begins a conversation; the page it goes on to has it answered.
#[server(prefix = "/fn", endpoint = "chat/begin")]
pub async fn begin(question: String) -> Result<(), AppError> {
    use crate::web::ssr::{context, forms, shown_once};
    let id = context::services().chat.begin(&context::user()?, &question).await;
    let id = id.map_err(|error| AppError::from(error).keeping([("question", question)]))?;
    shown_once::put(shown_once::QUESTION, &id);
    forms::go_on(&format!("/chat/{id}"));
    Ok(())
}

/// Adds a question to a conversation. Gives what the model is to be sent.
#[server(prefix = "/fn", endpoint = "chat/ask")]
pub async fn ask(id: ConversationId, question: String) -> Result<Vec<ChatMessage>, AppError> {
    use crate::web::ssr::context;
    Ok(context::services().chat.ask(&context::user()?, id, &question).await?)
}

/// What the model is to be sent for the conversation's last question.
#[server(prefix = "/fn", endpoint = "chat/context")]
pub async fn context(id: ConversationId) -> Result<Vec<ChatMessage>, AppError> {
    use crate::web::ssr::context;
    Ok(context::services().chat.context(&context::user()?, id).await?)
}

/// Keeps the answer to the conversation's last question. Gives it as HTML.
#[server(prefix = "/fn", endpoint = "chat/answer")]
pub async fn answer(
    id: ConversationId,
    content: String,
    model: String,
    tokens: Option<i64>,
) -> Result<String, AppError> {
    use crate::domain::Answer;
    use crate::web::ssr::context;
    let html = crate::chat::markdown::to_html(&content);
    let answer = Answer { content, model, tokens };
    context::services().chat.answer(&context::user()?, id, answer).await?;
    Ok(html)
}

/// An answer's Markdown as HTML.
#[server(prefix = "/fn", endpoint = "chat/render")]
pub async fn render(markdown: String) -> Result<String, AppError> {
    use crate::web::ssr::context;
    context::user()?.must_have_group()?;
    Ok(crate::chat::markdown::to_html(&markdown))
}

#[server(prefix = "/fn", endpoint = "chat/rename")]
pub async fn rename(id: ConversationId, title: String) -> Result<(), AppError> {
    use crate::web::ssr::{context, forms};
    let renamed = context::services().chat.rename(&context::user()?, id, &title).await;
    renamed.map_err(|error| AppError::from(error).keeping([("title", title)]))?;
    forms::go_on(&format!("/chat/{id}"));
    Ok(())
}

#[server(prefix = "/fn", endpoint = "chat/delete")]
pub async fn delete(id: ConversationId) -> Result<(), AppError> {
    use crate::web::ssr::{context, forms};
    context::services().chat.delete(&context::user()?, id).await?;
    forms::done("The conversation was deleted.");
    forms::go_on("/chat");
    Ok(())
}
