//! `/billing`: what the group pays, with what, and what it has paid.

mod details;
pub mod overage;
mod payer;
pub mod payments;
pub mod plan;
pub mod portal;

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use crate::domain::{Account, Level, PaymentHistory, PeriodUsage, Role, Subscription};
use crate::web::AppError;
use crate::web::components::ask_admin::AskAdmin;
use crate::web::components::form::{Attempt, Refused};
use crate::web::components::no_subscription::NoSubscription;
use crate::web::components::notice::Notice;
use crate::web::components::page::{Head, Heading, load, set_status};
use crate::web::islands::follow_subscription::{FollowSubscription, Shown};
use crate::web::server_fns::billing::Pay;
use crate::web::server_fns::subscription::{Cancel, ChangePlan, Resume};
use crate::web::ssr::context::{admins_to_ask, services, user};
use details::Details;
use payer::Payer;
use payments::Payments;
use plan::Plan;

/// The ids of what follows the subscription without the page being loaded anew.
const PLAN: &str = "plan";
const METHOD: &str = "method";
const PAYMENTS: &str = "payments";

enum Data {
    /// Whom a member asks, by name.
    Member(String),
    Admin(Box<Paying>),
}

/// What an admin sees.
struct Paying {
    subscription: Option<Subscription>,
    /// None where Stripe is out of reach.
    account: Option<Account>,
    history: PaymentHistory,
    /// The last period of a group without a subscription.
    last: Option<PeriodUsage>,
}

#[component]
pub fn Billing() -> impl IntoView {
    let query = use_query_map().get_untracked();
    let after = query.get("after");
    let status = query.get("redirect_status");
    let returned = query.get("setup_intent").filter(|_| status.as_deref() == Some("succeeded"));
    let failed = status.as_deref() == Some("failed");
    load(data(after), move |data| {
        let shown = match data {
            Data::Member(names) => view! { <ForAdmins names/> }.into_any(),
            Data::Admin(paying) => page(*paying, Visit { returned, failed }),
        };
        view! {
            <Head title="Billing" description="Your group's plan, its card, its next charge and its invoices."/>
            {shown}
        }
        .into_any()
    })
}

/// How the page was come to.
struct Visit {
    /// The setup intent that the bank's page was about.
    returned: Option<String>,
    /// Whether the bank refused.
    failed: bool,
}

async fn data(after: Option<String>) -> Result<Data, AppError> {
    let (user, services) = (user()?, services());
    user.must_have_group()?;
    if user.role == Role::Member {
        return Ok(Data::Member(admins_to_ask(&user).await?.unwrap_or_default()));
    }
    // First, since it may find that the subscription has changed.
    let account = services.billing.account(&user).await.map_err(AppError::from).ok();
    let history = services.billing.payment_history(&user, after.as_deref()).await?;
    let subscription = services.billing.subscription(&user).await?;
    let last = match subscription {
        Some(_) => None,
        None => services.metering.history(&user).await?.into_iter().next(),
    };
    Ok(Data::Admin(Box::new(Paying { subscription, account, history, last })))
}

fn page(paying: Paying, visit: Visit) -> AnyView {
    let Paying { subscription, account, history, last } = paying;
    let sells_overage = subscription.as_ref().is_some_and(|subscription| subscription.plan.overage.is_some());
    let follow = subscription.as_ref().map(Shown::from);
    let refused = Attempt::of::<Cancel>()
        .message(&[])
        .or_else(|| Attempt::of::<Resume>().message(&[]))
        .or_else(|| Attempt::of::<ChangePlan>().message(&[]))
        .or_else(|| Attempt::of::<Pay>().message(&[]))
        .or_else(|| {
            visit.failed.then(|| "The bank didn't approve. Try again or use another card.".to_owned())
        });
    let out_of_reach = account.is_none().then(|| {
        view! {
            <Notice level=Level::Warning>
                <strong>"Stripe can't be reached at the moment. "</strong>
                "The card, the next charge and the invoices are Stripe's and can't be shown until it can. "
                <a href="/billing">"Try again"</a>
            </Notice>
        }
    });
    let plan = match &subscription {
        Some(subscription) => {
            let (next, unpaid) = match &account {
                Some(account) => (account.next_charge, account.unpaid.clone()),
                None => (None, None),
            };
            view! { <Plan subscription=subscription.clone() next unpaid/> }.into_any()
        }
        None => {
            let (offer, choose) = match last {
                Some(_) => (
                    "Start again whenever you like: what was used before stays in the history.",
                    "Start again",
                ),
                None => ("Choose a plan and your group has an allowance to spend from.", "Choose a plan"),
            };
            view! { <NoSubscription admins=None offer choose last/> }.into_any()
        }
    };
    let payer = match (&subscription, &account) {
        (Some(subscription), Some(account)) => Some(view! {
            <Payer
                subscription=subscription.id
                method=account.payment_method.clone()
                due=account.unpaid.as_ref().map(|invoice| invoice.amount_due)
                returned=visit.returned.unwrap_or_default()
            />
        }),
        _ => None,
    };
    // While it is there, the subscription is the same: with another, or none, the page has other parts.
    let same = match &subscription {
        Some(subscription) => format!("subscription-{}", subscription.id),
        None => "no-subscription".to_owned(),
    };
    let parts = match &account {
        Some(_) if payer.is_some() => format!("{same} {PLAN} {METHOD} {PAYMENTS}"),
        Some(_) => format!("{same} {PLAN} {PAYMENTS}"),
        None => format!("{same} {PAYMENTS}"),
    };
    let has_portal = follow.is_some() || !history.invoices.is_empty();
    let rest = account.map(|Account { details, .. }| {
        view! {
            {sells_overage.then(|| view! {
                <p class="section__note">
                    "Your plan sells tokens beyond its limits: "
                    <a href="/billing/overage">"prices, cap and charges"</a>
                    "."
                </p>
            })}
            <Details details/>
            {has_portal.then(|| view! {
                <p class="section__note">
                    "Stripe has pages of its own for your group: "
                    <a href="/billing/portal">"open Stripe's customer portal"</a>
                    "."
                </p>
            })}
        }
    });
    view! {
        <Heading title="Billing" text="What your group pays, with what, and what it has paid."/>
        <Refused message=refused/>
        {out_of_reach}
        <div id=PLAN>{plan}</div>
        {payer}
        <Payments history path="/billing"/>
        {rest}
        <div id=same hidden></div>
        <FollowSubscription shown=follow parts/>
    }
    .into_any()
}

#[component]
fn ForAdmins(names: String) -> impl IntoView {
    set_status(403);
    view! {
        <Heading title="Billing"/>
        <section class="empty empty--page">
            <h2>"Billing is for your group's admins"</h2>
            <p><AskAdmin to="see to the card, the invoices or the plan" names/></p>
        </section>
    }
}
