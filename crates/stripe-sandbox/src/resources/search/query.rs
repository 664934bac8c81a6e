//! Stripe's search query language: `status:'active' AND metadata['group']:'1'`.
//!
//! Source: <https://docs.stripe.com/search#search-query-language>. All clauses are joined by AND or all by OR; a minus before a
//! clause turns it round.

use serde_json::Value;

use super::value_at;
use crate::engine::ApiError;

/// How a clause compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    /// `:`, the value itself.
    Is,
    /// `~`, a part of the text of three characters or more.
    Contains,
    Over,
    OverOrIs,
    Under,
    UnderOrIs,
}

#[derive(Debug)]
struct Clause {
    negated: bool,
    field: String,
    /// The key within `metadata`.
    key: Option<String>,
    comparison: Comparison,
    /// `None` for `null`: that nothing is there.
    value: Option<String>,
}

/// What is looked for.
#[derive(Debug)]
pub(super) struct Query {
    clauses: Vec<Clause>,
    any: bool,
}

/// Clauses that a query may have.
const MOST: usize = 10;

impl Query {
    /// Reads a query over these fields.
    ///
    /// # Errors
    /// If it isn't in order, or has a field that can't be searched by.
    pub(super) fn read(text: &str, fields: &[&str]) -> Result<Self, ApiError> {
        let mut reader = Reader { rest: text.trim_start() };
        let mut clauses = vec![reader.clause(fields)?];
        let mut joined = None;
        while !reader.rest.is_empty() {
            let word = reader.word();
            let any = match &*word.to_ascii_uppercase() {
                "AND" => false,
                "OR" => true,
                _ => return Err(malformed(&format!("expected AND or OR, and found `{word}`"))),
            };
            if joined.is_some_and(|joined| joined != any) {
                return Err(malformed("AND and OR can't be combined in one query"));
            }
            joined = Some(any);
            clauses.push(reader.clause(fields)?);
        }
        if clauses.len() > MOST {
            return Err(malformed(&format!("a query has at most {MOST} clauses")));
        }
        Ok(Self { clauses, any: joined == Some(true) })
    }

    pub(super) fn matches(&self, object: &Value) -> bool {
        let mut clauses = self.clauses.iter();
        if self.any {
            clauses.any(|clause| clause.matches(object))
        } else {
            clauses.all(|clause| clause.matches(object))
        }
    }
}

impl Clause {
    fn matches(&self, object: &Value) -> bool {
        let values = match &self.key {
            Some(key) => vec![&object[&*self.field][&**key]],
            None => value_at(object, &self.field),
        };
        let present: Vec<&Value> = values.into_iter().filter(|value| !value.is_null()).collect();
        let found = match &self.value {
            None => present.is_empty(),
            Some(wanted) => present.iter().any(|value| self.compares(value, wanted)),
        };
        found != self.negated
    }

    fn compares(&self, value: &Value, wanted: &str) -> bool {
        let numbers = value.as_f64().zip(wanted.parse::<f64>().ok());
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned).to_lowercase();
        let wanted = wanted.to_lowercase();
        match (self.comparison, numbers) {
            (Comparison::Is, Some((value, wanted))) => value.total_cmp(&wanted).is_eq(),
            (Comparison::Is, None) => text == wanted,
            (Comparison::Contains, _) => text.contains(&wanted),
            (Comparison::Over, Some((value, wanted))) => value > wanted,
            (Comparison::OverOrIs, Some((value, wanted))) => value >= wanted,
            (Comparison::Under, Some((value, wanted))) => value < wanted,
            (Comparison::UnderOrIs, Some((value, wanted))) => value <= wanted,
            (_, None) => false,
        }
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn skip(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }

    /// Letters, digits, dots and underscores, and the white space behind them.
    fn word(&mut self) -> &'a str {
        let end = self.rest.find(|char: char| !(char.is_alphanumeric() || char == '_' || char == '.'));
        let word = &self.rest[..end.unwrap_or(self.rest.len())];
        self.skip(word.len());
        self.rest = self.rest.trim_start();
        word
    }

    fn clause(&mut self, fields: &[&str]) -> Result<Clause, ApiError> {
        let negated = self.rest.starts_with('-');
        self.skip(usize::from(negated));
        let field = self.word().to_owned();
        if !fields.contains(&&*field) {
            return Err(malformed(&format!("the field `{field}` is unsupported for search")));
        }
        let key = if field == "metadata" { Some(self.key()?) } else { None };
        let comparison = self.comparison()?;
        let value = self.value()?;
        if comparison == Comparison::Contains && value.as_ref().is_none_or(|text| text.chars().count() < 3) {
            return Err(malformed("`~` needs a text of three characters or more"));
        }
        self.rest = self.rest.trim_start();
        Ok(Clause { negated, field, key, comparison, value })
    }

    fn key(&mut self) -> Result<String, ApiError> {
        self.rest =
            self.rest.strip_prefix('[').ok_or_else(|| malformed("`metadata` needs a key in brackets"))?;
        let key = self.quoted()?;
        self.rest = self.rest.strip_prefix(']').ok_or_else(|| malformed("a bracket isn't closed"))?;
        Ok(key)
    }

    fn comparison(&mut self) -> Result<Comparison, ApiError> {
        for (sign, comparison) in [
            (":", Comparison::Is),
            ("~", Comparison::Contains),
            (">=", Comparison::OverOrIs),
            ("<=", Comparison::UnderOrIs),
            (">", Comparison::Over),
            ("<", Comparison::Under),
        ] {
            if let Some(rest) = self.rest.strip_prefix(sign) {
                self.rest = rest.trim_start();
                return Ok(comparison);
            }
        }
        Err(malformed("a field is followed by one of : ~ > < >= <="))
    }

    fn value(&mut self) -> Result<Option<String>, ApiError> {
        if self.rest.starts_with(['\'', '"']) {
            return self.quoted().map(Some);
        }
        match self.word() {
            "" => Err(malformed("a value is missing")),
            "null" | "NULL" => Ok(None),
            word => Ok(Some(word.to_owned())),
        }
    }

    /// A text in quotes, with the quotes in it behind a backslash.
    fn quoted(&mut self) -> Result<String, ApiError> {
        let mut chars = self.rest.char_indices();
        let quote = chars.next().map(|(_, char)| char).filter(|char| matches!(char, '\'' | '"'));
        let quote = quote.ok_or_else(|| malformed("a value is missing its quotes"))?;
        let mut text = String::new();
        while let Some((at, char)) = chars.next() {
            if char == quote {
                self.skip(at + char.len_utf8());
                return Ok(text);
            }
            match char {
                '\\' => text.extend(chars.next().map(|(_, escaped)| escaped)),
                other => text.push(other),
            }
        }
        Err(malformed("a quote isn't closed"))
    }
}

fn malformed(why: &str) -> ApiError {
    let message = format!(
        "We were unable to parse your search query: {why}. Try using the format \"metadata['key']:'value'\" to search for \
         metadata or `key:'value'` to search for properties."
    );
    ApiError::invalid(message).param("query")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const FIELDS: &[&str] = &["created", "currency", "email", "metadata", "name", "status"];

    fn finds(query: &str) -> bool {
        let object = json!({
            "created": 100, "email": "Ada@example.test", "name": "O'Hara \"A\"", "status": "active",
            "metadata": {"group id": "1"}, "currency": null,
        });
        Query::read(query, FIELDS).unwrap().matches(&object)
    }

    #[test]
    fn what_is_asked_for_is_found() {
        for query in [
            "email:'ada@example.test'",
            "email~\"example\"",
            "-status:'canceled'",
            "created>99 AND created<=100 and created>='100'",
            "status:'canceled' OR metadata['group id']:'1'",
            "name:'O\\'Hara \"A\"'",
            "currency:null AND -email:null AND -metadata[\"group id\"]:null",
        ] {
            assert!(finds(query), "{query}");
        }
        for query in ["email:'ada'", "created>100", "-status:'active'", "metadata['x']:'1'", "status>'3'"] {
            assert!(!finds(query), "{query}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for query in [
            "",
            "email",
            "email:",
            "email:'a",
            "metadata:'a'",
            "metadata['a:'b'",
            "unknown:'a'",
            "email~'ab'",
            "email:'a' status:'b'",
            "email:'a' AND status:'b' OR name:'c'",
            "email='a'",
            "email:'a' AND",
        ] {
            assert!(Query::read(query, FIELDS).is_err(), "{query}");
        }
    }

    proptest! {
        #[test]
        fn nothing_that_is_sent_can_upset_it(query in "\\PC{0,60}") {
            let _ = Query::read(&query, FIELDS);
        }
    }
}
