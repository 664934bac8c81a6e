//! Lists: filters, cursors, pages.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::engine::{ApiError, Doc, Kind, Tx, Walk};

/// A page of the documents of `kind` that `wanted` picks, newest first.
///
/// # Errors
/// If the limit is out of range, a cursor names nothing, or two cursors are given.
/// Source: <https://docs.stripe.com/api/pagination>
pub(crate) fn page(
    tx: &Tx,
    kind: Kind,
    url: &str,
    params: &Value,
    wanted: impl Fn(&Doc) -> bool,
) -> Result<Value, ApiError> {
    // Of the filters that an index stands for any will do: all of them are looked at.
    let by = params.as_object().into_iter().flatten().find_map(|(field, value)| {
        let value = value.as_str().filter(|value| Tx::is_indexed(kind, field) && !is_a_family(value))?;
        Some((field.as_str(), vec![value]))
    });
    page_of(tx, kind, url, params, by, wanted)
}

/// As [`page`], of the documents that have one of these values in an indexed field.
///
/// # Errors
/// As [`page`].
pub(crate) fn page_of(
    tx: &Tx,
    kind: Kind,
    url: &str,
    params: &Value,
    by: Option<(&str, Vec<&str>)>,
    wanted: impl Fn(&Doc) -> bool,
) -> Result<Value, ApiError> {
    let limit = limit(params)?;
    let position = |param: &str| match params[param].as_str() {
        Some(cursor) => match tx.get(kind, cursor).filter(|doc| !doc.is_deleted()) {
            Some(doc) => Ok(Some(doc.seq)),
            None => Err(ApiError::missing(kind, cursor, param).status(400)),
        },
        None => Ok(None),
    };
    // What is older has the lower position.
    let (before, after) = (position("starting_after")?, position("ending_before")?);
    if before.is_some() && after.is_some() {
        return Err(two_cursors());
    }
    let created = |at: Option<i64>| in_range(&json!(at), &params["created"]);
    let created = params.get("created").map(|_| &created as &dyn Fn(Option<i64>) -> bool);
    let ascending = after.is_some();
    let walk = Walk { by, after, before, ascending, created };
    let mut docs: Vec<Arc<Doc>> = tx.walk(kind, walk).filter(|doc| wanted(doc)).take(limit + 1).collect();
    let has_more = docs.len() > limit;
    docs.truncate(limit);
    if ascending {
        docs.reverse();
    }
    let data = docs.into_iter().map(|doc| tx.unpacked(kind, doc)).collect();
    // What is named inside of `json!` is copied.
    let mut list = json!({"object": "list", "data": null, "has_more": has_more, "url": url});
    list["data"] = Value::Array(data);
    Ok(list)
}

/// `customer.*` names many types, `all` every status: neither is a value that anything has.
fn is_a_family(value: &str) -> bool {
    value.ends_with('*') || value == "all" || value == "ended"
}

fn limit(params: &Value) -> Result<usize, ApiError> {
    let limit = params["limit"].as_i64().unwrap_or(10);
    if !(1..=100).contains(&limit) {
        let bound = if limit < 1 { "greater than or equal to 1" } else { "less than or equal to 100" };
        return Err(ApiError::invalid(format!("This value must be {bound}.")).param("limit"));
    }
    Ok(usize::try_from(limit).unwrap_or(100))
}

fn two_cursors() -> ApiError {
    ApiError::invalid("You may only specify one of these parameters: ending_before, starting_after.")
}

/// A page of the values of one object, in their order.
///
/// # Errors
/// As [`page`].
pub(crate) fn page_of_values(
    values: &[Value],
    kind: Kind,
    url: &str,
    params: &Value,
) -> Result<Value, ApiError> {
    let (slice, has_more) = cut(values, params, |value| value["id"].as_str().unwrap_or_default(), kind)?;
    Ok(json!({"object": "list", "data": slice, "has_more": has_more, "url": url}))
}

fn cut<'a, T>(
    all: &'a [T],
    params: &Value,
    id: impl Fn(&T) -> &str,
    kind: Kind,
) -> Result<(&'a [T], bool), ApiError> {
    let limit = limit(params)?;
    let position = |param: &str| match params[param].as_str() {
        Some(cursor) => match all.iter().position(|item| id(item) == cursor) {
            Some(position) => Ok(Some(position)),
            None => Err(ApiError::missing(kind, cursor, param).status(400)),
        },
        None => Ok(None),
    };
    let (after, before) = (position("starting_after")?, position("ending_before")?);
    match (after, before) {
        (Some(_), Some(_)) => Err(two_cursors()),
        (_, Some(end)) => {
            let start = end.saturating_sub(limit);
            Ok((&all[start..end], start > 0))
        }
        (after, None) => {
            let start = after.map_or(0, |position| position + 1);
            let end = (start + limit).min(all.len());
            Ok((&all[start..end], end < all.len()))
        }
    }
}

/// Whether a time fits `created=…` or `created[gte]=…`.
pub(crate) fn in_range(value: &Value, range: &Value) -> bool {
    let Some(value) = value.as_i64() else { return range.is_null() };
    if let Some(exactly) = range.as_i64() {
        return value == exactly;
    }
    let bound = |name: &str| range[name].as_i64();
    bound("gt").is_none_or(|gt| value > gt)
        && bound("gte").is_none_or(|gte| value >= gte)
        && bound("lt").is_none_or(|lt| value < lt)
        && bound("lte").is_none_or(|lte| value <= lte)
}

/// Whether a field is what the filter of the same name asks for, if it asks.
pub(crate) fn matches(object: &Value, params: &Value, field: &str) -> bool {
    params.get(field).is_none_or(|wanted| object[field] == *wanted)
}
