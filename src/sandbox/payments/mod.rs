//! Payments: keeping cards, charging them, setting them up, and 3D Secure.

mod charge;
mod intent;
pub(super) mod methods;
pub(super) mod payment;
pub(super) mod setup;

use serde_json::json;

use super::cards::Decline;
use super::engine::{ChallengeError, Kind, Tx};
use super::http::ApiError;

pub(super) use intent::{Terms, check_secret, client_view};

/// The error for a declined card.
pub(super) fn declined(decline: &Decline) -> ApiError {
    let error = ApiError::card(decline.code, decline.message);
    match decline.decline_code {
        Some(code) => error.with("decline_code", json!(code)),
        None => error,
    }
}

/// Answers the challenge that an intent waits for.
///
/// # Errors
/// If there is no such intent, or it isn't waiting.
pub(super) fn authenticate(tx: &mut Tx, id: &str, approve: bool) -> Result<(), ChallengeError> {
    for kind in [Kind::PaymentIntent, Kind::SetupIntent] {
        let Some(intent) = tx.get(kind, id) else { continue };
        if intent.object["status"] != "requires_action" {
            return Err(ChallengeError::NotWaiting);
        }
        // A decline after the challenge stands on the intent; the challenge itself was answered.
        let _ = match kind {
            Kind::PaymentIntent => payment::answer_challenge(tx, id, approve),
            _ => setup::answer_challenge(tx, id, approve),
        };
        return Ok(());
    }
    Err(ChallengeError::NoSuchIntent)
}
