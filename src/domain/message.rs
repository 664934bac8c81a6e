//! E-mail as the operator sees it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::MessageId;

/// Where a message stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub enum MessageState {
    /// To be sent, now or at its next attempt.
    Waiting,
    /// A mail server has taken it.
    Sent,
    /// Given up: refused for good, or tried too often.
    Failed,
    /// Written while no mail server was set. It isn't sent by itself; the SuperAdmin reads it.
    Kept,
}

impl MessageState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Kept => "kept",
        }
    }
}

impl TryFrom<String> for MessageState {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let states = [Self::Waiting, Self::Sent, Self::Failed, Self::Kept];
        let known = states.into_iter().find(|state| state.as_str() == text);
        known.ok_or_else(|| format!("unknown state of a message: {text}"))
    }
}

/// A message of the outbox, without its text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct OutboxMessage {
    pub id: MessageId,
    /// The address it goes to.
    pub recipient: String,
    pub subject: String,
    pub state: MessageState,
    /// How often sending it was tried.
    pub attempts: i64,
    pub created_at: DateTime<Utc>,
    /// When a mail server took it; null until then.
    pub sent_at: Option<DateTime<Utc>>,
}
