//! The subscribers of each group's changes, in this process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::domain::GroupId;

use super::Changes;
use crate::error::Result;
use crate::storage::{Notification, ProcessId, Store};

/// Before listening again, where the database is out of reach.
const PAUSE: Duration = Duration::from_secs(1);

/// The subscribers in this process. Cheap to clone; clones share them.
#[derive(Clone, Debug, Default)]
pub struct Feed(Arc<Mutex<HashMap<GroupId, watch::Sender<()>>>>);

impl Feed {
    /// Subscribes to a group's changes, from the next one on.
    pub fn subscribe(&self, group: GroupId) -> Changes {
        let mut groups = self.groups();
        groups.retain(|_, sender| sender.receiver_count() > 0);
        Changes::from_changes(groups.entry(group).or_default().subscribe())
    }

    pub fn notify(&self, group: GroupId) {
        if let Some(sender) = self.groups().get(&group) {
            sender.send_replace(());
        }
    }

    fn notify_all(&self) {
        for sender in self.groups().values() {
            sender.send_replace(());
        }
    }

    fn groups(&self) -> MutexGuard<'_, HashMap<GroupId, watch::Sender<()>>> {
        // Nothing that holds the lock leaves the map half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Passes on other processes' notifications, until it is stopped. Where some may have been missed, every subscriber is
/// notified: reading once too often is cheap, a dashboard that stands still is not.
pub async fn listen(store: Store, id: ProcessId, feed: Feed, stopping: CancellationToken) {
    loop {
        match stopping.run_until_cancelled(forward(&store, id, &feed)).await {
            None | Some(Ok(())) => return,
            Some(Err(error)) => tracing::warn!(%error, "can't listen to other processes; trying again"),
        }
        if stopping.run_until_cancelled(tokio::time::sleep(PAUSE)).await.is_none() {
            return;
        }
    }
}

/// Returns where there can be no other processes.
async fn forward(store: &Store, id: ProcessId, feed: &Feed) -> Result<()> {
    let Some(mut listener) = store.listen().await? else { return Ok(()) };
    feed.notify_all();
    loop {
        match listener.next().await? {
            Notification::Changed { origin, .. } if origin == id => {}
            Notification::Changed { group, .. } => feed.notify(group),
            Notification::Lagged => feed.notify_all(),
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::{FutureExt, StreamExt};

    use uuid::Uuid;

    use super::*;

    #[tokio::test]
    async fn ticks_not_taken_yet_are_one() {
        let feed = Feed::default();
        let (group, other) = (GroupId(Uuid::now_v7()), GroupId(Uuid::now_v7()));
        let mut changes = feed.subscribe(group);
        assert!(changes.next().now_or_never().is_none());
        feed.notify(other);
        assert!(changes.next().now_or_never().is_none());
        feed.notify(group);
        feed.notify(group);
        assert_eq!(changes.next().await, Some(()));
        assert!(changes.next().now_or_never().is_none());
        feed.notify_all();
        assert_eq!(changes.next().await, Some(()));
    }

    #[tokio::test]
    async fn a_subscriber_that_is_gone_is_dropped() {
        let feed = Feed::default();
        drop(feed.subscribe(Uuid::now_v7().into()));
        let _changes = feed.subscribe(Uuid::now_v7().into());
        assert_eq!(feed.groups().len(), 1);
    }
}
