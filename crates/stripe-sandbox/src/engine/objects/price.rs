//! What is read of a price, and of an item that is of it.

use serde_json::Value;

use super::text;

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

    /// Whether what is paid is what was used, at the period's end.
    pub(crate) fn is_metered(self) -> bool {
        self.recurring()["usage_type"] == "metered"
    }

    /// `{interval, interval_count, …}`.
    pub(crate) fn recurring(self) -> &'a Value {
        &self.0["recurring"]
    }
}

/// How many of its price a subscription item is of: none of one that is metered, which has no quantity.
pub(crate) fn quantity(item: &Value) -> i64 {
    if Price(&item["price"]).is_metered() { 0 } else { item["quantity"].as_i64().unwrap_or(1) }
}
