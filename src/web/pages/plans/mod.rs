//! `/subscription-plans`: the SuperAdmin's plans.
//!
//! What is shown is in the address (`?new=1`, `?edit=<id>`, `?archived=1`), so that it works without
//! JavaScript and a page can be linked to.

mod editor;
mod list;

use leptos::prelude::*;
use leptos_router::components::A;
use leptos_router::hooks::{use_navigate, use_query_map};
use uuid::Uuid;

use crate::domain::Plan;
use crate::web::components::icon::{Icon, Shape};
use crate::web::components::page::{Head, Heading, Load, NotFound};
use crate::web::server_fns::plans::{CreatePlan, RemovePlan, UpdatePlan, plans};
use editor::Editor;
use list::List;

#[component]
pub fn Plans() -> impl IntoView {
    let create = ServerAction::<CreatePlan>::new();
    let update = ServerAction::<UpdatePlan>::new();
    let remove = ServerAction::<RemovePlan>::new();
    let versions = move || (create.version().get(), update.version().get(), remove.version().get());
    let data = Resource::new(versions, |_| plans());
    let query = use_query_map();
    let creating = Memo::new(move |_| query.read().get("new").is_some());
    let editing = Memo::new(move |_| query.read().get("edit"));
    let archived = Memo::new(move |_| query.read().get("archived").is_some());

    let navigate = use_navigate();
    let done = Memo::new(move |_| {
        let created = create.value().get().and_then(Result::ok).map(|plan| format!("{} was created.", plan.name));
        created.or_else(|| update.value().get().and_then(Result::ok).map(|plan| format!("{} was saved.", plan.name)))
    });
    Effect::new(move |_| {
        if done.get().is_some() {
            navigate("/subscription-plans", Default::default());
        }
    });

    let shown = move |plans: Vec<Plan>| {
        let page = move || {
            let plans = plans.clone();
            if creating.get() {
                return view! { <Editor plan=None create update/> }.into_any();
            }
            if let Some(id) = editing.get() {
                let plan = id.parse::<Uuid>().ok().and_then(|id| plans.into_iter().find(|plan| plan.id == id));
                return match plan {
                    Some(plan) => view! { <Editor plan=Some(plan) create update/> }.into_any(),
                    None => view! { <NotFound/> }.into_any(),
                };
            }
            view! {
                <Heading title="Plans" text="What groups can subscribe to, cheapest first.">
                    <A href="/subscription-plans?new=1" attr:class="button" attr:data-tone="primary">
                        <Icon shape=Shape::Plus/>
                        "Create plan"
                    </A>
                </Heading>
                {move || done.get().map(|done| view! { <p class="done" role="status">{done}</p> })}
                <List plans archived=archived.get() remove/>
            }
            .into_any()
        };
        page.into_any()
    };
    view! {
        <Head title="Plans" description="Create, edit and archive the plans that groups can subscribe to."/>
        <Load data view=shown/>
    }
}
