//! `/login`.

use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use leptos_router::hooks::use_query_map;

use crate::accounts::DEMO_PASSWORD;
use crate::web::components::field::Field;
use crate::web::components::form::{Attempt, Form, Refused};
use crate::web::components::page::Head;
use crate::web::components::submit::Submit;
use crate::web::server_fns::account::SignIn;
use crate::web::ssr::context;

#[component]
pub fn Login() -> impl IntoView {
    let services = context::services();
    let attempt = Attempt::of::<SignIn>();
    let next = use_query_map().read_untracked().get("next").unwrap_or_default();
    let here = next.clone();
    let signup = services.config.signup_open.then(|| {
        view! { <p class="auth__other">"New here? "<a href="/signup">"Create an account"</a></p> }
    });
    view! {
        <Head title="Sign in" description="Sign in to Tollgate to see your usage, your subscription and your API keys."/>
        <section class="auth">
            <h1>"Sign in"</h1>
            <Refused message=attempt.message(&[])/>
            <Form to=SignIn::PATH>
                <input type="hidden" name="next" value=here/>
                <Field name="email" label="E-mail" input_type="email" autocomplete="username" value=attempt.value("email")/>
                <Field name="password" label="Password" input_type="password" autocomplete="current-password"/>
                <Submit label="Sign in"/>
            </Form>
            <p class="auth__other"><a href="/forgot">"Forgot password?"</a></p>
            {signup}
            <DemoAccounts next/>
        </section>
    }
}

/// One click for each account of the demo; nothing where there is no demo.
#[component]
fn DemoAccounts(next: String) -> impl IntoView {
    let accounts = context::services().accounts.demo_accounts();
    if accounts.is_empty() {
        return None;
    }
    let forms = accounts.into_iter().map(|account| {
        let next = next.clone();
        view! {
            <Form to=SignIn::PATH>
                <input type="hidden" name="next" value=next/>
                <input type="hidden" name="email" value=account.email.to_string()/>
                <input type="hidden" name="password" value=DEMO_PASSWORD/>
                <button class="demo__account" type="submit">
                    <span>{account.label.to_string()}</span>
                    " "
                    <span class="demo__email">{account.email.to_string()}</span>
                </button>
            </Form>
        }
    });
    Some(view! {
        <div class="demo">
            <h2>"Demo accounts"</h2>
            <p>"Sign in with one click. The data is made up."</p>
            <div class="demo__accounts">{forms.collect_view()}</div>
        </div>
    })
}
