//! What users change of their own account.

use leptos::prelude::*;

use crate::domain::{GroupId, SessionId};
use crate::web::AppError;

#[server(prefix = "/fn", endpoint = "settings/name")]
pub async fn change_name(name: String) -> Result<(), AppError> {
    use crate::accounts::AccountChange;
    use crate::web::ssr::{context, forms};
    let change = AccountChange { name: Some(name.clone()), ..AccountChange::default() };
    let changed = context::change_account(change).await;
    changed.map_err(|error| error.keeping([("name", name)]))?;
    forms::done("Your name was changed.");
    forms::go_on("/settings/account");
    Ok(())
}

/// Changes the e-mail address, the password or both. An empty password stays as it is.
#[server(prefix = "/fn", endpoint = "settings/sign-in")]
pub async fn change_sign_in(
    email: String,
    current_password: String,
    #[server(default)] password: String,
) -> Result<(), AppError> {
    use crate::accounts::AccountChange;
    use crate::web::ssr::{context, forms};
    let change = AccountChange {
        name: None,
        email: Some(email.clone()),
        password: Some(password).filter(|password| !password.is_empty()),
        current_password: Some(current_password),
    };
    let signed_out = change.password.is_some();
    let changed = context::change_account(change).await;
    changed.map_err(|error| error.keeping([("email", email)]))?;
    forms::done(if signed_out {
        "Your sign-in details were changed. Every other browser was signed out."
    } else {
        "Your sign-in details were changed."
    });
    forms::go_on("/settings/account");
    Ok(())
}

/// Signs one browser out.
#[server(prefix = "/fn", endpoint = "settings/end-session")]
pub async fn end_session(id: SessionId) -> Result<(), AppError> {
    use crate::web::ssr::{context, forms};
    context::services().accounts.end_session(&context::session_user()?.user, id).await?;
    forms::done("That browser was signed out.");
    forms::go_on("/settings/account");
    Ok(())
}

/// Signs out every browser but the one that asks.
#[server(prefix = "/fn", endpoint = "settings/end-other-sessions")]
pub async fn end_other_sessions() -> Result<(), AppError> {
    use crate::web::ssr::{context, forms};
    let by = context::session_user()?;
    context::services().accounts.end_other_sessions(&by.user, &by.session).await?;
    forms::done("Every other browser was signed out.");
    forms::go_on("/settings/account");
    Ok(())
}

/// Leaves the group that the page showed.
#[server(prefix = "/fn", endpoint = "settings/leave")]
pub async fn leave_group(group: GroupId) -> Result<(), AppError> {
    use crate::domain::Refusal;
    use crate::web::ssr::{context, forms};
    let user = context::session_user()?.user;
    if user.must_have_group()? != group {
        return Err(Refusal::NotFound("group".into()).into());
    }
    context::services().accounts.leave_group(&user).await?;
    context::sign_out().await?;
    forms::done("You left the group, and your account was closed.");
    forms::go_on("/login");
    Ok(())
}
