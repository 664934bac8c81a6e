//! `/outbox`: the e-mail that was written, for installations that send none.

use leptos::prelude::*;

use crate::web::components::badge::Badge;
use crate::web::components::page::{Head, Heading, Load};
use crate::web::data::Message;
use crate::web::format;
use crate::web::server_fns::outbox::messages;

#[component]
pub fn Outbox() -> impl IntoView {
    let data = Resource::new(|| (), |()| messages());
    view! {
        <Head title="Outbox" description="E-mail written by this installation."/>
        <Heading title="Outbox" text="E-mail as it was written. Without a mail server set, it stays here."/>
        <Load data view=|messages| {
            if messages.is_empty() {
                view! { <p class="empty">"Nothing was written yet."</p> }.into_any()
            } else {
                messages.into_iter().map(|message| view! { <Letter message/> }).collect_view().into_any()
            }
        }/>
    }
}

#[component]
fn Letter(message: Message) -> impl IntoView {
    let (tone, word) = if message.sent_at.is_some() { ("ok", "Sent") } else { ("quiet", "Kept") };
    view! {
        <article class="letter">
            <header class="letter__head">
                <h2>{message.subject}</h2>
                <Badge tone=tone>{word}</Badge>
                <p>
                    "To " <strong>{message.to}</strong> " · "
                    <time datetime=format::machine(message.created_at)>{format::date_time(message.created_at)}</time>
                </p>
            </header>
            <pre class="letter__body" tabindex="0" aria-label="Text of the message">{message.body}</pre>
        </article>
    }
}
