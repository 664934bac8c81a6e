//! What is read of a customer, and of a discount.

use serde_json::Value;

use super::text;

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
