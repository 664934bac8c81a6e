//! One message of a conversation.

use leptos::prelude::*;

use super::icon::{Icon, Shape};

/// Below an answer: where it comes from and what it cost with its question, and what can be done with it. Nothing until
/// that is known.
#[component]
pub fn AnswerFoot(#[prop(into)] source: Signal<String>) -> impl IntoView {
    view! {
        <footer class="message__foot" hidden=move || source.with(String::is_empty)>
            <span>{move || source.get()}</span>
            <button type="button" class="quiet" data-copy="">"Copy"</button>
            <button type="button" class="quiet" data-speak="" aria-pressed="false">
                <Icon shape=Shape::Speaker/>
                "Read aloud"
            </button>
        </footer>
    }
}
