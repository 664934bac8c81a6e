//! Typed views of the objects whose fields the code decides by. An object is a document, kept as the API shows it;
//! a view names what is read of it, once.

mod credit_note;
mod dispute;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(crate) use credit_note::CreditNote;
pub(crate) use dispute::{Dispute, DisputeStatus};

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

/// Source: <https://docs.stripe.com/api/invoices/object#invoice_object-status>
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum InvoiceStatus {
    Draft,
    Open,
    Paid,
    Uncollectible,
    Void,
}

/// Source: <https://docs.stripe.com/payments/paymentintents/lifecycle>
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum IntentStatus {
    RequiresPaymentMethod,
    RequiresConfirmation,
    RequiresAction,
    RequiresCapture,
    Succeeded,
    Canceled,
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn status<'a, Status: Deserialize<'a>>(object: &'a Value) -> Option<Status> {
    Status::deserialize(&object["status"]).ok()
}

/// The ids of a list of them.
pub(crate) fn ids(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}

/// A subscription.
#[derive(Clone, Copy)]
pub(crate) struct Subscription<'a>(pub(crate) &'a Value);

impl<'a> Subscription<'a> {
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

/// An invoice.
#[derive(Clone, Copy)]
pub(crate) struct Invoice<'a>(pub(crate) &'a Value);

impl<'a> Invoice<'a> {
    pub(crate) fn is(self, wanted: InvoiceStatus) -> bool {
        self.status() == Some(wanted)
    }

    pub(crate) fn status(self) -> Option<InvoiceStatus> {
        status(self.0)
    }

    pub(crate) fn customer(self) -> &'a str {
        text(&self.0["customer"])
    }

    pub(crate) fn currency(self) -> &'a str {
        text(&self.0["currency"])
    }

    /// In minor units.
    pub(crate) fn total(self) -> i64 {
        self.0["total"].as_i64().unwrap_or_default()
    }

    /// What its lines come to, in minor units.
    pub(crate) fn lines_total(self) -> i64 {
        let lines = self.0["lines"]["data"].as_array();
        lines.into_iter().flatten().filter_map(|line| line["amount"].as_i64()).sum()
    }

    /// In minor units.
    pub(crate) fn amount_due(self) -> i64 {
        self.0["amount_due"].as_i64().unwrap_or_default()
    }

    /// In minor units.
    pub(crate) fn amount_remaining(self) -> i64 {
        self.0["amount_remaining"].as_i64().unwrap_or_default()
    }

    /// What credit notes took off it before it was paid, in minor units.
    pub(crate) fn credited_before_payment(self) -> i64 {
        self.0["pre_payment_credit_notes_amount"].as_i64().unwrap_or_default()
    }

    /// What credit notes gave back after it was paid, in minor units.
    pub(crate) fn credited_after_payment(self) -> i64 {
        self.0["post_payment_credit_notes_amount"].as_i64().unwrap_or_default()
    }

    pub(crate) fn default_payment_method(self) -> Option<&'a str> {
        self.0["default_payment_method"].as_str()
    }

    /// The subscription that it is for.
    pub(crate) fn subscription(self) -> Option<&'a str> {
        self.0["parent"]["subscription_details"]["subscription"].as_str()
    }

    pub(crate) fn billing_reason(self) -> Option<&'a str> {
        self.0["billing_reason"].as_str()
    }

    /// Whether its customer's card is charged, instead of the invoice being sent.
    pub(crate) fn charges_automatically(self) -> bool {
        self.0["collection_method"] == "charge_automatically"
    }

    /// When it is next tried to be paid, in Unix seconds.
    pub(crate) fn next_payment_attempt(self) -> Option<i64> {
        self.0["next_payment_attempt"].as_i64()
    }

    /// When it finalizes itself, in Unix seconds; `None` if it doesn't.
    pub(crate) fn finalizes_at(self) -> Option<i64> {
        self.0["automatically_finalizes_at"].as_i64().filter(|_| self.0["auto_advance"] == true)
    }
}

/// A payment intent or a setup intent.
#[derive(Clone, Copy)]
pub(crate) struct Intent<'a>(pub(crate) &'a Value);

impl<'a> Intent<'a> {
    pub(crate) fn is(self, wanted: IntentStatus) -> bool {
        self.status() == Some(wanted)
    }

    pub(crate) fn status(self) -> Option<IntentStatus> {
        status(self.0)
    }

    /// Whether it can be confirmed.
    pub(crate) fn is_open(self) -> bool {
        use IntentStatus::{RequiresAction, RequiresConfirmation, RequiresPaymentMethod};
        matches!(self.status(), Some(RequiresPaymentMethod | RequiresConfirmation | RequiresAction))
    }

    /// Whether nothing can come of it any more.
    pub(crate) fn is_over(self) -> bool {
        self.is(IntentStatus::Succeeded) || self.is(IntentStatus::Canceled)
    }

    pub(crate) fn is_setup(self) -> bool {
        self.0["object"] == "setup_intent"
    }

    pub(crate) fn client_secret(self) -> &'a str {
        text(&self.0["client_secret"])
    }

    pub(crate) fn customer(self) -> Option<&'a str> {
        self.0["customer"].as_str()
    }

    pub(crate) fn payment_method(self) -> Option<&'a str> {
        self.0["payment_method"].as_str()
    }

    /// In minor units.
    pub(crate) fn amount(self) -> i64 {
        self.0["amount"].as_i64().unwrap_or_default()
    }

    /// In minor units.
    pub(crate) fn amount_capturable(self) -> i64 {
        self.0["amount_capturable"].as_i64().unwrap_or_default()
    }

    pub(crate) fn latest_charge(self) -> Option<&'a str> {
        self.0["latest_charge"].as_str()
    }

    pub(crate) fn is_captured_by_hand(self) -> bool {
        self.0["capture_method"] == "manual"
            || self.0["payment_method_options"]["card"]["capture_method"] == "manual"
    }

    pub(crate) fn is_captured_asynchronously(self) -> bool {
        self.0["capture_method"] == "automatic_async"
    }

    /// Whether each attempt takes a server to confirm it, after 3D Secure too.
    pub(crate) fn is_confirmed_by_hand(self) -> bool {
        self.0["confirmation_method"] == "manual"
    }

    /// Whether it takes methods that lead the customer to another page.
    pub(crate) fn allows_redirects(self) -> bool {
        let automatic = &self.0["automatic_payment_methods"];
        automatic["enabled"] == true && automatic["allow_redirects"] != "never"
    }

    /// Whether its merchant wants 3D Secure whatever the card.
    pub(crate) fn demands_three_d_secure(self) -> bool {
        self.0["payment_method_options"]["card"]["request_three_d_secure"] != "automatic"
    }

    /// What the card is to be good for later; what is asked of cards comes before what is asked of any method.
    pub(crate) fn setup_future_usage(self) -> Option<&'a str> {
        let of_card = self.0["payment_method_options"]["card"]["setup_future_usage"].as_str();
        of_card.or(self.0["setup_future_usage"].as_str()).filter(|usage| *usage != "none")
    }
}

/// A charge.
#[derive(Clone, Copy)]
pub(crate) struct Charge<'a>(pub(crate) &'a Value);

impl<'a> Charge<'a> {
    pub(crate) fn currency(self) -> &'a str {
        text(&self.0["currency"])
    }

    pub(crate) fn customer(self) -> Option<&'a str> {
        self.0["customer"].as_str()
    }

    pub(crate) fn payment_intent(self) -> &'a str {
        text(&self.0["payment_intent"])
    }

    /// Whether the bank has agreed to it.
    pub(crate) fn is_paid(self) -> bool {
        self.0["paid"] == true
    }

    pub(crate) fn is_captured(self) -> bool {
        self.0["captured"] == true
    }

    /// The method that it was paid with.
    pub(crate) fn payment_method(self) -> Option<&'a str> {
        self.0["payment_method"].as_str()
    }

    /// Whether its cardholder passed 3D Secure, which makes the bank liable for fraud.
    pub(crate) fn is_authenticated(self) -> bool {
        self.0["payment_method_details"]["card"]["three_d_secure"]["result"] == "authenticated"
    }

    /// What it is disputed by, if it is.
    pub(crate) fn dispute(self) -> Option<&'a str> {
        self.0["dispute"].as_str()
    }

    /// In minor units.
    pub(crate) fn amount_captured(self) -> i64 {
        self.0["amount_captured"].as_i64().unwrap_or_default()
    }

    /// In minor units.
    pub(crate) fn amount_refunded(self) -> i64 {
        self.0["amount_refunded"].as_i64().unwrap_or_default()
    }
}

/// A customer.
#[derive(Clone, Copy)]
pub(crate) struct Customer<'a>(pub(crate) &'a Value);

impl<'a> Customer<'a> {
    /// That of its subscriptions, once it had one.
    pub(crate) fn currency(self) -> Option<&'a str> {
        self.0["currency"].as_str()
    }

    pub(crate) fn default_payment_method(self) -> Option<&'a str> {
        self.0["invoice_settings"]["default_payment_method"].as_str()
    }

    /// The id of its default card of the old kind.
    pub(crate) fn default_source(self) -> Option<&'a str> {
        self.0["default_source"].as_str()
    }

    /// What its invoices are paid with, unless they say otherwise.
    pub(crate) fn default_method(self) -> Option<&'a str> {
        self.default_payment_method().or(self.default_source())
    }

    /// The id of the discount on all that it pays for.
    pub(crate) fn discount(self) -> Option<&'a str> {
        self.0["discount"].as_str()
    }

    /// In minor units; negative in the customer's favour.
    pub(crate) fn balance(self) -> i64 {
        self.0["balance"].as_i64().unwrap_or_default()
    }

    /// `exempt`, `none` or `reverse`.
    pub(crate) fn tax_exempt(self) -> &'a str {
        self.0["tax_exempt"].as_str().unwrap_or("none")
    }

    pub(crate) fn invoice_prefix(self) -> &'a str {
        text(&self.0["invoice_prefix"])
    }

    pub(crate) fn next_invoice_sequence(self) -> i64 {
        self.0["next_invoice_sequence"].as_i64().unwrap_or(1)
    }
}

/// A discount.
#[derive(Clone, Copy)]
pub(crate) struct Discount<'a>(pub(crate) &'a Value);

impl Discount<'_> {
    /// When it is over, in Unix seconds; `None` if it isn't by time.
    pub(crate) fn end(self) -> Option<i64> {
        self.0["end"].as_i64()
    }

    /// Whether it is of a single item, and comes before those of the whole.
    pub(crate) fn is_of_item(self) -> bool {
        self.0["subscription_item"].is_string() || self.0["invoice_item"].is_string()
    }
}

/// A test clock.
#[derive(Clone, Copy)]
pub(crate) struct TestClock<'a>(pub(crate) &'a Value);

impl TestClock<'_> {
    /// Unix seconds.
    pub(crate) fn frozen_time(self) -> Option<i64> {
        self.0["frozen_time"].as_i64()
    }

    /// Where it is being advanced to, in Unix seconds; `None` if it stands.
    pub(crate) fn target(self) -> Option<i64> {
        self.0["status_details"]["advancing"]["target_frozen_time"].as_i64()
    }
}

/// A price.
#[derive(Clone, Copy)]
pub(crate) struct Price<'a>(pub(crate) &'a Value);

impl<'a> Price<'a> {
    pub(crate) fn id(self) -> &'a str {
        text(&self.0["id"])
    }

    pub(crate) fn is_active(self) -> bool {
        self.0["active"] == true
    }

    pub(crate) fn is_recurring(self) -> bool {
        self.0["type"] == "recurring"
    }

    pub(crate) fn currency(self) -> &'a str {
        text(&self.0["currency"])
    }

    pub(crate) fn product(self) -> &'a str {
        text(&self.0["product"])
    }

    /// In minor units; `None` if it isn't a whole number of them.
    pub(crate) fn unit_amount(self) -> Option<i64> {
        self.0["unit_amount"].as_i64()
    }

    /// In minor units, in decimal notation.
    pub(crate) fn unit_amount_decimal(self) -> &'a str {
        self.0["unit_amount_decimal"].as_str().unwrap_or("0")
    }

    /// `{interval, interval_count, …}`.
    pub(crate) fn recurring(self) -> &'a Value {
        &self.0["recurring"]
    }
}

/// Who a payment method is kept with.
pub(crate) fn owner(method: &Value) -> Option<&str> {
    method["customer"].as_str()
}
