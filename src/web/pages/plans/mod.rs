//! `/subscription-plans`: the SuperAdmin's plans.
//!
//! What is shown is in the address: `?new=1`, `?edit=<id>`, `?archived=1`.

mod list;

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use crate::domain::{Plan, PlanId};
use crate::web::AppError;
use crate::web::components::form::Attempt;
use crate::web::components::icon::{Icon, Shape};
use crate::web::components::page::{Head, Heading, NotFound, load};
use crate::web::format;
use crate::web::islands::plan_editor::{PlanEditor, start};
use crate::web::server_fns::plans::{CreatePlan, UpdatePlan};
use crate::web::ssr::context::{services, user};
use list::List;

/// What the address asks for.
enum Asked {
    List { archived: bool },
    New,
    Edit(Option<PlanId>),
}

#[component]
pub fn Plans() -> impl IntoView {
    let query = use_query_map().get_untracked();
    let asked = match query.get_str("edit") {
        Some(id) => Asked::Edit(id.parse().ok()),
        None if query.get_str("new").is_some() => Asked::New,
        None => Asked::List { archived: query.get_str("archived").is_some() },
    };
    load(plans(), move |plans| match asked {
        Asked::List { archived } => view! { <All plans archived/> }.into_any(),
        Asked::New => view! { <Editor plan=None/> }.into_any(),
        Asked::Edit(id) => match plans.into_iter().find(|plan| Some(plan.id) == id) {
            Some(plan) => view! { <Editor plan=Some(plan)/> }.into_any(),
            None => view! { <NotFound/> }.into_any(),
        },
    })
}

/// All plans by currency and monthly price, archived ones included.
async fn plans() -> Result<Vec<Plan>, AppError> {
    Ok(services().billing.plans_with_subscribers(&user()?, true).await?)
}

#[component]
fn All(plans: Vec<Plan>, archived: bool) -> impl IntoView {
    view! {
        <Head title="Plans" description="Create, edit and archive the plans that groups can subscribe to."/>
        <Heading title="Plans" text="What groups can subscribe to, by currency and monthly price.">
            <a href="/subscription-plans?new=1" class="button" data-tone="primary">
                <Icon shape=Shape::Plus/>
                "Create plan"
            </a>
        </Heading>
        <List plans archived/>
    }
}

#[component]
fn Editor(plan: Option<Plan>) -> impl IntoView {
    let title = plan.as_ref().map_or_else(|| "New plan".to_owned(), |plan| format!("Edit {}", plan.name));
    let refused = match plan {
        None => Attempt::of::<CreatePlan>().refused(),
        Some(_) => Attempt::of::<UpdatePlan>().refused(),
    };
    let start = start(plan.as_ref(), refused.as_ref());
    let bound = plan.as_ref().and_then(bound);
    view! {
        <Head title=title.clone() description="The terms of a plan."/>
        <Heading title/>
        <PlanEditor id=plan.map(|plan| plan.id) start bound refused/>
    }
}

/// What another price leaves as it is, where anyone subscribed.
fn bound(plan: &Plan) -> Option<String> {
    let subscribers = plan.subscribers.filter(|count| *count > 0)?;
    let (keep, they) = if subscribers == 1 { ("keeps", "it") } else { ("keep", "they") };
    Some(format!(
        "{} {keep} {}, or the earlier price {they} bought the plan at, until {they} change{} plan.",
        format::plural(subscribers, "subscriber", "subscribers"),
        format::price(plan),
        if subscribers == 1 { "s" } else { "" },
    ))
}
