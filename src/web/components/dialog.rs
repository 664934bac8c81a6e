//! A modal dialog with the button that opens it.
//!
//! It is opened and closed by the buttons' own `command`, so that it is modal without JavaScript too: the
//! rest of the page is inert, Tab stays inside and Escape closes it. In browsers that don't know commands,
//! `web::client` carries them out.
//! Source: <https://developer.mozilla.org/en-US/docs/Web/API/Invoker_Commands_API>.

use leptos::prelude::*;

use super::submit::Of;

#[component]
pub fn Dialog(
    /// Unique in the page.
    #[prop(into)]
    id: String,
    /// On the button that opens it.
    label: &'static str,
    /// Read out after the label, where several buttons share it.
    #[prop(optional, into)]
    of: String,
    #[prop(into)] title: String,
    /// The id of what describes it.
    #[prop(optional)]
    described: Option<String>,
    children: Children,
) -> impl IntoView {
    let heading = format!("{id}-title");
    let (labelled, opens) = (heading.clone(), id.clone());
    view! {
        <button
            class="button"
            type="button"
            data-tone="plain"
            command="show-modal"
            commandfor=opens
        >
            {label}
            <Of name=of/>
        </button>
        <dialog
            class="confirm"
            closedby="any"
            id=id
            aria-labelledby=labelled
            aria-describedby=described
        >
            <h2 id=heading>{title}</h2>
            {children()}
        </dialog>
    }
}

/// The button that leaves everything as it is. It has the focus first.
#[component]
pub fn Close(
    /// The dialog's id.
    #[prop(into)]
    of: String,
    label: &'static str,
) -> impl IntoView {
    view! {
        <button class="button" type="button" data-tone="plain" command="close" commandfor=of autofocus>
            {label}
        </button>
    }
}
