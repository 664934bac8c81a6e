//! A question and its answer.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::Conversation;
use crate::domain::{ChatMessage, MAX_ANSWER, group_digits};
use crate::web::AppError;
use crate::web::client;
use crate::web::components::message::AnswerFoot;
use crate::web::gateway::{Chunk, Failure, chat_request};
use crate::web::server_fns::chat;

/// How often an answer that is coming is rendered anew, in milliseconds, and what each kilobyte of it adds to that.
const RENDER_EVERY: i32 = 300;
const RENDER_PER_KILOBYTE: i32 = 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Nothing has come yet.
    Waiting,
    Streaming,
    /// The answer is whole.
    Done,
    /// The user broke it off.
    Stopped,
    /// It went without an answer when the page was left.
    Unanswered,
    /// It has no answer, or none that is whole; the notice says why.
    Failed,
    /// As [`Phase::Failed`], for a limit.
    Refused,
}

impl Phase {
    pub fn is_busy(self) -> bool {
        matches!(self, Self::Waiting | Self::Streaming)
    }
}

#[derive(Clone, Copy)]
pub struct Turn {
    /// Empty where the page has the question already.
    question: StoredValue<String>,
    pub phase: RwSignal<Phase>,
    /// What has come of the answer.
    text: StoredValue<String>,
    /// The beginning of the answer as HTML, and what follows it as it came.
    html: RwSignal<String>,
    tail: RwSignal<String>,
    /// Who gave the answer, and what it cost.
    source: RwSignal<String>,
    /// What went wrong, and why the answer isn't kept.
    notice: RwSignal<String>,
}

impl Turn {
    pub fn new(question: String, phase: Phase) -> Self {
        let text = || RwSignal::new(String::new());
        Self {
            question: StoredValue::new(question),
            phase: RwSignal::new(phase),
            text: StoredValue::new(String::new()),
            html: text(),
            tail: text(),
            source: text(),
            notice: text(),
        }
    }

    /// Takes over the HTML of the first `length` bytes of the answer.
    fn show(self, html: String, length: usize) {
        self.html.set(html);
        self.tail.set(self.text.with_value(|text| text.get(length..).unwrap_or_default().to_owned()));
    }

    fn fail(self, failure: Failure) {
        self.phase.set(if matches!(failure, Failure::Limit(_)) { Phase::Refused } else { Phase::Failed });
        self.notice.set(in_words(failure));
    }
}

/// Asks what is in the field.
pub async fn ask(conversation: Conversation) {
    let question = conversation.draft.with_untracked(|draft| draft.trim().to_owned());
    let Some(id) = conversation.id.filter(|_| !question.is_empty()) else { return };
    if untrack(|| conversation.is_busy()) {
        return;
    }
    conversation.trouble.set(String::new());
    let turn = Turn::new(question.clone(), Phase::Waiting);
    conversation.turns.update(|turns| turns.push(turn));
    conversation.draft.set(String::new());
    client::scroll_to_end();
    match chat::ask(id, question.clone()).await {
        Ok(messages) => answer(conversation, turn, messages).await,
        Err(error) => {
            // Nothing was kept: the question goes back to where it was typed.
            conversation.turns.update(|turns| _ = turns.pop());
            conversation.draft.set(question);
            conversation.trouble.set(in_words(error.into()));
        }
    }
}

/// Has the last question answered.
pub async fn answer_last(conversation: Conversation) {
    let (Some(id), Some(turn)) = (conversation.id, conversation.last_turn()) else { return };
    turn.phase.set(Phase::Waiting);
    match chat::context(id).await {
        Ok(messages) => answer(conversation, turn, messages).await,
        Err(error) => turn.fail(error.into()),
    }
}

async fn answer(conversation: Conversation, turn: Turn, messages: Vec<ChatMessage>) {
    let model = conversation.model.get_untracked();
    let mut cost = None;
    spawn_local(render_while_streaming(turn));
    let on_chunk = |chunk| match chunk {
        Chunk::Text(part) => {
            let follow = client::is_at_end();
            turn.text.update_value(|text| text.push_str(&part));
            turn.tail.update(|tail| tail.push_str(&part));
            if turn.phase.get_untracked() == Phase::Waiting {
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
    let was_stopped = turn.phase.get_untracked() == Phase::Stopped;
    let text = turn.text.get_value();
    let is_empty = text.trim().is_empty();
    if !is_empty {
        keep(conversation, turn, text, &model, cost).await;
    }
    let cost = cost.map(|tokens| format!(" · {} tokens", group_digits(tokens))).unwrap_or_default();
    turn.source.set(model + &cost);
    match outcome {
        Err(failure) => turn.fail(failure),
        Ok(()) if was_stopped => {}
        Ok(()) if is_empty => turn.fail(Failure::Refused("The model answered nothing.".into())),
        Ok(()) => turn.phase.set(Phase::Done),
    }
    if client::is_at_end() {
        client::scroll_to_end();
    }
}

/// Keeps the answer, and shows it as it is kept.
async fn keep(conversation: Conversation, turn: Turn, text: String, model: &str, cost: Option<i64>) {
    let Some(id) = conversation.id else { return };
    let length = text.len();
    if text.chars().count() > MAX_ANSWER {
        let most = group_digits(MAX_ANSWER as i64);
        conversation.trouble.set(format!(
            "This answer is longer than the {most} characters that are kept. Copy it before you go."
        ));
    } else {
        match chat::answer(id, text, model.to_owned(), cost).await {
            Ok(html) => turn.show(html, length),
            Err(error) => {
                conversation.trouble.set(format!("This answer isn't kept. {}", in_words(error.into())))
            }
        }
    }
}

async fn render_while_streaming(turn: Turn) {
    while turn.phase.try_get_untracked().is_some_and(Phase::is_busy) {
        let text = turn.text.get_value();
        let length = text.len();
        // Where it can't be had, the text stands as it came.
        if !turn.tail.with_untracked(String::is_empty)
            && let Ok(html) = chat::render(text).await
            && turn.phase.get_untracked().is_busy()
        {
            turn.show(html, length);
        }
        let kilobytes = i32::try_from(length / 1_000).unwrap_or_default();
        client::pause(RENDER_EVERY + RENDER_PER_KILOBYTE * kilobytes).await;
    }
}

impl From<AppError> for Failure {
    fn from(error: AppError) -> Self {
        match error {
            AppError::Unreachable => Self::Unreachable,
            error => Self::Refused(error.to_string()),
        }
    }
}

pub fn in_words(failure: Failure) -> String {
    match failure {
        Failure::Unreachable if client::is_online() => {
            "The connection broke off, or the server can't be reached.".into()
        }
        Failure::Unreachable => "You are offline.".into(),
        Failure::SignedOut => "Your session has ended. Load the page anew to sign in.".into(),
        Failure::Limit(message) | Failure::Refused(message) => message,
    }
}

#[component]
pub fn TurnView(conversation: Conversation, turn: Turn) -> impl IntoView {
    let question = turn.question.get_value();
    let has_question = !question.is_empty();
    let has_answer = move || !(turn.html.with(String::is_empty) && turn.tail.with(String::is_empty));
    let is_waiting = move || turn.phase.get() == Phase::Waiting;
    let is_busy = move || turn.phase.get().is_busy();
    let end = move || match turn.phase.get() {
        Phase::Waiting | Phase::Streaming | Phase::Done => String::new(),
        Phase::Stopped if has_answer() => "Stopped.".into(),
        Phase::Stopped => "Stopped before anything came.".into(),
        Phase::Unanswered => "This question has no answer yet.".into(),
        Phase::Failed | Phase::Refused => {
            let what = if has_answer() { "The answer broke off." } else { "No answer came." };
            format!("{what} {}", turn.notice.get())
        }
    };
    let level = move || match turn.phase.get() {
        Phase::Failed => "warning",
        Phase::Refused => "limit",
        _ => "ok",
    };
    let again = move |_| spawn_local(answer_last(conversation));
    view! {
        <article class="message" data-role="user" aria-label="You" hidden=!has_question>
            <p class="message__body message__question">{question}</p>
        </article>
        <article
            class="message"
            data-role="assistant"
            aria-label="Answer"
            hidden=move || !has_answer() && !is_waiting()
        >
            <div class="message__body prose" aria-busy=move || is_busy().to_string()>
                <div inner_html=move || turn.html.get()></div>
                <span class="message__tail">{move || turn.tail.get()}</span>
                <span class="message__waiting" hidden=move || !is_waiting()>"Thinking…"</span>
            </div>
            <AnswerFoot source=turn.source/>
        </article>
        <div
            class="notice turn__end"
            data-level=level
            role="alert"
            hidden=move || matches!(turn.phase.get(), Phase::Waiting | Phase::Streaming | Phase::Done)
        >
            <span class="notice__text">{end}</span>
            <button class="button" type="button" data-tone="plain" hidden=has_answer on:click=again>
                "Try again"
            </button>
        </div>
    }
}
