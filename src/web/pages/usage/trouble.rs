//! What keeps the group from spending, or soon will.

use leptos::prelude::*;

use crate::domain::{Level, Status, Subscription};
use crate::web::components::ask_admin::AskAdmin;
use crate::web::components::notice::Notice;
use crate::web::format;
use crate::web::ssr::context::services;

/// What the subscription's status stands in the way of, and who can put it right. Nothing where all is well.
#[component]
pub fn Trouble(
    subscription: Subscription,
    /// Who can put it right, by name; none where the viewer can.
    admins: Option<String>,
) -> impl IntoView {
    let (level, title, text) = match subscription.status {
        Status::Incomplete => (
            Level::Warning,
            format!("The first payment for {} isn't done. ", subscription.plan.name),
            "There is no allowance until it is. ".to_owned(),
        ),
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
        Status::Active | Status::Trialing | Status::Canceled | Status::IncompleteExpired => return None,
    };
    let (link, to) = match subscription.status {
        Status::Incomplete => ("Finish paying", "finish paying"),
        _ => ("Manage the subscription", "put it right"),
    };
    let way = match admins {
        None => view! { <a href="/subscribe">{link}</a> }.into_any(),
        Some(names) => view! { <AskAdmin to names/> }.into_any(),
    };
    Some(view! {
        <Notice level alert=true>
            <strong>{title}</strong>
            {text}
            {way}
        </Notice>
    })
}
