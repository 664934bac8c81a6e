//! The sandbox's memory: documents, transactions over them, and the file they are kept in.
//!
//! Everything the sandbox knows is a document: an object as the API shows it, and beside it what the API
//! doesn't show. They live in memory; a transaction collects changes, which reach the file before they
//! reach the memory, so that nothing that was answered is lost.

mod clocks;
mod collection;
mod disk;
mod error;
mod feed;
mod find;
mod id;
mod kind;
pub(super) mod objects;
mod outbox;
mod packed;
mod sandbox;
mod state;
mod tx;
mod view;

pub(super) use disk::Disk;
pub(super) use error::ApiError;
pub(super) use feed::{News, RequestLog};
pub(super) use find::Walk;
#[cfg(test)]
pub(super) use id::number_ids_from;
pub(super) use id::{new_id, new_secret};
pub(super) use kind::Kind;
pub(super) use sandbox::Schedule;
pub use sandbox::{Sandbox, WriteFailed};
pub(super) use state::Doc;
pub(super) use tx::{Cause, Tx};
pub(super) use view::plan;

use serde_json::Value;

/// The id of the one account that there is.
pub(super) const ACCOUNT: &str = "acct_1StripeSandbox0";

/// The version whose shapes the objects have.
pub(super) const API_VERSION: &str = "2026-09-30.endive";

/// One object of the fields of several: `json!` can't write a long one in one piece.
pub(super) fn join<const N: usize>(parts: [Value; N]) -> Value {
    let fields = parts.into_iter().filter_map(|part| match part {
        Value::Object(fields) => Some(fields),
        _ => None,
    });
    Value::Object(fields.flatten().collect())
}
