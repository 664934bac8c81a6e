//! The plan, where it stands, and what can be done about it.

use leptos::prelude::*;
use leptos::server_fn::ServerFn;

use crate::domain::{Invoice, Level, NextCharge, PlanRef, Status, Subscription};
use crate::web::components::badge::StatusBadge;
use crate::web::components::cancel::{CancelDialog, KeepPlan};
use crate::web::components::form::Form;
use crate::web::components::notice::Notice;
use crate::web::components::submit::Submit;
use crate::web::format;
use crate::web::server_fns::billing::Pay;
use crate::web::server_fns::subscription::ChangePlan;

#[component]
pub fn Plan(
    subscription: Subscription,
    next: Option<NextCharge>,
    /// The invoice that it waits for.
    unpaid: Option<Invoice>,
) -> impl IntoView {
    let Subscription { status, current_period_start, current_period_end, cancel_at_period_end, .. } =
        subscription;
    let end_of_period = format::date(current_period_end);
    let ends = cancel_at_period_end.then(|| {
        view! { <Ends subscription=subscription.clone()/> }
    });
    let change =
        subscription.next_plan.clone().map(|next| view! { <Coming subscription=subscription.clone() next/> });
    let coming = match (cancel_at_period_end, next) {
        (true, _) => Some(("Ends on", end_of_period.clone())),
        (false, Some(NextCharge { amount, at })) => {
            let label = if status == Status::Trialing { "First charge" } else { "Next charge" };
            Some((label, format!("{amount} on {}", format::date(at))))
        }
        (false, None) => None,
    };
    let pay = unpaid.map(|invoice| view! { <Unpaid subscription=subscription.clone() invoice/> });
    // A paused one's period was cut off where it was paused.
    let period = match status {
        Status::Paused => ("Paused on", end_of_period.clone()),
        _ => ("Period", format::span(current_period_start, current_period_end)),
    };
    let main = match status {
        Status::Incomplete => {
            view! { <a class="button" data-tone="primary" href="/subscribe">"Finish paying"</a> }.into_any()
        }
        _ => view! { <a class="button" data-tone="plain" href="/subscribe">"Change plan"</a> }.into_any(),
    };
    view! {
        {ends}
        {change}
        <section class="panel" aria-labelledby=PLAN_NAME>
            <div class="current__head">
                <h2 id=PLAN_NAME>{subscription.plan.name.clone()}</h2>
                <StatusBadge status/>
            </div>
            <dl class="facts">
                <div><dt>"Price"</dt><dd>{format::price(&subscription.plan)}</dd></div>
                <div><dt>{period.0}</dt><dd>{period.1}</dd></div>
                {coming.map(|(label, text)| view! { <div><dt>{label}</dt><dd>{text}</dd></div> })}
            </dl>
            {pay}
            <div class="actions">
                {main}
                <CancelDialog subscription/>
            </div>
        </section>
    }
}

const PLAN_NAME: &str = "plan-name";

/// Says that a subscription ends with its period, and keeps it.
#[component]
pub fn Ends(subscription: Subscription) -> impl IntoView {
    let end = format::date(subscription.current_period_end);
    view! {
        <Notice level=Level::Warning>
            <p>
                <strong>"Ends on " {end} "."</strong>
                " It was canceled. Until then everything works as before."
            </p>
            <KeepPlan subscription/>
        </Notice>
    }
}

/// Says that another plan begins with the next period, and takes that back.
#[component]
pub fn Coming(subscription: Subscription, next: PlanRef) -> impl IntoView {
    let Subscription { id, plan, current_period_end, .. } = subscription;
    view! {
        <Notice level=Level::Ok>
            <p>
                <strong>{format!("{} begins on {}. ", next.name, format::date(current_period_end))}</strong>
                {format!("Until then {} stays, with all of its tokens.", plan.name)}
            </p>
            <Form to=ChangePlan::PATH>
                <input type="hidden" name="id" value=id.to_string()/>
                <input type="hidden" name="plan_id" value=plan.id.to_string()/>
                <Submit label="Keep this plan" tone="plain"/>
            </Form>
        </Notice>
    }
}

/// The ways to pay what the subscription waits for.
#[component]
fn Unpaid(subscription: Subscription, invoice: Invoice) -> impl IntoView {
    let number =
        invoice.number.map_or_else(|| "The last invoice".to_owned(), |number| format!("Invoice {number}"));
    let hosted = invoice.hosted_invoice_url.map(|url| {
        view! { <a class="button" data-tone="plain" href=url target="_blank" rel="noopener">"Pay on Stripe's page"</a> }
    });
    // Where nothing was paid yet, there is no card to try again.
    let retry = (subscription.status != Status::Incomplete).then(|| {
        view! {
            <Form to=Pay::PATH>
                <input type="hidden" name="id" value=subscription.id.to_string()/>
                <Submit label="Try the card again"/>
            </Form>
        }
    });
    view! {
        <div class="unpaid">
            <p>
                <strong>{format!("{number} of {} isn't paid.", invoice.amount_due)}</strong>
            </p>
            <div class="actions">{retry}{hosted}</div>
        </div>
    }
}
