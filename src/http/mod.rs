//! The HTTP layer: what every request passes before a handler sees it, and every answer after.

pub mod auth;
pub mod body;
pub mod client;
pub mod edge;
pub mod headers;
pub mod limits;
pub mod origin;
pub mod problem;
pub mod request_id;
pub mod serve;
pub mod slash;
pub mod traffic;
pub mod user_agent;
