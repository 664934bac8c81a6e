//! An event of Stripe's that nobody could work off.

use chrono::{DateTime, Utc};

/// An event that was tried so often in vain that it isn't tried again by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenUpEvent {
    /// Stripe's.
    pub id: String,
    pub event_type: String,
    pub attempts: i64,
    pub received_at: DateTime<Utc>,
    /// What the last attempt failed with, in words.
    pub last_error: String,
}
