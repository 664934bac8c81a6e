//! Who follows which group, and telling them that something changed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::Changes;
use crate::error::Result;
use crate::storage::{Heard, Store};

/// Before listening again, where the database is out of reach.
const PAUSE: Duration = Duration::from_secs(1);

/// The followers in this process. Cheap to clone; clones share them.
#[derive(Clone, Debug, Default)]
pub struct Feed(Arc<Mutex<HashMap<Uuid, watch::Sender<()>>>>);

impl Feed {
    /// Follows a group from its next change on.
    pub fn follow(&self, group: Uuid) -> Changes {
        let mut groups = self.groups();
        groups.retain(|_, sender| sender.receiver_count() > 0);
        Changes::from_changes(groups.entry(group).or_default().subscribe())
    }

    pub fn tell(&self, group: Uuid) {
        if let Some(sender) = self.groups().get(&group) {
            sender.send_replace(());
        }
    }

    fn tell_all(&self) {
        for sender in self.groups().values() {
            sender.send_replace(());
        }
    }

    fn groups(&self) -> MutexGuard<'_, HashMap<Uuid, watch::Sender<()>>> {
        // Nothing that holds the lock leaves the map half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Passes on what other processes tell, until it is stopped. Where words may have been missed, everybody is
/// told: reading once too often is cheap, a dashboard that stands still is not.
pub async fn listen(store: Store, id: Uuid, feed: Feed, stopping: CancellationToken) {
    loop {
        match stopping.run_until_cancelled(pass_on(&store, id, &feed)).await {
            None | Some(Ok(())) => return,
            Some(Err(error)) => tracing::warn!(%error, "can't hear other processes; trying again"),
        }
        if stopping.run_until_cancelled(tokio::time::sleep(PAUSE)).await.is_none() {
            return;
        }
    }
}

/// Returns where there are no other processes to hear.
async fn pass_on(store: &Store, id: Uuid, feed: &Feed) -> Result<()> {
    let Some(mut hearing) = store.hear().await? else { return Ok(()) };
    feed.tell_all();
    loop {
        match hearing.next().await? {
            Heard::Changed { teller, .. } if teller == id => {}
            Heard::Changed { group, .. } => feed.tell(group),
            Heard::Gap => feed.tell_all(),
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::{FutureExt, StreamExt};

    use super::*;

    #[tokio::test]
    async fn ticks_that_nobody_took_are_one() {
        let feed = Feed::default();
        let (group, other) = (Uuid::now_v7(), Uuid::now_v7());
        let mut changes = feed.follow(group);
        assert!(changes.next().now_or_never().is_none());
        feed.tell(other);
        assert!(changes.next().now_or_never().is_none());
        feed.tell(group);
        feed.tell(group);
        assert_eq!(changes.next().await, Some(()));
        assert!(changes.next().now_or_never().is_none());
        feed.tell_all();
        assert_eq!(changes.next().await, Some(()));
    }

    #[tokio::test]
    async fn who_stopped_following_is_forgotten() {
        let feed = Feed::default();
        drop(feed.follow(Uuid::now_v7()));
        let _changes = feed.follow(Uuid::now_v7());
        assert_eq!(feed.groups().len(), 1);
    }
}
