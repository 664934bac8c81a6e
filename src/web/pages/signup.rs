//! `/signup`.

use leptos::prelude::*;
use leptos::server_fn::ServerFn;

use crate::domain::Level;
use crate::web::components::field::Field;
use crate::web::components::form::{Attempt, Form, Refused};
use crate::web::components::notice::Notice;
use crate::web::components::page::Head;
use crate::web::components::submit::Submit;
use crate::web::server_fns::account;
use crate::web::ssr::context;

const FIELDS: &[&str] = &["name", "group_name", "email", "password"];

#[component]
pub fn SignUp() -> impl IntoView {
    let form = if context::services().config.signup_open {
        view! { <SignUpForm/> }.into_any()
    } else {
        view! { <Notice level=Level::Ok>"Sign-up is closed here. Ask for an invitation."</Notice> }.into_any()
    };
    view! {
        <Head title="Create an account" description="Create a Tollgate account for your team and choose a plan."/>
        <section class="auth">
            <h1>"Create an account"</h1>
            {form}
            <p class="auth__other">"Have an account? "<a href="/login">"Sign in"</a></p>
        </section>
    }
}

#[component]
fn SignUpForm() -> impl IntoView {
    let attempt = Attempt::of::<account::SignUp>();
    view! {
        <Refused message=attempt.message(FIELDS)/>
        <Form to=account::SignUp::PATH>
            <Field name="name" label="Your name" autocomplete="name" value=attempt.value("name") error=attempt.error("name")/>
            <Field
                name="group_name"
                label="Group"
                hint="Your team or company. It shares one subscription."
                autocomplete="organization"
                value=attempt.value("group_name")
                error=attempt.error("group_name")
            />
            <Field name="email" label="E-mail" input_type="email" autocomplete="username" value=attempt.value("email") error=attempt.error("email")/>
            <Field name="password" label="Password" input_type="password" autocomplete="new-password" error=attempt.error("password")/>
            <Submit label="Create account"/>
        </Form>
    }
}
