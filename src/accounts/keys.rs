//! API keys: a program's way to act as its user.

use uuid::Uuid;

use super::{Accounts, tokens};
use crate::domain::{ApiKey, Caller, KeyId, NewApiKey, Refusal, User, text};
use crate::error::Result;
use crate::storage::{NewKeyRow, PageRequest, PageRows};

const PREFIX: &str = "tg_";
/// Keys one user may have.
const MOST: i64 = 50;
/// How much of a key is kept readable, to tell one from another.
const SHOWN: usize = 10;

impl Accounts {
    /// Makes a key. The answer is the only time it is shown.
    ///
    /// # Errors
    /// [`Refusal::Invalid`], [`Refusal::TooManyKeys`]; the database's.
    pub async fn create_key(&self, user: &User, name: &str) -> Result<NewApiKey> {
        let name = text(name, "Name", 1, 100).map_err(|message| Refusal::field("name", message))?;
        let key = tokens::new(PREFIX);
        let row = NewKeyRow {
            id: Uuid::now_v7().into(),
            user_id: user.id,
            name,
            prefix: key[..SHOWN].to_owned(),
            key_hash: tokens::hash(&key),
        };
        self.store.add_key(&row, MOST, self.clock.now()).await?;
        Ok(NewApiKey { id: row.id, name: row.name, prefix: row.prefix, key })
    }

    /// The user's keys, newest first.
    pub async fn keys(&self, user: &User) -> Result<Vec<ApiKey>> {
        self.store.keys(user.id).await
    }

    /// One page of [`Accounts::keys`].
    ///
    /// # Errors
    /// The database's.
    pub async fn keys_page(&self, user: &User, page: PageRequest<KeyId>) -> Result<PageRows<ApiKey>> {
        self.store.keys_page(user.id, page).await
    }

    /// Revokes one of the user's keys: the next request with it is refused.
    ///
    /// # Errors
    /// [`Refusal::NotFound`], also for another user's key; the database's.
    pub async fn revoke_key(&self, user: &User, id: KeyId) -> Result<()> {
        self.store.revoke_key(user.id, id, self.clock.now()).await?;
        self.changes.note();
        Ok(())
    }

    /// The user a key acts as, and the key, if it is one. One that another process revoked is, for up to a second.
    ///
    /// # Errors
    /// The database's.
    pub async fn caller_of_key(&self, key: &str) -> Result<Option<Caller>> {
        if !key.starts_with(PREFIX) {
            return Ok(None);
        }
        let read = async |hash: &Vec<u8>| self.store.caller_of_key(hash, self.clock.now()).await;
        self.callers.get(tokens::hash(key), read).await
    }
}
