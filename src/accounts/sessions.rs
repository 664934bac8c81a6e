//! Browsers' sessions, kept in the database under a hash of the cookie.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store;
use tower_sessions::session_store::{Error, Result};
use uuid::Uuid;

use super::Accounts;
use super::recent::{Changes, Recent};
use crate::clock::Clock;
use crate::domain::{Session, SessionId, User, UserId};
use crate::storage::{PageRequest, PageRows, SessionRow, Store};

/// Under which name a session keeps [`SignedIn`].
pub const SIGNED_IN: &str = "signed_in";

/// All that a session keeps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedIn {
    pub user: UserId,
    /// In words.
    pub user_agent: String,
}

/// What a session is found by: a hash of its cookie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionKey(Vec<u8>);

impl SessionKey {
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl From<Id> for SessionKey {
    fn from(id: Id) -> Self {
        Self(Sha256::digest(id.0.to_be_bytes()).to_vec())
    }
}

impl Accounts {
    /// The user's sessions, newest first; `current` is the one that asks.
    ///
    /// # Errors
    /// The database's.
    pub async fn sessions(&self, user: &User, current: &SessionKey) -> crate::error::Result<Vec<Session>> {
        Ok(self.sessions_page(user, Some(current), PageRequest::all()).await?.rows)
    }

    /// One page of the user's sessions, newest first; `current` is the one that asks, if one does.
    ///
    /// # Errors
    /// The database's.
    pub async fn sessions_page(
        &self,
        user: &User,
        current: Option<&SessionKey>,
        page: PageRequest<SessionId>,
    ) -> crate::error::Result<PageRows<Session>> {
        let PageRows { rows, more } = self.store.sessions_page(user.id, self.clock.now(), page).await?;
        let session = |row: SessionRow| Session {
            current: current.is_some_and(|current| current.0 == row.id_hash),
            id: row.id,
            created_at: row.created_at,
            last_seen_at: row.last_seen_at,
            user_agent: row.user_agent,
        };
        Ok(PageRows { rows: rows.into_iter().map(session).collect(), more })
    }

    /// Ends one of the user's sessions.
    ///
    /// # Errors
    /// [`crate::domain::Refusal::NotFound`], also for another user's session; the database's.
    pub async fn end_session(&self, user: &User, id: SessionId) -> crate::error::Result<()> {
        self.store.end_session(user.id, id).await?;
        self.changed(user.group.as_ref().map(|group| group.id));
        Ok(())
    }

    /// Ends the user's sessions, all but the one that asks.
    ///
    /// # Errors
    /// The database's.
    pub async fn end_other_sessions(&self, user: &User, current: &SessionKey) -> crate::error::Result<()> {
        let mut tx = self.store.begin().await?;
        tx.end_sessions(user.id, Some(current.as_bytes())).await?;
        tx.commit().await?;
        self.changed(user.group.as_ref().map(|group| group.id));
        Ok(())
    }
}

/// A store of sessions on the application's database.
#[derive(Clone, Debug)]
pub struct SessionStore {
    store: Store,
    clock: Clock,
    /// Sessions by the hash of their cookie.
    recent: Recent<Vec<u8>, SessionRow>,
    changes: Changes,
}

impl SessionStore {
    pub(super) fn new(store: Store, clock: Clock, changes: &Changes) -> Self {
        Self { store, clock, recent: Recent::new(changes), changes: changes.clone() }
    }
}

fn expires_at(record: &Record) -> DateTime<Utc> {
    DateTime::from_timestamp(record.expiry_date.unix_timestamp(), 0).unwrap_or_default()
}

fn backend(error: crate::error::Error) -> session_store::Error {
    Error::Backend(error.to_string())
}

#[async_trait::async_trait]
impl tower_sessions::SessionStore for SessionStore {
    async fn create(&self, record: &mut Record) -> Result<()> {
        let data = record.data.get(SIGNED_IN).cloned().unwrap_or_default();
        let SignedIn { user, user_agent } =
            serde_json::from_value(data).map_err(|error| Error::Encode(error.to_string()))?;
        let now = self.clock.now();
        let mut row = SessionRow {
            id_hash: SessionKey::from(record.id).0,
            id: Uuid::now_v7().into(),
            user_id: user,
            user_agent,
            created_at: now,
            last_seen_at: now,
            expires_at: expires_at(record),
        };
        while !self.store.add_session(&row).await.map_err(backend)? {
            record.id = Id::default();
            row.id_hash = SessionKey::from(record.id).0;
        }
        Ok(())
    }

    async fn save(&self, record: &Record) -> Result<()> {
        let key = SessionKey::from(record.id);
        self.store.extend_session(&key.0, expires_at(record)).await.map_err(backend)?;
        self.changes.note();
        Ok(())
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let now = self.clock.now();
        let read = async |hash: &Vec<u8>| self.store.session(hash, now).await;
        let found = self.recent.get(SessionKey::from(*id).0, read).await.map_err(backend)?;
        let Some(row) = found.filter(|row| row.expires_at > now) else { return Ok(None) };
        let signed_in = SignedIn { user: row.user_id, user_agent: row.user_agent };
        let data = serde_json::to_value(signed_in).map_err(|error| Error::Decode(error.to_string()))?;
        let data: Map<String, Value> = Map::from_iter([(SIGNED_IN.to_owned(), data)]);
        let expiry_date = time::OffsetDateTime::from_unix_timestamp(row.expires_at.timestamp())
            .map_err(|error| Error::Decode(error.to_string()))?;
        Ok(Some(Record { id: *id, data: data.into_iter().collect(), expiry_date }))
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        self.store.delete_session(&SessionKey::from(*id).0).await.map_err(backend)?;
        self.changes.note();
        Ok(())
    }
}
