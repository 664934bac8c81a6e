//! A button that asks before it acts, in a popover, so that it asks without JavaScript too.

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
    let heading = format!("{id}-title");
    let labelled = heading.clone();
    let (opens, closes) = (id.clone(), id.clone());
    view! {
        <button class="button" type="button" data-tone="plain" popovertarget=opens>
            {label}
            <Of name=of/>
        </button>
        <dialog class="confirm" popover="auto" id=id aria-labelledby=labelled>
            <h2 id=heading>{title}</h2>
            <p>{text}</p>
            <div class="confirm__actions">
                <button
                    class="button"
                    type="button"
                    data-tone="plain"
                    popovertarget=closes
                    popovertargetaction="hide"
                    autofocus
                >
                    {keep}
                </button>
                {children()}
            </div>
        </dialog>
    }
}
