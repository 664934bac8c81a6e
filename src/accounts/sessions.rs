//! Browsers' sessions, kept in the database under a hash of the cookie.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store;
use tower_sessions::session_store::{Error, Result};

use super::recent::{Changes, Recent};
use crate::clock::Clock;
use crate::storage::Store;

/// A store of sessions on the application's database.
#[derive(Clone, Debug)]
pub struct SessionStore {
    store: Store,
    clock: Clock,
    /// The data of sessions by the hash of their id, and when they expire.
    recent: Recent<Vec<u8>, (String, DateTime<Utc>)>,
    changes: Changes,
}

impl SessionStore {
    pub(super) fn new(store: Store, clock: Clock, changes: &Changes) -> Self {
        Self { store, clock, recent: Recent::new(changes), changes: changes.clone() }
    }
}

fn hash(id: &Id) -> Vec<u8> {
    Sha256::digest(id.0.to_be_bytes()).to_vec()
}

fn encode(record: &Record) -> Result<(String, DateTime<Utc>)> {
    let data = serde_json::to_string(&record.data).map_err(|error| Error::Encode(error.to_string()))?;
    let expires_at = DateTime::from_timestamp(record.expiry_date.unix_timestamp(), 0).unwrap_or_default();
    Ok((data, expires_at))
}

fn backend(error: crate::error::Error) -> session_store::Error {
    Error::Backend(error.to_string())
}

#[async_trait::async_trait]
impl tower_sessions::SessionStore for SessionStore {
    async fn create(&self, record: &mut Record) -> Result<()> {
        let (data, expires_at) = encode(record)?;
        while !self.store.add_session(&hash(&record.id), &data, expires_at).await.map_err(backend)? {
            record.id = Id::default();
        }
        Ok(())
    }

    async fn save(&self, record: &Record) -> Result<()> {
        let (data, expires_at) = encode(record)?;
        self.store.put_session(&hash(&record.id), &data, expires_at).await.map_err(backend)?;
        self.changes.note();
        Ok(())
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let now = self.clock.now();
        let read = async |hash: &Vec<u8>| self.store.session(hash, now).await;
        let found = self.recent.get(hash(id), read).await.map_err(backend)?;
        let Some((data, expires_at)) = found.filter(|(_, expires_at)| *expires_at > now) else {
            return Ok(None);
        };
        let data: HashMap<String, Value> =
            serde_json::from_str(&data).map_err(|error| Error::Decode(error.to_string()))?;
        let expiry_date = time::OffsetDateTime::from_unix_timestamp(expires_at.timestamp())
            .map_err(|error| Error::Decode(error.to_string()))?;
        Ok(Some(Record { id: *id, data, expiry_date }))
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        self.store.delete_session(&hash(id)).await.map_err(backend)?;
        self.changes.note();
        Ok(())
    }
}
