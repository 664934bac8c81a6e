//! Reading once for all who ask at the same time.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Mutex as AsyncMutex;

use crate::error::Result;

/// What the last read of a key gave, and when it began.
type Last<V> = Option<(u64, Result<V>)>;

/// Reads of values by their keys. Who asks while a read is under way waits for the next one, with all others who do: it
/// began after each of them asked, so that none is answered with what was true before.
#[derive(Debug)]
pub struct SharedReads<K, V> {
    /// Counts what happens: who asked and which reads began, in their order.
    time: AtomicU64,
    /// Only of keys that are being read.
    places: Mutex<HashMap<K, Arc<AsyncMutex<Last<V>>>>>,
}

impl<K, V> Default for SharedReads<K, V> {
    fn default() -> Self {
        Self { time: AtomicU64::new(0), places: Mutex::default() }
    }
}

impl<K: Clone + Eq + Hash, V: Clone> SharedReads<K, V> {
    /// The value, as of this moment or later.
    ///
    /// # Errors
    /// Those of `read`, for all who shared it.
    pub async fn get(&self, key: K, read: impl AsyncFnOnce() -> Result<V>) -> Result<V> {
        let asked = self.now();
        let place =
            Place { reads: self, key: key.clone(), last: self.places().entry(key).or_default().clone() };
        let mut last = place.last.lock().await;
        if let Some((begun, value)) = &*last
            && *begun > asked
        {
            return share(value);
        }
        let begun = self.now();
        let value = read().await;
        *last = Some((begun, share(&value)));
        value
    }

    fn now(&self) -> u64 {
        self.time.fetch_add(1, Ordering::SeqCst)
    }
}

impl<K, V> SharedReads<K, V> {
    fn places(&self) -> MutexGuard<'_, HashMap<K, Arc<AsyncMutex<Last<V>>>>> {
        // Nothing that holds the lock leaves the map half changed.
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn share<V: Clone>(value: &Result<V>) -> Result<V> {
    match value {
        Ok(value) => Ok(value.clone()),
        Err(error) => Err(error.shared()),
    }
}

/// Where those who ask for the same key wait for each other.
struct Place<'r, K: Clone + Eq + Hash, V> {
    reads: &'r SharedReads<K, V>,
    key: K,
    last: Arc<AsyncMutex<Last<V>>>,
}

impl<K: Clone + Eq + Hash, V> Drop for Place<'_, K, V> {
    fn drop(&mut self) {
        let mut places = self.reads.places();
        // Two: this one's and the map's. Others join only with the map locked.
        if Arc::strong_count(&self.last) == 2
            && let Entry::Occupied(place) = places.entry(self.key.clone())
        {
            place.remove();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use futures::future::join_all;
    use tokio::sync::Semaphore;
    use tokio::task::yield_now;

    use super::*;
    use crate::error::Error;

    #[tokio::test]
    async fn those_who_ask_during_a_read_share_the_next_one() {
        let (reads, began, go) = (SharedReads::default(), AtomicUsize::new(0), Semaphore::new(0));
        let read = async || {
            let number = began.fetch_add(1, Ordering::SeqCst);
            go.acquire().await.unwrap().forget();
            Ok(number)
        };
        let first = async { reads.get("key", read).await.unwrap() };
        let others = async {
            while began.load(Ordering::SeqCst) == 0 {
                yield_now().await;
            }
            // They ask, and then both reads may end.
            let others = join_all((0..5).map(|_| async { reads.get("key", read).await.unwrap() }));
            tokio::join!(others, async { go.add_permits(2) }).0
        };
        let (first, others) = tokio::join!(first, others);
        assert_eq!((first, others), (0, vec![1; 5]), "none has what was read before it asked");
        assert!(reads.places().is_empty());
    }

    #[tokio::test]
    async fn who_asks_later_reads_again_and_other_keys_are_read_beside() {
        let reads = SharedReads::default();
        assert_eq!(reads.get(1, async || Ok("a")).await.unwrap(), "a");
        assert_eq!(reads.get(1, async || Ok("b")).await.unwrap(), "b");
        let nested = reads.get(1, async || reads.get(2, async || Ok("c")).await).await;
        assert_eq!(nested.unwrap(), "c");
    }

    #[tokio::test]
    async fn who_goes_away_while_reading_leaves_the_next_to_read() {
        let reads = SharedReads::default();
        let never = reads.get((), async || std::future::pending().await);
        tokio::select! {
            biased;
            _ = never => unreachable!(),
            () = yield_now() => {}
        }
        assert_eq!(reads.get((), async || Ok(7)).await.unwrap(), 7);
        assert!(reads.get((), async || Err(Error::Stopping("away"))).await.is_err());
        assert!(reads.places().is_empty());
    }
}
