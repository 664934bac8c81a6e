//! The one task of this process that writes the ledger.
//!
//! It takes what arrived while the last commit ran and writes it in one transaction, so that the cost of
//! reaching the disk is shared by all who wait, and each is answered when its events are there.

use std::collections::HashSet;

use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::command::{Command, Outcome, Verdict, Written};
use super::decide::{Conditions, decide};
use super::feed::Feed;
use crate::clock::Clock;
use crate::domain::{GroupId, Refusal, UserId};
use crate::error::Result;
use crate::storage::{Durability, Found, ProcessId, Store, Wanted};

/// A batch is full with this many rows. The last command taken in may go over it.
const BATCH: usize = 2_000;

/// A command that waits for the writer, and its caller who waits for the answer.
#[derive(Debug)]
pub struct Queued {
    pub command: Command,
    pub answer: oneshot::Sender<Result<Written>>,
    /// Its part of the queue's capacity, given back when it is taken from the queue.
    pub _permit: Option<OwnedSemaphorePermit>,
}

#[derive(Debug)]
pub struct Writer {
    store: Store,
    clock: Clock,
    grace_days: u32,
    /// This process, as its notifications name it.
    id: ProcessId,
    feed: Feed,
}

impl Writer {
    pub fn new(store: Store, clock: Clock, grace_days: u32, id: ProcessId, feed: Feed) -> Self {
        Self { store, clock, grace_days, id, feed }
    }

    /// Writes what comes until it is stopped, and then what had come.
    pub async fn run(self, mut queue: mpsc::UnboundedReceiver<Queued>, stopping: CancellationToken) {
        loop {
            let first = tokio::select! {
                first = queue.recv() => first,
                () = stopping.cancelled(), if !queue.is_closed() => {
                    queue.close();
                    continue;
                }
            };
            let Some(first) = first else { return };
            let mut events = first.command.size();
            let mut batch = vec![first];
            while events < BATCH
                && let Ok(next) = queue.try_recv()
            {
                events += next.command.size();
                batch.push(next);
            }
            self.batch(batch).await;
        }
    }

    async fn batch(&self, batch: Vec<Queued>) {
        let (commands, answers): (Vec<_>, Vec<_>) =
            batch.into_iter().map(|queued| (queued.command, queued.answer)).unzip();
        let written = self.write(&commands).await;
        if commands.len() > 1 && written.as_ref().is_err_and(Store::blames_content) {
            for (command, answer) in commands.into_iter().zip(answers) {
                send(vec![answer], self.write(&[command]).await);
            }
        } else {
            send(answers, written);
        }
    }

    /// Does the commands in one transaction, and notifies the subscribers of their groups' changes.
    async fn write(&self, commands: &[Command]) -> Result<Vec<Result<Written>>> {
        let now = self.clock.now();
        let conditions = Conditions { now, grace_days: self.grace_days };
        let decide = |found: &Found| decide(commands, found, conditions);
        let wanted = wanted(commands);
        // As much as the most demanding of them.
        let durability = commands.iter().map(Command::durability).max().unwrap_or(Durability::Disk);
        let (found, verdicts) = self.store.write_ledger(durability, &wanted, now, self.id, decide).await?;
        let changed = |(command, verdict): (&Command, &Verdict)| {
            verdict.as_ref().is_ok_and(Outcome::changes_usage).then_some(command.group())
        };
        for group in commands.iter().zip(&verdicts).filter_map(changed).collect::<HashSet<_>>() {
            self.feed.notify(group);
        }
        let written = |(command, verdict)| self.written(command, verdict, &found);
        Ok(commands.iter().zip(verdicts).map(written).collect())
    }

    fn written(&self, command: &Command, verdict: Verdict, found: &Found) -> Result<Written> {
        let outcome = verdict?;
        let allowance = found.allowance(command.group()).ok_or(Refusal::NoSubscription)?;
        let share = command.user().map(|user| found.share(allowance, user.into())).unwrap_or_default();
        Ok(Written { outcome, usage: allowance.usage(&share, self.clock.now()) })
    }
}

/// Answers the callers. One that has gone away misses its answer; the command is done all the same.
fn send(answers: Vec<oneshot::Sender<Result<Written>>>, written: Result<Vec<Result<Written>>>) {
    match written {
        Ok(all) => answers.into_iter().zip(all).for_each(|(answer, written)| {
            let _ = answer.send(written);
        }),
        Err(error) => answers.into_iter().for_each(|answer| {
            let _ = answer.send(Err(error.shared()));
        }),
    }
}

fn wanted(commands: &[Command]) -> Wanted<'_> {
    let mut groups: Vec<GroupId> = commands.iter().map(Command::group).collect();
    groups.sort_unstable();
    groups.dedup();
    let mut users: Vec<UserId> = commands.iter().flat_map(Command::named_users).collect();
    users.sort_unstable();
    users.dedup();
    let of_group = |command: &Command| {
        let group = command.group();
        command.subjects().map(move |subject| (group, subject)).collect::<Vec<_>>()
    };
    let mut subjects: Vec<_> = commands.iter().flat_map(of_group).collect();
    subjects.sort_unstable();
    subjects.dedup();
    let events = commands.iter().flat_map(Command::events).collect();
    let holds = commands.iter().filter_map(Command::hold).collect();
    let earlier = commands.iter().any(Command::brings_a_time);
    let due = commands.iter().any(Command::frees_due_holds);
    Wanted { groups, events, holds, users, subjects, earlier, due }
}
