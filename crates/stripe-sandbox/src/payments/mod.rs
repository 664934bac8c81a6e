//! Payments: keeping cards, charging them, setting them up, and 3D Secure.

pub(super) mod balance;
pub(super) mod charge;
pub(super) mod dispute;
mod intent;
pub(super) mod methods;
pub(super) mod payment;
pub(super) mod refund;
pub(super) mod setup;
pub(super) mod sources;

pub(super) use intent::{ConfirmOptions, check_confirmation, check_secret, client_view};
