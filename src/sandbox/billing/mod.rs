//! Billing: subscriptions, their invoices, and what falls due.

pub(super) mod create;
pub(super) mod due;
pub(super) mod invoices;
mod lines;
mod money;
mod period;
mod shape;
pub(super) mod subscriptions;
pub(super) mod timing;
pub(super) mod update;

pub(super) use period::Interval;
