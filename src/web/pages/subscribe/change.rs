//! Changing the plan: what changes, what is due today and what later, before anything is charged.

use leptos::prelude::*;

use crate::domain::{
    Effective, InvoiceLine, PaymentMethod, Plan, PlanChange, PlanId, Status, Subscription, SubscriptionId,
    User,
};
use crate::web::AppError;
use crate::web::components::page::Heading;
use crate::web::components::table::{Column, Row, Table};
use crate::web::format;
use crate::web::islands::change_plan::ChangePlan;
use crate::web::islands::payment_method::ChangePaymentMethod;
use crate::web::ssr::context::services;

/// A change that was asked for, and what it is paid with.
pub struct Asked {
    change: PlanChange,
    method: Option<PaymentMethod>,
}

/// What a change to this plan comes to, or why it can't be made.
pub async fn asked(user: &User, subscription: &Subscription, plan: PlanId) -> Result<Asked, AppError> {
    let billing = &services().billing;
    let change = billing.preview_change(user, subscription.id, plan, None).await?;
    Ok(Asked { change, method: billing.payment_method(user).await? })
}

const COLUMNS: &[Column] = &[Column::text("Part"), Column::number("Now"), Column::number("Then")];

#[component]
pub fn Change(subscription: Subscription, asked: Asked) -> impl IntoView {
    let Asked { change, method } = asked;
    let (from, to) = (subscription.plan.clone(), change.plan.clone());
    let rows = vec![
        row("Plan", from.name.clone(), to.name.clone()),
        row("Price", format::price(&from), format::price(&to)),
        row("LLM tokens a month", format::limit(from.limits.llm), format::limit(to.limits.llm)),
        row("Voice tokens a month", format::limit(from.limits.voice), format::limit(to.limits.voice)),
        row("Users", format::limit(from.max_users), format::limit(to.max_users)),
    ];
    let title = format!("Switch to {}", to.name);
    let payable = method.is_some() || change.due.minor == 0;
    let button = payable.then(|| {
        view! {
            <ChangePlan
                subscription=subscription.id
                plan=to.id
                name=to.name.clone()
                proration_date=(change.effective == Effective::Now).then(|| change.at.timestamp())
                label=label(&change)
                stripe_js=services().config.stripe.js_url.clone()
            />
        }
    });
    view! {
        <Heading title text=when(&subscription, &change)/>
        <div class="change">
            <section class="panel" aria-labelledby="what-changes">
                <h2 id="what-changes">"What changes"</h2>
                <Table caption="What changes" columns=COLUMNS rows/>
                <Features from=from.clone() to=to.clone()/>
            </section>
            <section class="panel" aria-labelledby="due">
                <h2 id="due">"What it costs"</h2>
                <Due change=change.clone()/>
                <Payer subscription=subscription.id change=change.clone() method/>
                {button}
                <p class="change__back"><a href="/subscribe">{format!("Keep {}", from.name)}</a></p>
            </section>
        </div>
    }
}

fn row(name: &'static str, from: String, to: String) -> Row {
    let changed = from != to;
    let then = if changed { view! { <strong>{to}</strong> }.into_any() } else { view! { {to} }.into_any() };
    Row::new(name).cell(from).cell(then)
}

fn when(subscription: &Subscription, change: &PlanChange) -> String {
    let (from, to) = (&subscription.plan.name, &change.plan.name);
    match (change.effective, subscription.status) {
        (Effective::Now, Status::Trialing) => {
            format!(
                "{to} takes the place of {from} at once. The trial goes on, and nothing is charged until it ends."
            )
        }
        (Effective::Now, _) => {
            format!(
                "{to} takes the place of {from} as soon as it is paid. What was used of this period stays counted."
            )
        }
        (Effective::PeriodEnd, _) => {
            format!("{from} is paid for until {}; {to} begins then.", format::date(change.at))
        }
    }
}

/// What each plan has beside its limits.
#[component]
fn Features(from: Plan, to: Plan) -> impl IntoView {
    let lists = [from, to].into_iter().filter(|plan| !plan.features.is_empty()).map(|plan| {
        let items = plan.features.into_iter().map(|feature| view! { <li>{feature}</li> });
        view! {
            <div>
                <h3>{format!("In {}", plan.name)}</h3>
                <ul>{items.collect_view()}</ul>
            </div>
        }
    });
    view! { <div class="change__features">{lists.collect_view()}</div> }
}

#[component]
fn Due(change: PlanChange) -> impl IntoView {
    let PlanChange { lines, due, next, .. } = change;
    let sum: i64 = lines.iter().map(|line| line.amount.minor).sum();
    // What the group has in credit pays first; what is credited beyond what is due is kept for later.
    let balance = crate::domain::Money::new(due.minor - sum, due.currency);
    let entries = lines.into_iter().map(|InvoiceLine { description, amount, .. }| {
        view! { <div><dt>{description}</dt><dd>{amount.to_string()}</dd></div> }
    });
    let carried = match balance.minor {
        0 => None,
        above if above > 0 => Some("Kept in credit for the next charges"),
        _ => Some("Paid from the group's credit"),
    };
    let later = format!("Then {} on {}.", next.amount, format::date(next.at));
    view! {
        <dl class="lines__list change__lines">
            {entries.collect_view()}
            {carried.map(|label| view! { <div><dt>{label}</dt><dd>{balance.to_string()}</dd></div> })}
            <div class="change__total"><dt>"Due today"</dt><dd>{due.to_string()}</dd></div>
        </dl>
        <p class="change__later">{later}</p>
    }
}

/// What it is paid with.
#[component]
fn Payer(subscription: SubscriptionId, change: PlanChange, method: Option<PaymentMethod>) -> impl IntoView {
    let free = change.due.minor == 0;
    match method {
        Some(_) if free => ().into_any(),
        Some(method) => view! {
            <p class="change__payer">
                {format!("Paid with {}. ", format::payment_method(&method))}
                <a href="/billing">"Change card"</a>
            </p>
        }
        .into_any(),
        None if free => ().into_any(),
        None => {
            let stripe = &services().config.stripe;
            view! {
                <p class="change__payer">"There is no card to pay with yet."</p>
                <ChangePaymentMethod
                    subscription
                    label="Add a card".to_owned()
                    parts=String::new()
                    stripe_js=stripe.js_url.clone()
                    publishable_key=stripe.publishable_key.clone()
                    returned=String::new()
                />
            }
            .into_any()
        }
    }
}

fn label(change: &PlanChange) -> String {
    match change.effective {
        Effective::Now if change.due.minor > 0 => format!("Pay {}", change.due),
        Effective::Now => "Switch now".to_owned(),
        Effective::PeriodEnd => format!("Switch on {}", format::date(change.at)),
    }
}
