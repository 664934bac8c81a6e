//! `/settings/api-keys`: keys for programs.

use leptos::prelude::*;
use leptos::server_fn::ServerFn;

use crate::domain::{ApiKey, KeyId, NewApiKey, Role};
use crate::web::AppError;
use crate::web::components::confirm::Confirm;
use crate::web::components::field::Field;
use crate::web::components::form::{Attempt, Form, Refused, refused};
use crate::web::components::page::{Head, Heading, load};
use crate::web::components::submit::Submit;
use crate::web::components::table::{Column, Row, Table};
use crate::web::format;
use crate::web::islands::shown_once::ShownOnce;
use crate::web::server_fns::keys::{CreateKey, RevokeKey};
use crate::web::ssr::context::{services, user};
use crate::web::ssr::shown_once;

#[component]
pub fn Keys() -> impl IntoView {
    load(keys(), |(keys, role)| {
        let acts = match role {
            Role::SuperAdmin => "A key acts as you: it manages the platform's plans.",
            Role::Admin | Role::Member => "A key acts as you: what it records counts for your group.",
        };
        let attempt = Attempt::of::<CreateKey>();
        view! {
            <Head title="API keys" description="Keys by which your programs use the API in your name."/>
            <Heading title="API keys" text=acts/>
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
            <HowTo role/>
        }
        .into_any()
    })
}

/// The viewer's keys, and what the viewer may do with them.
async fn keys() -> Result<(Vec<ApiKey>, Role), AppError> {
    let user = user()?;
    Ok((services().accounts.keys(&user).await?, user.role))
}

#[component]
fn Made(key: NewApiKey) -> impl IntoView {
    let title = format!("“{}” is ready", key.name);
    let text = "Copy the key now: it is shown this once, and only its fingerprint is kept.".to_owned();
    view! { <ShownOnce title text label="API key".to_owned() value=key.key/> }
}

const COLUMNS: &[Column] =
    &[Column::text("Name"), Column::short("Key"), Column::short("Created"), Column::short("Last used")];

#[component]
fn List(keys: Vec<ApiKey>) -> impl IntoView {
    if keys.is_empty() {
        return view! { <p class="empty">"No keys yet."</p> }.into_any();
    }
    let rows = keys.into_iter().map(|key| {
        Row::new(key.name.clone())
            .cell(view! { <code>{key.prefix}"…"</code> })
            .cell(format::date(key.created_at))
            .cell(key.last_used_at.map_or_else(|| "Never".to_owned(), format::date_time))
            .actions(view! { <Revoke id=key.id name=key.name/> })
    });
    view! { <Table caption="Your keys" columns=COLUMNS rows=rows.collect()/> }.into_any()
}

#[component]
fn Revoke(id: KeyId, name: String) -> impl IntoView {
    view! {
        <Confirm
            id=format!("revoke-{id}")
            label="Revoke"
            of=name.clone()
            title=format!("Revoke “{name}”?")
            text="Programs that use it are refused from the next request on. This can't be undone."
        >
            <Form to=RevokeKey::PATH>
                <input type="hidden" name="id" value=id.to_string()/>
                <Submit label="Revoke key" tone="danger"/>
            </Form>
        </Confirm>
    }
}

/// What a key of this role is for, with a request that is answered.
#[component]
fn HowTo(role: Role) -> impl IntoView {
    let config = services().config;
    let origin = config.public_url.as_str().trim_end_matches('/');
    let authorization = "-H \"Authorization: Bearer $TOLLGATE_KEY\"";
    let (text, example) = match role {
        Role::SuperAdmin => (
            "List the plans, archived ones included. Usage belongs to groups: it is recorded by their own keys.",
            format!("curl \"{origin}/api/subscriptions/plans/?include_archived=true\" \\\n  {authorization}"),
        ),
        Role::Admin | Role::Member => (
            "Report the tokens your program has spent. The id is your own: sending the same event again changes \
             nothing.",
            format!(
                "curl {origin}/api/subscriptions/usage/events/ \\\n  {authorization} \\\n  \
                 -H \"Content-Type: application/json\" \\\n  \
                 -d '{{\"id\": \"call-1\", \"usage_type\": \"llm\", \"tokens_used\": 1200}}'"
            ),
        ),
    };
    view! {
        <section class="panel">
            <h2>"How to use a key"</h2>
            <p>{text}</p>
            <pre tabindex="0"><code>{example}</code></pre>
            <p>
                <a href="/api/docs/">"The whole API"</a>
            </p>
        </section>
    }
}
