//! What is read of a dispute.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{status, text};

/// Source: <https://docs.stripe.com/api/disputes/object#dispute_object-status>
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DisputeStatus {
    WarningNeedsResponse,
    WarningUnderReview,
    WarningClosed,
    NeedsResponse,
    UnderReview,
    Won,
    Lost,
}

/// A dispute.
#[derive(Clone, Copy)]
pub(crate) struct Dispute<'a>(pub(crate) &'a Value);

impl<'a> Dispute<'a> {
    pub(crate) fn status(self) -> Option<DisputeStatus> {
        status(self.0)
    }

    /// Whether it only asks so far, and took no money.
    pub(crate) fn is_inquiry(self) -> bool {
        use DisputeStatus::{WarningClosed, WarningNeedsResponse, WarningUnderReview};
        matches!(self.status(), Some(WarningNeedsResponse | WarningUnderReview | WarningClosed))
    }

    /// Whether an answer is waited for.
    pub(crate) fn needs_response(self) -> bool {
        matches!(self.status(), Some(DisputeStatus::NeedsResponse | DisputeStatus::WarningNeedsResponse))
    }

    /// Whether it is over for good.
    pub(crate) fn is_closed(self) -> bool {
        use DisputeStatus::{Lost, WarningClosed, Won};
        matches!(self.status(), Some(Won | Lost | WarningClosed))
    }

    pub(crate) fn charge(self) -> &'a str {
        text(&self.0["charge"])
    }

    /// In minor units.
    pub(crate) fn amount(self) -> i64 {
        self.0["amount"].as_i64().unwrap_or_default()
    }

    /// Until when it can be answered, in Unix seconds.
    pub(crate) fn due_by(self) -> Option<i64> {
        self.0["evidence_details"]["due_by"].as_i64()
    }

    pub(crate) fn has_evidence(self) -> bool {
        self.0["evidence_details"]["has_evidence"] == true
    }

    pub(crate) fn submissions(self) -> i64 {
        self.0["evidence_details"]["submission_count"].as_i64().unwrap_or_default()
    }

    /// The evidence by which Stripe's test mode decides.
    pub(crate) fn uncategorized_text(self) -> &'a str {
        text(&self.0["evidence"]["uncategorized_text"])
    }
}
