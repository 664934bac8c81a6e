//! The ledger of tokens: recording what was spent, and saying what is left.
//!
//! Owns: what an event counts for and in which period, the one task that writes the ledger, and notifying open
//! dashboards that something changed. Doesn't own: plans and subscriptions, which it reads.
//!
//! - `admit`: what a request may report, before it queues;
//! - `writer`: gathers what arrives while the last commit runs, and writes it in one transaction;
//! - `decide`: inside that transaction, what counts where. Pure;
//! - `feed`: notifies the subscribers of a group's changes, in this process and, on PostgreSQL, in the others.

mod admit;
mod decide;
mod feed;
mod writer;

use std::sync::Arc;

use metrics::counter;
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::task::JoinSet;
use tokio_stream::wrappers::WatchStream;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::domain::{
    EventInput, GroupId, LimitCheck, PerType, PeriodUsage, Plan, PlanId, Recorded, Refusal, Usage, User,
};
use crate::error::{Error, Result};
use crate::metrics::{EVENTS_DUPLICATE, EVENTS_RECORDED};
use crate::storage::{AllowanceRow, ProcessId, Store, SummaryRow};
use feed::Feed;
use writer::Command;

/// Requests that may wait for the writer. Further ones wait for a place.
const QUEUE: usize = 1_024;
/// Earlier periods a history shows.
const HISTORY: i64 = 24;

/// Records usage and reads it. Cheap to clone; clones share the one writer.
#[derive(Clone, Debug)]
pub struct Metering {
    store: Store,
    clock: Clock,
    grace_days: u32,
    /// This process, as its notifications name it.
    id: ProcessId,
    feed: Feed,
    commands: mpsc::Sender<Command>,
    stopping: CancellationToken,
    tasks: Arc<Mutex<JoinSet<()>>>,
}

/// A tick whenever something about a group's usage or subscription changed. Ticks not taken yet are one tick.
pub type Changes = WatchStream<()>;

impl Metering {
    /// Starts the writer and, on PostgreSQL, listens to other processes. Needs a migrated database and a
    /// tokio runtime. `grace_days` is for how long a subscription that is past due gives access.
    pub fn start(store: Store, clock: Clock, grace_days: u32) -> Self {
        let (commands, queue) = mpsc::channel(QUEUE);
        let (id, feed, stopping) = (ProcessId::new(), Feed::default(), CancellationToken::new());
        let mut tasks = JoinSet::new();
        let writer = writer::Writer::new(store.clone(), clock.clone(), id, feed.clone());
        tasks.spawn(writer.run(queue, stopping.clone()));
        tasks.spawn(feed::listen(store.clone(), id, feed.clone(), stopping.clone()));
        let tasks = Arc::new(Mutex::new(tasks));
        Self { store, clock, grace_days, id, feed, commands, stopping, tasks }
    }

    /// Takes no more events, and returns when those that were taken are written.
    pub async fn stop(&self) {
        self.stopping.cancel();
        let mut tasks = self.tasks.lock().await;
        while let Some(ended) = tasks.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a task of the metering failed");
            }
        }
    }

    /// The allowance of the user's group in the current period, and how much of it is used.
    ///
    /// # Errors
    /// [`Refusal::NoSubscription`]; [`Refusal::Forbidden`] for a SuperAdmin; the database's.
    pub async fn usage(&self, user: &User) -> Result<Usage> {
        Ok(self.allowance(user).await?.usage(self.clock.now()))
    }

    /// Whether the group may spend, what it should be warned of, and the plan it would help to change to.
    ///
    /// # Errors
    /// As [`Metering::usage`].
    pub async fn check(&self, user: &User) -> Result<LimitCheck> {
        let now = self.clock.now();
        let row = self.allowance(user).await?;
        let usage = row.usage(now);
        let access = usage.status.gives_access(row.past_due_since, self.grace_days, now);
        let allowed = PerType::of(|kind| access && usage.resources[kind].has_left());
        let warnings = usage.warnings();
        let suggested_plan = if warnings.is_empty() { None } else { self.next_plan_up(row.plan_id).await? };
        Ok(LimitCheck { allowed, usage, warnings, suggested_plan })
    }

    /// Records what was spent, all of it or nothing. Returns when it is on disk; a caller that doesn't wait
    /// has its events recorded all the same.
    ///
    /// # Errors
    /// [`Refusal::Invalid`], with fields named `events[i].…`; [`Refusal::Forbidden`] for a SuperAdmin, and
    /// for a member who names somebody else; [`Refusal::NoSubscription`]; [`Refusal::EventMismatch`];
    /// [`Error::Database`] where nothing could be written; [`Error::Stopping`].
    pub async fn record(&self, user: &User, events: Vec<EventInput>) -> Result<Recorded> {
        let report = admit::admit(user, events, self.clock.now())?;
        let (answer, answered) = oneshot::channel();
        let gone = Error::Stopping("the ledger takes no more events");
        if self.commands.send(Command::Record { report, answer }).await.is_err() {
            return Err(gone);
        }
        let recorded = answered.await.unwrap_or(Err(gone))?;
        counter!(EVENTS_RECORDED).increment(recorded.accepted);
        counter!(EVENTS_DUPLICATE).increment(recorded.duplicates);
        Ok(recorded)
    }

    /// The group's periods that are over, of any subscription, newest first.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] for a SuperAdmin; the database's.
    pub async fn history(&self, user: &User) -> Result<Vec<PeriodUsage>> {
        let group = user.must_have_group()?;
        let now = self.clock.now();
        let periods = self.store.past_periods(group, now, HISTORY).await?;
        Ok(periods.into_iter().map(SummaryRow::period_usage).collect())
    }

    /// Subscribes to the changes of the user's group. Begins with the next change: read the usage after calling this, and no
    /// change is missed.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] for a SuperAdmin.
    pub async fn changes(&self, user: &User) -> Result<Changes> {
        Ok(self.feed.subscribe(user.must_have_group()?))
    }

    /// Notifies the subscribers of the group's changes that something changed outside the ledger.
    pub fn changed(&self, group: GroupId) {
        self.feed.notify(group);
        let (store, id) = (self.store.clone(), self.id);
        tokio::spawn(async move {
            if let Err(error) = store.notify_change(group, id).await {
                tracing::warn!(%error, "other processes could not be notified of a change");
            }
        });
    }

    async fn allowance(&self, user: &User) -> Result<AllowanceRow> {
        let row = self.store.allowance(user.must_have_group()?, self.clock.now()).await?;
        row.ok_or_else(|| Refusal::NoSubscription.into())
    }

    async fn next_plan_up(&self, plan: PlanId) -> Result<Option<Plan>> {
        let plans = self.store.plans(true).await?;
        let current = plans.iter().find(|candidate| candidate.id == plan);
        Ok(current.and_then(|current| current.next_up(&plans)).cloned())
    }
}
