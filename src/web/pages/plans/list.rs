//! The plans there are.

use leptos::prelude::*;
use leptos_router::components::A;

use crate::domain::Plan;
use crate::web::components::badge::Badge;
use crate::web::components::confirm::Confirm;
use crate::web::components::notice::FormError;
use crate::web::components::submit::Submit;
use crate::web::format;
use crate::web::server_fns::plans::RemovePlan;

#[component]
pub fn List(plans: Vec<Plan>, archived: bool, remove: ServerAction<RemovePlan>) -> impl IntoView {
    let hidden = plans.iter().filter(|plan| plan.archived).count();
    let shown: Vec<Plan> = plans.into_iter().filter(|plan| archived || !plan.archived).collect();
    let refused = move || remove.value().get().and_then(Result::err).map(|error| error.to_string());
    let toggle = (hidden > 0).then(|| {
        if archived {
            view! { <A href="/subscription-plans">"Hide archived plans"</A> }.into_any()
        } else {
            let label = format!("Show {}", format::plural(hidden as i64, "archived plan", "archived plans"));
            view! { <A href="/subscription-plans?archived=1">{label}</A> }.into_any()
        }
    });
    let table = if shown.is_empty() {
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
                <tbody>
                    <For each=move || shown.clone() key=|plan| plan.id children=move |plan| view! { <Row plan remove/> }/>
                </tbody>
            </table>
        }
        .into_any()
    };
    view! {
        <FormError message=Signal::derive(refused)/>
        {table}
        <p class="after-table">{toggle}</p>
    }
}

#[component]
fn Row(plan: Plan, remove: ServerAction<RemovePlan>) -> impl IntoView {
    let badge = plan.archived.then(|| view! { " " <Badge tone="quiet">"Archived"</Badge> });
    let stripe = plan.stripe_price_id.clone().map(|id| view! { <code class="plan-row__stripe">{id}</code> });
    let archive = (!plan.archived).then(|| {
        view! {
            <Confirm
                id=format!("archive-{}", plan.id)
                label="Archive"
                of=plan.name.clone()
                title=format!("Archive {}?", plan.name)
                text="Nobody can buy it any more. Those who have it keep it. A plan nobody ever used is deleted."
            >
                <ActionForm action=remove>
                    <input type="hidden" name="id" value=plan.id.to_string()/>
                    <Submit label="Archive plan" pending=remove.pending() tone="danger"/>
                </ActionForm>
            </Confirm>
        }
    });
    view! {
        <tr>
            <th scope="row">
                {plan.name.clone()}
                {badge}
                {stripe}
            </th>
            <td class="number" data-label="Price">
                {plan.money().to_string()}
                <span class="number__unit">" " {format::per(plan.interval)}</span>
            </td>
            <td class="number" data-label="LLM tokens">{format::limit(plan.llm_tokens_limit)}</td>
            <td class="number" data-label="Voice tokens">{format::limit(plan.voice_tokens_limit)}</td>
            <td class="number" data-label="Users">{format::limit(plan.max_users)}</td>
            <td class="table__actions">
                <A href=format!("/subscription-plans?edit={}", plan.id) attr:class="button" attr:data-tone="plain">
                    "Edit"
                    <span class="unseen">" " {plan.name.clone()}</span>
                </A>
                {archive}
            </td>
        </tr>
    }
}
