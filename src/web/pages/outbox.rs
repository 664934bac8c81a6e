//! `/outbox`: the e-mail that was written, for installations that send none.

use leptos::prelude::*;

use crate::accounts::{MessageState, OutboxMessage};
use crate::web::AppError;
use crate::web::components::badge::Badge;
use crate::web::components::page::{Head, Heading, load};
use crate::web::format;
use crate::web::ssr::context::{services, user};

#[component]
pub fn Outbox() -> impl IntoView {
    load(messages(), |messages| {
        let shown = if messages.is_empty() {
            view! { <p class="empty">"Nothing was written yet."</p> }.into_any()
        } else {
            messages.into_iter().map(|message| view! { <Letter message/> }).collect_view().into_any()
        };
        view! {
            <Head title="Outbox" description="E-mail written by this installation."/>
            <Heading title="Outbox" text="E-mail as it was written. Without a mail server set, it stays here."/>
            {shown}
        }
        .into_any()
    })
}

async fn messages() -> Result<Vec<OutboxMessage>, AppError> {
    Ok(services().accounts.outbox(&user()?).await?)
}

#[component]
fn Letter(message: OutboxMessage) -> impl IntoView {
    let (tone, label) = match message.state {
        MessageState::Waiting => ("quiet", "Waiting"),
        MessageState::Sent => ("ok", "Sent"),
        MessageState::Failed => ("limit", "Failed"),
        MessageState::Kept => ("quiet", "Kept"),
    };
    view! {
        <article class="letter">
            <header class="letter__head">
                <h2>{message.subject}</h2>
                <Badge tone label/>
                <p>"To "<strong>{message.recipient}</strong>" · "{format::date_time(message.created_at)}</p>
            </header>
            <pre class="letter__body" tabindex="0">{message.body}</pre>
        </article>
    }
}
