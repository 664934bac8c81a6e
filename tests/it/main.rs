//! The application from outside: every test starts it on a free port, on SQLite and on PostgreSQL.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test that can't go on fails, and says where it is"
)]

use tollgate_test_support as support;

mod accounts;
mod analytics;
mod analytics_properties;
mod billing_chaos;
mod billing_cut_off_purchases;
mod billing_endings;
mod billing_entered_cards;
mod billing_failures;
mod billing_faults;
mod billing_given_up;
mod billing_invoices;
mod billing_life;
mod billing_missed;
mod billing_notices;
mod billing_payments;
mod billing_plan_changes;
mod billing_plans;
mod billing_prorations;
mod billing_purchases;
mod billing_reconcile;
mod billing_renewals;
mod billing_slow_stripe;
mod billing_stage;
mod billing_trials;
mod billing_years;
mod breakdown_properties;
mod chat;
mod copy;
mod copy_in_use;
mod crash;
mod delivery;
mod demo;
mod emails;
mod gateway;
mod gateway_refusals;
mod gateway_stage;
mod gateway_stream_faults;
mod gateway_streams;
mod gateway_voice;
mod groups;
mod groups_list;
mod holds;
mod holds_limits;
mod holds_model;
mod holds_race;
mod ledger;
mod ledger_checks;
mod ledger_periods;
mod ledger_properties;
mod ledger_views;
mod locks;
mod malformed;
mod modules;
mod notices;
mod outbox;
mod overage;
mod overage_charges;
mod overage_years;
mod overload;
mod own_account;
mod pages;
mod password_resets;
mod plans;
mod recount;
mod reports;
mod revocation;
mod roles;
mod statements;
mod stream;
mod subscriptions;
mod sweep;
mod sync_properties;
mod team;
mod team_changes;
mod throttling;
mod time_limits;
mod usage;
mod usage_page;
