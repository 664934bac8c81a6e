//! Stripe's conventions over HTTP: everything about a request that isn't its subject.

mod address;
pub(super) mod auth;
mod field;
pub(super) mod form;
pub(super) mod host;
pub(super) mod idempotency;
mod list;
mod metadata;
mod origin;
pub(super) mod params;
mod route;
pub(super) mod version;

pub(super) use address::check_address;
pub(super) use auth::Role;
#[cfg(test)]
pub(super) use field::RANGE;
pub(super) use field::{Field, METADATA, Shape, opt, req, unsupported};
pub(super) use list::{in_range, matches, page, page_of, page_of_values};
pub(super) use metadata::{given, merge_metadata, new_metadata, set};
pub(super) use origin::same_origin;
pub(super) use route::{Call, Route, delete, get, list, post};
