//! The HTTP layer: what every request passes before a handler sees it, and every answer after.

pub mod auth;
pub mod client;
pub mod edge;
pub mod headers;
pub mod metrics;
pub mod origin;
pub mod problem;
pub mod request_id;
pub mod shutdown;
pub mod slash;
