//! Reports: what they are of, and in which format.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What a report is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub enum ReportFormat {
    /// RFC 4180, in UTF-8.
    Csv,
    /// One JSON object a line.
    Jsonl,
    /// A spreadsheet.
    Xlsx,
}

impl ReportFormat {
    pub const ALL: [Self; 3] = [Self::Csv, Self::Jsonl, Self::Xlsx];

    /// The word for it, which is its file's extension too.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
            Self::Xlsx => "xlsx",
        }
    }

    pub fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Jsonl => "application/x-ndjson",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        }
    }
}

/// What a report of usage has a row for each of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub enum ReportBy {
    Event,
    Day,
    Member,
    Model,
    Key,
    Period,
}

impl ReportBy {
    pub const ALL: [Self; 6] = [Self::Event, Self::Day, Self::Member, Self::Model, Self::Key, Self::Period];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Day => "day",
            Self::Member => "member",
            Self::Model => "model",
            Self::Key => "key",
            Self::Period => "period",
        }
    }
}

impl fmt::Display for ReportFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for ReportBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ReportFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|format| format.as_str() == text);
        known.ok_or_else(|| "Must be csv, jsonl or xlsx.".into())
    }
}

impl FromStr for ReportBy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|by| by.as_str() == text);
        known.ok_or_else(|| "Must be event, day, member, model, key or period.".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_is_read_as_it_is_written() {
        for by in ReportBy::ALL {
            assert_eq!(by.to_string().parse(), Ok(by));
        }
        for format in ReportFormat::ALL {
            assert_eq!(format.to_string().parse(), Ok(format));
        }
        assert!("pdf".parse::<ReportFormat>().is_err() && "week".parse::<ReportBy>().is_err());
    }
}
