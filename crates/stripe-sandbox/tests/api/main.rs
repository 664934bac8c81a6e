//! The Stripe sandbox, from outside: over HTTP, on a port of its own, as an application meets it.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test that can't go on fails, and says where it is"
)]

mod support;

mod cards;
mod catalogue;
mod changes_to_pay;
mod checkout;
mod cli;
mod conformance;
mod conventions;
mod credit_notes;
mod customer_discounts;
mod discounted_prorations;
mod discounts;
mod disputes;
mod ends_and_pauses;
mod expansion;
mod failed_payments;
mod hand_made_invoices;
mod hosted_invoices;
mod meters;
mod official_client;
mod on_a_clock;
mod payments;
mod plan_changes;
mod portal;
mod refunds;
mod schedules;
mod schedules_of_customers;
mod schema;
mod search;
mod sources;
mod storage;
mod subscriptions;
mod tax_ids;
mod test_clocks;
mod time;
mod web_pages;
mod webhooks;
