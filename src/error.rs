//! What a service answers when it can't do what was asked.
//!
//! [`Error::Refused`] is meant for whoever asked. The rest is the inside: it is logged where it is handled,
//! once, and whoever asked learns only that the service is unavailable.

use thiserror::Error;

use crate::domain::{FieldErrors, Refusal};

#[derive(Debug, Error)]
pub enum Error {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
    /// Stripe did not answer, or not in a way that makes sense.
    #[error("stripe: {0}")]
    Stripe(String),
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

impl From<FieldErrors> for Error {
    fn from(errors: FieldErrors) -> Self {
        Self::Refused(errors.into())
    }
}

pub type Result<T, E = Error> = std::result::Result<T, E>;
