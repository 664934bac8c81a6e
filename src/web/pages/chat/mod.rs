//! `/chat`: a member's conversations with a model.

mod kept;
mod list;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use crate::domain::{Conversation, ConversationId, ConversationSummary, LimitCheck, Refusal, Subscription};
use crate::web::AppError;
use crate::web::components::form::{Attempt, Refused, refused};
use crate::web::components::no_subscription::NoSubscription;
use crate::web::components::page::{Head, load};
use crate::web::islands::chat::{Chat, LastQuestion};
use crate::web::islands::follow_subscription::{FollowSubscription, Shown};
use crate::web::server_fns::chat::{Begin, Delete, Rename};
use crate::web::ssr::context::{admins_to_ask, services, user, where_subscribed};
use crate::web::ssr::shown_once;
use kept::{Messages, Title};
use list::Conversations;

struct Data {
    /// Who can put things right, by name; none where the viewer can.
    admins: Option<String>,
    subscription: Option<Subscription>,
    check: Option<LimitCheck>,
    conversations: Vec<ConversationSummary>,
    /// The one that is open.
    conversation: Option<Conversation>,
    /// The model that answered the viewer last.
    model: Option<String>,
}

/// A conversation that isn't begun yet.
#[component]
pub fn New() -> impl IntoView {
    load(data(None), page)
}

/// One that is kept.
#[component]
pub fn Kept() -> impl IntoView {
    let id = use_params_map().read_untracked().get("id").unwrap_or_default();
    load(
        async move {
            let id = id.parse().map_err(|_| Refusal::NotFound("conversation".into()))?;
            data(Some(id)).await
        },
        page,
    )
}

async fn data(id: Option<ConversationId>) -> Result<Data, AppError> {
    let (user, services) = (user()?, services());
    user.must_have_group()?;
    let conversation = match id {
        Some(id) => Some(services.chat.conversation(&user, id).await?),
        None => None,
    };
    Ok(Data {
        admins: admins_to_ask(&user).await?,
        subscription: services.billing.subscription(&user).await?,
        check: where_subscribed(services.metering.check(&user).await)?,
        conversations: services.chat.conversations(&user).await?,
        conversation,
        model: services.chat.last_model(&user).await?,
    })
}

fn page(data: Data) -> AnyView {
    let Data { admins, subscription, check, conversations, conversation, model } = data;
    let id = conversation.as_ref().map(|conversation| conversation.id);
    let title = conversation.as_ref().map_or_else(|| "Chat".to_owned(), |open| open.title.clone());
    let shown = subscription.as_ref().map(Shown::from);
    let attempt = Attempt::of::<Begin>();
    let last = last_question(conversation.as_ref());
    let head = match &conversation {
        Some(open) => view! { <Title id=open.id title=open.title.clone()/> }.into_any(),
        None => view! { <h1 class="chat__title">"Chat"</h1> }.into_any(),
    };
    let messages = match conversation {
        Some(open) => view! { <Messages messages=open.messages/> }.into_any(),
        // What stands in the way is said in its place.
        None if check.is_none() => ().into_any(),
        None => view! { <Welcome/> }.into_any(),
    };
    let thread = match check {
        Some(LimitCheck { allowed, usage, suggested_plan, .. }) => {
            // What has something left is refused only where everything is.
            let resources = usage.resources;
            let has_access = resources.iter().all(|(kind, resource)| allowed[kind] || !resource.has_left());
            view! {
                <Chat id last model usage suggested_plan has_access shown admins draft=attempt.value("question")>
                    {messages}
                </Chat>
            }
            .into_any()
        }
        None => view! {
            // An empty one would push what follows to the foot of the page.
            {id.is_some().then(|| view! { <div class="thread">{messages}</div> })}
            <NoSubscription
                admins
                offer="A question costs tokens. Choose a plan and your group has some to spend."
            />
            <FollowSubscription shown parts=String::new()/>
        }
        .into_any(),
    };
    view! {
        <Head title description="Your conversations with a model. They are yours alone."/>
        <div class="chat" data-open=id.is_some().to_string()>
            <section class="chat__main">
                {head}
                <Refused message=attempt.message(&[])/>
                {refused::<Rename>()}
                {refused::<Delete>()}
                <p class="chat__noscript">
                    "Asking needs JavaScript, which is off. Your conversations can be read all the same."
                </p>
                {thread}
            </section>
            <Conversations conversations open=id/>
        </div>
    }
    .into_any()
}

fn last_question(conversation: Option<&Conversation>) -> LastQuestion {
    let just_asked = shown_once::take::<ConversationId>(shown_once::QUESTION);
    match conversation {
        Some(open) if open.is_unanswered() && just_asked == Some(open.id) => LastQuestion::JustAsked,
        Some(open) if open.is_unanswered() => LastQuestion::Unanswered,
        _ => LastQuestion::Settled,
    }
}

#[component]
fn Welcome() -> impl IntoView {
    view! {
        <div class="chat__welcome">
            <h2>"Ask a question"</h2>
            <p>
                "Answers cost LLM tokens of your group's allowance; speaking a question and having an answer read cost \
                 voice tokens. What is asked here is yours alone: nobody else of your group can read it."
            </p>
        </div>
    }
}
