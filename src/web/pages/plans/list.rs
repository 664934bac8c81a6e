//! The plans there are.

use leptos::prelude::*;
use leptos::server_fn::ServerFn;

use crate::domain::{Plan, group_digits};
use crate::web::components::badge::Badge;
use crate::web::components::confirm::Confirm;
use crate::web::components::count::count;
use crate::web::components::form::{Form, refused};
use crate::web::components::submit::{Of, Submit};
use crate::web::components::table::{Column, Row, Table};
use crate::web::format;
use crate::web::server_fns::plans::{RemovePlan, RestorePlan};

const COLUMNS: &[Column] = &[
    Column::text("Plan"),
    Column::number("Price"),
    Column::number("LLM tokens"),
    Column::number("Voice tokens"),
    Column::number("Users"),
    Column::number("Subscribers"),
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
        {refused::<RestorePlan>()}
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
        .cell(count(group_digits(plan.subscribers.unwrap_or(0))))
        .actions(view! { <Actions plan/> })
}

#[component]
fn Actions(plan: Plan) -> impl IntoView {
    let (id, name) = (plan.id, plan.name.clone());
    let sale = if plan.archived {
        view! {
            <Form to=RestorePlan::PATH>
                <input type="hidden" name="id" value=id.to_string()/>
                <Submit label="Restore" tone="plain" of=name/>
            </Form>
        }
        .into_any()
    } else {
        view! {
            <Confirm
                id=format!("archive-{id}")
                label="Archive"
                of=name.clone()
                title=format!("Archive {name}?")
                text="It can't be bought any more. Groups that have it keep it. A plan that was never used is deleted."
            >
                <Form to=RemovePlan::PATH>
                    <input type="hidden" name="id" value=id.to_string()/>
                    <Submit label="Archive plan" tone="danger"/>
                </Form>
            </Confirm>
        }
        .into_any()
    };
    view! {
        <a href=format!("/subscription-plans?edit={}", plan.id) class="button" data-tone="plain">
            "Edit"
            <Of name=plan.name/>
        </a>
        {sale}
    }
}
