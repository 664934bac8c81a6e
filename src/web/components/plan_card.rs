//! A plan as somebody who might buy it sees it.

use leptos::prelude::*;

use super::icon::{Icon, Shape};
use crate::domain::Plan;
use crate::web::format;

#[component]
pub fn PlanCard(
    plan: Plan,
    /// Marked as the one the group has.
    #[prop(optional)]
    current: bool,
    /// What can be done with it.
    children: Children,
) -> impl IntoView {
    let count = |limit: Option<i64>, one: &'static str, many: &'static str| match limit {
        None => format!("Unlimited {many}"),
        Some(count) => format::plural(count, one, many),
    };
    let mut lines = vec![
        count(plan.limits.llm, "LLM token", "LLM tokens"),
        count(plan.limits.voice, "voice token", "voice tokens"),
        count(plan.max_users, "user", "users"),
    ];
    lines.extend(plan.features.iter().cloned());
    let lines = lines.into_iter().map(|line| {
        view! {
            <li>
                <Icon shape=Shape::Check/>
                {line}
            </li>
        }
    });
    view! {
        <article class="plan" aria-label=plan.name.clone() data-current=current.then_some("true")>
            <h2>{plan.name.clone()}</h2>
            <p class="plan__price">
                <strong>{plan.price.to_string()}</strong>
                " "
                {format::per(plan.interval)}
            </p>
            <p class="plan__text">{plan.description.clone()}</p>
            <ul class="plan__lines">{lines.collect_view()}</ul>
            <div class="plan__action">{children()}</div>
        </article>
    }
}
