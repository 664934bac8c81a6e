//! Reports: the ledger and the invoices as files, of any size, with little memory, and the operator's figures.
//!
//! Owns: who may have which report, its columns, its formats and its total. Doesn't own: what is counted (metering), what
//! was charged (billing), SQL, HTTP.
//!
//! A report is read page by page from one snapshot and written while it is read: one task reads, a thread encodes, the
//! answer's body takes what is ready, and none of them is more than a few pages ahead of the next. The last row is the
//! total. A file without it was cut off; where reading fails midway, the answer breaks off without it.

mod analytics;
mod cell;
mod encode;
mod invoices;
mod query;
mod usage;
mod xlsx;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tracing::{info, warn};

use crate::domain::{GroupId, Refusal, ReportFormat, Role, User};
use crate::error::{Error, Result};
use crate::storage::{ReportSnapshot, Store};

use cell::Row;
use encode::Sink;

pub use analytics::{Analytics, AnalyticsFields, FigureFields, FigureKey, FigureRows, PageRequest};
pub use query::{InvoicesQuery, ReportFields, UsageQuery, time_zones};

/// How many reports are written at a time. Each holds a connection to the database for as long as it takes.
const AT_A_TIME: usize = 4;
/// Rows that are read, encoded and sent together.
const PAGE: i64 = 1_000;
/// Pages that the encoder may be behind, and pieces of the file that the client may be.
const AHEAD: usize = 2;
/// How long a client may take nothing before its report is given up, and its snapshot with it.
const STALLED: Duration = Duration::from_secs(60);
/// Groups that a SuperAdmin chooses from.
const CHOICE: i64 = 500;

/// Writes reports. Cheap to clone.
#[derive(Clone)]
pub struct Reports {
    store: Store,
    running: Arc<Semaphore>,
}

/// A report that is being written.
pub struct Report {
    pub format: ReportFormat,
    /// Letters, digits, `-` and `.` alone.
    pub filename: String,
    /// The file. It ends with an error where the report can't be written to its end.
    pub body: ReceiverStream<Result<Bytes>>,
}

impl fmt::Debug for Reports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reports").field("store", &self.store).finish_non_exhaustive()
    }
}

/// Whose rows a report has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    Group(GroupId),
    AllGroups,
}

/// What the reader hands to the encoder.
enum Batch {
    Rows(Vec<Row>),
    /// The total was the last row.
    End,
    Failed(Error),
}

/// Where the rows of a report go.
struct Rows(mpsc::Sender<Batch>);

impl Rows {
    /// # Errors
    /// [`Error::Stopping`] where nobody takes them any more.
    async fn send(&self, rows: Vec<Row>) -> Result<()> {
        self.0.send(Batch::Rows(rows)).await.map_err(|_| Error::Stopping("a report that nobody takes"))
    }
}

impl Reports {
    pub fn new(store: Store) -> Self {
        Self { store, running: Arc::new(Semaphore::new(AT_A_TIME)) }
    }

    /// The groups that the user may choose from, by name; none for who has one of its own.
    ///
    /// # Errors
    /// The database's.
    pub async fn groups(&self, user: &User) -> Result<Vec<(GroupId, String)>> {
        match user.role {
            Role::SuperAdmin => self.store.group_names(CHOICE).await,
            Role::Admin | Role::Member => Ok(Vec::new()),
        }
    }

    /// # Errors
    /// [`Refusal::Forbidden`] for a member; [`Refusal::NotFound`] for a group that there isn't, and for another's.
    async fn scope(&self, user: &User, asked: Option<GroupId>) -> Result<Scope> {
        let own = match user.role {
            Role::SuperAdmin => None,
            Role::Admin | Role::Member => Some(user.must_be_admin()?),
        };
        match (own, asked) {
            (Some(own), asked) if asked.is_none_or(|asked| asked == own) => Ok(Scope::Group(own)),
            (None, None) => Ok(Scope::AllGroups),
            (None, Some(asked)) if self.store.is_group(asked).await? => Ok(Scope::Group(asked)),
            _ => Err(Refusal::NotFound("group".into()).into()),
        }
    }

    /// Begins to write a report.
    async fn begin(&self, format: ReportFormat, filename: String, contents: Contents) -> Result<Report> {
        let overloaded = Error::Overloaded { what: "reports", retry_after: 5 };
        let permit = Arc::clone(&self.running).try_acquire_owned().map_err(|_| overloaded)?;
        let mut snapshot = self.store.begin_report().await?;
        let (rows, taken) = mpsc::channel(AHEAD);
        let (pieces, body) = mpsc::channel(AHEAD);
        let columns = contents.columns();
        let sink = Sink { pieces, runtime: Handle::current() };
        tokio::task::spawn_blocking(move || encode_all(format, &columns, taken, &sink, permit));
        tokio::spawn(async move {
            let rows = Rows(rows);
            let last = match contents.write(&mut snapshot, &rows).await {
                Ok(()) => Batch::End,
                Err(error) => Batch::Failed(error),
            };
            // The encoder may have gone with its client.
            drop(rows.0.send(last).await);
        });
        Ok(Report { format, filename: format!("{filename}.{format}"), body: ReceiverStream::new(body) })
    }
}

/// What a report is of.
enum Contents {
    Usage(usage::UsageReport),
    Invoices(invoices::InvoicesReport),
}

impl Contents {
    fn columns(&self) -> Vec<&'static str> {
        match self {
            Self::Usage(report) => report.columns(),
            Self::Invoices(report) => report.columns(),
        }
    }

    async fn write(self, snapshot: &mut ReportSnapshot, rows: &Rows) -> Result<()> {
        match self {
            Self::Usage(report) => report.write(snapshot, rows).await,
            Self::Invoices(report) => report.write(snapshot, rows).await,
        }
    }
}

/// Encodes what is read until its end, on a thread of its own.
fn encode_all(
    format: ReportFormat,
    columns: &[&'static str],
    rows: mpsc::Receiver<Batch>,
    sink: &Sink,
    _permit: OwnedSemaphorePermit,
) {
    match encode::encode(format, columns, rows, sink) {
        Ok(()) => {}
        Err(error @ Error::Stopping(_)) => info!(%error, "a report ended early"),
        Err(error) => {
            warn!(%error, "a report could not be written to its end");
            drop(sink.pieces.blocking_send(Err(error)));
        }
    }
}

/// A page of groups, or the one group that is meant, with its name.
async fn groups_of(
    snapshot: &mut ReportSnapshot,
    scope: Scope,
    after: Option<GroupId>,
) -> Result<Vec<(GroupId, String)>> {
    match (scope, after) {
        // Its name isn't written.
        (Scope::Group(group), None) => Ok(vec![(group, String::new())]),
        (Scope::Group(_), Some(_)) => Ok(Vec::new()),
        (Scope::AllGroups, after) => snapshot.groups(after, PAGE).await,
    }
}
