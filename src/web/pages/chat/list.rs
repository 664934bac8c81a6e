//! The member's conversations, the one that changed last first.

use leptos::prelude::*;

use crate::domain::{ConversationId, ConversationSummary};
use crate::web::format;

#[component]
pub fn Conversations(
    conversations: Vec<ConversationSummary>,
    /// The one that is shown.
    open: Option<ConversationId>,
) -> impl IntoView {
    let is_empty = conversations.is_empty();
    let items = conversations.into_iter().map(|ConversationSummary { id, title, updated_at }| {
        let current = (open == Some(id)).then_some("page");
        view! {
            <li>
                <a href=format!("/chat/{id}") aria-current=current title=format::date_time(updated_at)>{title}</a>
            </li>
        }
    });
    view! {
        <nav class="conversations" aria-label="Conversations">
            <div class="conversations__head">
                <h2>"Conversations"</h2>
                {open.map(|_| view! { <a class="button" data-tone="plain" href="/chat">"New"</a> })}
            </div>
            <ul>{items.collect_view()}</ul>
            {is_empty.then(|| view! { <p>"None yet."</p> })}
        </nav>
    }
}
