//! Server functions: what a page may ask of the server.
//!
//! Each is a public endpoint under `/fn/` that anybody can call, so each asks who is asking before it does
//! anything, and leaves the rules to the service it calls.

pub mod account;
pub mod keys;
pub mod outbox;
pub mod plans;
pub mod subscription;
pub mod team;
pub mod usage;
