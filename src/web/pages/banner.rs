//! What keeps the group from spending, or soon will: on every page, as it is now.

use leptos::prelude::*;
use leptos_router::hooks::use_location;

use crate::domain::{Level, Status, Subscription, User};
use crate::web::AppError;
use crate::web::components::ask_admin::AskAdmin;
use crate::web::components::notice::Notice;
use crate::web::format;
use crate::web::islands::follow_subscription::{FollowSubscription, Shown};
use crate::web::ssr::context::{admins_to_ask, services};

/// The id of what follows the subscription.
const BANNER: &str = "banner";

/// What is the matter with the subscription of the user's group. A page isn't lost where that can't be read.
#[component]
pub fn Banner(user: User) -> impl IntoView {
    // Where a purchase is finished, the page itself says that it isn't.
    let finishes_here = use_location().pathname.get_untracked() == "/subscribe";
    Suspend::new(async move {
        let (subscription, admins) = data(&user).await.ok()?;
        let shown = subscription.as_ref().map(Shown::from);
        let trouble = subscription
            .filter(|now| !finishes_here || now.status != Status::Incomplete)
            .and_then(|subscription| notice(&subscription, admins));
        Some(view! {
            <div id=BANNER>{trouble}</div>
            <FollowSubscription shown parts=BANNER.to_owned()/>
        })
    })
}

/// The subscription, and who can put it right, by name; none where the viewer can.
async fn data(user: &User) -> Result<(Option<Subscription>, Option<String>), AppError> {
    let billing = services().billing.clone();
    let admins = admins_to_ask(user).await?;
    Ok((billing.subscription(user).await?, admins))
}

/// None where all is well.
fn notice(subscription: &Subscription, admins: Option<String>) -> Option<impl IntoView + use<>> {
    const PAY: (&str, &str, &str) = ("/billing", "Pay or change the card", "put it right");
    let Subscription { status, access, access_until, .. } = *subscription;
    let until = access_until.map(format::date_time).unwrap_or_default();
    let (level, title, text, (href, link, to)) = match status {
        Status::Active | Status::Trialing | Status::Canceled | Status::IncompleteExpired => return None,
        Status::Incomplete => (
            Level::Warning,
            format!("The first payment for {} isn't done. ", subscription.plan.name),
            "There is no allowance until it is. ".to_owned(),
            ("/subscribe", "Finish paying", "finish paying"),
        ),
        Status::PastDue if access => (
            Level::Warning,
            "The last payment failed. ".to_owned(),
            format!("Stripe tries the card again. Tokens can be spent until {until}. "),
            PAY,
        ),
        Status::PastDue => (
            Level::Limit,
            "The last payment failed. ".to_owned(),
            format!("Tokens could be spent until {until}, and can be again once the subscription is paid. "),
            PAY,
        ),
        Status::Unpaid => (
            Level::Limit,
            "The payments failed. ".to_owned(),
            "Tokens can't be spent until the subscription is paid. ".to_owned(),
            PAY,
        ),
        Status::Paused => (
            Level::Limit,
            "The subscription is paused. ".to_owned(),
            "Tokens can't be spent until there is a card to pay with. ".to_owned(),
            ("/billing", "Add a card", "put it right"),
        ),
    };
    let way = match admins {
        None => view! { <a href=href>{link}</a> }.into_any(),
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
