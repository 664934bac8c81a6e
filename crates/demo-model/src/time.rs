//! The time that answers carry.

use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds since 1970, of the machine's clock.
pub fn unix_now() -> u64 {
    #[allow(clippy::disallowed_methods, reason = "nothing here depends on the time: answers only state it")]
    let now = SystemTime::now();
    now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
