//! What is read of an invoice.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{status, text};

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
