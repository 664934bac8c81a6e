//! What the ledger can be asked to do, and what becomes of it.

use chrono::Duration;
use uuid::Uuid;

use super::admit::{Event, Report};
use super::fit::{Shortage, Size};
use crate::domain::{GroupId, KeyId, Refusal, Usage, UsageType, UserId};
use crate::storage::{Durability, EventKey, HoldRow};

/// One request to the ledger: all of it is done, or nothing.
#[derive(Clone, Debug)]
pub enum Command {
    /// Record tokens that were spent.
    Record(Report),
    /// Reserve tokens before they are spent.
    Hold(HoldRequest),
    /// Record what was spent of a hold, and free it.
    Settle { hold: HoldRef, event: Event },
    /// Free a hold of which nothing was spent.
    Release(HoldRef),
    /// Give a hold a new size, and a new time from now.
    Extend { hold: HoldRef, tokens: Option<i64>, expires_in: Duration },
    /// Free the group's holds whose time is over.
    Expire(GroupId),
}

/// Tokens to reserve.
#[derive(Clone, Debug)]
pub struct HoldRequest {
    pub group: GroupId,
    pub user: UserId,
    pub key: Option<KeyId>,
    pub id: String,
    pub usage_type: UsageType,
    pub size: Size,
    pub expires_in: Duration,
    pub durability: Durability,
    /// SHA-256 of what was asked for.
    pub fingerprint: [u8; 32],
}

/// A hold as a caller names it.
#[derive(Clone, Debug)]
pub struct HoldRef {
    pub group: GroupId,
    /// The caller.
    pub user: UserId,
    /// Whether the caller may name others' holds too, as an admin of the group.
    pub any: bool,
    pub id: String,
}

impl Command {
    /// The group whose ledger it is about.
    pub fn group(&self) -> GroupId {
        match self {
            Self::Record(report) => report.group,
            Self::Hold(request) => request.group,
            Self::Settle { hold, .. } | Self::Release(hold) | Self::Extend { hold, .. } => hold.group,
            Self::Expire(group) => *group,
        }
    }

    /// The caller; `None` for a job of the server's own.
    pub fn user(&self) -> Option<UserId> {
        match self {
            Self::Record(report) => Some(report.user),
            Self::Hold(request) => Some(request.user),
            Self::Settle { hold, .. } | Self::Release(hold) | Self::Extend { hold, .. } => Some(hold.user),
            Self::Expire(_) => None,
        }
    }

    /// How many rows it may write, for the size of a batch.
    pub fn size(&self) -> usize {
        match self {
            Self::Record(report) => report.events.len(),
            _ => 1,
        }
    }

    /// What its commit has to outlast.
    pub fn durability(&self) -> Durability {
        if let Self::Hold(request) = self { request.durability } else { Durability::Disk }
    }

    /// Whether it frees a hold, or may.
    pub fn ends_a_hold(&self) -> bool {
        matches!(self, Self::Settle { .. } | Self::Release(_) | Self::Expire(_))
    }

    /// The events it may write, to find those that were recorded before.
    pub fn events(&self) -> impl Iterator<Item = EventKey<'_>> {
        let group = self.group();
        let events = match self {
            Self::Record(report) => report.events.as_slice(),
            Self::Settle { event, .. } => std::slice::from_ref(event),
            _ => &[],
        };
        events.iter().map(move |event| EventKey { group, id: &event.input.id })
    }

    /// The hold it names, or would make.
    pub fn hold(&self) -> Option<EventKey<'_>> {
        let id = match self {
            Self::Hold(request) => &request.id,
            Self::Settle { hold, .. } | Self::Release(hold) | Self::Extend { hold, .. } => &hold.id,
            Self::Record(_) | Self::Expire(_) => return None,
        };
        Some(EventKey { group: self.group(), id })
    }

    /// The users it names beside the caller.
    pub fn named_users(&self) -> impl Iterator<Item = UserId> {
        let report = if let Self::Record(report) = self { Some(report) } else { None };
        report.into_iter().flat_map(Report::named)
    }

    /// The members and keys whose part of the running period it needs: for caps, and for the answer.
    pub fn subjects(&self) -> impl Iterator<Item = Uuid> {
        let key = if let Self::Hold(request) = self { request.key } else { None };
        self.user().map(Uuid::from).into_iter().chain(key.map(Uuid::from))
    }

    /// Whether it may be about another period than the current one.
    pub fn brings_a_time(&self) -> bool {
        matches!(self, Self::Record(report)
            if report.events.iter().any(|event| event.input.created_at.is_some()))
    }

    /// Whether holds whose time is over matter to it.
    pub fn frees_due_holds(&self) -> bool {
        matches!(self, Self::Hold(_) | Self::Extend { .. } | Self::Expire(_))
    }
}

/// What was done.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// How many events count by this command, and how many had been counted before.
    Recorded { accepted: u64, duplicates: u64 },
    /// The hold as it is now.
    Held(HoldRow),
    /// A hold was settled, released or freed; or had been before.
    Ended,
    /// The tokens don't fit. Nothing was changed.
    Denied { shortage: Shortage, usage_type: UsageType },
}

impl Outcome {
    /// Whether the group's usage may be another than before.
    pub fn changes_usage(&self) -> bool {
        match self {
            Self::Recorded { accepted, .. } => *accepted > 0,
            Self::Held(_) | Self::Ended => true,
            Self::Denied { .. } => false,
        }
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
