//! `/invite/{token}`: joining a group by the link one was given.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use crate::domain::Refusal;
use crate::web::AppError;
use crate::web::components::field::Field;
use crate::web::components::notice::FormError;
use crate::web::components::page::{Head, Stopped, set_status};
use crate::web::components::submit::Submit;
use crate::web::data::Offer;
use crate::web::format;
use crate::web::server_fns::account::{AcceptInvitation, invitation};
use crate::web_browser;

#[component]
pub fn Invite() -> impl IntoView {
    let params = use_params_map();
    let token = move || params.read().get("token").unwrap_or_default();
    let data = Resource::new(token, invitation);
    let accept = ServerAction::<AcceptInvitation>::new();
    Effect::new(move |_| {
        if let Some(Ok(to)) = accept.value().get() {
            web_browser::load(&to);
        }
    });
    view! {
        <Head title="Invitation" description="Accept an invitation to a group on Tollgate."/>
        <section class="auth">
            <Suspense>
                {move || Suspend::new(async move {
                    match data.await {
                        Ok(offer) => view! { <Accept offer token=token() accept/> }.into_any(),
                        Err(error) => view! { <Gone error/> }.into_any(),
                    }
                })}
            </Suspense>
        </section>
    }
}

#[component]
fn Accept(offer: Offer, token: String, accept: ServerAction<AcceptInvitation>) -> impl IntoView {
    let failed = Memo::new(move |_| accept.value().get().and_then(Result::err));
    let error = move |name| Signal::derive(move || failed.get().and_then(|error| error.field(name)));
    let name = move || failed.get().and_then(|error| error.typed("name").map(str::to_owned)).unwrap_or_default();
    let message = move || failed.get().and_then(|error| error.form(&["name", "password"]));
    view! {
        <h1>"Join " {offer.group_name.clone()}</h1>
        <p class="auth__text">
            {offer.group_name} " invites " <strong>{offer.email.clone()}</strong> " as "
            {format::role(offer.role).to_lowercase()} ". The invitation holds until "
            <time datetime=format::machine(offer.expires_at)>{format::date(offer.expires_at)}</time> "."
        </p>
        <FormError message=Signal::derive(message)/>
        <ActionForm action=accept>
            <input type="hidden" name="token" value=token/>
            // For password managers: the address is the account's name.
            <input type="email" class="unseen" autocomplete="username" readonly tabindex="-1" aria-hidden="true" value=offer.email/>
            <Field
                name="name"
                label="Your name"
                autocomplete="name"
                required=true
                value=Signal::derive(name)
                error=error("name")
            />
            <Field
                name="password"
                label="Password"
                kind="password"
                autocomplete="new-password"
                required=true
                error=error("password")
            />
            <Submit label="Join the group" pending=accept.pending()/>
        </ActionForm>
    }
}

#[component]
fn Gone(error: AppError) -> impl IntoView {
    if error.refusal() == Some(&Refusal::InvitationGone) {
        set_status(410);
        let text = "It has expired, was used, or was withdrawn. Ask the group's admin for a new one.";
        view! { <Stopped code="410" title="This invitation is gone" text/> }
    } else {
        set_status(503);
        view! { <Stopped code="503" title="The invitation can't be shown now" text=error.to_string()/> }
    }
}
