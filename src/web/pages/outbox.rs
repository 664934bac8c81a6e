//! `/outbox`: the e-mail that was written, for installations that send none, and the events of Stripe's that nobody could
//! work off.

use leptos::nonce::use_nonce;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

use crate::domain::{GivenUpEvent, MessageState};
use crate::notify::{OutboxRow, PageRequest};
use crate::web::AppError;
use crate::web::components::badge::Badge;
use crate::web::components::form::{Form, refused};
use crate::web::components::page::{Head, Heading, load};
use crate::web::components::submit::Submit;
use crate::web::components::table::{Column, Row, Table};
use crate::web::format;
use crate::web::server_fns::events::RetryEvent;
use crate::web::server_fns::notifications::SendAgain;
use crate::web::ssr::context::{services, user};

const COLUMNS: &[Column] = &[
    Column::text("Event"),
    Column::text("Type"),
    Column::short("Received"),
    Column::number("Tries"),
    Column::text("Last error"),
];

#[component]
pub fn Outbox() -> impl IntoView {
    load(data(), |(messages, events)| {
        let shown = if messages.is_empty() {
            view! { <p class="empty">"Nothing was written yet."</p> }.into_any()
        } else {
            messages.into_iter().map(|message| view! { <Letter message/> }).collect_view().into_any()
        };
        view! {
            <Head title="Outbox" description="E-mail written by this installation."/>
            <Heading title="Outbox" text="E-mail as it was written. Without a mail server set, it stays here."/>
            {refused::<RetryEvent>()}
            {refused::<SendAgain>()}
            {(!events.is_empty()).then(|| view! { <GivenUp events/> })}
            {shown}
        }
        .into_any()
    })
}

/// How many of the newest messages are shown.
const SHOWN: usize = 50;

async fn data() -> Result<(Vec<OutboxRow>, Vec<GivenUpEvent>), AppError> {
    let (user, services) = (user()?, services());
    let page = PageRequest { after: None, limit: SHOWN };
    let messages = services.outbox.messages(&user, page).await?.rows;
    Ok((messages, services.billing.given_up_events(&user).await?))
}

/// The events that an operator has to look at.
#[component]
fn GivenUp(events: Vec<GivenUpEvent>) -> impl IntoView {
    let rows = events.into_iter().map(|event| {
        let (id, of) = (event.id.clone(), event.id.clone());
        let again = view! {
            <Form to=RetryEvent::PATH>
                <input type="hidden" name="id" value=id/>
                <Submit label="Try again" tone="plain" of/>
            </Form>
        };
        Row::new(view! { <code>{event.id}</code> })
            .cell(view! { <code>{event.event_type}</code> })
            .cell(format::date_time(event.received_at))
            .cell(event.attempts)
            .cell(event.last_error)
            .actions(again)
    });
    view! {
        <section class="section">
            <h2>"Stripe's events that were set aside"</h2>
            <p class="section__note">
                "Each was tried too often in vain. They hold up nothing else: what they are about is also compared with \
                 Stripe each hour."
            </p>
            <Table caption="Stripe's events that were set aside" columns=COLUMNS rows=rows.collect()/>
        </section>
    }
}

#[component]
fn Letter(message: OutboxRow) -> impl IntoView {
    let (tone, label) = match message.state {
        MessageState::Waiting => ("quiet", "Waiting"),
        MessageState::Sent => ("ok", "Sent"),
        MessageState::Failed => ("limit", "Failed"),
        MessageState::Kept => ("quiet", "Kept"),
    };
    let sends = services().config.smtp_url.is_some() && message.state != MessageState::Sent;
    let (title, of) = (format!("{}, as HTML", message.subject), message.subject.clone());
    let again = sends.then(move || {
        view! {
            <Form to=SendAgain::PATH>
                <input type="hidden" name="id" value=message.id.to_string()/>
                <Submit label="Send again" tone="plain" of/>
            </Form>
        }
    });
    let tries = format::plural(message.attempts, "try", "tries");
    let sent = message.sent_at.map(|at| format!(" · sent {}", format::date_time(at)));
    view! {
        <article class="letter">
            <header class="letter__head">
                <h2>{message.subject}</h2>
                <Badge tone label/>
                <p>
                    "To "<strong>{message.recipient}</strong>" · "{format::date_time(message.created_at)}" · "{tries}{sent}
                </p>
                {again}
            </header>
            <pre class="letter__body" tabindex="0">{linked(&message.body)}</pre>
            <details class="letter__html">
                <summary>"As HTML"</summary>
                <iframe title=title sandbox=SANDBOX srcdoc=framed(&message.html)></iframe>
            </details>
        </article>
    }
}

/// Nothing in a message runs; its links open pages of their own.
const SANDBOX: &str = "allow-popups allow-popups-to-escape-sandbox";

/// A message's HTML with the style that this page's policy lets through: it holds in the frame too.
fn framed(html: &str) -> String {
    match use_nonce() {
        Some(nonce) => html.replacen("<style>", &format!("<style nonce=\"{nonce}\">"), 1),
        None => html.to_owned(),
    }
}

/// A text with its addresses as links.
fn linked(text: &str) -> Vec<AnyView> {
    text.split_inclusive(char::is_whitespace)
        .map(|word| {
            let address = word.trim_end();
            if !(address.starts_with("https://") || address.starts_with("http://")) {
                return word.to_owned().into_any();
            }
            let rest = word[address.len()..].to_owned();
            view! { <a href=address.to_owned()>{address.to_owned()}</a>{rest} }.into_any()
        })
        .collect()
}
