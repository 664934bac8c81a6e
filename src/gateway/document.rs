//! A JSON object that is passed on as it was sent, but for single values that are replaced in place.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use bytes::Bytes;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::error::ApiError;
use super::json::{Json, Text};

/// An object's text, and where in it each member's value stands. Names may repeat: readers differ in which they take,
/// so what limits something has to look at each.
#[derive(Clone, Debug)]
pub struct Document {
    text: Bytes,
    /// Behind the opening brace.
    inside: usize,
    members: Vec<(String, Range<usize>)>,
}

impl Document {
    /// # Errors
    /// 400 where it isn't a JSON object.
    pub fn parse(text: Bytes) -> Result<Self, ApiError> {
        let str = std::str::from_utf8(&text).map_err(|_| ApiError::not_json("it isn't UTF-8."))?;
        let Members(found) =
            serde_json::from_str(str).map_err(|error| ApiError::not_json(error.to_string()))?;
        let members =
            found.into_iter().map(|(name, value)| (name.into_owned(), range_in(str, value.get()))).collect();
        // The first character that isn't white space: it parsed.
        let inside = str.find('{').map_or(0, |at| at + 1);
        Ok(Self { members, inside, text })
    }

    /// The text of each value of this name.
    pub fn texts(&self, name: &str) -> impl Iterator<Item = &str> {
        self.ranges(name).filter_map(|range| std::str::from_utf8(&self.text[range]).ok())
    }

    /// Each value of this name.
    ///
    /// # Errors
    /// 400 where it nests too deep.
    pub fn values(&self, name: &str) -> Result<Vec<Json<'_>>, ApiError> {
        self.texts(name)
            .map(|text| Json::parse(text).map_err(|error| ApiError::not_json(error.to_string())))
            .collect()
    }

    fn ranges(&self, name: &str) -> impl Iterator<Item = Range<usize>> {
        self.members.iter().filter(move |(key, _)| key == name).map(|(_, range)| range.clone())
    }

    pub fn edit(&self) -> Edit<'_> {
        Edit { document: self, first: None, changes: Vec::new() }
    }
}

/// Where `part`, borrowed from `whole`, stands in it.
fn range_in(whole: &str, part: &str) -> Range<usize> {
    let start = part.as_ptr() as usize - whole.as_ptr() as usize;
    start..start + part.len()
}

/// Changes to a document, each where its value stands.
pub struct Edit<'a> {
    document: &'a Document,
    /// A member to add, before all others.
    first: Option<String>,
    changes: Vec<(Range<usize>, String)>,
}

impl Edit<'_> {
    /// Gives each member of this name that `change` has another value for that value, and adds the member where there
    /// is none and `missing` says so.
    pub fn each(&mut self, name: &str, change: impl Fn(&str) -> Option<String>, missing: Option<String>) {
        let document = self.document;
        let mut found = false;
        for range in document.ranges(name) {
            found = true;
            let Ok(text) = std::str::from_utf8(&document.text[range.clone()]) else { continue };
            self.changes.extend(change(text).map(|value| (range, value)));
        }
        if let (false, Some(value)) = (found, missing) {
            let comma = if document.members.is_empty() && self.first.is_none() { "" } else { "," };
            let earlier = self.first.take().unwrap_or_default();
            self.first = Some(format!("{}:{value}{comma}{earlier}", Json::quoted(name)));
        }
    }

    /// The document with its changes.
    pub fn apply(mut self) -> Bytes {
        if let Some(first) = self.first.take() {
            let at = self.document.inside;
            self.changes.push((at..at, first));
        }
        if self.changes.is_empty() {
            return self.document.text.clone();
        }
        self.changes.sort_by_key(|(range, _)| range.start);
        let text = &self.document.text;
        let added: usize = self.changes.iter().map(|(_, value)| value.len()).sum();
        let mut edited = Vec::with_capacity(text.len() + added);
        let mut at = 0;
        for (range, value) in self.changes {
            edited.extend_from_slice(&text[at..range.start]);
            edited.extend_from_slice(value.as_bytes());
            at = range.end;
        }
        edited.extend_from_slice(&text[at..]);
        edited.into()
    }
}

/// The text of an object in which `name` is `value`, whatever else it has; of anything that isn't an object, an object
/// with that alone.
pub fn with_member(object: &str, name: &str, value: &str) -> String {
    let alone = || format!("{{{}:{value}}}", Json::quoted(name));
    let Ok(document) = Document::parse(Bytes::copy_from_slice(object.as_bytes())) else { return alone() };
    let mut edit = document.edit();
    edit.each(name, |_| Some(value.to_owned()), Some(value.to_owned()));
    String::from_utf8(edit.apply().into()).unwrap_or_else(|_| alone())
}

struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some((Text(name), value)) = access.next_entry()? {
                    members.push((name, value));
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Object)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn document(text: &str) -> Document {
        Document::parse(Bytes::copy_from_slice(text.as_bytes())).unwrap()
    }

    fn set(text: &str, name: &str, value: &str) -> String {
        let document = document(text);
        let mut edit = document.edit();
        edit.each(name, |_| Some(value.to_owned()), Some(value.to_owned()));
        String::from_utf8(edit.apply().into()).unwrap()
    }

    #[test]
    fn one_value_changes_and_every_other_byte_stays() {
        let text = "{ \"a\" : 1.50e1,\n\t\"max\":  99 , \"x\":{\"max\":7},\"a\":\"\\u00e9\" }\n";
        assert_eq!(set(text, "max", "16"), text.replace("99", "16"));
        assert_eq!(set(text, "new", "1"), text.replacen('{', "{\"new\":1,", 1));
        assert_eq!(set("{}", "new", "1"), r#"{"new":1}"#);
        assert_eq!(document(text).edit().apply(), text);
    }

    #[test]
    fn a_name_that_repeats_or_is_escaped_changes_wherever_it_stands() {
        assert_eq!(set(r#"{"m":1,"\u006d":2}"#, "m", "3"), r#"{"m":3,"\u006d":3}"#);
    }

    #[test]
    fn an_option_is_set_within_what_is_there() {
        for (object, expected) in [
            ("null", r#"{"include_usage":true}"#),
            ("{}", r#"{"include_usage":true}"#),
            (r#"{"x":1}"#, r#"{"include_usage":true,"x":1}"#),
            (r#"{"include_usage":false}"#, r#"{"include_usage":true}"#),
        ] {
            assert_eq!(with_member(object, "include_usage", "true"), expected);
        }
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for text in ["", "[]", "1", "{", "{\"a\":}", "{} x"] {
            assert!(Document::parse(Bytes::copy_from_slice(text.as_bytes())).is_err(), "{text}");
        }
        assert!(Document::parse(Bytes::from_static(b"{\"a\":\"\xff\"}")).is_err());
    }

    proptest! {
        #[test]
        fn an_edited_document_is_the_object_with_that_value(
            members in proptest::collection::vec(("[a-c]", any::<i32>()), 0..6), value in any::<u32>(),
        ) {
            let inner: Vec<_> = members.iter().map(|(name, n)| format!(" \"{name}\" :\t{n} ")).collect();
            let edited = set(&format!("{{{}}}", inner.join(",")), "a", &value.to_string());
            let read: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&edited).unwrap();
            prop_assert_eq!(read["a"].as_u64(), Some(u64::from(value)));
            let others = members.iter().filter(|(name, _)| name != "a");
            for (name, n) in others.map(|(name, n)| (name, i64::from(*n))).collect::<std::collections::BTreeMap<_, _>>() {
                prop_assert_eq!(read[name].as_i64(), Some(n));
            }
        }
    }
}
