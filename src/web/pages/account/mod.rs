//! `/settings/account`: what is one's own. A section a file.

mod leave;
mod notifications;
mod profile;
mod sessions;
mod sign_in;

use leptos::prelude::*;

use crate::domain::{NotificationSettings, Session, User};
use crate::web::AppError;
use crate::web::components::page::{Head, Heading, load};
use crate::web::ssr::context::{services, session_user};
use leave::Leave;
use notifications::Notifications;
use profile::Profile;
use sessions::Sessions;
use sign_in::SignInDetails;

struct Data {
    user: User,
    sessions: Vec<Session>,
    settings: NotificationSettings,
    is_last_admin: bool,
}

#[component]
pub fn Account() -> impl IntoView {
    load(data(), |Data { user, sessions, settings, is_last_admin }| {
        let leave = user.group.clone().map(|group| view! { <Leave group is_last_admin/> });
        view! {
            <Head title="Account" description="Your name, how you sign in, which e-mails you get, and where you are signed in."/>
            <Heading title="Account" text="Your name, how you sign in, which e-mails you get, and where you are signed in."/>
            <Profile name=user.name.clone()/>
            <SignInDetails email=user.email/>
            <Notifications settings role=user.role/>
            <Sessions sessions/>
            {leave}
        }
        .into_any()
    })
}

async fn data() -> Result<Data, AppError> {
    let (by, services) = (session_user()?, services());
    let sessions = services.accounts.sessions(&by.user, &by.session).await?;
    let settings = services.outbox.settings(&by.user).await?;
    let is_last_admin = services.accounts.is_last_admin(&by.user).await?;
    Ok(Data { user: by.user, sessions, settings, is_last_admin })
}
