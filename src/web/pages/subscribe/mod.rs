//! `/subscribe`: choosing a plan, paying for it, and ending it again.

mod change;
mod current;

use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use leptos_router::hooks::use_query_map;
use leptos_router::params::ParamsMap;

use crate::domain::{Checkout, Level, Plan, PlanId, Status, Subscription};
use crate::web::AppError;
use crate::web::components::form::{Attempt, Form, Refused};
use crate::web::components::notice::Notice;
use crate::web::components::page::{Head, Heading, load};
use crate::web::components::plan_card::PlanCard;
use crate::web::components::submit::Submit;
use crate::web::islands::checkout::{CheckoutForm, Returned};
use crate::web::islands::follow_subscription::{FollowSubscription, Shown};
use crate::web::server_fns::subscription::{self, Cancel, ChangePlan, Resume};
use crate::web::ssr::context::{services, user};
use change::{Asked, Change};
use current::{Current, StillWaiting};

struct Data {
    /// Those that can be bought, cheapest first.
    plans: Vec<Plan>,
    subscription: Option<Subscription>,
    /// The purchase to finish, if one is open.
    checkout: Option<Checkout>,
    /// The change of plan that is looked at, or why it can't be made.
    change: Option<Result<Asked, AppError>>,
}

#[component]
pub fn Subscribe() -> impl IntoView {
    let query = use_query_map();
    let returned = returned(&query.read_untracked());
    let wanted = query.read_untracked().get_str("change").and_then(|id| id.parse().ok());
    load(data(wanted), move |data| {
        view! {
            <Head title="Subscription" description="Choose a plan for your group, pay by card, and manage the subscription."/>
            {shown(data, returned)}
        }
        .into_any()
    })
}

async fn data(wanted: Option<PlanId>) -> Result<Data, AppError> {
    let (user, billing) = (user()?, services().billing.clone());
    user.must_be_admin()?;
    // First, since it may find that the subscription is paid.
    let checkout = billing.checkout(&user).await?;
    let (mut plans, subscription) = (billing.plans(false).await?, billing.subscription(&user).await?);
    if !billing.can_try(&user).await? {
        for plan in &mut plans {
            plan.trial_days = 0;
        }
    }
    let change = match (&subscription, wanted) {
        (Some(subscription), Some(plan)) if subscription.plan.id != plan => {
            Some(change::asked(&user, subscription, plan).await)
        }
        _ => None,
    };
    Ok(Data { plans, subscription, checkout, change })
}

/// Source: <https://docs.stripe.com/payments/accept-a-payment?ui=elements#web-submit-payment>.
fn returned(query: &ParamsMap) -> Returned {
    match query.get_str("redirect_status") {
        None => Returned::Not,
        Some("failed") => Returned::Failed,
        Some(_) => Returned::Succeeded,
    }
}

fn shown(data: Data, returned: Returned) -> AnyView {
    let Data { plans, subscription, checkout, change } = data;
    let refused = refusal();
    if let Some(checkout) = checkout
        && checkout.client_secret.is_some()
    {
        let stripe_js = services().config.stripe.js_url.clone();
        // In the form, which takes it away again: it says nothing about how the purchase goes on.
        return view! { <CheckoutForm checkout stripe_js returned refused/> }.into_any();
    }
    let refused = match (change, &subscription) {
        (Some(Ok(asked)), Some(subscription)) => {
            return view! { <Change subscription=subscription.clone() asked/> }.into_any();
        }
        (Some(Err(error)), _) => Some(error.to_string()),
        _ => refused,
    };
    let follow = subscription.as_ref().map(Shown::from);
    let page = match subscription {
        None => view! {
            <Heading title="Choose a plan" text="One subscription for the whole group. Cancel at any time."/>
            <Cards plans/>
        }
        .into_any(),
        Some(subscription) if subscription.status == Status::Incomplete => {
            view! { <StillWaiting subscription/> }.into_any()
        }
        Some(subscription) => {
            let arrived = (returned == Returned::Succeeded)
                .then(|| view! { <Notice level=Level::Ok>"You're subscribed."</Notice> });
            view! {
                <Heading title="Subscription" text="One subscription for the whole group."/>
                {arrived}
                <Current subscription=subscription.clone()/>
                <section class="section">
                    <h2>"Plans"</h2>
                    <Cards plans subscription/>
                </section>
            }
            .into_any()
        }
    };
    view! {
        <Refused message=refused/>
        {page}
        <FollowSubscription shown=follow parts=String::new()/>
    }
    .into_any()
}

/// Why the last form of this page was refused, if one was.
fn refusal() -> Option<String> {
    let cancel = Attempt::of::<Cancel>().message(&[]);
    let resume = Attempt::of::<Resume>().message(&[]);
    let change = Attempt::of::<ChangePlan>().message(&[]);
    Attempt::of::<subscription::Subscribe>().message(&[]).or(cancel).or(resume).or(change)
}

/// What keeps a subscription from changing its plan.
fn held(subscription: &Subscription) -> Option<&'static str> {
    match subscription.status {
        Status::Active | Status::Trialing if subscription.cancel_at_period_end => {
            Some("The subscription is to end. Keep it first, and then change the plan.")
        }
        Status::Active | Status::Trialing => None,
        _ => Some("The plan can be changed once what the subscription waits for is paid."),
    }
}

#[component]
fn Cards(plans: Vec<Plan>, #[prop(optional)] subscription: Option<Subscription>) -> impl IntoView {
    if plans.is_empty() {
        return view! { <p class="empty">"There is no plan to choose yet."</p> }.into_any();
    }
    let held = subscription.as_ref().and_then(held);
    let current = subscription.map(|subscription| subscription.plan);
    let has = current.as_ref().map(|plan| plan.id);
    let cards = plans.into_iter().map(|plan| {
        // On the terms that it was bought on, which the plan may have changed since.
        let mut plan = current.clone().filter(|bought| bought.id == plan.id).unwrap_or(plan);
        if current.is_some() {
            // A trial is for who buys, not for who changes.
            plan.trial_days = 0;
        }
        let (current, name) = (has == Some(plan.id), plan.name.clone());
        let action = match has {
            None => view! {
                <Form to=subscription::Subscribe::PATH>
                    <input type="hidden" name="plan_id" value=plan.id.to_string()/>
                    <Submit label="Subscribe" of=format!("to {name}")/>
                </Form>
            }
            .into_any(),
            Some(_) if current => {
                view! { <button class="button" data-tone="plain" type="button" disabled>"Current plan"</button> }.into_any()
            }
            Some(_) => view! {
                <form method="get" action="/subscribe">
                    <input type="hidden" name="change" value=plan.id.to_string()/>
                    <button class="button" data-tone="plain" disabled=held.is_some() aria-describedby=held.map(|_| "held")>
                        "Switch to this plan"
                    </button>
                </form>
            }
            .into_any(),
        };
        view! { <PlanCard plan current>{action}</PlanCard> }
    });
    let note = held.map(|why| view! { <p class="section__note" id="held">{why}</p> });
    view! {
        <div class="plans">{cards.collect_view()}</div>
        {note}
    }
    .into_any()
}
