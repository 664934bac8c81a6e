//! A group's people, for its admin.

use leptos::prelude::*;
use uuid::Uuid;

use crate::domain::NewInvitation;
use crate::web::AppError;
use crate::web::data::TeamPage;

#[server(prefix = "/fn", endpoint = "team/page")]
pub async fn get_team_page() -> Result<TeamPage, AppError> {
    use crate::web_server::context::{services, user};
    use crate::web_server::shown_once;
    let user = user()?;
    let team = services().accounts.team(&user).await?;
    Ok(TeamPage { team, me: user.id, made: shown_once::take("invitation") })
}

/// Invites somebody; the link is in this answer and nowhere else.
#[server(prefix = "/fn", endpoint = "team/invite")]
pub async fn invite(email: String, role: String) -> Result<NewInvitation, AppError> {
    use crate::web_server::context::{services, user};
    use crate::web_server::shown_once;
    let made = services().accounts.invite(&user()?, &email, &role).await;
    let made = made.map_err(|error| AppError::from(error).keeping([("email", email.as_str()), ("role", role.as_str())]))?;
    shown_once::put("invitation", &made);
    Ok(made)
}

#[server(prefix = "/fn", endpoint = "team/withdraw")]
pub async fn withdraw_invitation(id: Uuid) -> Result<(), AppError> {
    use crate::web_server::context::{services, user};
    Ok(services().accounts.withdraw_invitation(&user()?, id).await?)
}

#[server(prefix = "/fn", endpoint = "team/remove")]
pub async fn remove_member(id: Uuid) -> Result<(), AppError> {
    use crate::web_server::context::{services, user};
    Ok(services().accounts.remove_member(&user()?, id).await?)
}
