//! E-mail that was written, for the SuperAdmin.

use leptos::prelude::*;

use crate::web::AppError;
use crate::web::data::Message;

/// Newest first.
#[server(prefix = "/fn", endpoint = "outbox/messages")]
pub async fn messages() -> Result<Vec<Message>, AppError> {
    use crate::web_server::context::{services, user};
    let messages = services().accounts.outbox(&user()?).await?;
    let shown = messages.into_iter().map(|message| Message {
        id: message.id,
        to: message.recipient,
        subject: message.subject,
        body: message.body,
        created_at: message.created_at,
        sent_at: message.sent_at,
    });
    Ok(shown.collect())
}
