//! Billing: subscriptions, their invoices, and what falls due.

mod amount;
mod collection;
pub(super) mod create;
pub(super) mod due;
pub(super) mod invoices;
mod lines;
pub(super) mod paying;
mod period;
pub(super) mod prices;
mod renewal;
mod shape;
pub(super) mod subscriptions;
pub(super) mod test_clocks;
pub(super) mod timing;
pub(super) mod update;

pub use paying::ChallengeError;
pub(super) use period::Interval;
