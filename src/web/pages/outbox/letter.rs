//! One message of the outbox.

use leptos::nonce::use_nonce;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

use crate::domain::{MessageId, MessageState};
use crate::notify::OutboxRow;
use crate::web::components::badge::Badge;
use crate::web::components::form::Form;
use crate::web::components::submit::Submit;
use crate::web::format;
use crate::web::server_fns::notifications::SendAgain;
use crate::web::ssr::context::services;

#[component]
pub fn Letter(
    message: OutboxRow,
    /// The page that it is on: what follows this message.
    after: Option<MessageId>,
) -> impl IntoView {
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
                {after.map(|after| view! { <input type="hidden" name="after" value=after.to_string()/> })}
                <Submit label="Send again" tone="plain" of/>
            </Form>
        }
    });
    let tries =
        (message.attempts > 0).then(|| format!(" · {}", format::plural(message.attempts, "try", "tries")));
    let sent = message.sent_at.map(|at| format!(" · sent {}", format::date_time(at)));
    view! {
        <article class="letter">
            <header class="letter__head">
                <h2>{message.subject}</h2>
                <Badge tone label/>
                <p>
                    "To "<strong>{message.recipient}</strong>" · "{format::date_time(message.created_at)}{tries}{sent}
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
