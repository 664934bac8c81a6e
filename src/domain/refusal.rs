//! Why a request is refused: what its sender can understand and act on.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{FieldError, FieldErrors, LimitReached};

/// A refusal, meant for the caller. Each has a stable code ([`Refusal::code`]) for programs and a
/// sentence for people.
#[derive(Clone, Debug, PartialEq, Error, Serialize, Deserialize)]
pub enum Refusal {
    #[error("The request is malformed: {0}")]
    Malformed(String),
    #[error("Sign in first.")]
    NotSignedIn,
    #[error("The e-mail address or the password is wrong.")]
    WrongCredentials,
    #[error("{0}")]
    Forbidden(String),
    #[error("The request comes from another site.")]
    CrossOrigin,
    #[error("There is no such {0}.")]
    NotFound(String),
    #[error("The group has no subscription.")]
    NoSubscription,
    #[error("The group already has a subscription.")]
    SubscriptionExists,
    #[error("A purchase of this group is still on its way to Stripe. Try again in a few seconds.")]
    PurchaseInProgress,
    #[error("{message}")]
    CardDeclined { message: String, decline_code: Option<String> },
    /// What Stripe refuses for a reason other than the card, in our words.
    #[error("{0}")]
    StripeRefused(String),
    #[error("The plan's {0} seats are taken.")]
    MaxUsersReached(i64),
    #[error("The group has {members} members and the plan {seats} seats. Remove members first.")]
    TooManyMembers { members: i64, seats: i64 },
    #[error("There are {0} API keys, as many as one user may have. Revoke one first.")]
    TooManyKeys(i64),
    #[error("The group needs at least one admin. Make another member an admin first.")]
    LastAdmin,
    #[error("There is an account with this e-mail address already.")]
    EmailTaken,
    #[error("The invitation has expired, was used or was withdrawn.")]
    InvitationGone,
    #[error("The link has expired, was used, or a newer one was asked for.")]
    ResetGone,
    #[error("Sign-up is closed here.")]
    SignupClosed,
    #[error("This plan can't be bought any more.")]
    PlanArchived,
    #[error("An event with the id {id:?} was recorded before, with another body.")]
    EventMismatch { id: String },
    /// A hold that doesn't fit.
    #[error("{}", .0.message())]
    LimitReached(Box<LimitReached>),
    #[error("The group's subscription gives no access at present.")]
    NoAccess,
    #[error("A hold with the id {id:?} was asked for before, with another body.")]
    HoldMismatch { id: String },
    #[error("The hold was settled before, with another body.")]
    HoldSettled,
    #[error("The hold was released.")]
    HoldReleased,
    #[error("This Idempotency-Key was used before, with another request.")]
    IdempotencyMismatch,
    #[error("A request with this Idempotency-Key is still running.")]
    IdempotencyInProgress,
    #[error("{0}")]
    Conflict(String),
    #[error("Too many attempts. Try again in {}.", wait(*.retry_after))]
    TooManyAttempts { retry_after: u64 },
    #[error("{}", summary(.0))]
    Invalid(Vec<FieldError>),
}

impl Refusal {
    /// The stable code that programs match on.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed",
            Self::NotSignedIn => "not_signed_in",
            Self::WrongCredentials => "wrong_credentials",
            Self::Forbidden(_) => "forbidden",
            Self::CrossOrigin => "cross_origin",
            Self::NotFound(_) => "not_found",
            Self::NoSubscription => "no_subscription",
            Self::SubscriptionExists | Self::PurchaseInProgress => "subscription_exists",
            Self::CardDeclined { .. } => "card_declined",
            Self::StripeRefused(_) => "stripe_refused",
            Self::MaxUsersReached(_) => "max_users_reached",
            Self::TooManyMembers { .. } => "too_many_members",
            Self::TooManyKeys(_) => "too_many_keys",
            Self::LastAdmin => "last_admin",
            Self::EmailTaken => "email_taken",
            Self::InvitationGone => "invitation_gone",
            Self::ResetGone => "reset_gone",
            Self::SignupClosed => "signup_closed",
            Self::PlanArchived => "plan_archived",
            Self::EventMismatch { .. } => "event_mismatch",
            Self::LimitReached(_) => "limit_reached",
            Self::NoAccess => "no_access",
            Self::HoldMismatch { .. } => "hold_mismatch",
            Self::HoldSettled => "hold_settled",
            Self::HoldReleased => "hold_released",
            Self::IdempotencyMismatch => "idempotency_mismatch",
            Self::IdempotencyInProgress => "idempotency_in_progress",
            Self::Conflict(_) => "conflict",
            Self::TooManyAttempts { .. } => "too_many_attempts",
            Self::Invalid(_) => "invalid",
        }
    }

    /// One field, one message.
    pub fn field(field: &str, message: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError { field: field.into(), message: message.into() }])
    }
}

impl From<FieldErrors> for Refusal {
    fn from(errors: FieldErrors) -> Self {
        Self::Invalid(errors.into_vec())
    }
}

/// A time to wait as people say it, never shorter than it is.
fn wait(seconds: u64) -> String {
    match seconds.div_ceil(60) {
        0 | 1 => "a minute".into(),
        minutes @ 2..60 => format!("{minutes} minutes"),
        60 => "an hour".into(),
        minutes => format!("{} hours", minutes.div_ceil(60)),
    }
}

fn summary(errors: &[FieldError]) -> String {
    match errors {
        [] => "A value is invalid.".into(),
        [one] => one.message.clone(),
        [first, rest @ ..] => format!("{} And {} more.", first.message, rest.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_to_wait_is_said_in_minutes_and_hours() {
        for (retry_after, said) in
            [(1, "a minute"), (61, "2 minutes"), (898, "15 minutes"), (3_600, "an hour"), (3_601, "2 hours")]
        {
            let message = Refusal::TooManyAttempts { retry_after }.to_string();
            assert!(message.ends_with(&format!("Try again in {said}.")), "{message}");
        }
    }
}
