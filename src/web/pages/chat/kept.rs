//! A conversation that is kept: its title, what can be done with it, and its messages.

use leptos::prelude::*;
use leptos::server_fn::ServerFn;

use crate::chat::markdown::to_html;
use crate::domain::{ChatRole, ConversationId, KeptMessage, MAX_TITLE, group_digits};
use crate::web::components::confirm::Confirm;
use crate::web::components::form::Form;
use crate::web::components::message::AnswerFoot;
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
                        <div class="field-row">
                            <input
                                class="input"
                                name="title"
                                aria-label="Title"
                                required
                                maxlength=MAX_TITLE.to_string()
                                value=title
                            />
                        </div>
                        <Submit label="Save title"/>
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
            ChatRole::User => view! {
                <article class="message" data-role="user" aria-label="You">
                    <p class="message__body message__question">{message.content}</p>
                </article>
            }
            .into_any(),
            ChatRole::Assistant => {
                let cost = message.tokens.map(|tokens| format!(" · {} tokens", group_digits(tokens)));
                let source = message.model.unwrap_or_default() + &cost.unwrap_or_default();
                view! {
                    <article class="message" data-role="assistant" aria-label="Answer">
                        <div class="message__body prose" inner_html=to_html(&message.content)></div>
                        <AnswerFoot source=Signal::stored(source)/>
                    </article>
                }
                .into_any()
            }
        })
        .collect_view()
}
