//! A word about a state, in a pill. The colour repeats what the word says.

use leptos::prelude::*;

use crate::domain::Status;
use crate::web::format;

#[component]
pub fn Badge(
    /// `ok`, `warning`, `limit` or `quiet`.
    #[prop(into)]
    tone: Signal<&'static str>,
    children: Children,
) -> impl IntoView {
    view! { <span class="badge" data-tone=tone>{children()}</span> }
}

#[component]
pub fn StatusBadge(#[prop(into)] status: Signal<Status>) -> impl IntoView {
    let tone = move || match status.get() {
        Status::Active | Status::Trialing => "ok",
        Status::PastDue | Status::Incomplete | Status::Paused => "warning",
        Status::Unpaid => "limit",
        Status::Canceled | Status::IncompleteExpired => "quiet",
    };
    view! { <Badge tone=Signal::derive(tone)>{move || format::status(status.get())}</Badge> }
}
