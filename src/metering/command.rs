//! What the ledger can be asked to do, and what becomes of it.

use super::admit::Report;
use crate::domain::{GroupId, Refusal, Usage, UserId};
use crate::storage::EventKey;

/// One request to the ledger: all of it is done, or nothing.
#[derive(Clone, Debug)]
pub enum Command {
    /// Record tokens that were spent.
    Record(Report),
}

impl Command {
    /// The group whose ledger it is about.
    pub fn group(&self) -> GroupId {
        match self {
            Self::Record(report) => report.group,
        }
    }

    /// How many rows it may write, for the size of a batch.
    pub fn size(&self) -> usize {
        match self {
            Self::Record(report) => report.events.len(),
        }
    }

    /// The events it may write, to find those that were recorded before.
    pub fn events(&self) -> impl Iterator<Item = EventKey<'_>> {
        let Self::Record(report) = self;
        report.events.iter().map(|event| EventKey { group: report.group, id: &event.input.id })
    }

    /// The users it names beside the caller.
    pub fn named_users(&self) -> impl Iterator<Item = UserId> {
        let Self::Record(report) = self;
        report.named()
    }

    /// Whether it may be about another period than the current one.
    pub fn brings_a_time(&self) -> bool {
        let Self::Record(report) = self;
        report.events.iter().any(|event| event.input.created_at.is_some())
    }
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// How many events count by this command, and how many had been counted before.
    Recorded { accepted: u64, duplicates: u64 },
}

impl Outcome {
    /// Whether the group's usage is another than before.
    pub fn changed_usage(self) -> bool {
        let Self::Recorded { accepted, .. } = self;
        accepted > 0
    }
}

/// Whether a command is done, decided for each apart from its neighbours in the batch.
pub type Verdict<T = Outcome> = Result<T, Refusal>;

/// What the writer answers once it is on disk: what was done, and the group's usage after it.
#[derive(Clone, Debug)]
pub struct Written {
    pub outcome: Outcome,
    pub usage: Usage,
}
