//! The button that sends a form.

use leptos::prelude::*;

#[component]
pub fn Submit(
    #[prop(into)] label: Signal<String>,
    /// While the answer is awaited.
    #[prop(into)]
    pending: Signal<bool>,
    /// `primary`, `plain` or `danger`.
    #[prop(default = "primary")]
    tone: &'static str,
    /// Read out after the label, where several buttons share it.
    #[prop(optional, into)]
    of: String,
) -> impl IntoView {
    let of = (!of.is_empty()).then(|| view! { <span class="unseen">" "{of}</span> });
    view! {
        <button
            class="button"
            type="submit"
            data-tone=tone
            aria-busy=move || pending.get().then_some("true")
            disabled=pending
        >
            {label}
            {of}
        </button>
    }
}
