//! `/usage`: what the group has used of its allowance.

mod first_steps;
mod history;
pub mod trouble;

use leptos::prelude::*;

use crate::domain::{LimitCheck, PeriodUsage, Role, Status, Subscription};
use crate::web::AppError;
use crate::web::components::ask_admin::AskAdmin;
use crate::web::components::page::{Head, Heading, load};
use crate::web::format;
use crate::web::islands::follow_subscription::{FollowSubscription, Shown};
use crate::web::islands::live_usage::LiveUsage;
use crate::web::ssr::context::{services, user, where_subscribed};
use first_steps::FirstSteps;
use history::History;
use trouble::Trouble;

struct Data {
    /// Who can put things right, by name; none where the viewer can.
    admins: Option<String>,
    subscription: Option<Subscription>,
    check: Option<LimitCheck>,
    history: Vec<PeriodUsage>,
}

#[component]
pub fn Usage() -> impl IntoView {
    load(data(), |data| {
        let Data { admins, subscription, check, history } = data;
        let is_new = history.is_empty()
            && check.as_ref().is_some_and(|check| check.usage.resources.iter().all(|(_, now)| now.used == 0));
        let shown = subscription.as_ref().map(Shown::from);
        let incomplete = subscription.as_ref().is_some_and(|now| now.status == Status::Incomplete);
        let above = match subscription {
            Some(subscription) => view! { <Trouble subscription admins=admins.clone()/> }.into_any(),
            None => {
                view! { <NoSubscription admins=admins.clone() last=history.first().cloned()/> }.into_any()
            }
        };
        let current = match (shown, check) {
            (Some(shown), Some(LimitCheck { usage, suggested_plan, .. })) if !incomplete => {
                view! { <LiveUsage usage suggested_plan shown admins/> }.into_any()
            }
            _ => view! { <FollowSubscription shown/> }.into_any(),
        };
        view! {
            <Head title="Usage" description="How much of the shared allowance of LLM and voice tokens your group has used."/>
            <Heading title="Usage" text="The allowance that your whole group shares."/>
            {above}
            {current}
            {is_new.then(|| view! { <FirstSteps/> })}
            <History history/>
        }
        .into_any()
    })
}

async fn data() -> Result<Data, AppError> {
    let (user, services) = (user()?, services());
    user.must_have_group()?;
    let admins = match user.role {
        Role::Admin => None,
        _ => Some(services.accounts.admins(&user).await?.join(", ")),
    };
    Ok(Data {
        admins,
        subscription: services.billing.subscription(&user).await?,
        check: where_subscribed(services.metering.check(&user).await)?,
        history: services.metering.history(&user).await?,
    })
}

#[component]
fn NoSubscription(
    admins: Option<String>,
    /// The last period there was, if there was one.
    last: Option<PeriodUsage>,
) -> impl IntoView {
    let ended = last.map(|last| {
        view! { <p>{format!("The subscription to {} ended on {}.", last.plan, format::date(last.end))}</p> }
    });
    let way = match admins {
        None => view! {
            <p>"Choose a plan and your group has an allowance to spend from."</p>
            <p><a href="/subscribe" class="button" data-tone="primary">"Choose a plan"</a></p>
        }
        .into_any(),
        Some(names) => view! { <p><AskAdmin to="choose a plan" names/></p> }.into_any(),
    };
    view! {
        <section class="empty empty--page">
            <h2>"Your group has no subscription"</h2>
            {ended}
            {way}
        </section>
    }
}
