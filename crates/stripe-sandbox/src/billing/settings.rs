//! What an account chooses in the Dashboard at Stripe, for which there is no API: here it is chosen on the panel.
//!
//! Source: <https://docs.stripe.com/billing/revenue-recovery/smart-retries#retry-settings>

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::engine::{Cause, Kind, Sandbox, Tx, WriteFailed};

const KIND: Kind = Kind::Settings;
/// There is one account.
const ID: &str = "settings_account";

/// What becomes of a subscription whose renewal couldn't be collected by the last retry. Kept by these names in the
/// sandbox's database. An account begins with the first; whether Stripe begins with it, its documents don't say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AfterLastRetry {
    #[default]
    Cancel,
    /// It goes on without access: its invoices stay drafts, until its latest is paid.
    MarkUnpaid,
    /// It goes on as if there were another retry: its next invoice is collected as any.
    LeavePastDue,
}

impl AfterLastRetry {
    pub(crate) const ALL: [Self; 3] = [Self::Cancel, Self::MarkUnpaid, Self::LeavePastDue];

    /// What is chosen.
    pub(crate) fn of(tx: &Tx) -> Self {
        let chosen = tx.get(KIND, ID).map(|doc| doc.object["after_last_retry"].clone());
        chosen.and_then(|chosen| Self::deserialize(chosen).ok()).unwrap_or_default()
    }

    /// As it is kept, and sent by the panel's form.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Cancel => "cancel",
            Self::MarkUnpaid => "mark_unpaid",
            Self::LeavePastDue => "leave_past_due",
        }
    }
}

impl Sandbox {
    /// Chooses what becomes of subscriptions after the last retry from now on.
    ///
    /// # Errors
    /// If the sandbox's database can't be written; the choice is what it was then.
    pub(crate) async fn choose(&self, chosen: AfterLastRetry) -> Result<(), WriteFailed> {
        self.transact(Cause::default(), |tx| {
            if tx.get(KIND, ID).is_none() {
                tx.insert(KIND, json!({"id": ID, "object": KIND.object()}), Value::Null);
            }
            tx.change(KIND, ID, |doc| doc.object["after_last_retry"] = json!(chosen));
            (true, ())
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_kept_by_its_name() {
        for choice in AfterLastRetry::ALL {
            assert_eq!(json!(choice), choice.as_str());
        }
    }
}
