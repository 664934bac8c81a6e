//! What stands in one cell of a report.

use std::borrow::Cow;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::Value;

use crate::domain::Money;

pub type Row = Vec<Cell>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    Empty,
    /// Text as it was written: it is disarmed.
    Text(String),
    /// A word of ours, an id or an address.
    Word(String),
    /// Tokens, events, minor units.
    Count(i64),
    Flag(bool),
    Time(DateTime<Utc>),
    /// An amount in its currency's own number of decimals.
    Decimal(Money),
}

impl Cell {
    pub fn word(word: impl ToString) -> Self {
        Self::Word(word.to_string())
    }

    /// Empty for none.
    pub fn or_empty<T>(value: Option<T>, cell: impl FnOnce(T) -> Self) -> Self {
        value.map_or(Self::Empty, cell)
    }

    /// As CSV has it, and a spreadsheet where it isn't a number.
    pub fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Empty => Cow::Borrowed(""),
            Self::Text(text) => disarmed(text),
            Self::Word(word) => Cow::Borrowed(word),
            Self::Count(count) => Cow::Owned(count.to_string()),
            Self::Flag(flag) => Cow::Borrowed(if *flag { "true" } else { "false" }),
            Self::Time(at) => Cow::Owned(written(*at)),
            Self::Decimal(amount) => Cow::Owned(amount.decimal()),
        }
    }

    /// As a line of JSON has it: nothing runs there, so text is as it was written.
    pub fn json(&self) -> Value {
        match self {
            Self::Empty => Value::Null,
            Self::Text(text) => Value::from(text.as_str()),
            Self::Count(count) => Value::from(*count),
            Self::Flag(flag) => Value::from(*flag),
            cell => Value::from(cell.text()),
        }
    }
}

fn written(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// Text that no spreadsheet takes for a formula: where it begins like one, an apostrophe stands before it.
/// Source: <https://owasp.org/www-community/attacks/CSV_Injection>.
fn disarmed(text: &str) -> Cow<'_, str> {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Currency;

    #[test]
    fn text_that_would_run_is_disarmed_and_numbers_are_not() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx"] {
            let cell = Cell::Text(text.into());
            assert_eq!(cell.text(), format!("'{text}"));
            assert_eq!(cell.json(), Value::from(text));
        }
        assert_eq!(Cell::Text("a=1".into()).text(), "a=1");
        assert_eq!(Cell::Count(-5).text(), "-5");
        assert_eq!(Cell::Decimal(Money::new(-667, Currency::USD)).text(), "-6.67");
    }
}
