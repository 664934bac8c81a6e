//! `/usage`: what the group has used of its allowance, as it happens.

mod history;
mod live;

use leptos::prelude::*;
use leptos_router::components::A;

use crate::domain::{Level, Role, Status, Subscription};
use crate::web::components::notice::Notice;
use crate::web::components::page::{Head, Heading, Load};
use crate::web::data;
use crate::web::format;
use crate::web::server_fns::usage::get_usage_page;
use history::History;
use live::Live;

#[component]
pub fn UsagePage() -> impl IntoView {
    let data = Resource::new(|| (), |()| get_usage_page());
    let reload = Callback::new(move |()| data.refetch());
    view! {
        <Head title="Usage" description="How much of the shared allowance of LLM and voice tokens your group has used."/>
        <Load data view=move |page: data::UsagePage| view! { <Shown page reload/> }.into_any()/>
    }
}

#[component]
fn Shown(page: data::UsagePage, reload: Callback<()>) -> impl IntoView {
    let data::UsagePage { role, subscription, usage, suggested_plan, history, grace_days } = page;
    let admin = role == Role::Admin;
    let Some(subscription) = subscription else {
        return view! {
            <Heading title="Usage"/>
            <NoSubscription admin/>
            <History history/>
        }
        .into_any();
    };
    let trouble = trouble(&subscription, grace_days, admin);
    let shown = match usage {
        Some(usage) if subscription.status != Status::Incomplete => {
            let ending = subscription.cancel_at_period_end;
            view! { <Live usage suggested_plan ending admin reload/> }.into_any()
        }
        _ => view! { <Heading title="Usage"/> }.into_any(),
    };
    view! {
        {trouble}
        {shown}
        <History history/>
    }
    .into_any()
}

#[component]
fn NoSubscription(admin: bool) -> impl IntoView {
    let text = if admin {
        view! {
            <p>"Choose a plan and your group has an allowance to spend from."</p>
            <p><A href="/subscribe" attr:class="button" attr:data-tone="primary">"Choose a plan"</A></p>
        }
        .into_any()
    } else {
        view! { <p>"Ask an admin of your group to choose a plan."</p> }.into_any()
    };
    view! {
        <section class="empty empty--page">
            <h2>"Your group has no subscription"</h2>
            {text}
        </section>
    }
}

/// What stands in the way, and who can put it right.
fn trouble(subscription: &Subscription, grace_days: u32, admin: bool) -> Option<impl IntoView + use<>> {
    let plan = &subscription.plan.name;
    let (level, title, text) = match subscription.status {
        Status::Incomplete => {
            (Level::Warning, format!("The first payment for {plan} isn't done."), "There is no allowance until it is.".to_owned())
        }
        Status::PastDue => {
            let days = format::plural(i64::from(grace_days), "day", "days");
            let text = format!("Stripe tries the card again. Tokens can be spent for {days} after the first failure.");
            (Level::Warning, "The last payment failed.".into(), text)
        }
        Status::Unpaid => {
            (Level::Limit, "The payments failed.".into(), "Tokens can't be spent until the subscription is paid.".into())
        }
        Status::Paused => {
            (Level::Limit, "The subscription is paused.".into(), "Tokens can't be spent until it goes on.".into())
        }
        _ => return None,
    };
    let incomplete = subscription.status == Status::Incomplete;
    let way = if admin {
        let label = if incomplete { "Finish paying" } else { "Manage the subscription" };
        view! { <A href="/subscribe">{label}</A> }.into_any()
    } else {
        "An admin of your group can put it right.".into_any()
    };
    Some(view! {
        <Notice level alert=true>
            <strong>{title}</strong>
            " "
            {text}
            " "
            {way}
        </Notice>
    })
}
