//! Signing up, in and out.

use leptos::prelude::*;

use crate::web::AppError;
use crate::web::data::{LoginPage, Offer, Viewer};

/// Who is signed in, if anybody.
#[server(prefix = "/fn", endpoint = "account/viewer")]
pub async fn get_viewer() -> Result<Viewer, AppError> {
    use crate::web_server::context::{actor, services};
    let sandbox = services().config.stripe.sandbox.map(|address| format!("http://{address}/"));
    Ok(Viewer { user: actor(), sandbox })
}

/// What the log-in page offers. For everybody.
#[server(prefix = "/fn", endpoint = "account/login-page")]
pub async fn get_login_page() -> Result<LoginPage, AppError> {
    use crate::accounts::DEMO_PASSWORD;
    use crate::web::data::Demo;
    let services = crate::web_server::context::services();
    let demo = services.accounts.demo_accounts().into_iter().map(|account| Demo {
        label: account.label.to_string(),
        email: account.email.to_string(),
        password: DEMO_PASSWORD.to_owned(),
    });
    Ok(LoginPage { demo: demo.collect(), signup_open: services.config.signup_open })
}

/// Signs in, and answers where to go on.
#[server(prefix = "/fn", endpoint = "account/sign-in")]
pub async fn sign_in(email: String, password: String, #[server(default)] next: String) -> Result<String, AppError> {
    use crate::web_server::{context, forms};
    let client = context::client();
    let user = context::services().accounts.log_in(&email, &password, &client).await;
    let user = user.map_err(|error| AppError::from(error).keeping([("email", email.as_str())]))?;
    context::sign_in(&user).await?;
    Ok(forms::go_on(&next))
}

/// Makes a group and its admin, signs them in, and answers where to go on.
#[server(prefix = "/fn", endpoint = "account/sign-up")]
pub async fn sign_up(
    name: String,
    group_name: String,
    email: String,
    password: String,
) -> Result<String, AppError> {
    use crate::accounts::SignUp;
    use crate::web_server::{context, forms};
    let typed = [("name", name.clone()), ("group_name", group_name.clone()), ("email", email.clone())];
    let user = context::services().accounts.sign_up(SignUp { email, password, name, group_name }).await;
    let user = user.map_err(|error| AppError::from(error).keeping(typed))?;
    context::sign_in(&user).await?;
    Ok(forms::go_on("/subscribe"))
}

/// Ends the session.
#[server(prefix = "/fn", endpoint = "account/sign-out")]
pub async fn sign_out() -> Result<String, AppError> {
    use crate::web_server::{context, forms};
    context::sign_out().await?;
    Ok(forms::go_on("/login"))
}

/// What an invitation offers. For whoever holds its link.
#[server(prefix = "/fn", endpoint = "account/invitation")]
pub async fn invitation(token: String) -> Result<Offer, AppError> {
    let offer = crate::web_server::context::services().accounts.invitation(&token).await?;
    Ok(Offer {
        email: offer.email,
        role: offer.role,
        group_name: offer.group_name,
        expires_at: offer.expires_at,
    })
}

/// Joins the inviting group, signs in, and answers where to go on.
#[server(prefix = "/fn", endpoint = "account/accept-invitation")]
pub async fn accept_invitation(token: String, name: String, password: String) -> Result<String, AppError> {
    use crate::web_server::{context, forms};
    let user = context::services().accounts.accept_invitation(&token, &name, &password).await;
    let user = user.map_err(|error| AppError::from(error).keeping([("name", name.as_str())]))?;
    context::sign_in(&user).await?;
    Ok(forms::go_on("/usage"))
}
