//! The application from outside: every test starts it on a free port, on SQLite and on PostgreSQL.

mod support;

mod accounts;
mod copy;
mod copy_in_use;
mod crash;
mod demo;
mod ledger;
mod ledger_periods;
mod ledger_properties;
mod locks;
mod malformed;
mod modules;
mod plans;
mod roles;
mod subscriptions;
mod team;
mod throttling;
mod time_limits;
mod usage;
mod webhook_properties;
