//! What is asked of the list, read from the words it was asked in.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};

use crate::domain::{FieldErrors, GroupSort, GroupStatus, Level, PlanId, Refusal, text};
use crate::storage::{GroupFilter, GroupPosition};

/// The longest text to search for, in characters: no name and no address is longer.
const MAX_SEARCH: usize = 254;

/// The list's parameters as they were written. Left out and empty are the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupFields {
    pub search: Option<String>,
    pub plan: Option<String>,
    pub status: Option<String>,
    pub level: Option<String>,
    pub sort: Option<String>,
}

/// Which groups to list, and in which order.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupsQuery {
    pub filter: GroupFilter,
    pub sort: GroupSort,
    /// Where the page begins; none for the first.
    pub key: Option<GroupKey>,
}

impl Default for GroupsQuery {
    fn default() -> Self {
        Self { filter: GroupFilter::default(), sort: GroupSort::BY_NAME, key: None }
    }
}

/// Where a page begins: behind a group in a list of this order, as of this time.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupKey {
    pub(super) sort: GroupSort,
    pub(super) as_of: DateTime<Utc>,
    /// Whether the page is the one before.
    pub(super) backwards: bool,
    pub(super) position: GroupPosition,
}

impl GroupFields {
    /// # Errors
    /// [`Refusal::Invalid`], which names every field that is wrong.
    pub fn query(&self, key: Option<GroupKey>) -> Result<GroupsQuery, Refusal> {
        let mut errors = FieldErrors::new();
        let search = given(&self.search).map(|search| text(search, "Search", 1, MAX_SEARCH));
        let plan = given(&self.plan).map(|id| id.parse::<PlanId>().map_err(|_| "Must be a plan's id."));
        let status = given(&self.status).map(str::parse::<GroupStatus>);
        let level = given(&self.level).map(str::parse::<Level>);
        let sort = given(&self.sort).map_or(Ok(GroupSort::BY_NAME), str::parse);
        let filter = GroupFilter {
            search: search.and_then(|search| errors.take("search", search)),
            plan: plan.and_then(|plan| errors.take("plan", plan)),
            status: status.and_then(|status| errors.take("status", status)),
            level: level.and_then(|level| errors.take("level", level)),
            group: None,
        };
        let sort = errors.take("sort", sort).unwrap_or(GroupSort::BY_NAME);
        if errors.is_empty() && key.as_ref().is_some_and(|key| key.sort != sort) {
            errors.add("cursor", "Is of a list in another order.");
        }
        errors.into_result()?;
        Ok(GroupsQuery { filter, sort, key })
    }
}

fn given(field: &Option<String>) -> Option<&str> {
    field.as_deref().map(str::trim).filter(|text| !text.is_empty())
}

/// Between the parts of a key's text. The last part, the word, may have it too.
const SEPARATOR: char = '~';

impl fmt::Display for GroupKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sort, as_of, backwards, position } = self;
        let GroupPosition { missing, word, number, id } = position;
        let (way, missing) = (if *backwards { '<' } else { '>' }, u8::from(*missing));
        // The very bits of the number, so that it compares equal.
        write!(f, "{sort}~{way}~{}~{missing}~{:x}~{id}~{word}", as_of.timestamp(), number.to_bits())
    }
}

impl FromStr for GroupKey {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        read(text).ok_or_else(|| "Is not a cursor that this list gave.".to_owned())
    }
}

fn read(text: &str) -> Option<GroupKey> {
    let mut parts = text.splitn(7, SEPARATOR);
    let sort = parts.next()?.parse().ok()?;
    let backwards = match parts.next()? {
        "<" => true,
        ">" => false,
        _ => return None,
    };
    // Times that both databases compare alike.
    let seconds = parts.next()?.parse().ok().filter(|seconds| (0..=MAX_SECONDS).contains(seconds))?;
    let as_of = DateTime::from_timestamp(seconds, 0)?;
    let missing = match parts.next()? {
        "0" => false,
        "1" => true,
        _ => return None,
    };
    let bits = u64::from_str_radix(parts.next()?, 16).ok()?;
    let number = Some(f64::from_bits(bits)).filter(|number| number.is_finite())?;
    let id = parts.next()?.parse().ok()?;
    let word = parts.next().filter(|word| !word.contains('\0'))?.to_owned();
    Some(GroupKey { sort, as_of, backwards, position: GroupPosition { missing, word, number, id } })
}

/// The end of the year 9998.
const MAX_SECONDS: i64 = 253_370_764_799;

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::GroupSortKey;

    fn key(word: &str, number: f64) -> GroupKey {
        GroupKey {
            sort: GroupSort { key: GroupSortKey::RunOut, descending: true },
            as_of: DateTime::from_timestamp(1_700_000_000, 0).unwrap(),
            backwards: true,
            position: GroupPosition {
                missing: false,
                word: word.into(),
                number,
                id: Uuid::from_u128(7).into(),
            },
        }
    }

    #[test]
    fn a_key_survives_being_written() {
        for (word, number) in [("", 0.1 + 0.2), ("a~b ~", -0.0), ("é", 1e300)] {
            let key = key(word, number);
            assert_eq!(key.to_string().parse(), Ok(key));
        }
        let right = key("a", 1.0).to_string();
        for wrong in
            ["", "name", &right.replace("~0~", "~2~"), &right.replace('<', "="), &format!("{right}\0")]
        {
            assert!(wrong.parse::<GroupKey>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let fields = |name: &str, value: &str| {
            let of = |known: &str| (known == name).then(|| value.to_owned());
            GroupFields {
                search: of("search"),
                plan: of("plan"),
                status: of("status"),
                level: of("level"),
                sort: of("sort"),
            }
        };
        for (name, value) in [
            ("search", "a\0b"),
            ("search", &"x".repeat(255)),
            ("plan", "Basic"),
            ("status", "gone"),
            ("level", "exceeded"),
            ("sort", "seats"),
        ] {
            let Err(Refusal::Invalid(errors)) = fields(name, value).query(None) else {
                panic!("{name}={value} passes");
            };
            assert_eq!(errors.iter().map(|error| error.field.as_str()).collect::<Vec<_>>(), [name]);
        }
        for name in ["search", "plan", "status", "level", "sort"] {
            assert_eq!(fields(name, " ").query(None), Ok(GroupsQuery::default()));
        }
        // A cursor goes on in its own order.
        let Err(Refusal::Invalid(errors)) = fields("sort", "name").query(Some(key("a", 0.0))) else {
            panic!("another order passes");
        };
        assert_eq!(errors[0].field, "cursor");
        assert!(fields("sort", "-run_out").query(Some(key("a", 0.0))).is_ok());
    }
}
