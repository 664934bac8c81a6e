//! What the application's tests and its benchmarks share.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test that can't go on fails")]

pub mod app;
pub mod databases;
pub mod process;
pub mod seed;
pub mod smtp;
