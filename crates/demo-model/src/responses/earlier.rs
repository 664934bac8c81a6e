//! Responses that a later request may go on from.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Beyond these the oldest are forgotten.
const MOST_KEPT: usize = 10_000;

/// What is kept of a conversation: not what was said, only what the next answer needs to know of it.
#[derive(Clone, Debug)]
pub struct Summary {
    /// Of everything said so far.
    pub tokens: u64,
    /// What the last question was about.
    pub topic: Option<String>,
}

/// In memory: it is gone with the process.
#[derive(Default)]
pub struct Earlier(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    by_id: HashMap<String, Summary>,
    oldest_first: VecDeque<String>,
}

impl Earlier {
    pub fn put(&self, id: &str, summary: Summary) {
        let mut kept = self.lock();
        if kept.oldest_first.len() == MOST_KEPT
            && let Some(oldest) = kept.oldest_first.pop_front()
        {
            kept.by_id.remove(&oldest);
        }
        kept.by_id.insert(id.to_owned(), summary);
        kept.oldest_first.push_back(id.to_owned());
    }

    pub fn get(&self, id: &str) -> Option<Summary> {
        self.lock().by_id.get(id).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        // Nothing that panics happens under the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::{Earlier, MOST_KEPT, Summary};

    #[test]
    fn the_oldest_is_forgotten_when_there_are_too_many() {
        let earlier = Earlier::default();
        for at in 0..=MOST_KEPT as u64 {
            earlier.put(&format!("resp_{at}"), Summary { tokens: at, topic: None });
        }
        assert!(earlier.get("resp_0").is_none());
        assert_eq!(earlier.get("resp_1").map(|summary| summary.tokens), Some(1));
    }
}
