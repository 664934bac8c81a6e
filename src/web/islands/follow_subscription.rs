//! Keeps a page true to the group's subscription: what the page says about it is the server's, so a page that was
//! rendered for another state of it is loaded anew, or the parts of it that show it.

use chrono::{DateTime, Utc};
use leptos::prelude::*;
use leptos::task::spawn_local;
use serde::{Deserialize, Serialize};

use crate::domain::{PlanId, Status, Subscription, SubscriptionId};
use crate::web::client::{self, UsageStream};

/// What pages show of a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    id: SubscriptionId,
    plan: PlanId,
    status: Status,
    period_end: DateTime<Utc>,
    /// What begins with the next period, if another plan does.
    next_plan: Option<PlanId>,
    pub cancel_at_period_end: bool,
}

impl Shown {
    /// Whether nothing but the cancellation at the period's end sets these apart.
    pub fn differs_in_end_only(self, other: Self) -> bool {
        Self { cancel_at_period_end: other.cancel_at_period_end, ..self } == other
    }
}

impl From<&Subscription> for Shown {
    fn from(subscription: &Subscription) -> Self {
        Self {
            id: subscription.id,
            plan: subscription.plan.id,
            status: subscription.status,
            period_end: subscription.current_period_end,
            next_plan: subscription.next_plan.as_ref().map(|plan| plan.id),
            cancel_at_period_end: subscription.cancel_at_period_end,
        }
    }
}

#[island]
pub fn FollowSubscription(
    /// The subscription that the page was rendered for; none where the group has none.
    shown: Option<Shown>,
    /// The parts of the page that show it, by ids set apart by spaces: these alone are taken anew. Empty for the page.
    parts: String,
) -> impl IntoView {
    let shown = StoredValue::new(shown);
    let on_subscription = move |subscription: Option<Subscription>| {
        let now = subscription.as_ref().map(Shown::from);
        if now == shown.get_value() {
            return;
        }
        shown.set_value(now);
        if parts.is_empty() {
            return client::reload();
        }
        let parts = parts.clone();
        spawn_local(async move { client::renew(&parts).await });
    };
    // The effect keeps what it returns, and so the stream open.
    Effect::new(move |_| UsageStream::open(|_| {}, on_subscription.clone(), |_| {}));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_end_that_was_set_or_taken_back_needs_no_other_page() {
        let shown = Shown {
            id: uuid::Uuid::nil().into(),
            plan: uuid::Uuid::nil().into(),
            status: Status::Active,
            period_end: DateTime::UNIX_EPOCH,
            next_plan: None,
            cancel_at_period_end: false,
        };
        assert!(shown.differs_in_end_only(Shown { cancel_at_period_end: true, ..shown }));
        assert!(shown.differs_in_end_only(shown));
        assert!(!shown.differs_in_end_only(Shown { status: Status::PastDue, ..shown }));
    }
}
