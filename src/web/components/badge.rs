//! A state in a pill. The colour repeats what its label says.

use leptos::prelude::*;

use crate::domain::Status;
use crate::web::format;

#[component]
pub fn Badge(
    /// `ok`, `warning`, `limit` or `quiet`.
    tone: &'static str,
    label: &'static str,
) -> impl IntoView {
    view! { <span class="badge" data-tone=tone>{label}</span> }
}

#[component]
pub fn StatusBadge(status: Status) -> impl IntoView {
    let tone = match status {
        Status::Active | Status::Trialing => "ok",
        Status::PastDue | Status::Incomplete | Status::Paused => "warning",
        Status::Unpaid => "limit",
        Status::Canceled | Status::IncompleteExpired => "quiet",
    };
    view! { <Badge tone label=format::status(status)/> }
}
