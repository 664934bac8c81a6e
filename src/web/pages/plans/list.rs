//! The plans there are.

use leptos::prelude::*;
use leptos::server_fn::ServerFn;

use crate::domain::Plan;
use crate::web::components::badge::Badge;
use crate::web::components::confirm::Confirm;
use crate::web::components::form::{Form, refused};
use crate::web::components::submit::{Of, Submit};
use crate::web::format;
use crate::web::server_fns::plans::RemovePlan;

#[component]
pub fn List(plans: Vec<Plan>, archived: bool) -> impl IntoView {
    let hidden = plans.iter().filter(|plan| plan.archived).count() as i64;
    let (href, label) = if archived {
        ("/subscription-plans", "Hide archived plans".to_owned())
    } else {
        let label = format!("Show {}", format::plural(hidden, "archived plan", "archived plans"));
        ("/subscription-plans?archived=1", label)
    };
    let toggle = (hidden > 0).then(|| view! { <p class="after-table"><a href=href>{label}</a></p> });
    let mut shown = plans.into_iter().filter(|plan| archived || !plan.archived).peekable();
    let table = if shown.peek().is_none() {
        view! { <p class="empty">"No plans yet. Groups can subscribe once there is one."</p> }.into_any()
    } else {
        view! {
            <table class="table">
                <caption class="unseen">"Plans"</caption>
                <thead>
                    <tr>
                        <th scope="col">"Plan"</th>
                        <th scope="col" class="number">"Price"</th>
                        <th scope="col" class="number">"LLM tokens"</th>
                        <th scope="col" class="number">"Voice tokens"</th>
                        <th scope="col" class="number">"Users"</th>
                        <th scope="col"><span class="unseen">"Actions"</span></th>
                    </tr>
                </thead>
                <tbody>{shown.map(|plan| view! { <Row plan/> }).collect_view()}</tbody>
            </table>
        }
        .into_any()
    };
    view! {
        {refused::<RemovePlan>()}
        {table}
        {toggle}
    }
}

#[component]
fn Row(plan: Plan) -> impl IntoView {
    let badge = plan.archived.then(|| view! { " "<Badge tone="quiet" label="Archived"/> });
    let price = plan.price.to_string();
    let archive = (!plan.archived).then(|| {
        view! {
            <Confirm
                id=format!("archive-{}", plan.id)
                label="Archive"
                of=plan.name.clone()
                title=format!("Archive {}?", plan.name)
                text="Nobody can buy it any more. Those who have it keep it. A plan nobody ever used is deleted."
            >
                <Form to=RemovePlan::PATH>
                    <input type="hidden" name="id" value=plan.id.to_string()/>
                    <Submit label="Archive plan" tone="danger"/>
                </Form>
            </Confirm>
        }
    });
    view! {
        <tr>
            <th scope="row">
                {plan.name.clone()}
                {badge}
                {plan.stripe_price_id.map(|id| view! { <code class="plan-row__stripe">{id}</code> })}
            </th>
            <td class="number" data-label="Price">
                {price}
                <span class="number__unit">" "{format::per(plan.interval)}</span>
            </td>
            <td class="number" data-label="LLM tokens">{format::limit(plan.limits.llm)}</td>
            <td class="number" data-label="Voice tokens">{format::limit(plan.limits.voice)}</td>
            <td class="number" data-label="Users">{format::limit(plan.max_users)}</td>
            <td class="table__actions">
                <a href=format!("/subscription-plans?edit={}", plan.id) class="button" data-tone="plain">
                    "Edit"
                    <Of name=plan.name/>
                </a>
                {archive}
            </td>
        </tr>
    }
}
