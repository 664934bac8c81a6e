//! A button that asks before it acts.

use leptos::prelude::*;

use super::dialog::{Close, Dialog};

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
    let body = format!("{id}-text");
    view! {
        <Dialog id=id.clone() label of title described=body.clone()>
            <p id=body>{text}</p>
            <div class="confirm__actions">
                <Close of=id label=keep/>
                {children()}
            </div>
        </Dialog>
    }
}
