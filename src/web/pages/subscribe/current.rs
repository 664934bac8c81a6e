//! The subscription a group has, and how it is ended.

use leptos::prelude::*;
use leptos::server_fn::ServerFn;

use crate::domain::{Level, Status, Subscription};
use crate::web::components::badge::StatusBadge;
use crate::web::components::cancel::CancelDialog;
use crate::web::components::form::Form;
use crate::web::components::notice::Notice;
use crate::web::components::page::Heading;
use crate::web::components::submit::Submit;
use crate::web::format;
use crate::web::pages::billing::plan::{Coming, Ends};
use crate::web::server_fns::subscription::Cancel;

#[component]
pub fn Current(subscription: Subscription) -> impl IntoView {
    let Subscription { status, current_period_start, current_period_end, cancel_at_period_end, .. } =
        subscription;
    let end = format::date(current_period_end);
    let ends = cancel_at_period_end.then(|| view! { <Ends subscription=subscription.clone()/> });
    let trial = (status == Status::Trialing && !cancel_at_period_end).then(|| {
        let free = format!("Free until {end}.");
        let then = format!(
            " From then on it is charged, {}. Until then it can be canceled at no cost.",
            format::price(&subscription.plan)
        );
        view! { <Notice level=Level::Ok><strong>{free}</strong>{then}</Notice> }
    });
    let coming =
        subscription.next_plan.clone().map(|next| view! { <Coming subscription=subscription.clone() next/> });
    let (period, next) = match (status, cancel_at_period_end) {
        (Status::Trialing, true) => ("Trial", "Ends on"),
        (Status::Trialing, false) => ("Trial", "First charge on"),
        (_, true) => ("Period", "Ends on"),
        (_, false) => ("Period", "Renews on"),
    };
    // A paused one's period was cut off where it was paused.
    let times = if status == Status::Paused {
        view! { <div><dt>"Paused on"</dt><dd>{end}</dd></div> }.into_any()
    } else {
        view! {
            <div><dt>{period}</dt><dd>{format::span(current_period_start, current_period_end)}</dd></div>
            <div><dt>{next}</dt><dd>{end}</dd></div>
        }
        .into_any()
    };
    view! {
        {ends}
        {trial}
        {coming}
        <section class="panel current">
            <div class="current__head">
                <h2>{subscription.plan.name.clone()}</h2>
                <StatusBadge status/>
            </div>
            <dl class="facts">
                <div><dt>"Price"</dt><dd>{format::price(&subscription.plan)}</dd></div>
                {times}
            </dl>
            <div class="actions">
                <a class="button" data-tone="plain" href="/billing">"Card and invoices"</a>
                <CancelDialog subscription/>
            </div>
        </section>
    }
}

/// A purchase whose payment Stripe is still working on.
#[component]
pub fn StillWaiting(subscription: Subscription) -> impl IntoView {
    view! {
        <Heading title=format!("{} is awaiting payment", subscription.plan.name)/>
        <section class="panel">
            <p>"Stripe hasn't confirmed the payment yet. This page follows as soon as it does; you can also start over."</p>
            <div class="actions">
                <Form to=Cancel::PATH>
                    <input type="hidden" name="id" value=subscription.id.to_string()/>
                    <input type="hidden" name="at_period_end" value="false"/>
                    <input type="hidden" name="next" value="/subscribe"/>
                    <Submit label="Start over" tone="plain"/>
                </Form>
            </div>
        </section>
    }
}
