//! The one task of this process that writes the ledger.
//!
//! It takes what arrived while the last commit ran and writes it in one transaction, so that the cost of
//! reaching the disk is shared by all who wait, and each is answered when its events are there.

use std::collections::HashSet;

use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::admit::Report;
use super::decide::{Verdict, decide};
use super::feed::Feed;
use crate::clock::Clock;
use crate::domain::{GroupId, Recorded, Refusal, UserId};
use crate::error::Result;
use crate::storage::{EventKey, Found, ProcessId, Store, Wanted};

/// A batch is full with this many events. The last request taken in may go over it.
const BATCH: usize = 2_000;

/// What the writer is asked for.
#[derive(Debug)]
pub enum Command {
    Record { report: Report, answer: oneshot::Sender<Result<Recorded>> },
}

impl Command {
    fn size(&self) -> usize {
        match self {
            Self::Record { report, .. } => report.events.len(),
        }
    }
}

pub struct Writer {
    store: Store,
    clock: Clock,
    /// This process, as its notifications name it.
    id: ProcessId,
    feed: Feed,
}

impl Writer {
    pub fn new(store: Store, clock: Clock, id: ProcessId, feed: Feed) -> Self {
        Self { store, clock, id, feed }
    }

    /// Writes what comes until it is stopped, and then what had come.
    pub async fn run(self, mut queue: mpsc::Receiver<Command>, stopping: CancellationToken) {
        loop {
            let first = tokio::select! {
                first = queue.recv() => first,
                () = stopping.cancelled(), if !queue.is_closed() => {
                    queue.close();
                    continue;
                }
            };
            let Some(first) = first else { return };
            let mut events = first.size();
            let mut batch = vec![first];
            while events < BATCH
                && let Ok(next) = queue.try_recv()
            {
                events += next.size();
                batch.push(next);
            }
            self.batch(batch).await;
        }
    }

    async fn batch(&self, commands: Vec<Command>) {
        let (mut reports, mut answers) = (Vec::new(), Vec::new());
        for command in commands {
            match command {
                Command::Record { report, answer } => {
                    reports.push(report);
                    answers.push(answer);
                }
            }
        }
        let written = self.write(&reports).await;
        if reports.len() > 1 && written.as_ref().is_err_and(Store::blames_content) {
            for (report, answer) in reports.into_iter().zip(answers) {
                self.answer(vec![answer], self.write(&[report]).await);
            }
        } else {
            self.answer(answers, written);
        }
    }

    fn answer(
        &self,
        answers: Vec<oneshot::Sender<Result<Recorded>>>,
        written: Result<Vec<Result<Recorded>>>,
    ) {
        match written {
            // A caller that has gone away misses the answer; the events are written all the same.
            Ok(outcomes) => answers.into_iter().zip(outcomes).for_each(|(answer, outcome)| {
                let _ = answer.send(outcome);
            }),
            Err(error) => answers.into_iter().for_each(|answer| {
                let _ = answer.send(Err(error.shared()));
            }),
        }
    }

    /// Writes the reports in one transaction, and notifies the subscribers of their groups' changes.
    async fn write(&self, reports: &[Report]) -> Result<Vec<Result<Recorded>>> {
        let now = self.clock.now();
        let decide = |found: &Found| decide(reports, found, now);
        let (found, verdicts) = self.store.write_ledger(&wanted(reports), now, self.id, decide).await?;
        let counted = |(report, verdict): (&Report, &Verdict)| {
            verdict.as_ref().is_ok_and(|counts| counts.accepted > 0).then_some(report.group)
        };
        for group in reports.iter().zip(&verdicts).filter_map(counted).collect::<HashSet<_>>() {
            self.feed.notify(group);
        }
        let outcome = |(report, verdict)| self.recorded(report, verdict, &found);
        Ok(reports.iter().zip(verdicts).map(outcome).collect())
    }

    fn recorded(&self, report: &Report, verdict: Verdict, found: &Found) -> Result<Recorded> {
        let counts = verdict?;
        let allowance = found.allowance(report.group).ok_or(Refusal::NoSubscription)?;
        let usage = allowance.usage(self.clock.now());
        Ok(Recorded { accepted: counts.accepted, duplicates: counts.duplicates, usage })
    }
}

fn wanted(reports: &[Report]) -> Wanted<'_> {
    let mut groups: Vec<GroupId> = reports.iter().map(|report| report.group).collect();
    groups.sort_unstable();
    groups.dedup();
    let mut users: Vec<UserId> = reports.iter().flat_map(Report::named).collect();
    users.sort_unstable();
    users.dedup();
    let events = reports
        .iter()
        .flat_map(|report| {
            report.events.iter().map(|event| EventKey { group: report.group, id: &event.input.id })
        })
        .collect();
    let earlier =
        reports.iter().flat_map(|report| &report.events).any(|event| event.input.created_at.is_some());
    Wanted { groups, events, users, earlier }
}
