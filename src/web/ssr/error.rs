//! From the inside's error to the one a browser sees.

use axum::http::StatusCode;

use crate::domain::{FieldErrors, Refusal};
use crate::error::Error;
use crate::http::problem::types::ALL;
use crate::web::AppError;

impl From<Error> for AppError {
    /// Keeps what is meant for people, logs the rest, and says of it only that it happened.
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(refusal) => refusal.into(),
            inside => {
                tracing::error!(error = %inside, "a page could not be served");
                if inside.is_stripes() { Self::Stripe } else { Self::Unavailable }
            }
        }
    }
}

impl From<FieldErrors> for AppError {
    fn from(errors: FieldErrors) -> Self {
        Refusal::from(errors).into()
    }
}

/// The HTTP status that goes with an error: the API's.
pub fn status(error: &AppError) -> StatusCode {
    let of_code = |code| ALL.iter().find(|kind| kind.code == code).map(|kind| kind.status);
    error.code().and_then(of_code).unwrap_or(StatusCode::SERVICE_UNAVAILABLE)
}
