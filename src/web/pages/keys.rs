//! `/settings/api-keys`: keys for programs.

use leptos::prelude::*;
use leptos::server_fn::ServerFn;

use crate::domain::{ApiKey, NewApiKey};
use crate::web::AppError;
use crate::web::components::confirm::Confirm;
use crate::web::components::field::Field;
use crate::web::components::form::{Attempt, Form, Refused, refused};
use crate::web::components::page::{Head, Heading, load};
use crate::web::components::submit::Submit;
use crate::web::format;
use crate::web::islands::shown_once::ShownOnce;
use crate::web::server_fns::keys::{CreateKey, RevokeKey};
use crate::web::ssr::context::{services, user};
use crate::web::ssr::shown_once;

#[component]
pub fn Keys() -> impl IntoView {
    load(keys(), |keys| {
        let attempt = Attempt::of::<CreateKey>();
        view! {
            <Head title="API keys" description="Keys by which your programs record usage and ask for limits."/>
            <Heading title="API keys" text="A key acts as you: what it records counts for your group."/>
            {shown_once::take(shown_once::KEY).map(|key| view! { <Made key/> })}
            {refused::<RevokeKey>()}
            <section class="panel">
                <h2>"New key"</h2>
                <Refused message=attempt.message(&["name"])/>
                <Form to=CreateKey::PATH>
                    <div class="inline-form">
                        <Field
                            name="name"
                            label="Name"
                            hint="What will use it, such as “production worker”."
                            value=attempt.value("name")
                            error=attempt.error("name")
                        />
                        <Submit label="Create key"/>
                    </div>
                </Form>
            </section>
            <List keys/>
            <HowTo/>
        }
        .into_any()
    })
}

async fn keys() -> Result<Vec<ApiKey>, AppError> {
    Ok(services().accounts.keys(&user()?).await?)
}

#[component]
fn Made(key: NewApiKey) -> impl IntoView {
    let title = format!("“{}” is ready", key.name);
    let text = "Copy the key now: it is shown this once, and only its fingerprint is kept.".to_owned();
    view! { <ShownOnce title text label="API key".to_owned() value=key.key/> }
}

#[component]
fn List(keys: Vec<ApiKey>) -> impl IntoView {
    if keys.is_empty() {
        return view! { <p class="empty">"No keys yet."</p> }.into_any();
    }
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
            <tbody>{keys.into_iter().map(|key| view! { <Row key/> }).collect_view()}</tbody>
        </table>
    }
    .into_any()
}

#[component]
fn Row(key: ApiKey) -> impl IntoView {
    let used = key.last_used_at.map_or_else(|| "Never".to_owned(), format::date_time);
    view! {
        <tr>
            <th scope="row">{key.name.clone()}</th>
            <td data-label="Key"><code>{key.prefix}"…"</code></td>
            <td data-label="Created">{format::date(key.created_at)}</td>
            <td data-label="Last used">{used}</td>
            <td class="table__actions">
                <Confirm
                    id=format!("revoke-{}", key.id)
                    label="Revoke"
                    of=key.name.clone()
                    title=format!("Revoke “{}”?", key.name)
                    text="Programs that use it are refused from the next request on. This can't be undone."
                >
                    <Form to=RevokeKey::PATH>
                        <input type="hidden" name="id" value=key.id.to_string()/>
                        <Submit label="Revoke key" tone="danger"/>
                    </Form>
                </Confirm>
            </td>
        </tr>
    }
}

#[component]
fn HowTo() -> impl IntoView {
    let config = services().config;
    let origin = config.public_url.as_str().trim_end_matches('/');
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
            <pre tabindex="0"><code>{example}</code></pre>
            <p>
                <a href="/api/docs/">"The whole API"</a>
            </p>
        </section>
    }
}
