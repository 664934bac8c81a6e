//! The ledger of tokens: recording what was spent, and saying what is left.
//!
//! Owns: what an event counts for and in which period, the one task that writes the ledger, and notifying open
//! dashboards that something changed. Doesn't own: plans and subscriptions, which it reads.
//!
//! - `admit`: what a request may report, before it queues;
//! - `writer`: gathers what arrives while the last commit runs, and writes it in one transaction;
//! - `command`: what the ledger can be asked to do;
//! - `decide`: inside that transaction, what counts where. Pure;
//! - `fit`: how many tokens fit under a key's cap, a member's cap and the group's allowance. Pure;
//! - `holds`: reserving tokens before they are spent, and settling what was;
//! - `caps`: the most that one member or one key may spend;
//! - `breakdown`, `events`, `overview`: looking into the ledger, by those who may;
//! - `kept_sums`: what the usage page read last;
//! - `recount`: holds what is kept beside the ledger against it;
//! - `feed`: notifies the subscribers of a group's changes, in this process and, on PostgreSQL, in the others.

mod admit;
mod breakdown;
mod caps;
mod command;
mod decide;
mod events;
mod feed;
mod fit;
mod holds;
mod kept_sums;
mod overview;
mod recount;
mod writer;

use std::ops::Deref;
use std::sync::Arc;

use metrics::counter;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio_stream::wrappers::WatchStream;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::domain::{
    Caller, EventInput, GroupId, LimitCheck, MAX_BATCH, PerType, PeriodUsage, Plan, Recorded, Refusal, Usage,
    UsageType, User, UserId,
};
use crate::error::{Error, Result};
use crate::metrics::{EVENTS_DUPLICATE, EVENTS_RECORDED};
use crate::storage::{AllowanceRow, ProcessId, ShareCounters, SharedReads, Store, SummaryRow};
pub use crate::storage::{EventFilter, EventPosition, PageRequest, PageRows};
pub use breakdown::BreakdownQuery;
use command::{Command, Outcome, Written};
use feed::Feed;
pub use holds::AnswerHold;
use kept_sums::KeptSums;
pub use overview::{Dashboard, EventChoices, Overview, OverviewRow};
pub use recount::Recounted;
use writer::Queued;

/// Rows that may wait for the writer, some seconds' work. What would add more is refused: waiting, it would take memory
/// and come too late.
const QUEUED_ROWS: usize = 100_000;
/// Seconds after which the queue has moved on.
const RETRY_AFTER: u64 = 1;
const QUEUE_FULL: Error = Error::Overloaded { what: "the ledger's queue is full", retry_after: RETRY_AFTER };
/// Earlier periods a history shows.
const HISTORY: i64 = 24;

/// Records usage and reads it. Cheap to clone; clones share the one writer.
#[derive(Clone, Debug)]
pub struct Metering(Arc<MeteringInner>);

/// What clones share.
#[derive(Debug)]
pub struct MeteringInner {
    store: Store,
    clock: Clock,
    grace_days: u32,
    /// This process, as its notifications name it.
    id: ProcessId,
    feed: Feed,
    commands: mpsc::UnboundedSender<Queued>,
    /// A permit for each row that may still be queued.
    queue_capacity: Arc<Semaphore>,
    stopping: CancellationToken,
    /// For the usage page.
    kept_sums: KeptSums,
    allowances: SharedReads<(GroupId, UserId), Option<(AllowanceRow, ShareCounters)>>,
    past_periods: SharedReads<GroupId, Arc<Vec<SummaryRow>>>,
    member_names: SharedReads<GroupId, Arc<Vec<(UserId, String)>>>,
    plans_on_sale: SharedReads<(), Arc<Vec<Plan>>>,
}

impl Deref for Metering {
    type Target = MeteringInner;

    fn deref(&self) -> &MeteringInner {
        &self.0
    }
}

/// What runs beside a [`Metering`] for it to record anything: the writer and, on PostgreSQL, the listener to other
/// processes.
#[derive(Debug)]
pub struct MeteringTask {
    writer: writer::Writer,
    queue: mpsc::UnboundedReceiver<Queued>,
    store: Store,
    id: ProcessId,
    feed: Feed,
    stopping: CancellationToken,
}

impl MeteringTask {
    /// Runs until the metering is closed and what it took is written.
    pub async fn run(self) {
        let Self { writer, queue, store, id, feed, stopping } = self;
        tokio::join!(writer.run(queue, stopping.clone()), feed::listen(store, id, feed, stopping));
    }
}

/// A tick whenever something about a group's usage or subscription changed. Ticks not taken yet are one tick.
pub type Changes = WatchStream<()>;

impl Metering {
    /// The metering of a migrated database, and the task that has to run beside it. `grace_days` is for how long a
    /// subscription that is past due gives access.
    pub fn new(store: Store, clock: Clock, grace_days: u32) -> (Self, MeteringTask) {
        let (commands, queue) = mpsc::unbounded_channel();
        let queue_capacity = Arc::new(Semaphore::new(QUEUED_ROWS));
        let (id, feed, stopping) = (ProcessId::new(), Feed::default(), CancellationToken::new());
        let writer = writer::Writer::new(store.clone(), clock.clone(), grace_days, id, feed.clone());
        let task = MeteringTask {
            writer,
            queue,
            store: store.clone(),
            id,
            feed: feed.clone(),
            stopping: stopping.clone(),
        };
        let kept_sums = KeptSums::default();
        let inner = MeteringInner {
            store,
            clock,
            grace_days,
            id,
            feed,
            commands,
            queue_capacity,
            stopping,
            kept_sums,
            allowances: SharedReads::default(),
            past_periods: SharedReads::default(),
            member_names: SharedReads::default(),
            plans_on_sale: SharedReads::default(),
        };
        (Self(Arc::new(inner)), task)
    }

    /// As [`Metering::new`], its task started. Needs a tokio runtime.
    pub fn start(store: Store, clock: Clock, grace_days: u32) -> Self {
        let (metering, task) = Self::new(store, clock, grace_days);
        tokio::spawn(task.run());
        metering
    }

    /// Takes no more events. The task ends when those that were taken are written.
    pub fn close(&self) {
        self.stopping.cancel();
    }

    /// Takes no more events, and returns when those that were taken are written.
    pub async fn stop(&self) {
        self.close();
        // Closed when the writer has ended.
        self.commands.closed().await;
    }

    /// The allowance of the user's group in the current period, and how much of it is used.
    ///
    /// # Errors
    /// [`Refusal::NoSubscription`]; [`Refusal::Forbidden`] for a SuperAdmin; the database's.
    pub async fn usage(&self, user: &User) -> Result<Usage> {
        let (row, share) = self.allowance(user).await?;
        Ok(row.usage(&share, self.clock.now()))
    }

    /// Whether the group may spend, what it should be warned of, and the plan it would help to change to.
    ///
    /// # Errors
    /// As [`Metering::usage`].
    pub async fn check(&self, user: &User) -> Result<LimitCheck> {
        let (row, share) = self.allowance(user).await?;
        self.check_of(&row, &share).await
    }

    async fn check_of(&self, row: &AllowanceRow, share: &ShareCounters) -> Result<LimitCheck> {
        let now = self.clock.now();
        let usage = row.usage(share, now);
        let access = row.gives_access(self.grace_days, now);
        let allowed = PerType::of(|kind| access && row.has_left(kind));
        let warnings = usage.warnings();
        let short: Vec<UsageType> = warnings.iter().map(|warning| warning.usage_type).collect();
        let suggested_plan = self.next_plan_up(&usage, &short).await?;
        Ok(LimitCheck { allowed, usage, warnings, suggested_plan })
    }

    /// Records what was spent, all of it or nothing. Returns when it is on disk; a caller that doesn't wait
    /// has its events recorded all the same.
    ///
    /// # Errors
    /// [`Refusal::Invalid`], with fields named `events[i].…`; [`Refusal::Forbidden`] for a SuperAdmin, and
    /// for a member who names another user; [`Refusal::NoSubscription`]; [`Refusal::EventMismatch`];
    /// [`Error::Database`] where nothing could be written; [`Error::Stopping`].
    pub async fn record(&self, caller: impl Into<Caller>, events: Vec<EventInput>) -> Result<Recorded> {
        let report = admit::admit(&caller.into(), events, self.clock.now())?;
        let Written { outcome, usage } = self.submit(Command::Record(report)).await?;
        let Outcome::Recorded { accepted, duplicates } = outcome else {
            return Err(Error::Internal(format!("recording gave {outcome:?}")));
        };
        counter!(EVENTS_RECORDED).increment(accepted);
        counter!(EVENTS_DUPLICATE).increment(duplicates);
        Ok(Recorded { accepted, duplicates, usage })
    }

    /// Asks whether the writer's queue has room for a batch of any size. Reading and checking one that will be refused for want
    /// of room would take the time that the writer needs to make some.
    ///
    /// # Errors
    /// [`Error::Overloaded`].
    pub fn must_have_room(&self) -> Result<()> {
        if self.queue_capacity.available_permits() < MAX_BATCH { Err(QUEUE_FULL) } else { Ok(()) }
    }

    /// Queues a command, and waits until it is on disk.
    ///
    /// # Errors
    /// [`Error::Overloaded`] where too much waits already; what the writer fails with.
    async fn submit(&self, command: Command) -> Result<Written> {
        let permit = if command.ends_a_hold() {
            // Never refused: what was spent would be lost, or held for longer than it need be. There are no more of them
            // than there are holds.
            None
        } else {
            let rows = u32::try_from(command.size()).unwrap_or(u32::MAX);
            Some(Arc::clone(&self.queue_capacity).try_acquire_many_owned(rows).map_err(|_| QUEUE_FULL)?)
        };
        let (answer, answered) = oneshot::channel();
        let gone = Error::Stopping("the ledger takes no more commands");
        if self.commands.send(Queued { command, answer, _permit: permit }).is_err() {
            return Err(gone);
        }
        answered.await.unwrap_or(Err(gone))
    }

    /// The group's periods that are over, of any subscription, newest first.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] for a SuperAdmin; the database's.
    pub async fn history(&self, user: &User) -> Result<Vec<PeriodUsage>> {
        let periods = self.past_periods(user.must_have_group()?).await?;
        Ok(periods.iter().map(SummaryRow::period_usage).collect())
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

    async fn past_periods(&self, group: GroupId) -> Result<Arc<Vec<SummaryRow>>> {
        let read = async || Ok(Arc::new(self.store.past_periods(group, self.clock.now(), HISTORY).await?));
        self.past_periods.get(group, read).await
    }

    async fn member_names(&self, group: GroupId) -> Result<Arc<Vec<(UserId, String)>>> {
        self.member_names.get(group, async || Ok(Arc::new(self.store.member_names(group).await?))).await
    }

    async fn allowance(&self, user: &User) -> Result<(AllowanceRow, ShareCounters)> {
        self.allowance_if_any(user).await?.ok_or_else(|| Refusal::NoSubscription.into())
    }

    async fn allowance_if_any(&self, user: &User) -> Result<Option<(AllowanceRow, ShareCounters)>> {
        let (group, user) = (user.must_have_group()?, user.id);
        let read = async || self.store.allowance(group, user, self.clock.now()).await;
        self.allowances.get((group, user), read).await
    }

    /// The next plan up that gives more of every resource that runs short.
    async fn next_plan_up(&self, usage: &Usage, short: &[UsageType]) -> Result<Option<Plan>> {
        if short.is_empty() {
            return Ok(None);
        }
        let plans = self.plans_on_sale.get((), async || Ok(Arc::new(self.store.plans(true).await?))).await?;
        let current = plans.iter().find(|candidate| candidate.id == usage.plan.id);
        Ok(current.and_then(|current| current.next_up(&plans, usage, short)).cloned())
    }
}
