//! `/invite/{token}`: joining a group by an invitation's link.

use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use leptos_router::hooks::use_params_map;

use crate::accounts::InvitationOffer;
use crate::web::components::field::Field;
use crate::web::components::form::{Attempt, Form, Refused};
use crate::web::components::page::{Head, load};
use crate::web::components::submit::Submit;
use crate::web::format;
use crate::web::server_fns::account::AcceptInvitation;
use crate::web::ssr::context;

#[component]
pub fn Invite() -> impl IntoView {
    let token = use_params_map().read_untracked().get("token").unwrap_or_default();
    let services = context::services();
    let asked = token.clone();
    load(async move { Ok(services.accounts.invitation(&asked).await?) }, move |offer| {
        view! { <Accept offer token/> }.into_any()
    })
}

#[component]
fn Accept(offer: InvitationOffer, token: String) -> impl IntoView {
    let attempt = Attempt::of::<AcceptInvitation>();
    let until = format::date(offer.expires_at);
    view! {
        <Head title=format!("Join {}", offer.group_name) description="Accept an invitation to a group on Tollgate."/>
        <section class="auth">
            <h1>"Join "{offer.group_name.clone()}</h1>
            <p class="auth__text">
                {offer.group_name}" invites "<strong>{offer.email.clone()}</strong>" as "
                {format::role(offer.role).to_lowercase()}". The invitation holds until "{until}"."
            </p>
            <Refused message=attempt.message(&["name", "password"])/>
            <Form to=AcceptInvitation::PATH>
                <input type="hidden" name="token" value=token/>
                // For password managers: the address is the account's name.
                <input type="hidden" autocomplete="username" value=offer.email/>
                <Field name="name" label="Your name" autocomplete="name" value=attempt.value("name") error=attempt.error("name")/>
                <Field name="password" label="Password" input_type="password" autocomplete="new-password" error=attempt.error("password")/>
                <Submit label="Join the group"/>
            </Form>
        </section>
    }
}
