//! Tollgate: plans, payments and token limits for products that sell AI by subscription.
//!
//! # The house
//!
//! | room | what it is for |
//! |---|---|
//! | [`domain`] | the rules, pure, for the server and the browser: money, plans, periods, levels, roles |
//! | `config`, `clock`, `error` | the environment, typed; the time; what a service answers when it can't |
//! | `storage` | the only room that speaks SQL: one text for SQLite and PostgreSQL |
//! | `accounts` | sign-up, sign-in, sessions, API keys, teams |
//! | `metering` | the ledger: one writer, summaries, limits, telling who follows |
//! | `billing` | the catalogue, checkout, the webhook inbox, keeping in step with Stripe |
//! | `notify` | the outbox and e-mail |
//! | `api` | REST: handlers, the OpenAPI document, idempotency |
//! | `web_pages` | the pages: route table, and what each shows, rendered whole on the server |
//! | [`web`] | what both sides compile: islands, the components they are made of, server functions |
//! | `web_server`, [`web_browser`] | what stands behind the pages on each side |
//! | `server` | what every request passes: sessions, origins, headers, metrics; what every refusal looks like |
//! | `sandbox` | a Stripe to try everything against; shares nothing with the rest |
//! | `services`, `router`, `start`, `workers` | the composition root |
//! | `cli`, `demo` | the command line; the demo data |
//!
//! Who may use whom is checked by a test, `tests/it/rooms.rs`.
//!
//! # How it flows
//!
//! **A token spent.** A request to `usage/events/` → [`metering`](crate) checks it → the writer, one task a
//! process, gathers what arrived while the last commit ran → one transaction: ledger rows, sums → everybody
//! who waited is answered → the streams tell the open dashboards.
//!
//! **A plan bought.** The page → a server function → billing takes the group's one place in the database →
//! Stripe → the card form confirms, with 3D Secure → a webhook → the inbox → a fetch from Stripe → storage →
//! the page sees it.
//!
//! Every feature gate stands in this file: `ssr` is the server, `hydrate` the browser.
#![recursion_limit = "256"]

#[cfg(all(feature = "ssr", feature = "hydrate"))]
compile_error!("`ssr` is the server and `hydrate` the browser: build one at a time");

pub mod domain;
pub mod web;

#[cfg(feature = "hydrate")]
#[path = "web/browser/mod.rs"]
pub mod web_browser;
#[cfg(not(feature = "hydrate"))]
#[path = "web/browser/absent.rs"]
pub mod web_browser;
#[cfg(feature = "ssr")]
#[path = "web/pages/mod.rs"]
pub mod web_pages;
#[cfg(feature = "ssr")]
#[path = "web/server/mod.rs"]
pub mod web_server;

#[cfg(feature = "ssr")]
pub mod accounts;
#[cfg(feature = "ssr")]
pub mod api;
#[cfg(feature = "ssr")]
pub mod billing;
#[cfg(feature = "ssr")]
pub mod cli;
#[cfg(feature = "ssr")]
pub mod clock;
#[cfg(feature = "ssr")]
pub mod config;
#[cfg(feature = "ssr")]
pub mod demo;
#[cfg(feature = "ssr")]
pub mod error;
#[cfg(feature = "ssr")]
pub mod metering;
#[cfg(feature = "ssr")]
pub mod notify;
#[cfg(feature = "ssr")]
pub mod router;
#[cfg(feature = "ssr")]
pub mod sandbox;
#[cfg(feature = "ssr")]
pub mod server;
#[cfg(feature = "ssr")]
pub mod services;
#[cfg(feature = "ssr")]
pub mod start;
#[cfg(feature = "ssr")]
pub mod storage;
#[cfg(feature = "ssr")]
pub mod workers;
