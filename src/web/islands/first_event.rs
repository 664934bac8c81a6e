//! Waits for the first tokens that a program reports, and says so when they come.

use leptos::prelude::*;

use crate::domain::{PerType, Usage, group_digits};
use crate::web::client::UsageStream;
use crate::web::components::icon::{Icon, Shape};

#[island]
pub fn FirstEvent(
    /// What was used when the page was made.
    used: PerType<i64>,
) -> impl IntoView {
    let arrived = RwSignal::new(None::<String>);
    let on_usage = move |usage: Usage| {
        let new = usage.resources.iter().find_map(|(kind, resource)| {
            let tokens = resource.used - used[kind];
            (tokens > 0).then(|| format!("{} {}", group_digits(tokens), kind.noun()))
        });
        if let Some(tokens) = new
            && arrived.with_untracked(Option::is_none)
        {
            arrived.set(Some(tokens));
        }
    };
    // The effect keeps what it returns, and so the stream open.
    Effect::new(move |_| UsageStream::open(on_usage, |_| {}, |_| {}));
    view! {
        <p class="first-event" role="status" data-arrived=move || arrived.with(Option::is_some).to_string()>
            {move || match arrived.get() {
                None => view! { <i></i>"Waiting for your first event…" }.into_any(),
                Some(tokens) => view! {
                    <Icon shape=Shape::Check/>
                    <span>{format!("It works: {tokens} arrived. ")}<a href="/usage">"See the usage"</a></span>
                }
                .into_any(),
            }}
        </p>
    }
}
