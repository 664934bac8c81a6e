//! A plan as its buyers see it.

use leptos::prelude::*;

use super::icon::{Icon, Shape};
use crate::domain::{Plan, UsageType};
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
    let allowance = [
        (plan.limits.llm, "LLM token", UsageType::Llm.noun()),
        (plan.limits.voice, "voice token", UsageType::Voice.noun()),
        (plan.max_users, "user", "users"),
    ];
    let allowance = allowance.map(|(limit, one, many)| match limit {
        None => (Shape::Check, format!("Unlimited {many}")),
        Some(0) => (Shape::Minus, format!("{}: {many}", format::NOT_INCLUDED)),
        Some(count) => (Shape::Check, format::plural(count, one, many)),
    });
    let beyond = format::overage_lines(plan.overage.as_ref()).into_iter().map(|line| (Shape::Plus, line));
    let features = plan.features.iter().map(|feature| (Shape::Check, feature.clone()));
    let lines = allowance.into_iter().chain(beyond).chain(features).map(|(shape, line)| {
        view! {
            <li>
                <Icon shape/>
                <span>{line}</span>
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
            {format::trial(&plan).map(|trial| view! { <p class="plan__trial">{trial}</p> })}
            <p class="plan__text">{plan.description.clone()}</p>
            <ul class="plan__lines">{lines.collect_view()}</ul>
            <div class="plan__action">{children()}</div>
        </article>
    }
}
