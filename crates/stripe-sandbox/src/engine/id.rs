//! Ids and secrets that look like Stripe's.

use rand::RngExt;
use rand::distr::Alphanumeric;

use super::Kind;

fn random(length: usize) -> String {
    #[cfg(test)]
    if let Some(number) = numbered::next() {
        return format!("{:x<length$}", format!("{number}x"));
    }
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

#[cfg(test)]
pub(crate) use numbered::number_ids_from;

/// Ids that are the same in each run of a test.
#[cfg(test)]
mod numbered {
    use std::cell::Cell;

    thread_local!(static NEXT: Cell<Option<u64>> = const { Cell::new(None) });

    /// Gives the ids that this thread makes from now on numbers in place of letters, from this one up.
    pub(crate) fn number_ids_from(first: u64) {
        NEXT.set(Some(first));
    }

    pub(super) fn next() -> Option<u64> {
        let number = NEXT.get()?;
        NEXT.set(Some(number + 1));
        Some(number)
    }
}
