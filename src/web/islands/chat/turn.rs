//! A question and its answer.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::Conversation;
use crate::domain::{ChatMessage, Level, MAX_ANSWER};
use crate::web::AppError;
use crate::web::client;
use crate::web::components::message::{AnswerFoot, Message};
use crate::web::components::notice::Notice;
use crate::web::gateway::{Chunk, Failure, chat_request};
use crate::web::server_fns::chat;

/// How often an answer that is coming is rendered anew, in milliseconds, and what each kilobyte of it adds to that.
const RENDER_EVERY: i32 = 300;
const RENDER_PER_KILOBYTE: i32 = 20;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Nothing has come yet.
    Waiting,
    Streaming,
    /// The answer is whole, for this many tokens with its question, where that was said.
    Done(Option<i64>),
    /// The user broke it off.
    Stopped,
    /// It went without an answer when the page was left.
    Unanswered,
    Failed(Failure),
}

impl Phase {
    pub fn is_busy(&self) -> bool {
        matches!(self, Self::Waiting | Self::Streaming)
    }
}

/// The beginning of an answer as HTML.
#[derive(Clone, Debug, Default)]
struct Rendered {
    html: String,
    /// How many bytes of the answer it is.
    length: usize,
}

#[derive(Clone, Copy)]
pub struct Turn {
    /// None where the page has the question already.
    question: StoredValue<Option<String>>,
    pub phase: RwSignal<Phase>,
    /// What has come of the answer.
    text: RwSignal<String>,
    rendered: RwSignal<Rendered>,
    model: RwSignal<String>,
    /// Why the answer isn't kept.
    lost: RwSignal<Option<String>>,
}

impl Turn {
    pub fn new(question: Option<String>, phase: Phase) -> Self {
        Self {
            question: StoredValue::new(question),
            phase: RwSignal::new(phase),
            text: RwSignal::new(String::new()),
            rendered: RwSignal::new(Rendered::default()),
            model: RwSignal::new(String::new()),
            lost: RwSignal::new(None),
        }
    }
}

/// Asks what is in the field.
pub async fn ask(conversation: Conversation) {
    let question = conversation.draft.get_untracked().trim().to_owned();
    let Some(id) = conversation.id.filter(|_| !question.is_empty()) else { return };
    if untrack(|| conversation.is_busy()) {
        return;
    }
    conversation.trouble.set(None);
    let turn = Turn::new(Some(question.clone()), Phase::Waiting);
    conversation.turns.update(|turns| turns.push(turn));
    conversation.draft.set(String::new());
    client::scroll_to_end();
    match chat::ask(id, question.clone()).await {
        Ok(messages) => answer(conversation, turn, messages).await,
        Err(error) => {
            // Nothing was kept: the question goes back to where it was typed.
            conversation.turns.update(|turns| _ = turns.pop());
            conversation.draft.set(question);
            conversation.trouble.set(Some(error_in_words(&error)));
        }
    }
}

/// Has the last question answered.
pub async fn answer_last(conversation: Conversation) {
    let (Some(id), Some(turn)) =
        (conversation.id, conversation.turns.with_untracked(|turns| turns.last().copied()))
    else {
        return;
    };
    turn.phase.set(Phase::Waiting);
    match chat::context(id).await {
        Ok(messages) => answer(conversation, turn, messages).await,
        Err(error) => turn.phase.set(Phase::Failed(failure_of(&error))),
    }
}

async fn answer(conversation: Conversation, turn: Turn, messages: Vec<ChatMessage>) {
    let model = conversation.model.get_untracked();
    turn.model.set(model.clone());
    spawn_local(render_while_streaming(turn));
    let mut cost = None;
    let on_chunk = |chunk| match chunk {
        Chunk::Text(part) => {
            let follow = client::is_at_end();
            turn.text.update(|text| text.push_str(&part));
            if turn.phase.with_untracked(|phase| *phase == Phase::Waiting) {
                turn.phase.set(Phase::Streaming);
            }
            if follow {
                client::scroll_to_end();
            }
        }
        Chunk::Cost(tokens) => cost = Some(tokens),
        Chunk::Failed(_) | Chunk::Done => {}
    };
    let outcome = client::stream_answer(chat_request(&model, &messages), on_chunk).await;
    let was_stopped = turn.phase.with_untracked(|phase| *phase == Phase::Stopped);
    let is_empty = turn.text.with_untracked(|text| text.trim().is_empty());
    let end = match outcome {
        Err(failure) => Phase::Failed(failure),
        Ok(()) if was_stopped => Phase::Stopped,
        Ok(()) if is_empty => Phase::Failed(Failure::Refused("The model answered nothing.".into())),
        Ok(()) => Phase::Done(cost),
    };
    if !is_empty {
        keep(conversation, turn, model, cost).await;
        render(turn).await;
    }
    turn.phase.set(end);
    if client::is_at_end() {
        client::scroll_to_end();
    }
}

async fn keep(conversation: Conversation, turn: Turn, model: String, cost: Option<i64>) {
    let Some(id) = conversation.id else { return };
    let text = turn.text.get_untracked();
    if text.chars().count() > MAX_ANSWER {
        let said = format!(
            "This answer is longer than the {MAX_ANSWER} characters that are kept. Copy it before you go."
        );
        return turn.lost.set(Some(said));
    }
    if let Err(error) = chat::answer(id, text, model, cost).await {
        turn.lost.set(Some(format!("This answer isn't kept. {}", error_in_words(&error))));
    }
}

async fn render_while_streaming(turn: Turn) {
    while turn.phase.try_get_untracked().is_some_and(|phase| phase.is_busy()) {
        render(turn).await;
        let kilobytes = turn.text.with_untracked(|text| text.len() / 1_000);
        client::pause(RENDER_EVERY + RENDER_PER_KILOBYTE * i32::try_from(kilobytes).unwrap_or_default())
            .await;
    }
}

async fn render(turn: Turn) {
    let text = turn.text.get_untracked();
    if text.len() == turn.rendered.with_untracked(|rendered| rendered.length) {
        return;
    }
    let length = text.len();
    // Where it can't be had, the text stands as it came.
    if let Ok(html) = chat::render(text).await
        && length > turn.rendered.with_untracked(|rendered| rendered.length)
    {
        turn.rendered.set(Rendered { html, length });
    }
}

pub fn in_words(failure: &Failure) -> String {
    match failure {
        Failure::Unreachable if client::is_online() => {
            "The connection broke off, or the server can't be reached.".into()
        }
        Failure::Unreachable => "You are offline.".into(),
        Failure::SignedOut => "Your session has ended. Sign in again.".into(),
        Failure::Limit(message) | Failure::Refused(message) => message.clone(),
    }
}

fn error_in_words(error: &AppError) -> String {
    match error {
        AppError::Unreachable if !client::is_online() => "You are offline.".into(),
        error => error.to_string(),
    }
}

fn failure_of(error: &AppError) -> Failure {
    match error {
        AppError::Unreachable => Failure::Unreachable,
        error => Failure::Refused(error.to_string()),
    }
}

#[component]
pub fn TurnView(conversation: Conversation, turn: Turn) -> impl IntoView {
    let question = turn.question.get_value().map(|question| {
        view! { <Message by_user=true>{question}</Message> }
    });
    let tail = move || {
        let length = turn.rendered.with(|rendered| rendered.length);
        turn.text.with(|text| text.get(length..).unwrap_or_default().to_owned())
    };
    let is_empty = move || turn.text.with(String::is_empty);
    let cost = move || match turn.phase.get() {
        Phase::Done(cost) => cost,
        _ => None,
    };
    let foot = move || {
        let is_over = !turn.phase.with(Phase::is_busy) && !is_empty();
        is_over.then(|| view! { <AnswerFoot model=turn.model.get() tokens=cost()/> })
    };
    view! {
        {question}
        <article class="message" data-role="assistant" aria-label="Answer" hidden=move || is_empty() && turn.phase.get() != Phase::Waiting>
            <div class="message__body prose" aria-busy=move || turn.phase.with(Phase::is_busy).to_string()>
                <div inner_html=move || turn.rendered.with(|rendered| rendered.html.clone())></div>
                <span class="message__tail">{tail}</span>
                <span class="message__waiting" hidden=move || turn.phase.get() != Phase::Waiting>
                    "Thinking…"
                </span>
            </div>
            {foot}
        </article>
        {move || view! { <End conversation turn/> }}
        {move || turn.lost.get().map(|text| view! { <Notice level=Level::Warning alert=true>{text}</Notice> })}
    }
}

/// How an answer ended, where it isn't whole.
#[component]
fn End(conversation: Conversation, turn: Turn) -> impl IntoView {
    let has_text = turn.text.with(|text| !text.is_empty());
    let (level, text) = match turn.phase.get() {
        Phase::Waiting | Phase::Streaming | Phase::Done(_) => return None,
        Phase::Stopped if has_text => return Some(view! { <p class="turn__end">"Stopped."</p> }.into_any()),
        Phase::Stopped => (Level::Ok, "Stopped before anything came. ".to_owned()),
        Phase::Unanswered => (Level::Ok, "This question has no answer yet. ".to_owned()),
        Phase::Failed(failure) => {
            let level = if matches!(failure, Failure::Limit(_)) { Level::Limit } else { Level::Warning };
            let broken = if has_text { "The answer broke off. " } else { "No answer came. " };
            (level, format!("{broken}{} ", in_words(&failure)))
        }
    };
    let signed_out = turn.phase.get() == Phase::Failed(Failure::SignedOut);
    let again = move |_| spawn_local(answer_last(conversation));
    let way = if signed_out {
        view! { <a href="/login?next=/chat">"Sign in"</a> }.into_any()
    } else if has_text {
        ().into_any()
    } else {
        view! { <button class="button" type="button" data-tone="plain" on:click=again>"Try again"</button> }
            .into_any()
    };
    Some(
        view! {
            <div class="turn__notice">
                <Notice level alert=true>
                    <span>{text}</span>
                    {way}
                </Notice>
            </div>
        }
        .into_any(),
    )
}
