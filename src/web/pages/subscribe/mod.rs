//! `/subscribe`: choosing a plan, paying for it, and ending it again.

mod current;

use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use leptos_router::hooks::use_query_map;
use leptos_router::params::ParamsMap;

use crate::domain::{Checkout, Level, Plan, Status, Subscription};
use crate::web::AppError;
use crate::web::components::form::{Attempt, Form, Refused};
use crate::web::components::notice::Notice;
use crate::web::components::page::{Head, Heading, load};
use crate::web::components::plan_card::PlanCard;
use crate::web::components::submit::Submit;
use crate::web::islands::checkout::{CheckoutForm, Returned};
use crate::web::islands::follow_subscription::{FollowSubscription, Shown};
use crate::web::server_fns::subscription::{self, Cancel, Resume};
use crate::web::ssr::context::{services, user};
use current::{Current, StillWaiting};

struct Data {
    /// Those that can be bought, cheapest first.
    plans: Vec<Plan>,
    subscription: Option<Subscription>,
    /// The purchase to finish, if one is open.
    checkout: Option<Checkout>,
}

#[component]
pub fn Subscribe() -> impl IntoView {
    let returned = returned(&use_query_map().read_untracked());
    load(data(), move |data| {
        view! {
            <Head title="Subscription" description="Choose a plan for your group, pay by card, and manage the subscription."/>
            {shown(data, returned)}
        }
        .into_any()
    })
}

async fn data() -> Result<Data, AppError> {
    let (user, billing) = (user()?, services().billing.clone());
    user.must_be_admin()?;
    // First, since it may find that the subscription is paid.
    let checkout = billing.checkout(&user).await?;
    let (plans, subscription) = (billing.plans(false).await?, billing.subscription(&user).await?);
    Ok(Data { plans, subscription, checkout })
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
    let Data { plans, subscription, checkout } = data;
    let refused = refusal();
    if let Some(checkout) = checkout
        && checkout.client_secret.is_some()
    {
        let stripe_js = services().config.stripe.js_url.clone();
        // In the form, which takes it away again: it says nothing about how the purchase goes on.
        return view! { <CheckoutForm checkout stripe_js returned refused/> }.into_any();
    }
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
            let arrived = (returned == Returned::Succeeded).then(
                || view! { <Notice level=Level::Ok>"You're subscribed. The payment went through."</Notice> },
            );
            view! {
                <Heading title="Subscription" text="One subscription for the whole group."/>
                {arrived}
                <Current subscription=subscription.clone()/>
                <section class="section">
                    <h2>"Plans"</h2>
                    <Cards plans current=subscription.plan/>
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
    Attempt::of::<subscription::Subscribe>().message(&[]).or(cancel).or(resume)
}

#[component]
fn Cards(plans: Vec<Plan>, #[prop(optional)] current: Option<Plan>) -> impl IntoView {
    if plans.is_empty() {
        return view! { <p class="empty">"There is no plan to choose yet."</p> }.into_any();
    }
    let has = current.as_ref().map(|plan| plan.id);
    let cards = plans.into_iter().map(|plan| {
        // On the terms that it was bought on, which the plan may have changed since.
        let plan = current.clone().filter(|bought| bought.id == plan.id).unwrap_or(plan);
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
                <button class="button" data-tone="plain" type="button" disabled aria-describedby="switching">
                    "Switch to this plan"
                </button>
            }
            .into_any(),
        };
        view! { <PlanCard plan current>{action}</PlanCard> }
    });
    let note = has.map(|_| {
        view! {
            <p class="section__note" id="switching">
                "To change plan, cancel the current subscription and choose another one."
            </p>
        }
    });
    view! {
        <div class="plans">{cards.collect_view()}</div>
        {note}
    }
    .into_any()
}
