//! What was read a moment ago, so that a caller who asks often isn't looked up each time.
//!
//! What is kept is at most a second old, so a key that another process revokes is refused within that. What this
//! process changes counts at once: every change discards all that was read before it, or is being read.

use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use moka::sync::Cache;

/// How old an entry may be.
const AGE: Duration = Duration::from_secs(1);
/// Entries kept at most.
const MOST: u64 = 10_000;

/// Counts the changes that make what was read before worthless. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct Changes(Arc<AtomicU64>);

impl Changes {
    /// Discards what was read before. Call it once the change is committed.
    pub fn note(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    fn count(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// Values by key, each for a second at most. Clones share them.
#[derive(Clone, Debug)]
pub struct Recent<K: Hash + Eq + Send + Sync + 'static, V: Clone + Send + Sync + 'static> {
    changes: Changes,
    /// With how many changes there had been before the value was read.
    entries: Cache<K, (u64, V)>,
}

impl<K: Hash + Eq + Send + Sync + 'static, V: Clone + Send + Sync + 'static> Recent<K, V> {
    pub fn new(changes: &Changes) -> Self {
        let entries = Cache::builder().max_capacity(MOST).time_to_live(AGE).build();
        Self { changes: changes.clone(), entries }
    }

    /// The value, as read a moment ago or else as `read` gives it now. That there is none isn't kept.
    ///
    /// # Errors
    /// What `read` fails with.
    pub async fn get<E>(
        &self,
        key: K,
        read: impl AsyncFnOnce(&K) -> Result<Option<V>, E>,
    ) -> Result<Option<V>, E> {
        // Before reading: a change while it is read makes it old.
        let changes = self.changes.count();
        if let Some((read_at, value)) = self.entries.get(&key)
            && read_at == changes
        {
            return Ok(Some(value));
        }
        let value = read(&key).await?;
        if let Some(value) = &value {
            self.entries.insert(key, (changes, value.clone()));
        }
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    async fn get(recent: &Recent<u8, u8>, value: Option<u8>) -> Option<u8> {
        recent.get(7, async |_| Ok::<_, Infallible>(value)).await.unwrap_or_default()
    }

    #[tokio::test]
    async fn a_value_is_read_once_until_something_changes() {
        let changes = Changes::default();
        let recent = Recent::new(&changes);
        assert_eq!(get(&recent, None).await, None);
        assert_eq!(get(&recent, Some(1)).await, Some(1), "that there is none isn't kept");
        assert_eq!(get(&recent, Some(2)).await, Some(1));
        changes.note();
        assert_eq!(get(&recent, Some(3)).await, Some(3));
    }

    #[tokio::test]
    async fn what_is_read_while_something_changes_is_not_kept() {
        let changes = Changes::default();
        let recent = Recent::new(&changes);
        let read = recent.get(7, async |_| {
            changes.note();
            Ok::<_, Infallible>(Some(1))
        });
        assert_eq!(read.await, Ok(Some(1)));
        assert_eq!(get(&recent, Some(2)).await, Some(2));
    }
}
