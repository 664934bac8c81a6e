//! The handle that everything in the sandbox works through.

use std::sync::{Arc, PoisonError, RwLock};

use serde_json::Value;
use tokio::sync::{Mutex, MutexGuard, Notify, mpsc, watch};

use super::disk::Disk;
use super::feed::{Feed, News, RequestLog};
use super::kind::Kind;
use super::outbox::Finished;
use super::state::{DueAt, State};
use super::tx::{Cause, Tx};
use crate::clock::Clock;
use crate::error::StartError;

/// The sandbox's state. Cheap to clone; clones are the same sandbox.
#[derive(Clone)]
pub struct Sandbox(Arc<Inner>);

struct Inner {
    state: RwLock<State>,
    /// Held while something is changed, from reading until it is on disk: one request at a time, which is what
    /// makes every one of them a transaction.
    writing: Mutex<()>,
    /// Held for each step of a test clock's advance.
    advancing: Mutex<()>,
    disk: Option<Disk>,
    schedule: Schedule,
    clock: Clock,
    base_url: String,
    deliveries_due: mpsc::UnboundedSender<String>,
    feed: Feed,
    undelivered: watch::Sender<usize>,
    /// Notified when something was written that may fall due.
    written: Notify,
}

/// What time alone brings about.
#[derive(Clone, Copy)]
pub(crate) struct Schedule {
    pub(crate) at: DueAt,
    /// Does what is due at the transaction's time.
    pub(crate) perform: fn(&mut Tx, Kind, &str),
}

/// Why nothing came of a transaction: the disk. Logged here; callers only say that it failed.
#[derive(Debug, thiserror::Error)]
#[error("the sandbox's database could not be written")]
pub struct WriteFailed;

impl Sandbox {
    /// Reads what `disk` holds. Deliveries that are still to be made are sent to the receiver at once.
    pub(crate) async fn open(
        disk: Option<Disk>,
        schedule: Schedule,
        clock: Clock,
        base_url: String,
    ) -> Result<(Self, mpsc::UnboundedReceiver<String>), StartError> {
        let state = match &disk {
            Some(disk) => disk.load(schedule.at).await?,
            None => State::new(schedule.at),
        };
        let (deliveries_due, deliveries) = mpsc::unbounded_channel();
        let pending =
            state.between(Kind::Delivery, Some(("state", vec!["pending"])), (i64::MIN, i64::MAX), true);
        for (seq, kept) in pending {
            // The receiver is right here.
            let _ = deliveries_due.send(kept.open(seq).id().to_owned());
        }
        let undelivered = watch::Sender::new(state.undelivered());
        let inner = Inner {
            state: RwLock::new(state),
            writing: Mutex::new(()),
            advancing: Mutex::new(()),
            disk,
            schedule,
            clock,
            base_url,
            deliveries_due,
            feed: Feed::default(),
            undelivered,
            written: Notify::new(),
        };
        Ok((Self(Arc::new(inner)), deliveries))
    }

    /// The objects of a collection, named as in the API (`customers`), newest first.
    pub fn list(&self, collection: &str) -> Vec<Value> {
        let Some(kind) = Kind::of_collection(collection) else { return Vec::new() };
        self.read(|tx| tx.all(kind).map(|doc| tx.render(kind, &doc)).collect())
    }

    /// Some objects of a collection, newest first, and how many it has in all.
    pub(crate) fn newest(&self, collection: &str, skip: usize, take: usize) -> (Vec<Value>, usize) {
        let Some(kind) = Kind::of_collection(collection) else { return (Vec::new(), 0) };
        let objects = |tx: &Tx| tx.all(kind).skip(skip).take(take).map(|doc| tx.render(kind, &doc)).collect();
        (self.read(objects), self.with_state(|state| state.count(kind)))
    }

    /// One object of a collection.
    pub fn get(&self, collection: &str, id: &str) -> Option<Value> {
        let kind = Kind::of_collection(collection)?;
        self.read(|tx| tx.view(kind, id))
    }

    /// Does what has fallen due, without waiting for the clock's watcher to notice. For tests that move
    /// the clock.
    pub async fn catch_up(&self) {
        // A disk that can't be written has been logged; the watcher tries again.
        let _ = self.transact(Cause::default(), |_| (false, ())).await;
        let _ = self.advance_clocks().await;
    }

    /// Holds every test clock that is being advanced where it is, between two steps, until what this returns is dropped.
    /// For tests of what happens meanwhile.
    pub async fn hold_clocks(&self) -> impl Sized + '_ {
        self.step().await
    }

    /// The turn to take a step of a test clock's advance.
    pub(super) async fn step(&self) -> MutexGuard<'_, ()> {
        self.0.advancing.lock().await
    }

    /// Resolves once every event has been delivered or given up on.
    pub async fn deliveries_finished(&self) {
        let mut undelivered = self.0.undelivered.subscribe();
        // The sender lives as long as `self`.
        let _ = undelivered.wait_for(|count| *count == 0).await;
    }

    pub(crate) async fn close(&self) {
        if let Some(disk) = &self.0.disk {
            disk.close().await;
        }
    }

    /// Its address, without a slash at the end.
    pub(crate) fn base_url(&self) -> &str {
        &self.0.base_url
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// The time at which the next thing falls due by the sandbox's own clock, in Unix seconds.
    pub(crate) fn next_due(&self) -> Option<i64> {
        self.with_state(|state| state.first_due(None).map(|(at, ..)| *at))
    }

    /// Resolves when something was written since the last call.
    pub(crate) async fn written(&self) {
        self.0.written.notified().await;
    }

    /// Reads, without waiting for writers.
    pub(crate) fn read<T>(&self, look: impl FnOnce(&Tx) -> T) -> T {
        let now = self.now();
        self.with_state(|state| look(&Tx::new(state, now, now, &self.0.base_url, Cause::default())))
    }

    /// Runs `work` on its own, after everything that had fallen due; keeps its changes if it says `true`.
    ///
    /// # Errors
    /// If the changes can't be written; then none are kept.
    pub(crate) async fn transact<T>(
        &self,
        cause: Cause,
        work: impl FnOnce(&mut Tx) -> (bool, T),
    ) -> Result<T, WriteFailed> {
        let _alone = self.alone().await;
        self.run_due().await?;
        let now = self.now();
        self.commit(now, cause, work).await
    }

    /// Performs what has fallen due, each step at the time it was due and in a transaction of its own.
    async fn run_due(&self) -> Result<(), WriteFailed> {
        let mut last = None;
        loop {
            let now = self.now();
            let next = self.with_state(|state| state.first_due(None).filter(|(at, ..)| *at <= now).cloned());
            let Some(step) = next else { return Ok(()) };
            if last.as_ref() == Some(&step) {
                tracing::error!(?step, "a step that fell due changed nothing; leaving it");
                return Ok(());
            }
            let (at, kind, id) = step.clone();
            last = Some(step);
            self.commit(at, Cause::default(), |tx| (true, self.perform(tx, kind, &id))).await?;
        }
    }

    /// The turn to write, one at a time.
    pub(super) async fn alone(&self) -> MutexGuard<'_, ()> {
        self.0.writing.lock().await
    }

    /// Does what is due at the transaction's time.
    pub(super) fn perform(&self, tx: &mut Tx, kind: Kind, id: &str) {
        (self.0.schedule.perform)(tx, kind, id);
    }

    pub(super) async fn commit<T>(
        &self,
        now: i64,
        cause: Cause,
        work: impl FnOnce(&mut Tx) -> (bool, T),
    ) -> Result<T, WriteFailed> {
        let wall = self.now();
        let (changes, outcome) = self.with_state(|state| {
            let mut tx = Tx::new(state, now, wall, &self.0.base_url, cause);
            let (keep, outcome) = work(&mut tx);
            (keep.then(|| tx.finish()), outcome)
        });
        let Some(Finished { writes, deliveries, told }) = changes else { return Ok(outcome) };
        if writes.is_empty() {
            self.tell(&told);
            return Ok(outcome);
        }
        if let Some(disk) = &self.0.disk {
            disk.write(&writes).await.map_err(|error| {
                tracing::error!(%error, "the sandbox's database could not be written");
                WriteFailed
            })?;
        }
        let undelivered = {
            let mut state = self.0.state.write().unwrap_or_else(PoisonError::into_inner);
            state.apply(writes);
            state.undelivered()
        };
        self.0.undelivered.send_replace(undelivered);
        for delivery in deliveries {
            // The receiver is gone while the sandbox is being stopped; the next start sends them.
            let _ = self.0.deliveries_due.send(delivery);
        }
        self.tell(&told);
        self.0.written.notify_one();
        Ok(outcome)
    }

    /// What happens from now on, for one listener, until it drops the receiver.
    pub(crate) fn listen(&self) -> mpsc::UnboundedReceiver<News> {
        self.0.feed.listen()
    }

    /// Tells listeners of a request that was answered; `log` is made only if there are any.
    pub(crate) fn tell_request(&self, log: impl FnOnce() -> RequestLog) {
        if self.0.feed.is_heard() {
            self.0.feed.tell(&News::Request(Arc::new(log())));
        }
    }

    fn tell(&self, events: &[String]) {
        if events.is_empty() || !self.0.feed.is_heard() {
            return;
        }
        for event in events {
            if let Some(object) = self.read(|tx| tx.view(Kind::Event, event)) {
                self.0.feed.tell(&News::Event(Arc::new(object)));
            }
        }
    }

    fn now(&self) -> i64 {
        self.0.clock.now().timestamp()
    }

    pub(super) fn with_state<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.0.state.read().unwrap_or_else(PoisonError::into_inner))
    }
}
