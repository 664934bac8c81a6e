//! `/signup`.

use leptos::prelude::*;
use leptos_router::components::A;

use crate::domain::Level;
use crate::web::components::field::Field;
use crate::web::components::notice::{FormError, Notice};
use crate::web::components::page::{Head, Load};
use crate::web::components::submit::Submit;
use crate::web::server_fns::account::{self, get_login_page};
use crate::web_browser;

const FIELDS: &[&str] = &["name", "group_name", "email", "password"];

#[component]
pub fn SignUp() -> impl IntoView {
    let data = Resource::new(|| (), |()| get_login_page());
    let sign_up = ServerAction::<account::SignUp>::new();
    Effect::new(move |_| {
        if let Some(Ok(to)) = sign_up.value().get() {
            web_browser::load(&to);
        }
    });
    view! {
        <Head title="Create an account" description="Create a Tollgate account for your team and choose a plan."/>
        <section class="auth">
            <h1>"Create an account"</h1>
            <Load data view=move |page| {
                if page.signup_open {
                    view! { <Form sign_up/> }.into_any()
                } else {
                    view! { <Notice level=Level::Ok>"Sign-up is closed here. Ask for an invitation."</Notice> }.into_any()
                }
            }/>
            <p class="auth__other">"Have an account? " <A href="/login">"Sign in"</A></p>
        </section>
    }
}

#[component]
fn Form(sign_up: ServerAction<account::SignUp>) -> impl IntoView {
    let failed = Memo::new(move |_| sign_up.value().get().and_then(Result::err));
    let error = move |name| Signal::derive(move || failed.get().and_then(|error| error.field(name)));
    let value = move |name| {
        Signal::derive(move || {
            failed.get().and_then(|error| error.typed(name).map(str::to_owned)).unwrap_or_default()
        })
    };
    let message = move || failed.get().and_then(|error| error.form(FIELDS));
    view! {
        <FormError message=Signal::derive(message)/>
        <ActionForm action=sign_up>
            <Field name="name" label="Your name" autocomplete="name" required=true value=value("name") error=error("name")/>
            <Field
                name="group_name"
                label="Group"
                hint="Your team or company. It shares one subscription."
                autocomplete="organization"
                required=true
                value=value("group_name")
                error=error("group_name")
            />
            <Field
                name="email"
                label="E-mail"
                kind="email"
                autocomplete="username"
                required=true
                value=value("email")
                error=error("email")
            />
            <Field
                name="password"
                label="Password"
                kind="password"
                autocomplete="new-password"
                required=true
                error=error("password")
            />
            <Submit label="Create account" pending=sign_up.pending()/>
        </ActionForm>
    }
}
