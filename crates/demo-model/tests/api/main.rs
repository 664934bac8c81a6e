//! The demo model, from outside: over HTTP, on a port of its own, as a program that calls OpenAI meets it.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that can't go on fails, and says where it is"
)]

mod support;

mod chat;
mod chat_stream;
mod embeddings;
mod errors;
mod messages;
mod responses;
mod serving;
mod speech;
mod structured;
mod transcriptions;
