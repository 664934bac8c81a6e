//! `/settings/account`: one's own account.

mod notifications;

use leptos::prelude::*;

use crate::domain::{NotificationSettings, Role};
use crate::web::AppError;
use crate::web::components::page::{Head, Heading, load};
use crate::web::ssr::context::{services, user};
use notifications::Notifications;

#[component]
pub fn Account() -> impl IntoView {
    load(data(), |(settings, role)| {
        view! {
            <Head title="Account" description="Your account: which e-mails you get."/>
            <Heading title="Account" text="What belongs to you alone."/>
            <Notifications settings role/>
        }
        .into_any()
    })
}

async fn data() -> Result<(NotificationSettings, Role), AppError> {
    let user = user()?;
    Ok((services().outbox.settings(&user).await?, user.role))
}
