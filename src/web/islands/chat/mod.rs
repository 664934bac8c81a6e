//! Asking a model and reading its answer as it comes: a program of the gateway's like any other, with the session for
//! its key.
//!
//! - `turn`: a question and its answer, from the asking to the keeping;
//! - `composer`: what is typed or said, and what is left to spend;
//! - `limits`: what stands in the way of asking, and what can be done.
//!
//! The parts stand in the page from the beginning and are shown or hidden: a view that is made anew costs the browser
//! its code several times over, and every page downloads it.

mod composer;
mod limits;
mod turn;

use leptos::prelude::*;
use leptos::task::spawn_local;
use serde::{Deserialize, Serialize};

use super::follow_subscription::Shown;
use crate::domain::{ConversationId, Plan, Subscription, Usage};
use crate::web::client::{self, UsageStream};
use crate::web::gateway::Models;
use crate::web::server_fns::usage::suggestion;
use composer::Composer;
use limits::Limits;
use turn::{Phase, Turn, TurnView};

/// What is to be done about the last question when the page opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LastQuestion {
    /// It has an answer, or there is none.
    Settled,
    /// It was just asked: it is answered at once.
    JustAsked,
    /// It went without an answer: one is offered.
    Unanswered,
}

/// The parts of a conversation that change. Texts are empty where there is nothing to say.
#[derive(Clone, Copy)]
struct Conversation {
    /// None before the first question.
    id: Option<ConversationId>,
    turns: RwSignal<Vec<Turn>>,
    usage: RwSignal<Usage>,
    suggested: RwSignal<Option<Plan>>,
    /// Who can change plans and caps, by name; none where the viewer can.
    admins: StoredValue<Option<String>>,
    /// Whether the subscription lets anything be spent.
    has_access: bool,
    models: RwSignal<Models>,
    /// The model that answers.
    model: RwSignal<String>,
    /// What is in the field.
    draft: RwSignal<String>,
    /// What went wrong that no turn says.
    trouble: RwSignal<String>,
}

impl Conversation {
    /// Whether an answer is under way.
    fn is_busy(self) -> bool {
        self.turns.with(|turns| turns.last().is_some_and(|turn| turn.phase.get().is_busy()))
    }

    fn last_turn(self) -> Option<Turn> {
        self.turns.with_untracked(|turns| turns.last().copied())
    }

    /// Follows the usage, and the subscription as far as that doesn't break anything off.
    fn follow(self, shown: Option<Shown>) -> Option<UsageStream> {
        let on_usage = move |new: Usage| {
            let old = self.usage.get_untracked();
            if new.as_of < old.as_of {
                return;
            }
            let levels = |usage: &Usage| usage.resources.map(|resource| resource.level);
            if levels(&new) != levels(&old) {
                spawn_local(async move {
                    if let Ok(plan) = suggestion().await {
                        self.suggested.set(plan);
                    }
                });
            }
            self.usage.set(new);
        };
        let on_subscription = move |subscription: Option<Subscription>| {
            let is_idle = !untrack(|| self.is_busy()) && self.draft.with_untracked(String::is_empty);
            if subscription.as_ref().map(Shown::from) != shown && is_idle {
                client::reload();
            }
        };
        UsageStream::open(on_usage, on_subscription, |_| {})
    }

    async fn load_models(self) {
        match client::models().await {
            Ok(models) => {
                let known = self.model.with_untracked(|model| models.chat.contains(model));
                if !known && let Some(first) = models.chat.first() {
                    self.model.set(first.clone());
                }
                self.models.set(models);
            }
            Err(failure) => self.trouble.set(turn::in_words(failure)),
        }
    }

    fn read_aloud(self, event: leptos::ev::MouseEvent) {
        let model = self.models.with_untracked(|models| models.speech.clone());
        spawn_local(async move {
            if let Err(failure) = client::read_aloud(event, model).await {
                self.trouble.set(turn::in_words(failure));
            }
        });
    }
}

#[island]
pub fn Chat(
    id: Option<ConversationId>,
    last: LastQuestion,
    /// The model that answered the viewer last.
    model: Option<String>,
    usage: Usage,
    suggested_plan: Option<Plan>,
    has_access: bool,
    /// The subscription that the page was rendered for.
    shown: Option<Shown>,
    admins: Option<String>,
    /// What was typed into a question that was refused.
    draft: String,
    /// The messages so far.
    children: Children,
) -> impl IntoView {
    let turns = match last {
        LastQuestion::Settled => Vec::new(),
        LastQuestion::JustAsked => vec![Turn::new(String::new(), Phase::Waiting)],
        LastQuestion::Unanswered => vec![Turn::new(String::new(), Phase::Unanswered)],
    };
    let conversation = Conversation {
        id,
        turns: RwSignal::new(turns),
        usage: RwSignal::new(usage),
        suggested: RwSignal::new(suggested_plan),
        admins: StoredValue::new(admins),
        has_access,
        models: RwSignal::new(Models::default()),
        model: RwSignal::new(model.unwrap_or_default()),
        draft: RwSignal::new(client::text_in("question").unwrap_or(draft)),
        trouble: RwSignal::new(String::new()),
    };
    // The effect keeps what it returns, and so the stream open.
    Effect::new(move |_| {
        spawn_local(async move {
            conversation.load_models().await;
            if last == LastQuestion::JustAsked {
                turn::answer_last(conversation).await;
            }
        });
        if id.is_some() {
            client::scroll_to_end();
        }
        conversation.follow(shown)
    });
    let can_speak = move || {
        let voice = conversation.usage.with(|usage| usage.resources.voice.has_left());
        voice && conversation.models.with(|models| !models.speech.is_empty())
    };
    view! {
        <div
            class="thread"
            data-speech=move || can_speak().to_string()
            on:click=move |event| conversation.read_aloud(event)
        >
            {children()}
            {move || {
                let turns = conversation.turns.get();
                turns.into_iter().map(|turn| view! { <TurnView conversation turn/> }).collect::<Vec<_>>()
            }}
        </div>
        <div class="chat__foot">
            <Limits conversation/>
            <p
                class="notice"
                data-level="warning"
                role="alert"
                hidden=move || conversation.trouble.with(String::is_empty)
            >
                {move || conversation.trouble.get()}
            </p>
            <Composer conversation/>
        </div>
    }
}
