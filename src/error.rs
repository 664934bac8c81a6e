//! What a service answers when it can't do what was asked.
//!
//! [`Error::Refused`] is meant for the caller. The rest is the inside: it is logged where it is handled, once, and the
//! caller learns only that the service is unavailable.

use thiserror::Error;

use crate::domain::{FieldErrors, Refusal};

/// What has too many requests where Stripe says so.
pub const STRIPE: &str = "Stripe";

#[derive(Debug, Error)]
pub enum Error {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
    /// Stripe did not answer, or not in a way that makes sense.
    #[error("stripe: {0}")]
    Stripe(String),
    /// A part of the server can't do its work at the moment. The same request may succeed later.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// More is asked for at once than can be done soon.
    #[error("overloaded: {what}")]
    Overloaded {
        what: &'static str,
        /// Seconds.
        retry_after: u64,
    },
    /// The server is stopping, or one of its workers is gone.
    #[error("stopping: {0}")]
    Stopping(&'static str),
    /// Something that can't happen, happened.
    #[error("internal: {0}")]
    Internal(String),
}

impl Error {
    /// Whether it is Stripe that doesn't do what it was asked.
    pub fn is_stripes(&self) -> bool {
        matches!(self, Self::Stripe(_) | Self::Overloaded { what: STRIPE, .. })
    }

    /// The same error for another of several callers who wait for one piece of work.
    #[must_use]
    pub fn shared(&self) -> Self {
        match self {
            Self::Refused(refusal) => Self::Refused(refusal.clone()),
            // The database's own error can't be cloned; callers are answered the same for either.
            Self::Database(error) => Self::Unavailable(format!("database: {error}")),
            Self::Stripe(text) => Self::Stripe(text.clone()),
            Self::Unavailable(text) => Self::Unavailable(text.clone()),
            Self::Overloaded { what, retry_after } => Self::Overloaded { what, retry_after: *retry_after },
            Self::Stopping(text) => Self::Stopping(text),
            Self::Internal(text) => Self::Internal(text.clone()),
        }
    }
}

impl From<FieldErrors> for Error {
    fn from(errors: FieldErrors) -> Self {
        Self::Refused(errors.into())
    }
}

pub type Result<T, E = Error> = std::result::Result<T, E>;
