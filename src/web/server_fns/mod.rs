//! Server functions: what a form or an island may ask of the server.
//!
//! Each is a public endpoint under `/fn/` that anyone can call, so each checks who is asking before it does
//! anything, and leaves the rules to the service it calls. A form's function ends in a redirect to the page
//! that shows what came of it ([`go_on`](crate::web::ssr::forms::go_on)); what it refuses comes back to the
//! form's own page.

pub mod account;
pub mod billing;
pub mod chat;
pub mod events;
pub mod groups;
pub mod keys;
pub mod notifications;
pub mod plans;
pub mod settings;
pub mod subscription;
pub mod team;
pub mod usage;
