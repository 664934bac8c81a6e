//! `/settings/api-keys`: keys for programs.

use std::collections::HashMap;
use std::sync::Arc;

use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use uuid::Uuid;

use crate::domain::{ApiKey, KeyId, NewApiKey, PerType, Role, Share};
use crate::web::AppError;
use crate::web::components::caps::{SetCaps, ShareFigure};
use crate::web::components::confirm::Confirm;
use crate::web::components::connect::Connect;
use crate::web::components::field::Field;
use crate::web::components::form::{Attempt, Form, Refused, refused};
use crate::web::components::page::{Head, Heading, load};
use crate::web::components::submit::Submit;
use crate::web::components::table::{Column, Row, Table};
use crate::web::format;
use crate::web::islands::first_event::FirstEvent;
use crate::web::islands::shown_once::ShownOnce;
use crate::web::server_fns::keys::{CapKey, CreateKey, RevokeKey};
use crate::web::ssr::context::{services, user, where_subscribed};
use crate::web::ssr::shown_once;

struct Data {
    keys: Vec<ApiKey>,
    role: Role,
    /// What was spent with each key in this period, and its caps.
    shares: HashMap<Uuid, PerType<Share>>,
    /// What the group has used; none without a subscription.
    used: Option<PerType<i64>>,
}

#[component]
pub fn Keys() -> impl IntoView {
    load(data(), |Data { keys, role, shares, used }| {
        let acts = match role {
            Role::SuperAdmin => "A key acts as you: it manages the platform's plans.",
            Role::Admin | Role::Member => "A key acts as you: what it records counts for your group.",
        };
        let attempt = Attempt::of::<CreateKey>();
        let made = shown_once::take::<NewApiKey>(shown_once::KEY);
        let key = made.as_ref().map(|made| made.key.clone());
        // Where the key was just made, what to do with it comes next.
        let is_made = key.is_some();
        let how_to = match role {
            Role::SuperAdmin => view! { <HowToManage/> }.into_any(),
            Role::Admin | Role::Member => view! { <HowToSpend key used/> }.into_any(),
        };
        let (next, last) = if is_made { (Some(how_to), None) } else { (None, Some(how_to)) };
        view! {
            <Head title="API keys" description="Keys by which your programs use the API in your name."/>
            <Heading title="API keys" text=acts/>
            {made.map(|key| view! { <Made key/> })}
            {next}
            {refused::<RevokeKey>()}
            {refused::<CapKey>()}
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
            <List keys role shares/>
            {last}
        }
        .into_any()
    })
}

/// The viewer's keys, and what the viewer may do with them.
async fn data() -> Result<Data, AppError> {
    let (user, services) = (user()?, services());
    let keys = services.accounts.keys(&user).await?;
    let (shares, used) = match user.role {
        Role::SuperAdmin => (HashMap::new(), None),
        Role::Admin | Role::Member => {
            let usage = where_subscribed(services.metering.usage(&user).await)?;
            let used = usage.map(|usage| usage.resources.map(|resource| resource.used));
            (services.metering.shares(&user).await?, used)
        }
    };
    Ok(Data { keys, role: user.role, shares, used })
}

#[component]
fn Made(key: NewApiKey) -> impl IntoView {
    let title = format!("“{}” is ready", key.name);
    let text = "Copy the key now: it is shown this once, and only its fingerprint is kept.".to_owned();
    view! { <ShownOnce title text label="API key".to_owned() value=key.key/> }
}

const COLUMNS: &[Column] =
    &[Column::text("Name"), Column::short("Key"), Column::short("Created"), Column::short("Last used")];
const GROUP_COLUMNS: &[Column] = &[
    Column::text("Name"),
    Column::short("Key"),
    Column::short("Created"),
    Column::short("Last used"),
    Column::number("LLM tokens"),
    Column::number("Voice tokens"),
];

const CAP: &str = "The most that may be spent with this key in a month. Leave a field empty for no cap; what was spent \
                   stays counted.";

#[component]
fn List(keys: Vec<ApiKey>, role: Role, shares: HashMap<Uuid, PerType<Share>>) -> impl IntoView {
    if keys.is_empty() {
        return view! { <p class="empty">"No keys yet."</p> }.into_any();
    }
    let spends = role != Role::SuperAdmin;
    let rows = keys.into_iter().map(|key| {
        let row = Row::new(key.name.clone())
            .cell(view! { <code>{key.prefix}"…"</code> })
            .cell(format::date(key.created_at))
            .cell(key.last_used_at.map_or_else(|| "Never".to_owned(), format::date_time));
        if !spends {
            return row.actions(view! { <Revoke id=key.id name=key.name/> });
        }
        let share = shares.get(&key.id.0).copied().unwrap_or_default();
        row.cell(view! { <ShareFigure share=share.llm/> })
            .cell(view! { <ShareFigure share=share.voice/> })
            .actions(view! {
                <SetCaps to=CapKey::PATH id=key.id.to_string() of=key.name.clone() share text=CAP/>
                <Revoke id=key.id name=key.name/>
            })
    });
    let columns = if spends { GROUP_COLUMNS } else { COLUMNS };
    view! {
        <Table caption="Your keys" columns rows=rows.collect()/>
        {spends.then(|| view! {
            <p class="section__note">"Tokens are those spent with the key in this period, and its caps."</p>
        })}
    }
    .into_any()
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

/// What a SuperAdmin's key is for, with a request that is answered.
#[component]
fn HowToManage() -> impl IntoView {
    let config = Arc::clone(&services().config);
    let origin = config.public_url.as_str().trim_end_matches('/');
    let example = format!(
        "curl \"{origin}/api/subscriptions/plans/?include_archived=true\" \\\n  \
         -H \"Authorization: Bearer $TOLLGATE_KEY\""
    );
    view! {
        <section class="panel">
            <h2>"How to use a key"</h2>
            <p>
                "List the plans, archived ones included. Usage belongs to groups: it is recorded by their own keys."
            </p>
            <pre tabindex="0"><code>{example}</code></pre>
            <p>
                <a href="/api/docs/">"The whole API"</a>
            </p>
        </section>
    }
}

/// How a program spends by a key, with the key just made filled in.
#[component]
fn HowToSpend(
    key: Option<String>,
    /// What the group has used; none without a subscription.
    used: Option<PerType<i64>>,
) -> impl IntoView {
    let need = match (used, key.is_some()) {
        (None, _) => {
            view! { <p>"Your group has no subscription: until it has, there is nothing to spend."</p> }
                .into_any()
        }
        (Some(used), true) => view! { <FirstEvent used/> }.into_any(),
        (Some(_), false) => view! { <p>"Create a key, and it is filled in here."</p> }.into_any(),
    };
    view! { <Connect base=services().config.public_url.to_string() key>{need}</Connect> }
}
