//! Stripe's form encoding: `items[0][price]=…&metadata[x]=…&expand[]=…`.

use serde_json::{Map, Value};

use crate::engine::ApiError;

/// Brackets deeper than anything the API takes; a bound, so that a request can't grow the tree at will.
const MAX_DEPTH: usize = 12;

/// Reads a form or a query into nested objects. Lists come out as objects keyed by index, or as arrays
/// where written `[]`; [`super::params`] makes them one. All values are text.
///
/// # Errors
/// If a key's brackets don't match, or one key is used as text and as an object.
pub(crate) fn parse(forms: &[&[u8]]) -> Result<Map<String, Value>, ApiError> {
    let mut root = Value::Object(Map::new());
    for (key, value) in forms.iter().flat_map(|form| url::form_urlencoded::parse(form)) {
        let path = split(&key).ok_or_else(|| malformed(&key))?;
        insert(&mut root, &path, value.into_owned()).ok_or_else(|| malformed(&key))?;
    }
    match root {
        Value::Object(map) => Ok(map),
        _ => Ok(Map::new()),
    }
}

fn malformed(key: &str) -> ApiError {
    ApiError::invalid(format!("Invalid parameter name: {key}")).param(key)
}

/// `a[b][]` is `a`, `b` and an empty part.
fn split(key: &str) -> Option<Vec<&str>> {
    let Some(open) = key.find('[') else { return (!key.is_empty()).then(|| vec![key]) };
    let (name, mut rest) = key.split_at(open);
    let mut path = vec![name];
    while !rest.is_empty() {
        let inside = rest.strip_prefix('[')?;
        let close = inside.find(']')?;
        path.push(&inside[..close]);
        rest = &inside[close + 1..];
    }
    (!name.is_empty() && path.len() <= MAX_DEPTH).then_some(path)
}

fn insert(at: &mut Value, path: &[&str], text: String) -> Option<()> {
    let Some((part, rest)) = path.split_first() else {
        *at = Value::String(text);
        return Some(());
    };
    if part.is_empty() {
        if at.as_object().is_some_and(Map::is_empty) {
            *at = Value::Array(Vec::new());
        }
        let list = at.as_array_mut()?;
        // `a[][x]=1&a[][y]=2` is one element, a second `a[][x]` the next.
        let goes_on = rest.first().is_some_and(|next| {
            list.last()
                .and_then(Value::as_object)
                .is_some_and(|last| next.is_empty() || !last.contains_key(*next))
        });
        if !goes_on {
            list.push(Value::Object(Map::new()));
        }
        return insert(list.last_mut()?, rest, text);
    }
    let map = at.as_object_mut()?;
    let next = map.entry((*part).to_owned()).or_insert_with(|| Value::Object(Map::new()));
    insert(next, rest, text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn parsed(form: &str) -> Value {
        Value::Object(parse(&[form.as_bytes()]).unwrap())
    }

    #[test]
    fn nesting_lists_and_escapes() {
        assert_eq!(
            parsed("items[0][price]=price_1&items[0][quantity]=2&metadata[a%20b]=c+d&expand[]=x&expand[]=y"),
            json!({"items": {"0": {"price": "price_1", "quantity": "2"}}, "metadata": {"a b": "c d"},
                   "expand": ["x", "y"]})
        );
        assert_eq!(
            parsed("items[][price]=a&items[][quantity]=1&items[][price]=b"),
            json!({"items": [{"price": "a", "quantity": "1"}, {"price": "b"}]})
        );
    }

    #[test]
    fn names_that_make_no_sense_are_refused() {
        for form in ["a[=1", "a[b=1", "a]b=1&a[x]=1&a[x][y]=2", "[a]=1", "=1", "a[b]c=1"] {
            assert!(parse(&[form.as_bytes()]).is_err(), "{form}");
        }
        let deep = format!("a{}=1", "[b]".repeat(MAX_DEPTH));
        assert!(parse(&[deep.as_bytes()]).is_err());
    }

    proptest! {
        #[test]
        fn nothing_that_is_sent_can_upset_it(form in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&[&form]);
        }
    }
}
