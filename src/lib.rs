//! Tollgate: plans, payments and token limits for products that sell AI by subscription.
//!
//! # The modules
//!
//! | module | what it owns |
//! |---|---|
//! | [`domain`] | the rules, pure, for the server and the browser: money, plans, periods, levels, roles |
//! | `config`, `clock`, `error` | the environment, typed; the time; what a service answers when it can't |
//! | `storage` | the only module that speaks SQL: one text for SQLite and PostgreSQL |
//! | `accounts` | sign-up, sign-in, sessions, passwords, API keys, teams |
//! | `metering` | the ledger: one writer, summaries, limits, notifying open pages |
//! | `billing` | the catalogue, checkout, invoices, the webhook inbox, keeping in step with Stripe |
//! | `chat` | members' conversations with a model |
//! | `gateway` | OpenAI's API at `/v1`: counts, holds, asks the model server, passes on, settles |
//! | `groups` | all groups, for the SuperAdmin: the list, and one as its admin sees it |
//! | `notify` | e-mail: what it says, who is told of what, the outbox |
//! | `reports` | the ledger and the invoices as files, of any size; the operator's figures |
//! | `api` | REST: handlers, the OpenAPI document, idempotency |
//! | [`web`] | the pages: islands and components for both sides, `pages` and `ssr` for the server, `client` for the browser |
//! | `http` | what every request passes: sessions, origins, headers, metrics; what every refusal looks like |
//! | `services`, `router`, `start`, `jobs`, `stop` | the composition root |
//! | `metrics` | what is counted, and its names |
//! | `cli`, `demo` | the command line; the demo data |
//!
//! The Stripe sandbox and the demo model are crates of their own, `crates/stripe-sandbox` and `crates/demo-model`;
//! this one meets them over HTTP only.
//! Which module may use which is checked by a test, `tests/it/modules/`.
//!
//! # How it flows
//!
//! **A token spent.** A request to `usage/events/` → [`metering`](crate) checks it → the writer, one task a
//! process, gathers what arrived while the last commit ran → one transaction: ledger rows, sums → every
//! caller that waited is answered → the streams tell the open dashboards.
//!
//! **A plan bought.** The page → a server function → billing reserves the group's one subscription → Stripe
//! makes it → the card form confirms, with 3D Secure → a webhook → the inbox → a fetch from Stripe → storage → the
//! page sees it.
//!
//! **A group told of something.** The transaction of the cause (a threshold passed, a status changed) writes one notice → a
//! job, woken at once, finds out who is to know, and writes a message for each into the outbox → the mailer sends it.
//!
//! `ssr` is the server and `hydrate` the browser. Their gates stand on `mod` lines, here and in `web/mod.rs`, and
//! on derives in `domain`.
#![recursion_limit = "256"]

#[cfg(all(feature = "ssr", feature = "hydrate"))]
compile_error!("`ssr` is the server and `hydrate` the browser: build one at a time");

pub mod domain;
pub mod web;

#[cfg(feature = "ssr")]
pub mod accounts;
#[cfg(feature = "ssr")]
pub mod api;
#[cfg(feature = "ssr")]
pub mod billing;
#[cfg(feature = "ssr")]
pub mod chat;
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
pub mod gateway;
#[cfg(feature = "ssr")]
pub mod groups;
#[cfg(feature = "ssr")]
pub mod http;
#[cfg(feature = "ssr")]
pub mod jobs;
#[cfg(feature = "ssr")]
pub mod metering;
#[cfg(feature = "ssr")]
pub mod metrics;
#[cfg(feature = "ssr")]
pub mod notify;
#[cfg(feature = "ssr")]
pub mod reports;
#[cfg(feature = "ssr")]
pub mod router;
#[cfg(feature = "ssr")]
pub mod services;
#[cfg(feature = "ssr")]
pub mod start;
#[cfg(feature = "ssr")]
pub mod stop;
#[cfg(feature = "ssr")]
pub mod storage;
