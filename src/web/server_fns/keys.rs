//! API keys, for whoever is signed in.

use leptos::prelude::*;
use uuid::Uuid;

use crate::domain::NewApiKey;
use crate::web::AppError;
use crate::web::data::KeysPage;

#[server(prefix = "/fn", endpoint = "keys/page")]
pub async fn get_keys_page() -> Result<KeysPage, AppError> {
    use crate::web_server::context::{services, user};
    use crate::web_server::shown_once;
    let (user, services) = (user()?, services());
    Ok(KeysPage {
        keys: services.accounts.keys(&user).await?,
        origin: services.config.public_url.as_str().trim_end_matches('/').to_owned(),
        made: shown_once::take("key"),
    })
}

/// Makes a key; it is in this answer and nowhere else.
#[server(prefix = "/fn", endpoint = "keys/create")]
pub async fn create_key(name: String) -> Result<NewApiKey, AppError> {
    use crate::web_server::context::{services, user};
    use crate::web_server::shown_once;
    let made = services().accounts.create_key(&user()?, &name).await;
    let made = made.map_err(|error| AppError::from(error).keeping([("name", name.as_str())]))?;
    shown_once::put("key", &made);
    Ok(made)
}

#[server(prefix = "/fn", endpoint = "keys/revoke")]
pub async fn revoke_key(id: Uuid) -> Result<(), AppError> {
    use crate::web_server::context::{services, user};
    Ok(services().accounts.revoke_key(&user()?, id).await?)
}
