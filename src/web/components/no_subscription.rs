//! What a page shows to a group without a subscription.

use leptos::prelude::*;

use super::ask_admin::AskAdmin;
use crate::domain::PeriodUsage;
use crate::web::format;

#[component]
pub fn NoSubscription(
    /// Who can subscribe, by name; none where the viewer can.
    admins: Option<String>,
    /// What the viewer gets by subscribing.
    offer: &'static str,
    /// On the way to the plans.
    #[prop(default = "Choose a plan")]
    choose: &'static str,
    /// The last period there was, if there was one.
    #[prop(default = None)]
    last: Option<PeriodUsage>,
) -> impl IntoView {
    let ended = last.map(|last| {
        view! { <p>{format!("The subscription to {} ended on {}.", last.plan, format::date(last.end))}</p> }
    });
    let way = match admins {
        None => view! {
            <p>{offer}</p>
            <p><a href="/subscribe" class="button" data-tone="primary">{choose}</a></p>
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
