//! A group's people, for its admin.

use leptos::prelude::*;

use crate::domain::{InvitationId, UserId};
use crate::web::AppError;

/// Invites a person by e-mail. The page it goes on to shows the link, once.
#[server(prefix = "/fn", endpoint = "team/invite")]
pub async fn invite(email: String, role: String) -> Result<(), AppError> {
    use crate::web::ssr::{context, forms, shown_once};
    let made = context::services().accounts.invite(&context::user()?, &email, &role).await;
    let made = made.map_err(|error| AppError::from(error).keeping([("email", email), ("role", role)]))?;
    shown_once::put(shown_once::INVITATION, &made);
    forms::go_on("/team");
    Ok(())
}

/// Sends an invitation anew. The page it goes on to shows the new link, once.
#[server(prefix = "/fn", endpoint = "team/resend")]
pub async fn resend_invitation(id: InvitationId) -> Result<(), AppError> {
    use crate::web::ssr::{context, forms, shown_once};
    let made = context::services().accounts.resend_invitation(&context::user()?, id).await?;
    shown_once::put(shown_once::INVITATION, &made);
    forms::go_on("/team");
    Ok(())
}

#[server(prefix = "/fn", endpoint = "team/withdraw")]
pub async fn withdraw_invitation(id: InvitationId) -> Result<(), AppError> {
    use crate::web::ssr::{context, forms};
    context::services().accounts.withdraw_invitation(&context::user()?, id).await?;
    forms::done("The invitation was withdrawn.");
    forms::go_on("/team");
    Ok(())
}

#[server(prefix = "/fn", endpoint = "team/remove")]
pub async fn remove_member(id: UserId) -> Result<(), AppError> {
    use crate::web::ssr::{context, forms};
    context::services().accounts.remove_member(&context::user()?, id).await?;
    forms::done("The member was removed.");
    forms::go_on("/team");
    Ok(())
}

/// Gives a member another role.
#[server(prefix = "/fn", endpoint = "team/role")]
pub async fn change_role(id: UserId, role: String) -> Result<(), AppError> {
    use crate::web::ssr::{context, forms};
    let user = context::user()?;
    let member = context::services().accounts.change_role(&user, id, &role).await?;
    forms::done("The role was changed.");
    // Who makes oneself a member may see the page no more.
    forms::go_on(if member.id == user.id && member.role != user.role { "/usage" } else { "/team" });
    Ok(())
}

/// Caps what a member may spend in a month.
#[server(prefix = "/fn", endpoint = "team/cap")]
pub async fn cap_member(
    id: UserId,
    #[server(default)] llm: String,
    #[server(default)] voice: String,
) -> Result<(), AppError> {
    use crate::domain::Caps;
    use crate::web::ssr::{context, forms};
    let user = context::user()?;
    user.must_be_admin()?;
    let caps = Caps::typed(&llm, &voice)?;
    context::services().metering.set_member_caps(&user, id, caps).await?;
    forms::done("The caps were saved.");
    forms::go_on("/team");
    Ok(())
}
