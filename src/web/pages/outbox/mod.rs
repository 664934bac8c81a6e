//! `/outbox`: the e-mail that was written, for installations that send none, and what an operator has to look at.

mod attention;
mod letter;

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use crate::billing::ChargeProblem;
use crate::domain::{GivenUpEvent, MessageId, Refusal};
use crate::notify::{OutboxRow, PageRequest, PageRows};
use crate::web::AppError;
use crate::web::components::form::refused;
use crate::web::components::page::{Head, Heading, load};
use crate::web::server_fns::events::RetryEvent;
use crate::web::server_fns::notifications::SendAgain;
use crate::web::ssr::context::{services, user};
use attention::{ChargeProblems, GivenUp};
use letter::Letter;

/// Messages on a page.
const PAGE: usize = 50;

struct Data {
    /// The message that the page comes after; `None` for the newest.
    after: Option<MessageId>,
    messages: PageRows<OutboxRow>,
    events: Vec<GivenUpEvent>,
    charges: Vec<ChargeProblem>,
}

#[component]
pub fn Outbox() -> impl IntoView {
    let after = use_query_map().with_untracked(|query| query.get("after"));
    load(data(after), |Data { after, messages: PageRows { rows, more }, events, charges }| {
        let older = rows.last().filter(|_| more).map(|last| {
            view! { <a class="button" data-tone="plain" href=address(Some(last.id))>"Older messages"</a> }
        });
        let newest = after.map(|_| {
            view! { <a class="button" data-tone="plain" href=address(None)>"Newest messages"</a> }
        });
        let shown = match (rows.is_empty(), after) {
            (false, _) => {
                rows.into_iter().map(|message| view! { <Letter message after/> }).collect_view().into_any()
            }
            (true, None) => view! { <p class="empty">"Nothing was written yet."</p> }.into_any(),
            (true, Some(_)) => view! { <p class="empty">"No older messages."</p> }.into_any(),
        };
        view! {
            <Head title="Outbox" description="E-mail written by this installation."/>
            <Heading title="Outbox" text="E-mail as it was written. Without a mail server set, it stays here."/>
            {refused::<RetryEvent>()}
            {refused::<SendAgain>()}
            {(!events.is_empty()).then(|| view! { <GivenUp events/> })}
            {(!charges.is_empty()).then(|| view! { <ChargeProblems charges/> })}
            {shown}
            <p class="pager">{newest}{older}</p>
        }
        .into_any()
    })
}

/// The page of the messages after this one.
fn address(after: Option<MessageId>) -> String {
    after.map_or_else(|| "/outbox".to_owned(), |after| format!("/outbox?after={after}"))
}

async fn data(after: Option<String>) -> Result<Data, AppError> {
    let (user, services) = (user()?, services());
    user.must_be_superadmin()?;
    let unknown = || Refusal::NotFound("page of messages".into());
    let after = after.map(|id| id.parse().map_err(|_| unknown())).transpose()?;
    let messages = services.outbox.messages(&user, PageRequest { after, limit: PAGE }).await?;
    // What has to be looked at stands once, before the newest.
    let (events, charges) = match after {
        Some(_) => Default::default(),
        None => {
            (services.billing.given_up_events(&user).await?, services.billing.charge_problems(&user).await?)
        }
    };
    Ok(Data { after, messages, events, charges })
}
