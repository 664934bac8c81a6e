//! The button that sends a form.

use leptos::prelude::*;

#[component]
pub fn Submit(
    label: &'static str,
    /// `primary`, `plain` or `danger`.
    #[prop(default = "primary")]
    tone: &'static str,
    /// Read out after the label, where several buttons share it.
    #[prop(optional, into)]
    of: String,
) -> impl IntoView {
    view! {
        <button class="button" type="submit" data-tone=tone>
            {label}
            <Of name=of/>
        </button>
    }
}

/// What a button is about, for those who don't see what it stands beside.
#[component]
pub fn Of(#[prop(into)] name: String) -> impl IntoView {
    (!name.is_empty()).then(|| view! { <span class="unseen">" "{name}</span> })
}
