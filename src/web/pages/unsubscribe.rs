//! `/unsubscribe/{token}`: stopping one kind of e-mail, by the link in one. It asks first: programs that look at the links
//! of a message don't unsubscribe anybody.

use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use leptos_router::hooks::use_params_map;

use crate::notify::Unsubscribable;
use crate::web::components::form::{Form, refused};
use crate::web::components::page::{Head, load};
use crate::web::components::submit::Submit;
use crate::web::server_fns::notifications::Unsubscribe as StopEmails;
use crate::web::ssr::context::services;

#[component]
pub fn Unsubscribe() -> impl IntoView {
    let token = use_params_map().read_untracked().get("token").unwrap_or_default();
    let services = services();
    let asked = token.clone();
    load(async move { Ok(services.outbox.unsubscribable(&asked).await?) }, move |found| {
        let Unsubscribable { email, kind, is_stopped } = found;
        let shown = if is_stopped {
            view! {
                <h1>"Unsubscribed"</h1>
                <p class="auth__text">
                    <strong>{email}</strong>" gets no more e-mail of this kind: "<strong>{kind.label()}</strong>"."
                </p>
            }
            .into_any()
        } else {
            view! {
                <h1>"Unsubscribe"</h1>
                <p class="auth__text">
                    <strong>{email}</strong>" gets e-mail of this kind: "<strong>{kind.label()}</strong>". Stop it?"
                </p>
                {refused::<StopEmails>()}
                <Form to=StopEmails::PATH>
                    <input type="hidden" name="token" value=token/>
                    <Submit label="Unsubscribe"/>
                </Form>
            }
            .into_any()
        };
        view! {
            <Head title="Unsubscribe" description="Stop e-mail from Tollgate." robots="noindex"/>
            <section class="auth">
                {shown}
                <p class="auth__other">
                    <a href="/settings/account">"Choose which e-mails you get"</a>
                </p>
            </section>
        }
        .into_any()
    })
}
