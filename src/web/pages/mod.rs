//! What each route shows.

pub mod home;
pub mod invite;
pub mod keys;
pub mod login;
pub mod outbox;
pub mod plans;
pub mod signup;
pub mod subscribe;
pub mod team;
pub mod usage;
