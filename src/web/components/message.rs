//! One message of a conversation.

use leptos::prelude::*;

use super::icon::{Icon, Shape};
use crate::domain::group_digits;

/// A question as it was typed, or an answer as HTML.
#[component]
pub fn Message(by_user: bool, children: Children) -> impl IntoView {
    let (role, label) = if by_user { ("user", "You") } else { ("assistant", "Answer") };
    view! {
        <article class="message" data-role=role aria-label=label>
            {if by_user {
                view! { <p class="message__body message__question">{children()}</p> }.into_any()
            } else {
                children().into_any()
            }}
        </article>
    }
}

/// Below an answer: who gave it, what it cost with its question, and what can be done with it.
#[component]
pub fn AnswerFoot(
    #[prop(into)] model: String,
    /// Null where that isn't known.
    tokens: Option<i64>,
) -> impl IntoView {
    let cost = tokens.map(|tokens| format!(" · {} tokens", group_digits(tokens)));
    view! {
        <footer class="message__foot">
            <span>{model}{cost}</span>
            <button type="button" class="quiet" data-copy="">"Copy"</button>
            <button type="button" class="quiet" data-speak="" aria-pressed="false">
                <Icon shape=Shape::Speaker/>
                "Read aloud"
            </button>
        </footer>
    }
}
