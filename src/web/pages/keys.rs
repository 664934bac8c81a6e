//! `/settings/api-keys`: keys for programs.

use leptos::prelude::*;

use crate::domain::{ApiKey, NewApiKey};
use crate::web::components::confirm::Confirm;
use crate::web::components::copy::ShownOnce;
use crate::web::components::field::Field;
use crate::web::components::notice::FormError;
use crate::web::components::page::{Head, Heading, Load};
use crate::web::components::submit::Submit;
use crate::web::data::KeysPage;
use crate::web::format;
use crate::web::server_fns::keys::{CreateKey, RevokeKey, get_keys_page};

#[component]
pub fn Keys() -> impl IntoView {
    let create = ServerAction::<CreateKey>::new();
    let revoke = ServerAction::<RevokeKey>::new();
    let data = Resource::new(move || (create.version().get(), revoke.version().get()), |_| get_keys_page());
    let failed = Memo::new(move |_| create.value().get().and_then(Result::err));
    let name = move || failed.get().and_then(|error| error.typed("name").map(str::to_owned)).unwrap_or_default();
    let refused = move || revoke.value().get().and_then(Result::err).map(|error| error.to_string());
    let made = Memo::new(move |_| create.value().get().and_then(Result::ok));
    view! {
        <Head title="API keys" description="Keys by which your programs record usage and ask for limits."/>
        <Heading title="API keys" text="A key acts as you: what it records counts for your group."/>
        {move || made.get().map(|key| view! { <Made key/> })}
        <section class="panel">
            <h2>"New key"</h2>
            <FormError message=Signal::derive(move || failed.get().and_then(|error| error.form(&["name"])))/>
            <ActionForm action=create>
                <div class="inline-form">
                    <Field
                        name="name"
                        label="Name"
                        hint="What will use it, such as “production worker”."
                        autocomplete="off"
                        required=true
                        value=Signal::derive(name)
                        error=Signal::derive(move || failed.get().and_then(|error| error.field("name")))
                    />
                    <Submit label="Create key" pending=create.pending()/>
                </div>
            </ActionForm>
        </section>
        <FormError message=Signal::derive(refused)/>
        <Load data view=move |page| view! { <Shown page revoke/> }.into_any()/>
    }
}

#[component]
fn Made(key: NewApiKey) -> impl IntoView {
    let title = format!("“{}” is ready", key.name);
    let text = "Copy the key now: it is shown this once, and only its fingerprint is kept.";
    view! { <ShownOnce title text label="API key" value=key.key/> }
}

#[component]
fn Shown(page: KeysPage, revoke: ServerAction<RevokeKey>) -> impl IntoView {
    let keys = page.keys;
    view! {
        {page.made.map(|key| view! { <Made key/> })}
        {if keys.is_empty() {
            view! { <p class="empty">"No keys yet."</p> }.into_any()
        } else {
            view! {
                <table class="table">
                    <caption class="unseen">"Your keys"</caption>
                    <thead>
                        <tr>
                            <th scope="col">"Name"</th>
                            <th scope="col">"Key"</th>
                            <th scope="col">"Created"</th>
                            <th scope="col">"Last used"</th>
                            <th scope="col"><span class="unseen">"Actions"</span></th>
                        </tr>
                    </thead>
                    <tbody>
                        <For each=move || keys.clone() key=|key| key.id children=move |key| view! { <Row key revoke/> }/>
                    </tbody>
                </table>
            }
            .into_any()
        }}
        <HowTo origin=page.origin/>
    }
}

#[component]
fn Row(key: ApiKey, revoke: ServerAction<RevokeKey>) -> impl IntoView {
    let used = match key.last_used_at {
        Some(at) => view! { <time datetime=format::machine(at)>{format::date_time(at)}</time> }.into_any(),
        None => "Never".into_any(),
    };
    view! {
        <tr>
            <th scope="row">{key.name.clone()}</th>
            <td data-label="Key"><code>{key.prefix} "…"</code></td>
            <td data-label="Created">
                <time datetime=format::machine(key.created_at)>{format::date(key.created_at)}</time>
            </td>
            <td data-label="Last used">{used}</td>
            <td class="table__actions">
                <Confirm
                    id=format!("revoke-{}", key.id)
                    label="Revoke"
                    of=key.name.clone()
                    title=format!("Revoke “{}”?", key.name)
                    text="Programs that use it are refused from the next request on. This can't be undone."
                >
                    <ActionForm action=revoke>
                        <input type="hidden" name="id" value=key.id.to_string()/>
                        <Submit label="Revoke key" pending=revoke.pending() tone="danger"/>
                    </ActionForm>
                </Confirm>
            </td>
        </tr>
    }
}

#[component]
fn HowTo(origin: String) -> impl IntoView {
    let example = format!(
        "curl {origin}/api/subscriptions/usage/events/ \\\n  -H \"Authorization: Bearer $TOLLGATE_KEY\" \\\n  \
         -H \"Content-Type: application/json\" \\\n  \
         -d '{{\"id\": \"call-1\", \"usage_type\": \"llm\", \"tokens_used\": 1200}}'"
    );
    view! {
        <section class="panel">
            <h2>"How to use a key"</h2>
            <p>
                "Report the tokens your program has spent. The id is your own: sending the same event again changes nothing."
            </p>
            <pre tabindex="0" aria-label="Example"><code>{example}</code></pre>
            <p>
                <a href="/api/docs/" rel="external">"The whole API"</a>
            </p>
        </section>
    }
}
