//! API keys, each user's own.

use leptos::prelude::*;

use crate::domain::KeyId;
use crate::web::AppError;

/// Makes a key. The page it goes on to shows it, once.
#[server(prefix = "/fn", endpoint = "keys/create")]
pub async fn create_key(name: String) -> Result<(), AppError> {
    use crate::web::ssr::{context, forms, shown_once};
    let made = context::services().accounts.create_key(&context::user()?, &name).await;
    let made = made.map_err(|error| AppError::from(error).keeping([("name", name)]))?;
    shown_once::put(shown_once::KEY, &made);
    forms::go_on("/settings/api-keys");
    Ok(())
}

#[server(prefix = "/fn", endpoint = "keys/revoke")]
pub async fn revoke_key(id: KeyId) -> Result<(), AppError> {
    use crate::web::ssr::{context, forms};
    context::services().accounts.revoke_key(&context::user()?, id).await?;
    forms::done("The key was revoked.");
    forms::go_on("/settings/api-keys");
    Ok(())
}

/// Caps what may be spent with a key in a month.
#[server(prefix = "/fn", endpoint = "keys/cap")]
pub async fn cap_key(
    id: KeyId,
    #[server(default)] llm: String,
    #[server(default)] voice: String,
) -> Result<(), AppError> {
    use crate::domain::Caps;
    use crate::web::ssr::{context, forms};
    let user = context::user()?;
    user.must_have_group()?;
    let caps = Caps::typed(&llm, &voice)?;
    context::services().metering.set_key_caps(&user, id, caps).await?;
    forms::done("The caps were saved.");
    forms::go_on("/settings/api-keys");
    Ok(())
}
