//! Something shown this once, with a button that copies it.

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::web::client;

#[island]
pub fn ShownOnce(
    title: String,
    text: String,
    /// Names the value, for assistive technology.
    label: String,
    value: String,
) -> impl IntoView {
    let copied = RwSignal::new(false);
    let shown = value.clone();
    let copy = move |_| {
        let value = value.clone();
        spawn_local(async move { copied.set(client::copy(&value).await) });
    };
    view! {
        <section class="once" role="status">
            <h2>{title}</h2>
            <p>{text}</p>
            <div class="once__line">
                <input class="input input--code" readonly value=shown aria-label=label/>
                <button class="button" data-tone="primary" type="button" on:click=copy>
                    {move || if copied.get() { "Copied" } else { "Copy" }}
                </button>
            </div>
        </section>
    }
}
