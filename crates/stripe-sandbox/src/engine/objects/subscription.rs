//! What is read of a subscription, and of a schedule of one.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{status, text};

/// Source: <https://docs.stripe.com/api/subscriptions/object#subscription_object-status>
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SubscriptionStatus {
    Incomplete,
    IncompleteExpired,
    Trialing,
    Active,
    PastDue,
    Unpaid,
    Paused,
    Canceled,
}

/// A subscription.
#[derive(Clone, Copy)]
pub(crate) struct Subscription<'a>(pub(crate) &'a Value);

impl<'a> Subscription<'a> {
    pub(crate) fn id(self) -> &'a str {
        text(&self.0["id"])
    }

    pub(crate) fn is(self, wanted: SubscriptionStatus) -> bool {
        self.status() == Some(wanted)
    }

    pub(crate) fn status(self) -> Option<SubscriptionStatus> {
        status(self.0)
    }

    /// Whether it is over for good.
    pub(crate) fn is_over(self) -> bool {
        self.is(SubscriptionStatus::Canceled) || self.is(SubscriptionStatus::IncompleteExpired)
    }

    pub(crate) fn customer(self) -> &'a str {
        text(&self.0["customer"])
    }

    /// Unix seconds.
    pub(crate) fn created(self) -> Option<i64> {
        self.0["created"].as_i64()
    }

    /// Unix seconds.
    pub(crate) fn cancel_at(self) -> Option<i64> {
        self.0["cancel_at"].as_i64()
    }

    /// Whether nothing is charged yet.
    pub(crate) fn is_trial(self) -> bool {
        self.is(SubscriptionStatus::Trialing)
    }

    /// Unix seconds.
    pub(crate) fn trial_end(self) -> Option<i64> {
        self.0["trial_end"].as_i64()
    }

    /// What becomes of it where a trial ends without a payment method: `create_invoice`, `pause` or `cancel`.
    pub(crate) fn without_payment_method(self) -> &'a str {
        text(&self.0["trial_settings"]["end_behavior"]["missing_payment_method"])
    }

    /// What its periods are counted from, in Unix seconds.
    pub(crate) fn anchor(self) -> Option<i64> {
        self.0["billing_cycle_anchor"].as_i64()
    }

    pub(crate) fn cancels_at_period_end(self) -> bool {
        self.0["cancel_at_period_end"] == true
    }

    /// The schedule that it is under.
    pub(crate) fn schedule(self) -> Option<&'a str> {
        self.0["schedule"].as_str()
    }

    pub(crate) fn latest_invoice(self) -> Option<&'a str> {
        self.0["latest_invoice"].as_str()
    }

    pub(crate) fn default_payment_method(self) -> Option<&'a str> {
        self.0["default_payment_method"].as_str()
    }

    /// When what waits for its payment is given up, in Unix seconds; `None` if nothing waits.
    pub(crate) fn pending_update_expires_at(self) -> Option<i64> {
        self.0["pending_update"]["expires_at"].as_i64()
    }

    /// What becomes of its invoices while collecting them is paused: `keep_as_draft`, `mark_uncollectible` or `void`.
    pub(crate) fn paused_collection(self) -> Option<&'a str> {
        self.0["pause_collection"]["behavior"].as_str()
    }

    /// When collecting goes on by itself, in Unix seconds.
    pub(crate) fn collection_resumes_at(self) -> Option<i64> {
        self.0["pause_collection"]["resumes_at"].as_i64()
    }

    /// Whether its customer's card is charged, instead of invoices being sent.
    pub(crate) fn charges_automatically(self) -> bool {
        self.0["collection_method"] == "charge_automatically"
    }

    /// Whether prorations show their amounts before discounts, and these beside them.
    pub(crate) fn itemizes_proration_discounts(self) -> bool {
        self.0["billing_mode"]["flexible"]["proration_discounts"] == "itemized"
    }

    /// Whether what it is paid with becomes its default.
    pub(crate) fn saves_payment_method(self) -> bool {
        self.0["payment_settings"]["save_default_payment_method"] == "on_subscription"
    }

    /// When its payments ask cards for 3D Secure, if it says so itself.
    pub(crate) fn three_d_secure(self) -> Option<&'a str> {
        self.0["payment_settings"]["payment_method_options"]["card"]["request_three_d_secure"].as_str()
    }
}

/// A subscription schedule.
#[derive(Clone, Copy)]
pub(crate) struct Schedule<'a>(pub(crate) &'a Value);

impl<'a> Schedule<'a> {
    pub(crate) fn is_running(self) -> bool {
        self.0["status"] == "active"
    }

    /// Whether it is over for good.
    pub(crate) fn is_over(self) -> bool {
        !self.is_running() && self.0["status"] != "not_started"
    }

    /// Whether its subscription ends with it, rather than going on without it.
    pub(crate) fn cancels(self) -> bool {
        self.0["end_behavior"] == "cancel"
    }

    /// When its first phase begins, in Unix seconds.
    pub(crate) fn starts_at(self) -> Option<i64> {
        self.0["phases"].as_array()?.first()?["start_date"].as_i64()
    }

    /// When its last phase ends, in Unix seconds.
    pub(crate) fn ends_at(self) -> Option<i64> {
        self.0["phases"].as_array()?.last()?["end_date"].as_i64()
    }

    pub(crate) fn subscription(self) -> Option<&'a str> {
        self.0["subscription"].as_str()
    }

    /// When it began and ends, in Unix seconds.
    pub(crate) fn current_phase(self) -> Option<(i64, i64)> {
        let phase = &self.0["current_phase"];
        phase["start_date"].as_i64().zip(phase["end_date"].as_i64())
    }
}
