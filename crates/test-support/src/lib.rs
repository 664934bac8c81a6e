//! What the application's tests and its benchmarks share.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test that can't go on fails, and says where it is"
)]

pub mod app;
pub mod databases;
pub mod process;
pub mod seed;
pub mod smtp;
pub mod upstream;
