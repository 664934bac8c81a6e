//! JSON as it was sent: in its order, with what a name says more than once, borrowed from the text where it can be.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// A value. Numbers are as exact as a double: what is read of them are counts.
#[derive(Clone, Debug, PartialEq)]
pub enum Json<'a> {
    Null,
    Bool(bool),
    Number(f64),
    Text(Cow<'a, str>),
    List(Vec<Self>),
    /// A name may stand here more than once.
    Object(Vec<(Cow<'a, str>, Self)>),
}

impl<'a> Json<'a> {
    /// # Errors
    /// What isn't JSON, or nests deeper than 128 levels.
    pub fn parse(text: &'a str) -> serde_json::Result<Self> {
        serde_json::from_str(text)
    }

    /// A text as JSON writes it.
    pub fn quoted(text: &str) -> String {
        serde_json::Value::from(text).to_string()
    }

    /// The member of this name; the last, as most readers take it.
    pub fn get(&self, name: &str) -> Option<&Self> {
        self.members().iter().rev().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    pub fn members(&self) -> &[(Cow<'a, str>, Self)] {
        if let Self::Object(members) = self { members } else { &[] }
    }

    pub fn items(&self) -> &[Self] {
        if let Self::List(items) = self { items } else { &[] }
    }

    pub fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// A member that is a text.
    pub fn text_of(&self, name: &str) -> Option<&str> {
        self.get(name)?.text()
    }

    /// A whole number from 0 on. One that is negative, broken or beyond what a double counts exactly is none.
    pub fn count(&self) -> Option<i64> {
        const EXACT: f64 = 9_007_199_254_740_991.0;
        match self {
            #[allow(clippy::cast_possible_truncation, reason = "a whole number within what an i64 holds")]
            Self::Number(number) if number.fract() == 0.0 && (0.0..=EXACT).contains(number) => {
                Some(*number as i64)
            }
            _ => None,
        }
    }

    /// A member that is a count.
    pub fn count_of(&self, name: &str) -> Option<i64> {
        self.get(name)?.count()
    }
}

/// A text, borrowed where it has no escapes.
#[derive(serde::Deserialize)]
pub struct Text<'a>(#[serde(borrow)] pub Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Json<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Values)
    }
}

struct Values;

impl<'de> Visitor<'de> for Values {
    type Value = Json<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json<'de>, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json<'de>, E> {
        Ok(Json::Bool(value))
    }

    #[allow(clippy::cast_precision_loss, reason = "what is too large to be exact is no count either")]
    fn visit_i64<E>(self, value: i64) -> Result<Json<'de>, E> {
        Ok(Json::Number(value as f64))
    }

    #[allow(clippy::cast_precision_loss, reason = "what is too large to be exact is no count either")]
    fn visit_u64<E>(self, value: u64) -> Result<Json<'de>, E> {
        Ok(Json::Number(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json<'de>, E> {
        Ok(Json::Number(value))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Json<'de>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Json::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Json<'de>, A::Error> {
        let mut members = Vec::new();
        while let Some((Text(name), value)) = access.next_entry()? {
            members.push((name, value));
        }
        Ok(Json::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_lost_and_the_last_of_a_name_is_read() {
        let json = Json::parse(r#"{"a":1,"b":["x\n",null,true],"a":2.0}"#).unwrap();
        assert_eq!(json.members().len(), 3);
        assert_eq!(json.count_of("a"), Some(2));
        assert_eq!(json.get("b").unwrap().items()[0].text(), Some("x\n"));
    }

    #[test]
    fn only_whole_numbers_from_0_on_are_counts() {
        for (text, count) in
            [("0", Some(0)), ("7", Some(7)), ("1e3", Some(1_000)), ("-1", None), ("1.5", None)]
        {
            assert_eq!(Json::parse(text).unwrap().count(), count, "{text}");
        }
        for text in ["1e300", "9007199254740993", "\"7\"", "null"] {
            assert_eq!(Json::parse(text).unwrap().count(), None, "{text}");
        }
    }
}
