//! A button that asks before it acts, in a modal dialog.
//!
//! The dialog is opened and closed by the buttons' own `command`, so that it is modal without JavaScript too: the
//! rest of the page is inert, Tab stays inside and Escape closes it. In browsers that don't know commands,
//! `web::client` carries them out.
//! Source: <https://developer.mozilla.org/en-US/docs/Web/API/Invoker_Commands_API>.

use leptos::prelude::*;

use super::submit::Of;

#[component]
pub fn Confirm(
    /// Unique in the page.
    #[prop(into)]
    id: String,
    /// On the button that opens it.
    label: &'static str,
    /// Read out after the label, where several buttons share it.
    #[prop(optional, into)]
    of: String,
    #[prop(into)] title: String,
    #[prop(into)] text: String,
    /// On the button that leaves everything as it is.
    #[prop(default = "Keep")]
    keep: &'static str,
    /// The form that acts.
    children: Children,
) -> impl IntoView {
    let (heading, body) = (format!("{id}-title"), format!("{id}-text"));
    let (labelled, described) = (heading.clone(), body.clone());
    let (opens, closes) = (id.clone(), id.clone());
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
            <p id=body>{text}</p>
            <div class="confirm__actions">
                <button
                    class="button"
                    type="button"
                    data-tone="plain"
                    command="close"
                    commandfor=closes
                    autofocus
                >
                    {keep}
                </button>
                {children()}
            </div>
        </dialog>
    }
}
