//! Which e-mails one gets, and the operator's look at those that were written.

use leptos::prelude::*;

use crate::domain::MessageId;
use crate::web::AppError;

/// Keeps which e-mails the user wants.
#[server(prefix = "/fn", endpoint = "notifications/choose")]
pub async fn choose_notifications(
    #[server(default)] usage_80: bool,
    #[server(default)] usage_90: bool,
    #[server(default)] usage_100: bool,
    #[server(default)] billing: bool,
) -> Result<(), AppError> {
    use crate::domain::NotificationSettings;
    use crate::web::ssr::{context, forms};
    let settings = NotificationSettings { usage_80, usage_90, usage_100, billing };
    context::services().outbox.choose(&context::user()?, &settings).await?;
    forms::done("Your choice of e-mails was saved.");
    forms::go_on("/settings/account");
    Ok(())
}

/// Stops the e-mails that a link is for. Needs no sign-in: the link is the proof.
#[server(prefix = "/fn", endpoint = "notifications/unsubscribe")]
pub async fn unsubscribe(token: String) -> Result<(), AppError> {
    use crate::web::ssr::{context, forms};
    context::services().outbox.unsubscribe(&token).await?;
    forms::done("You don't get these e-mails any more.");
    forms::go_on(&format!("/unsubscribe/{token}"));
    Ok(())
}

/// Has a message of the outbox sent now. `after` is the page that it is on.
#[server(prefix = "/fn", endpoint = "outbox/send-again")]
pub async fn send_again(id: MessageId, #[server(default)] after: Option<MessageId>) -> Result<(), AppError> {
    use crate::web::ssr::{context, forms};
    context::services().outbox.send_again(&context::user()?, id).await?;
    forms::done("The message is sent as soon as the mail server takes it.");
    forms::go_on(&after.map_or_else(|| "/outbox".to_owned(), |after| format!("/outbox?after={after}")));
    Ok(())
}
