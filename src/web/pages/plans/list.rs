//! The plans there are.

use leptos::prelude::*;
use leptos::server_fn::ServerFn;

use crate::domain::Plan;
use crate::web::components::badge::Badge;
use crate::web::components::confirm::Confirm;
use crate::web::components::count::count;
use crate::web::components::form::{Form, refused};
use crate::web::components::submit::{Of, Submit};
use crate::web::components::table::{Column, Row, Table};
use crate::web::format;
use crate::web::server_fns::plans::RemovePlan;

const COLUMNS: &[Column] = &[
    Column::text("Plan"),
    Column::number("Price"),
    Column::number("LLM tokens"),
    Column::number("Voice tokens"),
    Column::number("Users"),
];

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
    let shown: Vec<_> = plans.into_iter().filter(|plan| archived || !plan.archived).collect();
    let table = if shown.is_empty() {
        view! { <p class="empty">"No plans yet. Groups can subscribe once there is one."</p> }.into_any()
    } else {
        view! { <Table caption="Plans" columns=COLUMNS rows=shown.into_iter().map(row).collect()/> }
            .into_any()
    };
    view! {
        {refused::<RemovePlan>()}
        {table}
        {toggle}
    }
}

fn row(plan: Plan) -> Row {
    let badge = plan.archived.then(|| view! { " "<Badge tone="quiet" label="Archived"/> });
    let stripe = plan.stripe_price_id.clone().map(|id| view! { <code class="plan-row__stripe">{id}</code> });
    let price = plan.price.to_string();
    Row::new(view! { {plan.name.clone()}{badge}{stripe} })
        .cell(view! {
            {price}
            <span class="number__unit">" "{format::per(plan.interval)}</span>
        })
        .cell(count(format::limit(plan.limits.llm)))
        .cell(count(format::limit(plan.limits.voice)))
        .cell(count(format::limit(plan.max_users)))
        .actions(view! { <Actions plan/> })
}

#[component]
fn Actions(plan: Plan) -> impl IntoView {
    let archive = (!plan.archived).then(|| {
        view! {
            <Confirm
                id=format!("archive-{}", plan.id)
                label="Archive"
                of=plan.name.clone()
                title=format!("Archive {}?", plan.name)
                text="It can't be bought any more. Groups that have it keep it. A plan that was never used is deleted."
            >
                <Form to=RemovePlan::PATH>
                    <input type="hidden" name="id" value=plan.id.to_string()/>
                    <Submit label="Archive plan" tone="danger"/>
                </Form>
            </Confirm>
        }
    });
    view! {
        <a href=format!("/subscription-plans?edit={}", plan.id) class="button" data-tone="plain">
            "Edit"
            <Of name=plan.name/>
        </a>
        {archive}
    }
}
