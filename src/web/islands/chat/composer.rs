//! Where a question is typed or said, with what is left to spend beside it.

use leptos::ev::{KeyboardEvent, SubmitEvent};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use leptos::task::spawn_local;

use super::limits::{Standing, left, level};
use super::{Conversation, turn};
use crate::domain::{MAX_QUESTION, UsageType, group_digits};
use crate::web::client;
use crate::web::components::field::textarea_text;
use crate::web::components::icon::{Icon, Shape};
use crate::web::gateway::NoMicrophone;
use crate::web::server_fns::chat::Begin;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Microphone {
    Closed,
    /// The browser asks its user.
    Asking,
    Open,
    /// The words are being had.
    Transcribing,
}

#[component]
pub fn Composer(conversation: Conversation) -> impl IntoView {
    let microphone = RwSignal::new(Microphone::Closed);
    let lets_ask =
        move || conversation.usage.with(|usage| Standing::of(usage, conversation.has_access).lets_ask());
    let is_busy = move || conversation.is_busy();
    let on_submit = move |event: SubmitEvent| {
        let is_empty = conversation.draft.with_untracked(|draft| draft.trim().is_empty());
        // A first question is the form's own, whose answer is the conversation's page.
        if conversation.id.is_some() || is_empty {
            event.prevent_default();
            spawn_local(turn::ask(conversation));
        }
    };
    let on_key = move |event: KeyboardEvent| {
        // Enter also ends the choice of a character where such are composed of several keys.
        if event.key() == "Enter" && !event.shift_key() && !event.is_composing() {
            event.prevent_default();
            client::send_form(&event);
        }
    };
    let on_stop = move |_| {
        if let Some(turn) = conversation.last_turn() {
            turn.phase.set(turn::Phase::Stopped);
        }
        client::stop_answer();
    };
    view! {
        <form class="composer" method="post" action=Begin::PATH on:submit=on_submit>
            <label class="unseen" for="question">"Message"</label>
            <textarea
                id="question"
                name="question"
                rows="2"
                maxlength=MAX_QUESTION.to_string()
                placeholder="Ask anything"
                disabled=move || !lets_ask()
                prop:value=move || conversation.draft.get()
                on:input:target=move |event| conversation.draft.set(event.target().value())
                on:keydown=on_key
            >
                {textarea_text(conversation.draft.get_untracked())}
            </textarea>
            <Listening microphone/>
            <div class="composer__foot">
                <ModelChoice conversation/>
                <Balance conversation/>
                <div class="composer__actions">
                    <MicrophoneButton conversation microphone/>
                    <button class="composer__send" type="button" hidden=move || !is_busy() on:click=on_stop>
                        <Icon shape=Shape::Square/>
                        <span class="unseen">"Stop"</span>
                    </button>
                    <button
                        class="composer__send"
                        type="submit"
                        hidden=is_busy
                        disabled=move || !lets_ask() || conversation.draft.with(|draft| draft.trim().is_empty())
                    >
                        <Icon shape=Shape::Send/>
                        <span class="unseen">"Send"</span>
                    </button>
                </div>
            </div>
        </form>
        <p class="unseen" role="status">
            {move || if is_busy() { "The answer is coming." } else { "" }}
        </p>
    }
}

/// Which model answers, where there are several to choose from.
#[component]
fn ModelChoice(conversation: Conversation) -> impl IntoView {
    let is_alone = move || conversation.models.with(|models| models.chat.len() < 2);
    let options = move || {
        let chat = conversation.models.with(|models| models.chat.clone());
        chat.into_iter()
            .map(|id| view! { <option value=id.clone()>{id.clone()}</option> })
            .collect::<Vec<_>>()
    };
    view! {
        <span class="composer__model" hidden=move || !is_alone()>{move || conversation.model.get()}</span>
        <select
            class="composer__model"
            aria-label="Model"
            hidden=is_alone
            prop:value=move || {
                conversation.models.track();
                conversation.model.get()
            }
            on:change:target=move |event| conversation.model.set(event.target().value())
        >
            {options}
        </select>
    }
}

/// What is left for the asker, moving as it is spent.
#[component]
fn Balance(conversation: Conversation) -> impl IntoView {
    let line = move |kind: UsageType| {
        let shown =
            move || conversation.usage.with(|usage| (usage.resources[kind], usage.you.map(|you| you[kind])));
        let count = move || {
            let (resource, own) = shown();
            left(resource, own).map_or_else(|| "Unlimited".to_owned(), group_digits)
        };
        let words = move || {
            let (resource, own) = shown();
            let is_own =
                own.is_some_and(|own| own.remaining.is_some() && own.remaining == left(resource, Some(own)));
            format!(" {} {}", kind.noun(), if is_own { "left of your cap" } else { "left" })
        };
        view! {
            <span data-level=move || level(shown().0, shown().1).as_str() hidden=move || !shown().0.is_included()>
                <strong>{count}</strong>
                {words}
            </span>
        }
    };
    view! { <p class="balance">{line(UsageType::Llm)}{line(UsageType::Voice)}</p> }
}

/// What the microphone is doing, beside the button.
#[component]
fn Listening(microphone: RwSignal<Microphone>) -> impl IntoView {
    let text = move || match microphone.get() {
        Microphone::Closed => "",
        Microphone::Asking => "Allow the microphone in the browser's question…",
        Microphone::Open => "Listening. Press the microphone again when you are done.",
        Microphone::Transcribing => "Writing down what you said…",
    };
    view! { <p class="listening" role="status" data-open=move || (microphone.get() == Microphone::Open).to_string()>{text}</p> }
}

#[component]
fn MicrophoneButton(conversation: Conversation, microphone: RwSignal<Microphone>) -> impl IntoView {
    let has_model = move || conversation.models.with(|models| !models.transcription.is_empty());
    let has_voice = move || {
        conversation.usage.with(|usage| {
            left(usage.resources.voice, usage.you.map(|you| you.voice)).is_none_or(|left| left > 0)
        })
    };
    let can_record = move || conversation.has_access && has_voice() && has_model();
    let title = move || match microphone.get() {
        Microphone::Open => "Stop and write it down",
        _ if !has_voice() => "No voice tokens are left",
        _ => "Speak",
    };
    let on_click = move |_| match microphone.get_untracked() {
        Microphone::Closed => spawn_local(open(conversation, microphone)),
        Microphone::Open => spawn_local(write_down(conversation, microphone)),
        Microphone::Asking | Microphone::Transcribing => {}
    };
    let discard = move |_| {
        client::discard_recording();
        microphone.set(Microphone::Closed);
    };
    view! {
        <button
            class="quiet"
            type="button"
            hidden=move || microphone.get() != Microphone::Open
            on:click=discard
        >
            "Discard"
        </button>
        <button
            class="composer__voice"
            type="button"
            title=title
            aria-pressed=move || (microphone.get() == Microphone::Open).to_string()
            aria-busy=move || (microphone.get() == Microphone::Transcribing).to_string()
            disabled=move || !can_record()
            on:click=on_click
        >
            <Icon shape=Shape::Microphone/>
            <span class="unseen">{title}</span>
        </button>
    }
}

async fn open(conversation: Conversation, microphone: RwSignal<Microphone>) {
    conversation.trouble.set(String::new());
    microphone.set(Microphone::Asking);
    match client::start_recording().await {
        Ok(()) => microphone.set(Microphone::Open),
        Err(why) => {
            microphone.set(Microphone::Closed);
            let text = match why {
                NoMicrophone::Denied => {
                    "The browser doesn't let this page use the microphone. Allow it in the settings beside the address, \
                     or type your question."
                }
                NoMicrophone::Missing => "No microphone was found. Connect one, or type your question.",
                NoMicrophone::Unsupported => "This browser can't record here. Type your question.",
            };
            conversation.trouble.set(text.into());
        }
    }
}

/// Puts what was said behind what was typed, to be looked at before it is sent.
async fn write_down(conversation: Conversation, microphone: RwSignal<Microphone>) {
    microphone.set(Microphone::Transcribing);
    let model = conversation.models.with_untracked(|models| models.transcription.clone());
    let words = client::finish_recording(model).await;
    microphone.set(Microphone::Closed);
    match words {
        Ok(words) if words.trim().is_empty() => {
            conversation.trouble.set("No words were heard. Try again, closer to the microphone.".into());
        }
        Ok(words) => conversation.draft.update(|draft| {
            if !draft.is_empty() && !draft.ends_with(char::is_whitespace) {
                draft.push(' ');
            }
            draft.push_str(words.trim());
        }),
        Err(failure) => conversation.trouble.set(turn::in_words(failure)),
    }
}
