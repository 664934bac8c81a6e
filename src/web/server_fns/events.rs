//! Stripe's events that were given up, for the SuperAdmin.

use leptos::prelude::*;

use crate::web::AppError;

/// Tries an event once more.
#[server(prefix = "/fn", endpoint = "events/retry")]
pub async fn retry_event(id: String) -> Result<(), AppError> {
    use crate::web::ssr::{context, forms};
    let done = context::services().billing.retry_given_up_event(&context::user()?, &id).await?;
    forms::done(if done { "The event is done." } else { "The event was tried again, and failed again." });
    forms::go_on("/outbox");
    Ok(())
}
