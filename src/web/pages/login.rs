//! `/login`.

use leptos::prelude::*;
use leptos_router::components::A;
use leptos_router::hooks::use_query_map;

use crate::web::components::field::Field;
use crate::web::components::notice::FormError;
use crate::web::components::page::{Head, Load};
use crate::web::components::submit::Submit;
use crate::web::data::Demo;
use crate::web::server_fns::account::{SignIn, get_login_page};
use crate::web_browser;

#[component]
pub fn Login() -> impl IntoView {
    let data = Resource::new(|| (), |()| get_login_page());
    let sign_in = ServerAction::<SignIn>::new();
    let next = use_query_map().read_untracked().get("next").unwrap_or_default();
    let to = next.clone();
    let failed = Memo::new(move |_| sign_in.value().get().and_then(Result::err));
    Effect::new(move |_| {
        if let Some(Ok(to)) = sign_in.value().get() {
            web_browser::load(&to);
        }
    });
    let email = move || failed.get().and_then(|error| error.typed("email").map(str::to_owned)).unwrap_or_default();
    let message = move || failed.get().map(|error| error.to_string());
    view! {
        <Head title="Sign in" description="Sign in to Tollgate to see your usage, your subscription and your API keys."/>
        <section class="auth">
            <h1>"Sign in"</h1>
            <FormError message=Signal::derive(message)/>
            <ActionForm action=sign_in>
                <input type="hidden" name="next" value=to/>
                <Field
                    name="email"
                    label="E-mail"
                    kind="email"
                    autocomplete="username"
                    required=true
                    value=Signal::derive(email)
                />
                <Field name="password" label="Password" kind="password" autocomplete="current-password" required=true/>
                <Submit label="Sign in" pending=sign_in.pending()/>
            </ActionForm>
            <Load data view=move |page| {
                let next = next.clone();
                view! {
                    {page.signup_open.then(|| view! {
                        <p class="auth__other">"New here? " <A href="/signup">"Create an account"</A></p>
                    })}
                    {(!page.demo.is_empty()).then(|| view! { <DemoAccounts demo=page.demo next sign_in/> })}
                }
                .into_any()
            }/>
        </section>
    }
}

#[component]
fn DemoAccounts(demo: Vec<Demo>, next: String, sign_in: ServerAction<SignIn>) -> impl IntoView {
    let forms = demo.into_iter().map(|account| {
        let next = next.clone();
        view! {
            <ActionForm action=sign_in>
                <input type="hidden" name="next" value=next/>
                <input type="hidden" name="email" value=account.email.clone()/>
                <input type="hidden" name="password" value=account.password/>
                <button class="demo__account" type="submit">
                    <span>{account.label}</span>
                    " "
                    <span class="demo__email">{account.email}</span>
                </button>
            </ActionForm>
        }
    });
    view! {
        <div class="demo">
            <h2>"Demo accounts"</h2>
            <p>"Sign in with one click. The data is made up."</p>
            <div class="demo__accounts">{forms.collect_view()}</div>
        </div>
    }
}
