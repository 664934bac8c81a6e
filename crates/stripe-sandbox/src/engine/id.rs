//! Ids and secrets that look like Stripe's.

use rand::RngExt;
use rand::distr::Alphanumeric;

use super::Kind;

fn random(length: usize) -> String {
    rand::rng().sample_iter(Alphanumeric).take(length).map(char::from).collect()
}

/// A new id, such as `cus_` and 14 letters and digits.
pub(crate) fn new_id(kind: Kind) -> String {
    let length = match kind {
        // The address of a checkout's page is as secret as its session's id.
        Kind::CheckoutSession => 58,
        Kind::Customer | Kind::Product | Kind::SubscriptionItem => 14,
        _ => 24,
    };
    format!("{}_{}", kind.prefix(), random(length))
}

/// A secret of 24 letters and digits behind `prefix`.
pub(crate) fn new_secret(prefix: &str) -> String {
    format!("{prefix}{}", random(24))
}
