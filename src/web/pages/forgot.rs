//! `/forgot`: asking for a link that sets a new password.

use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use leptos_router::hooks::use_query_map;

use crate::web::components::field::Field;
use crate::web::components::form::{Attempt, Form, Refused};
use crate::web::components::page::Head;
use crate::web::components::submit::Submit;
use crate::web::server_fns::account::ForgotPassword;

#[component]
pub fn Forgot() -> impl IntoView {
    let sent = use_query_map().read_untracked().get("sent").is_some();
    view! {
        <Head title="Forgot password" description="Get a link by e-mail that sets a new password for your Tollgate account."/>
        <section class="auth">
            {if sent { view! { <Sent/> }.into_any() } else { view! { <Ask/> }.into_any() }}
            <p class="auth__other"><a href="/login">"Back to signing in"</a></p>
        </section>
    }
}

#[component]
fn Ask() -> impl IntoView {
    let attempt = Attempt::of::<ForgotPassword>();
    view! {
        <h1>"Forgot your password?"</h1>
        <p class="auth__text">"Enter the address you sign in with. We'll send a link that sets a new password."</p>
        <Refused message=attempt.message(&["email"])/>
        <Form to=ForgotPassword::PATH>
            <Field
                name="email"
                label="E-mail"
                input_type="email"
                autocomplete="username"
                value=attempt.value("email")
                error=attempt.error("email")
            />
            <Submit label="Send the link"/>
        </Form>
    }
}

/// The same with an account and without.
#[component]
fn Sent() -> impl IntoView {
    view! {
        <h1>"Look into your mailbox"</h1>
        <p class="auth__text" role="status">
            "If there is an account with that address, a link is on its way. It works once, within an hour."
        </p>
        <p class="auth__hint">
            "Nothing there? Look into the spam folder, or "<a href="/forgot">"try another address"</a>"."
        </p>
    }
}
