//! What keeps the group from spending, or soon will: on every page, as it is now.

use chrono::{DateTime, Utc};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::domain::{Level, Status, Subscription};
use crate::web::client::UsageStream;
use crate::web::components::ask_admin::AskAdmin;
use crate::web::components::notice::Notice;
use crate::web::format;

/// A subscription that isn't as it should be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trouble {
    status: Status,
    plan: String,
    access: bool,
    access_until: Option<DateTime<Utc>>,
}

impl Trouble {
    /// None where all is well.
    pub fn of(subscription: &Subscription) -> Option<Self> {
        let Subscription { status, access, access_until, .. } = *subscription;
        let troubled =
            matches!(status, Status::Incomplete | Status::PastDue | Status::Unpaid | Status::Paused);
        troubled.then(|| Self { status, plan: subscription.plan.name.clone(), access, access_until })
    }

    fn level(&self) -> Level {
        match self.status {
            Status::Incomplete => Level::Warning,
            Status::PastDue if self.access => Level::Warning,
            _ => Level::Limit,
        }
    }

    fn title(&self) -> String {
        match self.status {
            Status::Incomplete => format!("The first payment for {} isn't done. ", self.plan),
            Status::PastDue => "The last payment failed. ".into(),
            Status::Paused => "The subscription is paused. ".into(),
            _ => "The payments failed. ".into(),
        }
    }

    fn text(&self) -> String {
        match (self.status, self.access_until.map(format::date_time)) {
            (Status::Incomplete, _) => "There is no allowance until it is. ".into(),
            (Status::PastDue, Some(until)) if self.access => {
                format!("Stripe tries the card again. Tokens can be spent until {until}. ")
            }
            (Status::PastDue, Some(until)) => {
                format!(
                    "Tokens could be spent until {until}, and can be again once the subscription is paid. "
                )
            }
            (Status::Paused, _) => "Tokens can't be spent until it goes on. ".into(),
            _ => "Tokens can't be spent until the subscription is paid. ".into(),
        }
    }

    /// Where it is put right, what that is called, and what admins are to be asked for.
    fn way(&self) -> (&'static str, &'static str, &'static str) {
        match self.status {
            Status::Incomplete => ("/subscribe", "Finish paying", "finish paying"),
            Status::Paused => ("/billing", "Manage the subscription", "put it right"),
            _ => ("/billing", "Pay or change the card", "put it right"),
        }
    }
}

#[island]
pub fn SubscriptionBanner(
    trouble: Option<Trouble>,
    /// Who can put it right, by name; none where the viewer can.
    admins: Option<String>,
    /// Whether this page is where a purchase is finished, and so says that it isn't.
    finishes_here: bool,
) -> impl IntoView {
    let trouble = RwSignal::new(trouble);
    let on_subscription = move |subscription: Option<Subscription>| {
        let now = subscription.as_ref().and_then(Trouble::of);
        // Said again, an alert would be read out again.
        if trouble.with_untracked(|before| *before != now) {
            trouble.set(now);
        }
    };
    // The effect keeps what it returns, and so the stream open.
    Effect::new(move |_| UsageStream::open(|_| {}, on_subscription, |_| {}));
    move || {
        let trouble = trouble.get().filter(|now| !finishes_here || now.status != Status::Incomplete)?;
        let (href, link, to) = trouble.way();
        let way = match admins.clone() {
            None => view! { <a href=href>{link}</a> }.into_any(),
            Some(names) => view! { <AskAdmin to names/> }.into_any(),
        };
        Some(view! {
            <Notice level=trouble.level() alert=true>
                <strong>{trouble.title()}</strong>
                {trouble.text()}
                {way}
            </Notice>
        })
    }
}
