//! What is read of a credit note.

use serde_json::Value;

use super::text;

/// A credit note.
#[derive(Clone, Copy)]
pub(crate) struct CreditNote<'a>(pub(crate) &'a Value);

impl<'a> CreditNote<'a> {
    pub(crate) fn is_void(self) -> bool {
        self.0["status"] == "void"
    }

    pub(crate) fn invoice(self) -> &'a str {
        text(&self.0["invoice"])
    }

    /// In minor units.
    pub(crate) fn total(self) -> i64 {
        self.0["total"].as_i64().unwrap_or_default()
    }

    /// What it took off an open invoice, in minor units.
    pub(crate) fn pre_payment_amount(self) -> i64 {
        self.0["pre_payment_amount"].as_i64().unwrap_or_default()
    }

    /// What it gives back of a paid one, in minor units.
    pub(crate) fn post_payment_amount(self) -> i64 {
        self.0["post_payment_amount"].as_i64().unwrap_or_default()
    }

    /// What it credits of a line of the invoice, in minor units.
    pub(crate) fn credited_of_line(self, line: &str) -> i64 {
        let lines = self.0["lines"]["data"].as_array().into_iter().flatten();
        lines.filter(|own| own["invoice_line_item"] == line).filter_map(|own| own["amount"].as_i64()).sum()
    }

    /// How much of a refund stands on it, in minor units.
    pub(crate) fn refunded_by(self, refund: &str) -> i64 {
        let refunds = self.0["refunds"].as_array().into_iter().flatten();
        refunds.filter(|own| own["refund"] == refund).filter_map(|own| own["amount_refunded"].as_i64()).sum()
    }
}
