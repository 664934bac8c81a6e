//! From the inside's error to the one a browser sees.

use axum::http::StatusCode;

use crate::domain::{FieldErrors, Refusal};
use crate::error::Error;
use crate::web::AppError;

impl From<Error> for AppError {
    /// Keeps what is meant for people, logs the rest, and says of it only that it happened.
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(refusal) => refusal.into(),
            inside => {
                tracing::error!(error = %inside, "a page could not be served");
                Self::Unavailable
            }
        }
    }
}

impl From<FieldErrors> for AppError {
    fn from(errors: FieldErrors) -> Self {
        Refusal::from(errors).into()
    }
}

/// The HTTP status that goes with an error.
pub fn status(error: &AppError) -> StatusCode {
    match error.refusal() {
        None => StatusCode::SERVICE_UNAVAILABLE,
        Some(refusal) => match refusal {
            Refusal::Malformed(_) => StatusCode::BAD_REQUEST,
            Refusal::NotSignedIn | Refusal::WrongCredentials => StatusCode::UNAUTHORIZED,
            Refusal::CardDeclined { .. } => StatusCode::PAYMENT_REQUIRED,
            Refusal::Forbidden(_) | Refusal::CrossOrigin | Refusal::SignupClosed => StatusCode::FORBIDDEN,
            Refusal::NotFound(_) | Refusal::NoSubscription => StatusCode::NOT_FOUND,
            Refusal::InvitationGone => StatusCode::GONE,
            Refusal::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Refusal::TooManyAttempts { .. } => StatusCode::TOO_MANY_REQUESTS,
            _ => StatusCode::CONFLICT,
        },
    }
}
