//! `/subscribe`: choosing a plan, paying for it, and ending it again.

mod current;

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use crate::domain::{Intent, Level, Plan, Subscription};
use crate::web::components::badge::StatusBadge;
use crate::web::components::card_form::{CardForm, Returned};
use crate::web::components::notice::{FormError, Notice};
use crate::web::components::page::{Head, Heading, Load};
use crate::web::components::plan_card::PlanCard;
use crate::web::components::submit::Submit;
use crate::web::data::SubscribePage;
use crate::web::format;
use crate::web::server_fns::subscription::{self, Cancel, get_subscribe_page};
use current::{Current, StillWaiting};

#[component]
pub fn Subscribe() -> impl IntoView {
    let subscribe = ServerAction::<subscription::Subscribe>::new();
    let cancel = ServerAction::<Cancel>::new();
    let data = Resource::new(move || (subscribe.version().get(), cancel.version().get()), |_| get_subscribe_page());
    // Set once the card form is through: the page then says so in place.
    let bought = RwSignal::new(None::<Subscription>);
    let refused = move || {
        let failed = subscribe.value().get().and_then(Result::err);
        failed.or_else(|| cancel.value().get().and_then(Result::err)).map(|error| error.to_string())
    };
    view! {
        <Head title="Subscription" description="Choose a plan for your group, pay by card, and manage the subscription."/>
        <FormError message=Signal::derive(refused)/>
        <Load data view=move |page: SubscribePage| {
            (move || match bought.get() {
                Some(subscription) => view! { <Bought subscription/> }.into_any(),
                None => view! { <Shown page=page.clone() subscribe cancel bought/> }.into_any(),
            })
            .into_any()
        }/>
    }
}

#[component]
fn Shown(
    page: SubscribePage,
    subscribe: ServerAction<subscription::Subscribe>,
    cancel: ServerAction<Cancel>,
    bought: RwSignal<Option<Subscription>>,
) -> impl IntoView {
    let SubscribePage { plans, subscription, checkout, stripe_js } = page;
    let returned = Returned::from_query(&use_query_map().read_untracked());
    if let Some(checkout) = checkout
        && checkout.client_secret.is_some()
    {
        let plan = checkout.subscription.plan.clone();
        let text = match checkout.intent {
            Some(Intent::Setup) => "Nothing is charged now: the card is kept for when the trial ends.",
            _ => "The subscription starts as soon as the payment is through.",
        };
        return view! {
            <Heading title=format!("Subscribe to {}", plan.name) text/>
            <div class="checkout">
                <PlanCard plan>
                    <ActionForm action=cancel>
                        <input type="hidden" name="id" value=checkout.subscription.id.to_string()/>
                        <input type="hidden" name="at_period_end" value="false"/>
                        <Submit label="Choose another plan" pending=cancel.pending() tone="plain"/>
                    </ActionForm>
                </PlanCard>
                <CardForm checkout stripe_js returned bought/>
            </div>
        }
        .into_any();
    }
    let Some(subscription) = subscription else {
        return view! {
            <Heading title="Choose a plan" text="One subscription for the whole group. Cancel at any time."/>
            <Cards plans subscribe/>
        }
        .into_any();
    };
    if subscription.status == crate::domain::Status::Incomplete {
        return view! { <StillWaiting subscription cancel/> }.into_any();
    }
    let arrived = (returned == Returned::Succeeded).then(|| {
        view! { <Notice level=Level::Ok>"You're subscribed. The payment went through."</Notice> }
    });
    view! {
        <Heading title="Subscription" text="One subscription for the whole group."/>
        {arrived}
        <Current subscription=subscription.clone() cancel/>
        <section class="section">
            <h2>"Plans"</h2>
            <Cards plans subscribe current=subscription.plan/>
        </section>
    }
    .into_any()
}

#[component]
fn Cards(
    plans: Vec<Plan>,
    subscribe: ServerAction<subscription::Subscribe>,
    #[prop(optional)] current: Option<Plan>,
) -> impl IntoView {
    if plans.is_empty() {
        return view! { <p class="empty">"There is no plan to choose yet."</p> }.into_any();
    }
    let has = current.map(|plan| plan.id);
    let cards = plans.into_iter().map(|plan| {
        let (id, name) = (plan.id, plan.name.clone());
        let action = match has {
            None => view! {
                <ActionForm action=subscribe>
                    <input type="hidden" name="plan_id" value=id.to_string()/>
                    <Submit label="Subscribe" pending=subscribe.pending() of=format!("to {name}")/>
                </ActionForm>
            }
            .into_any(),
            Some(has) if has == id => {
                view! { <button class="button" data-tone="plain" type="button" disabled>"Current plan"</button> }.into_any()
            }
            Some(_) => view! {
                <button class="button" data-tone="plain" type="button" disabled aria-describedby="switching">
                    "Switch to this plan"
                </button>
            }
            .into_any(),
        };
        view! { <PlanCard plan current=has == Some(id)>{action}</PlanCard> }
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

/// The end of a purchase, in place of the card form.
#[component]
fn Bought(subscription: Subscription) -> impl IntoView {
    let plan = subscription.plan;
    view! {
        <section class="bought" role="status">
            <StatusBadge status=subscription.status/>
            <h1>"You're subscribed"</h1>
            <p>
                "Your group is on " <strong>{plan.name.clone()}</strong> ", " {format::price(&plan)} ". It renews on "
                {format::date(subscription.current_period_end)} "."
            </p>
            <p class="bought__actions">
                <a class="button" data-tone="primary" href="/usage">"Go to usage"</a>
                <a class="button" data-tone="plain" href="/team">"Invite the team"</a>
            </p>
        </section>
    }
}
