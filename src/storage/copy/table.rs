//! A table as a copy reads and writes it.

use super::BATCH;

/// How a column is read from one database and written to the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ColumnType {
    Id,
    Text,
    Count,
    Flag,
    Time,
    Bytes,
    Document,
}

/// A table, and how its rows are found in order.
pub(super) struct Table {
    pub(super) name: &'static str,
    /// How many of the columns, the first ones, are the primary key.
    pub(super) key: usize,
    pub(super) columns: &'static [(&'static str, ColumnType)],
}

impl Table {
    pub(super) fn names(&self) -> String {
        self.columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
    }

    /// Reads the first rows, or those after `$1, …`, in the order of the key.
    pub(super) fn select(&self, after: bool) -> String {
        let key = self.columns[..self.key].iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        let condition = if after {
            let parameters = (1..=self.key).map(|at| format!("${at}")).collect::<Vec<_>>().join(", ");
            format!("WHERE ({key}) > ({parameters}) ")
        } else {
            String::new()
        };
        format!("SELECT {} FROM {} {condition}ORDER BY {key} LIMIT {BATCH}", self.names(), self.name)
    }
}
