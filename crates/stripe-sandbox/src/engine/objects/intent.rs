//! What is read of a payment intent or a setup intent, and of the charge that comes of it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{status, text};

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
