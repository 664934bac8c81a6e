//! `/reset/{token}`: setting a new password by a link.

use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use leptos_router::hooks::use_params_map;

use crate::web::components::field::Field;
use crate::web::components::form::{Attempt, Form, Refused};
use crate::web::components::page::{Head, load};
use crate::web::components::submit::Submit;
use crate::web::server_fns::account::ResetPassword;
use crate::web::ssr::context;

#[component]
pub fn Reset() -> impl IntoView {
    let token = use_params_map().read_untracked().get("token").unwrap_or_default();
    let services = context::services();
    let asked = token.clone();
    load(async move { Ok(services.accounts.password_reset(&asked).await?) }, move |email| {
        view! { <NewPassword email token/> }.into_any()
    })
}

#[component]
fn NewPassword(email: String, token: String) -> impl IntoView {
    let attempt = Attempt::of::<ResetPassword>();
    view! {
        <Head title="Set a new password" description="Set a new password for your Tollgate account." robots="noindex"/>
        <section class="auth">
            <h1>"Set a new password"</h1>
            <p class="auth__text">"For "<strong>{email.clone()}</strong>". Every browser that is signed in will be signed out."</p>
            <Refused message=attempt.message(&["password"])/>
            <Form to=ResetPassword::PATH>
                <input type="hidden" name="token" value=token/>
                // For password managers: the address is the account's name.
                <input type="hidden" autocomplete="username" value=email/>
                <Field
                    name="password"
                    label="New password"
                    input_type="password"
                    hint="At least 8 characters."
                    autocomplete="new-password"
                    error=attempt.error("password")
                />
                <Submit label="Set password"/>
            </Form>
        </section>
    }
}
