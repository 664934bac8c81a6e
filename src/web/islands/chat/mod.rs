//! Asking a model and reading its answer as it comes: a program of the gateway's like any other, with the session for
//! its key.
//!
//! - `turn`: a question and its answer, from the asking to the keeping;
//! - `composer`: what is typed or said, and what is left to spend;
//! - `limits`: what stands in the way of asking, and what can be done.

mod composer;
mod limits;
mod turn;

use leptos::prelude::*;
use leptos::task::spawn_local;
use serde::{Deserialize, Serialize};

use super::follow_subscription::Shown;
use crate::domain::{ConversationId, Level, LimitCheck, Plan, Subscription, Usage};
use crate::web::client::{self, UsageStream};
use crate::web::components::notice::Notice;
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

/// The parts of a conversation that change.
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
    trouble: RwSignal<Option<String>>,
}

impl Conversation {
    /// Whether an answer is under way.
    fn is_busy(self) -> bool {
        self.turns.with(|turns| turns.last().is_some_and(|turn| turn.phase.get().is_busy()))
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
            let is_idle = untrack(|| !self.is_busy()) && self.draft.with_untracked(String::is_empty);
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
            Err(failure) => self.trouble.set(Some(turn::in_words(&failure))),
        }
    }

    fn read_aloud(self, event: leptos::ev::MouseEvent) {
        let Some(model) = self.models.with_untracked(|models| models.speech.clone()) else { return };
        spawn_local(async move {
            if let Err(failure) = client::read_aloud(event, model).await {
                self.trouble.set(Some(turn::in_words(&failure)));
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
    check: LimitCheck,
    /// The subscription that the page was rendered for.
    shown: Option<Shown>,
    admins: Option<String>,
    /// What was typed into a question that was refused.
    draft: String,
    /// The messages so far.
    children: Children,
) -> impl IntoView {
    // What has something left is refused only where everything is.
    let resources = check.usage.resources;
    let has_access = resources.iter().all(|(kind, resource)| check.allowed[kind] || !resource.has_left());
    let conversation = Conversation {
        id,
        turns: RwSignal::new(match last {
            LastQuestion::Settled => Vec::new(),
            LastQuestion::JustAsked => vec![Turn::new(None, Phase::Waiting)],
            LastQuestion::Unanswered => vec![Turn::new(None, Phase::Unanswered)],
        }),
        usage: RwSignal::new(check.usage),
        suggested: RwSignal::new(check.suggested_plan),
        admins: StoredValue::new(admins),
        has_access,
        models: RwSignal::new(Models::default()),
        model: RwSignal::new(model.unwrap_or_default()),
        draft: RwSignal::new(draft),
        trouble: RwSignal::new(None),
    };
    // The effect keeps what it returns, and so the stream open.
    Effect::new(move |_| conversation.follow(shown));
    Effect::new(move |_| {
        spawn_local(async move {
            conversation.load_models().await;
            if last == LastQuestion::JustAsked {
                turn::answer_last(conversation).await;
            }
        });
        client::scroll_to_end();
    });
    let can_speak = move || {
        let voice = conversation.usage.with(|usage| usage.resources.voice.has_left());
        voice && conversation.models.with(|models| models.speech.is_some())
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
                turns.into_iter().map(|turn| view! { <TurnView conversation turn/> }).collect_view()
            }}
        </div>
        <div class="chat__foot">
            <Limits conversation/>
            {move || conversation.trouble.get().map(|text| view! {
                <Notice level=Level::Warning alert=true>{text}</Notice>
            })}
            <Composer conversation/>
        </div>
    }
}
