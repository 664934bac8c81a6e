//! Whom to ask for what only a group's admin may do.

use leptos::prelude::*;

#[component]
pub fn AskAdmin(
    /// What is to be asked for, as in “to upgrade”.
    to: &'static str,
    /// The admins' names.
    #[prop(into)]
    names: String,
) -> impl IntoView {
    view! { <span class="ask">{format!("Ask an admin of your group to {to}: {names}.")}</span> }
}
