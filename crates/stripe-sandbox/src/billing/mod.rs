//! Billing: subscriptions, their invoices, and what falls due.

mod adjustments;
mod amount;
pub(super) mod by_hand;
pub(super) mod checkout;
mod collection;
pub(super) mod create;
pub(super) mod credit_notes;
pub(super) mod customer_balance;
pub(super) mod discounts;
pub(super) mod due;
pub(super) mod invoice_items;
pub(super) mod invoices;
mod items;
mod lines;
pub(super) mod paying;
pub(super) mod pending_update;
mod period;
pub(super) mod portal;
pub(super) mod preview;
pub(super) mod prices;
mod proration;
pub(super) mod rebill;
mod renewal;
pub(super) mod schedules;
mod shape;
pub(super) mod subscriptions;
pub(super) mod tax_rates;
pub(super) mod test_clocks;
pub(super) mod timing;
mod totals;
mod upcoming;
pub(super) mod update;

pub(super) use amount::amount;
pub use paying::ChallengeError;
pub(super) use period::Interval;
