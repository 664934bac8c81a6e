//! The subscription a group has, and how it is ended.

use leptos::prelude::*;
use leptos::server_fn::ServerFn;

use crate::domain::{Level, Status, Subscription, SubscriptionId};
use crate::web::components::badge::StatusBadge;
use crate::web::components::confirm::Confirm;
use crate::web::components::form::Form;
use crate::web::components::notice::Notice;
use crate::web::components::page::Heading;
use crate::web::components::submit::Submit;
use crate::web::format;
use crate::web::server_fns::subscription::Cancel;

#[component]
pub fn Current(subscription: Subscription) -> impl IntoView {
    let Subscription {
        id, plan, status, current_period_start, current_period_end, cancel_at_period_end, ..
    } = subscription;
    let end = format::date(current_period_end);
    let trouble = match status {
        Status::PastDue => Some((
            Level::Warning,
            "The last payment failed. Stripe tries the card again; access goes on for a few days meanwhile.",
        )),
        Status::Unpaid => Some((
            Level::Limit,
            "The payments failed, so tokens can't be spent. Cancel now and subscribe anew to go on.",
        )),
        Status::Paused => Some((Level::Limit, "The subscription is paused, so tokens can't be spent.")),
        _ => None,
    };
    let (ends_on, renews_on, later) = (end.clone(), end.clone(), end.clone());
    let ends = cancel_at_period_end.then(|| {
        view! {
            <Notice level=Level::Warning>
                <strong>"Ends on " {ends_on} "."</strong>
                " It was canceled. Until then everything works as before."
            </Notice>
        }
    });
    let trial = (status == Status::Trialing && !cancel_at_period_end).then(|| {
        let free = format!("Free until {end}.");
        let then = format!(
            " From then on it is charged, {}. Until then it can be canceled at no cost.",
            format::price(&plan)
        );
        view! { <Notice level=Level::Ok><strong>{free}</strong>{then}</Notice> }
    });
    let (period, next) = match (status, cancel_at_period_end) {
        (Status::Trialing, true) => ("Trial", "Ends on"),
        (Status::Trialing, false) => ("Trial", "First charge on"),
        (_, true) => ("Period", "Ends on"),
        (_, false) => ("Period", "Renews on"),
    };
    let ends_now = match status {
        Status::Trialing => {
            "Access to tokens ends at once, for the whole group. A group has one trial, which can't be taken up again."
        }
        _ => "Access to tokens ends at once, for the whole group. The rest of the period isn't refunded.",
    };
    view! {
        {trouble.map(|(level, text)| view! { <Notice level>{text}</Notice> })}
        {ends}
        {trial}
        <section class="panel current">
            <div class="current__head">
                <h2>{plan.name.clone()}</h2>
                <StatusBadge status/>
            </div>
            <dl class="facts">
                <div><dt>"Price"</dt><dd>{format::price(&plan)}</dd></div>
                <div><dt>{period}</dt><dd>{format::span(current_period_start, current_period_end)}</dd></div>
                <div><dt>{next}</dt><dd>{renews_on}</dd></div>
            </dl>
            <div class="actions">
                {(!cancel_at_period_end).then(|| view! {
                    <Confirm
                        id="cancel-later"
                        label="Cancel at period end"
                        title=format!("Cancel on {later}?")
                        text=format!("The group keeps {} until {end}. It isn't charged again.", plan.name)
                        keep="Keep the subscription"
                    >
                        <CancelForm id at_period_end=true label="Cancel at period end"/>
                    </Confirm>
                })}
                <Confirm
                    id="cancel-now"
                    label="Cancel now"
                    title="Cancel now?"
                    text=ends_now
                    keep="Keep the subscription"
                >
                    <CancelForm id at_period_end=false label="Cancel now"/>
                </Confirm>
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
                <CancelForm id=subscription.id at_period_end=false label="Start over" tone="plain"/>
            </div>
        </section>
    }
}

#[component]
fn CancelForm(
    id: SubscriptionId,
    at_period_end: bool,
    label: &'static str,
    #[prop(default = "danger")] tone: &'static str,
) -> impl IntoView {
    view! {
        <Form to=Cancel::PATH>
            <input type="hidden" name="id" value=id.to_string()/>
            <input type="hidden" name="at_period_end" value=at_period_end.to_string()/>
            <Submit label tone/>
        </Form>
    }
}
