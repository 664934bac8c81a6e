//! `/usage`: what the group has used of its allowance.

mod days;
pub mod events;
mod first_steps;
pub mod history;
mod shares;

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use crate::domain::{BreakdownBy, Level, LimitCheck, Money, Status, Subscription, Usage as UsageNow, User};
use crate::metering::Dashboard;
use crate::web::AppError;
use crate::web::components::no_subscription::NoSubscription;
use crate::web::components::page::{Head, Heading, load};
use crate::web::islands::follow_subscription::{FollowSubscription, Shown};
use crate::web::islands::live_usage::LiveUsage;
use crate::web::ssr::context::{admins_to_ask, services, user};
use days::Days;
use first_steps::FirstSteps;
use history::History;
use shares::Shares;

struct Data {
    /// Who can put things right, by name; none where the viewer can.
    admins: Option<String>,
    subscription: Option<Subscription>,
    dashboard: Dashboard,
    viewer: User,
}

#[component]
pub fn Usage() -> impl IntoView {
    let by = shares::asked(use_query_map().with_untracked(|query| query.get("by")).as_deref());
    load(data(by), move |data| {
        let Data { admins, subscription, dashboard: Dashboard { current, history }, viewer } = data;
        let is_new = history.is_empty()
            && current
                .as_ref()
                .is_some_and(|(check, _)| check.usage.resources.iter().all(|(_, now)| now.used == 0));
        let shown = subscription.as_ref().map(Shown::from);
        let incomplete = subscription.as_ref().is_some_and(|now| now.status == Status::Incomplete);
        let above = subscription.is_none().then(|| {
            let offer = "Choose a plan and your group has an allowance to spend from.";
            view! { <NoSubscription admins=admins.clone() offer last=history.first().cloned()/> }
        });
        let beyond = current.as_ref().and_then(|(check, _)| beyond(&check.usage, admins.is_none()));
        let current = match (shown, current) {
            (Some(shown), Some((LimitCheck { usage, suggested_plan, .. }, overview))) if !incomplete => {
                let (resources, days) = (usage.resources, overview.current.whole_days(overview.as_of));
                view! {
                    <LiveUsage usage suggested_plan shown days admins/>
                    {(!is_new).then(|| view! {
                        <Days overview=overview.clone() resources/>
                        <Shares overview by viewer/>
                    })}
                }
                .into_any()
            }
            _ => view! { <FollowSubscription shown parts=String::new()/> }.into_any(),
        };
        view! {
            <Head title="Usage" description="How much of the shared allowance of LLM and voice tokens your group has used."/>
            <Heading title="Usage" text="The allowance that your whole group shares."/>
            {above}
            {current}
            {beyond}
            {(is_new && !incomplete).then(|| view! { <FirstSteps/> })}
            <History history/>
        }
        .into_any()
    })
}

/// What may be spent beyond the limits, where the plan sells it.
fn beyond(usage: &UsageNow, is_admin: bool) -> Option<impl IntoView + use<>> {
    let overage = usage.overage.as_ref()?;
    let is_reached = usage.resources.iter().any(|(_, resource)| resource.level == Level::Limit);
    let text = match &overage.cap {
        Some(cap) => {
            let cap = Money::parse(cap, overage.currency).ok()?;
            format!("Beyond its limits your group may spend up to {cap} in this period.")
        }
        None if is_reached && is_admin => "Your plan sells tokens beyond its limits.".to_owned(),
        None => return None,
    };
    let link = is_admin.then(|| view! { " " <a href="/billing/overage">"Prices, cap and charges"</a> });
    Some(view! { <p class="section__note">{text}{link}</p> })
}

async fn data(by: BreakdownBy) -> Result<Data, AppError> {
    let (user, services) = (user()?, services());
    user.must_have_group()?;
    Ok(Data {
        admins: admins_to_ask(&user).await?,
        subscription: services.billing.subscription(&user).await?,
        dashboard: services.metering.dashboard(&user, by).await?,
        viewer: user,
    })
}
