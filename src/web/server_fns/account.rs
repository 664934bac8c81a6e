//! Signing up, in and out, and a new password for who forgot theirs.

use leptos::prelude::*;

use crate::web::AppError;

/// Signs in, and goes on to `next` or the front page.
#[server(prefix = "/fn", endpoint = "account/sign-in")]
pub async fn sign_in(
    email: String,
    password: String,
    #[server(default)] next: String,
) -> Result<(), AppError> {
    use crate::web::ssr::{context, forms};
    let client = context::client().await;
    let user = context::services().accounts.log_in(&email, &password, &client).await;
    let user = user.map_err(|error| AppError::from(error).keeping([("email", email)]))?;
    context::sign_in(&user).await?;
    forms::go_on(&next);
    Ok(())
}

/// Makes a group and its admin, and signs them in.
#[server(prefix = "/fn", endpoint = "account/sign-up")]
pub async fn sign_up(
    name: String,
    group_name: String,
    email: String,
    password: String,
) -> Result<(), AppError> {
    use crate::accounts::SignUp;
    use crate::web::ssr::{context, forms};
    let typed = [("name", name.clone()), ("group_name", group_name.clone()), ("email", email.clone())];
    let (input, client) = (SignUp { email, password, name, group_name }, context::client().await);
    let user = context::services().accounts.sign_up(input, &client).await;
    let user = user.map_err(|error| AppError::from(error).keeping(typed))?;
    context::sign_in(&user).await?;
    forms::go_on("/subscribe");
    Ok(())
}

/// Ends the session.
#[server(prefix = "/fn", endpoint = "account/sign-out")]
pub async fn sign_out() -> Result<(), AppError> {
    use crate::web::ssr::{context, forms};
    context::sign_out().await?;
    forms::go_on("/login");
    Ok(())
}

/// Sends a link that sets a new password, where there is an account.
#[server(prefix = "/fn", endpoint = "account/forgot")]
pub async fn forgot_password(email: String) -> Result<(), AppError> {
    use crate::web::ssr::{context, forms};
    let client = context::client().await;
    let asked = context::services().accounts.forgot_password(&email, &client).await;
    asked.map_err(|error| AppError::from(error).keeping([("email", email)]))?;
    forms::go_on("/forgot?sent=1");
    Ok(())
}

/// Sets a new password by a link.
#[server(prefix = "/fn", endpoint = "account/reset")]
pub async fn reset_password(token: String, password: String) -> Result<(), AppError> {
    use crate::web::ssr::{context, forms};
    context::services().accounts.reset_password(&token, &password).await?;
    forms::done("Your password was changed. Sign in with it.");
    forms::go_on("/login");
    Ok(())
}

/// Joins the inviting group, and signs in.
#[server(prefix = "/fn", endpoint = "account/accept-invitation")]
pub async fn accept_invitation(token: String, name: String, password: String) -> Result<(), AppError> {
    use crate::web::ssr::{context, forms};
    let user = context::services().accounts.accept_invitation(&token, &name, &password).await;
    let user = user.map_err(|error| AppError::from(error).keeping([("name", name)]))?;
    context::sign_in(&user).await?;
    forms::go_on("/usage");
    Ok(())
}
