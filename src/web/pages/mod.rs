//! What each route shows: its data asked of the services, its HTML rendered whole.
//!
//! Compiled for the server only; what becomes live in the browser is in `web/islands/`.

mod account;
mod analytics;
mod app;
mod banner;
mod billing;
mod chat;
mod forgot;
mod groups;
mod home;
mod invite;
mod keys;
mod login;
mod outbox;
mod plans;
mod reports;
mod reset;
pub mod shell;
mod signup;
mod subscribe;
mod team;
mod unsubscribe;
mod usage;
