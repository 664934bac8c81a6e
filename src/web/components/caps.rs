//! What one member or one key has used in this period, the most it may, and the dialog that sets that.

use leptos::prelude::*;

use super::confirm::Confirm;
use super::count::count;
use super::form::Form;
use super::submit::Submit;
use crate::domain::{PerType, Share, UsageType, group_digits};

/// `12,000 of 50,000`: what is used, and the cap if there is one.
#[component]
pub fn ShareFigure(share: Share) -> impl IntoView {
    let level = share.level();
    let of = share.limit.map(|limit| {
        view! { <span class="cap" data-level=level.as_str()>" of "{count(group_digits(limit))}</span> }
    });
    view! {
        {count(group_digits(share.used))}
        {of}
    }
}

/// The button and dialog that cap a member or a key.
#[component]
pub fn SetCaps(
    /// The server function that sets them.
    to: &'static str,
    #[prop(into)] id: String,
    /// Whose they are.
    of: String,
    share: PerType<Share>,
    #[prop(into)] text: String,
) -> impl IntoView {
    let field = |kind: UsageType| {
        let input = format!("{}-{id}", kind.as_str());
        let value = share[kind].limit.map(|limit| limit.to_string()).unwrap_or_default();
        view! {
            <div class="field">
                <label for=input.clone()>{kind.label()}</label>
                <input
                    class="input"
                    id=input
                    name=kind.as_str()
                    inputmode="numeric"
                    autocomplete="off"
                    placeholder="No cap"
                    value=value
                />
            </div>
        }
    };
    let fields = (field(UsageType::Llm), field(UsageType::Voice));
    view! {
        <Confirm id=format!("caps-{id}") label="Cap" of=of.clone() title=format!("Cap {of}") text keep="Cancel">
            <Form to=to>
                <input type="hidden" name="id" value=id/>
                <div class="field-row">{fields}</div>
                <Submit label="Save caps"/>
            </Form>
        </Confirm>
    }
}
