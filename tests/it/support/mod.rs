//! What the tests share.

pub mod app;
pub mod databases;
pub mod process;
pub mod seed;
