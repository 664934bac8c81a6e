//! A button that asks before it acts, in a popover, so that it asks without JavaScript too.

use leptos::prelude::*;

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
    #[prop(default = "plain")] tone: &'static str,
    /// The form that acts.
    children: Children,
) -> impl IntoView {
    let heading = format!("{id}-title");
    let (opens, dialog, described) = (id.clone(), id.clone(), heading.clone());
    let of = (!of.is_empty()).then(|| view! { <span class="unseen">" "{of}</span> });
    view! {
        <button class="button" type="button" data-tone=tone popovertarget=opens>
            {label}
            {of}
        </button>
        <dialog class="confirm" popover="auto" id=dialog aria-labelledby=described>
            <h2 id=heading>{title}</h2>
            <p>{text}</p>
            <div class="confirm__actions">
                <button
                    class="button"
                    type="button"
                    data-tone="plain"
                    popovertarget=id
                    popovertargetaction="hide"
                >
                    {keep}
                </button>
                {children()}
            </div>
        </dialog>
    }
}
