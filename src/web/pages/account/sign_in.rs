//! The address and the password one signs in with.

use leptos::prelude::*;
use leptos::server_fn::ServerFn;

use crate::web::components::field::Field;
use crate::web::components::form::{Attempt, Form, Refused};
use crate::web::components::submit::Submit;
use crate::web::server_fns::settings::ChangeSignIn;

const FIELDS: &[&str] = &["email", "password", "current_password"];

#[component]
pub fn SignInDetails(email: String) -> impl IntoView {
    let attempt = Attempt::of::<ChangeSignIn>();
    let value = if attempt.clone().refused().is_some() { attempt.value("email") } else { email };
    view! {
        <section class="panel" aria-labelledby="sign-in">
            <h2 id="sign-in">"Sign-in details"</h2>
            <Refused message=attempt.message(FIELDS)/>
            <Form to=ChangeSignIn::PATH>
                <div class="stacked-form">
                    <Field
                        name="email"
                        label="E-mail"
                        input_type="email"
                        autocomplete="username"
                        value
                        error=attempt.error("email")
                    />
                    <Field
                        name="password"
                        label="New password"
                        input_type="password"
                        hint="At least 8 characters. Leave it empty to keep the one you have; another signs you out everywhere else."
                        autocomplete="new-password"
                        required=false
                        error=attempt.error("password")
                    />
                    <Field
                        name="current_password"
                        label="Current password"
                        input_type="password"
                        hint="To be sure that it is you."
                        autocomplete="current-password"
                        error=attempt.error("current_password")
                    />
                    <Submit label="Save sign-in details"/>
                </div>
            </Form>
        </section>
    }
}
