//! A conversation that is kept: its title, what can be done with it, and its messages.

use leptos::prelude::*;
use leptos::server_fn::ServerFn;

use crate::chat::markdown::to_html;
use crate::domain::{ChatRole, ConversationId, KeptMessage, MAX_TITLE};
use crate::web::components::confirm::Confirm;
use crate::web::components::form::Form;
use crate::web::components::message::{AnswerFoot, Message};
use crate::web::components::submit::Submit;
use crate::web::server_fns::chat::{Delete, Rename};

#[component]
pub fn Title(id: ConversationId, title: String) -> impl IntoView {
    view! {
        <header class="chat__head">
            <a class="chat__back" href="/chat">"All conversations"</a>
            <h1 class="chat__title">{title.clone()}</h1>
            <div class="chat__actions">
                <Confirm
                    id="rename"
                    label="Rename"
                    title="Rename this conversation"
                    text="Only you see the title."
                    keep="Cancel"
                >
                    <Form to=Rename::PATH>
                        <input type="hidden" name="id" value=id.to_string()/>
                        <div class="inline-form">
                            <input
                                class="input"
                                name="title"
                                aria-label="Title"
                                required
                                maxlength=MAX_TITLE.to_string()
                                value=title
                            />
                            <Submit label="Save title"/>
                        </div>
                    </Form>
                </Confirm>
                <Confirm
                    id="delete"
                    label="Delete"
                    title="Delete this conversation?"
                    text="Its messages are gone for good. The tokens they cost stay counted."
                >
                    <Form to=Delete::PATH>
                        <input type="hidden" name="id" value=id.to_string()/>
                        <Submit label="Delete conversation" tone="danger"/>
                    </Form>
                </Confirm>
            </div>
        </header>
    }
}

#[component]
pub fn Messages(messages: Vec<KeptMessage>) -> impl IntoView {
    messages
        .into_iter()
        .map(|message| match message.role {
            ChatRole::User => view! { <Message by_user=true>{message.content}</Message> }.into_any(),
            ChatRole::Assistant => view! {
                <Message by_user=false>
                    <div class="message__body prose" inner_html=to_html(&message.content)></div>
                    <AnswerFoot model=message.model.unwrap_or_default() tokens=message.tokens/>
                </Message>
            }
            .into_any(),
        })
        .collect_view()
}
