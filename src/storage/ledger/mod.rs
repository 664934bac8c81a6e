//! The ledger's one transaction: queue for the groups, look up what the decision needs, write what it says.
//!
//! What counts where is not decided here: [`Store::write_ledger`] asks its caller, inside the transaction. Each database has
//! its own way of doing it in few round trips.

mod found;
mod holds;
mod postgres;
mod rows;
mod script;
mod sqlite;

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::dialect::is_worth_a_retry;
use super::summaries::Opened;
use super::tx::TxInner;
use super::{ProcessId, Store};
use crate::domain::{GroupId, Period, SubscriptionId};
use crate::error::{Error, Result};

pub use found::{Found, Wanted, latest_expiry};
pub use holds::{HoldKey, HoldRow, HoldState};
pub(super) use rows::stored;
pub use rows::{ActivityRow, Delta, EventKey, EventRow, NoticeRow, Notified, QuarterRow, ShareRow, SumRow};

/// What to do, and what the caller keeps of how it was decided.
#[derive(Debug)]
pub enum Decision<'a, T> {
    /// These subscriptions' periods are needed first: open them and ask again.
    Open(Vec<MissingPeriod>),
    Write {
        changes: Changes<'a>,
        outcome: T,
    },
}

/// The rows to write. Of sums, shares, quarters and activity there is at most one row for each key.
#[derive(Debug, Default)]
pub struct Changes<'a> {
    pub events: Vec<EventRow<'a>>,
    pub sums: Vec<SumRow>,
    pub shares: Vec<ShareRow>,
    pub quarters: Vec<QuarterRow<'a>>,
    pub holds: Vec<HoldRow>,
    pub notices: Vec<NoticeRow>,
    pub activity: Vec<ActivityRow>,
}

/// What a commit outlasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Durability {
    /// This process's end. It reaches the disk with the next commit that waits for it, at the latest.
    Process,
    /// The machine's end: it is on disk before anybody is told of it.
    Disk,
}

/// A period that something is to be recorded in, and that isn't open yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MissingPeriod {
    pub group: GroupId,
    pub subscription: SubscriptionId,
    pub period: Period,
    pub opened: Opened,
}

/// How often a transaction is tried that the database gave up for another's sake.
const TRIES: u32 = 4;
const PAUSE: Duration = Duration::from_millis(10);

/// How often a decision may ask for periods to be opened. It knows all it needs after the first time.
const ROUNDS: usize = 3;

impl Store {
    /// Writes to the ledger what `decide` says of what it finds, all or nothing, and gives what was found,
    /// with the sums as of the commit, and what `decide` kept. Where the database gives the transaction up
    /// for another's sake, it is run again, and `decide` is asked again.
    ///
    /// `origin` is this process, as the notification of the others names it.
    ///
    /// # Errors
    /// What `decide` fails with; the database's.
    pub async fn write_ledger<'a, T: Send>(
        &self,
        durability: Durability,
        wanted: &Wanted<'_>,
        now: DateTime<Utc>,
        origin: ProcessId,
        mut decide: impl FnMut(&Found) -> Result<Decision<'a, T>> + Send,
    ) -> Result<(Found, T)> {
        let mut tries = 1;
        loop {
            match self.try_write_ledger(durability, wanted, now, origin, &mut decide).await {
                Err(Error::Database(error)) if is_worth_a_retry(&error) && tries < TRIES => {
                    tokio::time::sleep(PAUSE * tries).await;
                    tries += 1;
                }
                written => return written,
            }
        }
    }

    /// Whether a transaction failed for what was in it, so that a part of it alone may go through.
    pub fn blames_content(error: &Error) -> bool {
        match error {
            Error::Database(error) => error.as_database_error().is_some() && !is_worth_a_retry(error),
            Error::Internal(_) => true,
            _ => false,
        }
    }

    async fn try_write_ledger<'a, T: Send>(
        &self,
        durability: Durability,
        wanted: &Wanted<'_>,
        now: DateTime<Utc>,
        origin: ProcessId,
        decide: &mut (impl FnMut(&Found) -> Result<Decision<'a, T>> + Send),
    ) -> Result<(Found, T)> {
        let groups = json(&wanted.groups)?;
        let mut tx = self.begin_ledger().await?;
        let mut found = match &mut tx.0 {
            TxInner::Sqlite(tx) => tx.begin_with(durability, wanted, &groups, now).await?,
            TxInner::Postgres(tx) => tx.look_up(durability, wanted, &groups, now).await?,
        };
        let mut round = 0;
        let (changes, outcome) = loop {
            match &mut tx.0 {
                TxInner::Sqlite(tx) => tx.look_up_shares(&mut found, wanted, &groups, now).await?,
                TxInner::Postgres(tx) => tx.look_up_shares(&mut found, wanted, &groups, now).await?,
            }
            match decide(&found)? {
                Decision::Write { changes, outcome } => break (changes, outcome),
                Decision::Open(_) if round == ROUNDS => {
                    return Err(Error::Internal("a period that was opened is not there".into()));
                }
                Decision::Open(missing) => {
                    round += 1;
                    for MissingPeriod { group, subscription, period, opened } in missing {
                        tx.open_period(group, subscription, period, opened, now).await?;
                    }
                    match &mut tx.0 {
                        TxInner::Sqlite(tx) => tx.look_up_live(&mut found, &groups, now).await?,
                        TxInner::Postgres(tx) => tx.look_up_live(&mut found, &groups, now).await?,
                    }
                }
            }
        };
        match tx.0 {
            TxInner::Sqlite(tx) => tx.commit_with(&changes, now).await?,
            TxInner::Postgres(tx) => tx.commit_with(&changes, now, origin).await?,
        }
        if !changes.notices.is_empty() {
            self.wake_notices();
        }
        found.add(&changes.sums, &changes.shares);
        Ok((found, outcome))
    }
}

fn json(rows: &impl Serialize) -> Result<String> {
    serde_json::to_string(rows).map_err(|error| Error::Internal(error.to_string()))
}
