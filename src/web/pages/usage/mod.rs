//! `/usage`: what the group has used of its allowance.

mod history;

use leptos::prelude::*;

use crate::domain::{Level, LimitCheck, PeriodUsage, Role, Status, Subscription};
use crate::web::AppError;
use crate::web::components::notice::Notice;
use crate::web::components::page::{Head, Heading, load};
use crate::web::format;
use crate::web::islands::live_usage::LiveUsage;
use crate::web::ssr::context::{services, user, where_subscribed};
use history::History;

struct Data {
    /// Whether the one who looks can put things right.
    admin: bool,
    subscription: Option<Subscription>,
    check: Option<LimitCheck>,
    history: Vec<PeriodUsage>,
}

#[component]
pub fn Usage() -> impl IntoView {
    load(data(), |data| {
        let Data { admin, subscription, check, history } = data;
        let subscription = subscription.as_ref();
        let incomplete = subscription.is_some_and(|subscription| subscription.status == Status::Incomplete);
        let ending = subscription.is_some_and(|subscription| subscription.cancel_at_period_end);
        let current = match check {
            Some(LimitCheck { usage, suggested_plan, .. }) if !incomplete => {
                Some(view! { <LiveUsage usage suggested_plan ending admin/> })
            }
            _ => None,
        };
        view! {
            <Head title="Usage" description="How much of the shared allowance of LLM and voice tokens your group has used."/>
            <Heading title="Usage" text="The allowance everybody in the group shares."/>
            {match subscription {
                Some(subscription) => view! { <Trouble subscription=subscription.clone() admin/> }.into_any(),
                None => view! { <NoSubscription admin/> }.into_any(),
            }}
            {current}
            <History history/>
        }
        .into_any()
    })
}

async fn data() -> Result<Data, AppError> {
    let (user, services) = (user()?, services());
    user.must_have_group()?;
    Ok(Data {
        admin: user.role == Role::Admin,
        subscription: services.billing.subscription(&user).await?,
        check: where_subscribed(services.metering.check(&user).await)?,
        history: services.metering.history(&user).await?,
    })
}

#[component]
fn NoSubscription(admin: bool) -> impl IntoView {
    let way = if admin {
        view! {
            <p>"Choose a plan and your group has an allowance to spend from."</p>
            <p><a href="/subscribe" class="button" data-tone="primary">"Choose a plan"</a></p>
        }
        .into_any()
    } else {
        view! { <p>"Ask an admin of your group to choose a plan."</p> }.into_any()
    };
    view! {
        <section class="empty empty--page">
            <h2>"Your group has no subscription"</h2>
            {way}
        </section>
    }
}

/// What stands in the way, and who can put it right.
#[component]
fn Trouble(subscription: Subscription, admin: bool) -> impl IntoView {
    let status = subscription.status;
    let (level, title, text) = match status {
        Status::Incomplete => {
            let title = format!("The first payment for {} isn't done. ", subscription.plan.name);
            (Level::Warning, title, "There is no allowance until it is. ".to_owned())
        }
        Status::PastDue => {
            let days = format::plural(i64::from(services().config.grace_days), "day", "days");
            let text = format!(
                "Stripe tries the card again. Tokens can be spent for {days} after the first failure. "
            );
            (Level::Warning, "The last payment failed. ".to_owned(), text)
        }
        Status::Unpaid => (
            Level::Limit,
            "The payments failed. ".to_owned(),
            "Tokens can't be spent until the subscription is paid. ".to_owned(),
        ),
        Status::Paused => (
            Level::Limit,
            "The subscription is paused. ".to_owned(),
            "Tokens can't be spent until it goes on. ".to_owned(),
        ),
        _ => return None,
    };
    let way = if admin {
        let label = if status == Status::Incomplete { "Finish paying" } else { "Manage the subscription" };
        view! { <a href="/subscribe">{label}</a> }.into_any()
    } else {
        "An admin of your group can put it right.".into_any()
    };
    Some(view! {
        <Notice level alert=true>
            <strong>{title}</strong>
            {text}
            {way}
        </Notice>
    })
}
