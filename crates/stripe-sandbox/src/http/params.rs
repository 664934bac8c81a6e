//! Reading what an endpoint takes out of a form.

use serde_json::{Map, Value};

use super::field::{Field, RANGE, Shape};
use crate::engine::ApiError;

/// Checks a form against the fields of an endpoint and gives its values their types.
///
/// # Errors
/// `parameter_unknown`, `parameter_missing`, or that a value isn't what it should be.
pub(crate) fn read(form: &Map<String, Value>, fields: &[Field]) -> Result<Value, ApiError> {
    object(form, fields, "").map(Value::Object)
}

fn object(form: &Map<String, Value>, fields: &[Field], inside: &str) -> Result<Map<String, Value>, ApiError> {
    let mut read = Map::new();
    let unknown: Vec<String> = form
        .keys()
        .filter(|key| !fields.iter().any(|field| field.names(key)))
        .map(|key| path(inside, key))
        .collect();
    if let Some(first) = unknown.first() {
        let (s, names) = (if unknown.len() > 1 { "s" } else { "" }, unknown.join(", "));
        return Err(ApiError::invalid(format!("Received unknown parameter{s}: {names}"))
            .code("parameter_unknown")
            .param(first));
    }
    for field in fields {
        match field {
            Field::Supported { name, shape, required } => {
                let at = path(inside, name);
                match form.get(*name) {
                    Some(raw) => {
                        read.insert((*name).to_owned(), value(raw, *shape, &at)?);
                    }
                    None if *required => return Err(ApiError::required(&at)),
                    None => {}
                }
            }
            Field::Unsupported(names) => {
                if let Some(name) = names.iter().find(|name| form.contains_key(**name)) {
                    return Err(ApiError::unsupported(&path(inside, name)));
                }
            }
        }
    }
    Ok(read)
}

/// How a parameter is named that stands inside another.
pub(crate) fn path(inside: &str, name: &str) -> String {
    if inside.is_empty() { name.to_owned() } else { format!("{inside}[{name}]") }
}

fn value(raw: &Value, shape: Shape, name: &str) -> Result<Value, ApiError> {
    match shape {
        Shape::Clearable(_) if raw == "" => Ok(Value::Null),
        Shape::Clearable(shape) => value(raw, *shape, name),
        Shape::Text => text(raw, name).map(Value::from),
        Shape::Int => integer(raw, name).map(Value::from),
        Shape::Decimal => decimal(raw, name),
        Shape::Bool => boolean(raw, name),
        Shape::Enum(values) => one_of(raw, values, name),
        Shape::IntOr(values) | Shape::BoolOr(values)
            if raw.as_str().is_some_and(|text| values.contains(&text)) =>
        {
            Ok(raw.clone())
        }
        Shape::IntOr(_) => integer(raw, name).map(Value::from),
        Shape::BoolOr(_) => boolean(raw, name),
        Shape::Map => map(raw, name),
        Shape::Object(fields) => match raw {
            Value::Object(form) => object(form, fields, name).map(Value::Object),
            _ => Err(ApiError::invalid("Invalid object").param(name)),
        },
        Shape::TextOr(fields) => match raw {
            Value::Object(form) => object(form, fields, name).map(Value::Object),
            _ => text(raw, name).map(Value::from),
        },
        Shape::Range => match raw {
            Value::Object(form) => object(form, RANGE, name).map(Value::Object),
            _ => integer(raw, name).map(Value::from),
        },
        Shape::List(of) => list(raw, name)?
            .into_iter()
            .enumerate()
            .map(|(index, item)| value(item, *of, &format!("{name}[{index}]")))
            .collect::<Result<Vec<_>, _>>()
            .map(Value::Array),
    }
}

fn text<'a>(raw: &'a Value, name: &str) -> Result<&'a str, ApiError> {
    match raw {
        Value::String(text) if text.is_empty() => Err(ApiError::invalid(format!(
            "You passed an empty string for '{name}'. We assume empty values are an attempt to unset a parameter; \
             however '{name}' cannot be unset. You should remove '{name}' from your request or supply a non-empty value."
        ))
        .code("parameter_invalid_empty")
        .param(name)),
        Value::String(text) => Ok(text),
        _ => Err(ApiError::invalid("Invalid string").param(name)),
    }
}

fn integer(raw: &Value, name: &str) -> Result<i64, ApiError> {
    let text = text(raw, name)?;
    text.parse().map_err(|_| {
        ApiError::invalid(format!("Invalid integer: {text}")).code("parameter_invalid_integer").param(name)
    })
}

fn boolean(raw: &Value, name: &str) -> Result<Value, ApiError> {
    match text(raw, name)? {
        "true" => Ok(Value::Bool(true)),
        "false" => Ok(Value::Bool(false)),
        other => Err(ApiError::invalid(format!("Invalid boolean: {other}")).param(name)),
    }
}

fn decimal(raw: &Value, name: &str) -> Result<Value, ApiError> {
    let text = text(raw, name)?;
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if all_digits(whole) && all_digits(part) && part.len() <= 12 && whole.len() <= 15 {
        return Ok(Value::from(text));
    }
    Err(ApiError::invalid(format!("Invalid decimal: {text}")).param(name))
}

fn one_of(raw: &Value, values: &[&str], name: &str) -> Result<Value, ApiError> {
    let text = text(raw, name)?;
    if values.contains(&text) {
        return Ok(raw.clone());
    }
    let all = match values {
        [one] => (*one).to_owned(),
        [one, two] => format!("{one} or {two}"),
        [first @ .., last] => format!("{}, or {last}", first.join(", ")),
        [] => String::new(),
    };
    Err(ApiError::invalid(format!("Invalid {name}: must be one of {all}")).param(name))
}

/// Keys of at most 40 characters, texts of at most 500, 50 of them. Source: <https://docs.stripe.com/metadata>
fn map(raw: &Value, name: &str) -> Result<Value, ApiError> {
    let Value::Object(entries) = raw else {
        return Err(ApiError::invalid("Invalid object").param(name));
    };
    if entries.len() > 50 {
        return Err(ApiError::invalid("Metadata can have at most 50 keys.").param(name));
    }
    for (key, entry) in entries {
        let at = path(name, key);
        let Some(text) = entry.as_str() else {
            return Err(ApiError::invalid("Invalid string").param(&at));
        };
        if key.chars().count() > 40 {
            return Err(
                ApiError::invalid(format!("Metadata keys can be up to 40 characters: {key}")).param(&at)
            );
        }
        if text.chars().count() > 500 {
            return Err(ApiError::invalid("Metadata values can have up to 500 characters.").param(&at));
        }
    }
    Ok(raw.clone())
}

/// The items of `a[]` or `a[0]`, the latter in the order of their indexes.
fn list<'a>(raw: &'a Value, name: &str) -> Result<Vec<&'a Value>, ApiError> {
    match raw {
        Value::Array(items) => Ok(items.iter().collect()),
        Value::Object(entries) => {
            let mut items = Vec::with_capacity(entries.len());
            for (key, item) in entries {
                let index: usize = key.parse().map_err(|_| ApiError::invalid("Invalid array").param(name))?;
                items.push((index, item));
            }
            items.sort_by_key(|(index, _)| *index);
            Ok(items.into_iter().map(|(_, item)| item).collect())
        }
        _ => Err(ApiError::invalid("Invalid array").param(name)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::field::{METADATA, opt, req, unsupported};
    use super::super::form;
    use super::*;

    const FIELDS: &[Field] = &[
        req("customer", Shape::Text),
        opt("items", Shape::List(&Shape::Object(&[opt("price", Shape::Text), opt("quantity", Shape::Int)]))),
        opt("behavior", Shape::Enum(&["a", "b", "c"])),
        unsupported(&["tiers", "transfers"]),
        opt("default", Shape::Clearable(&Shape::Text)),
        METADATA,
    ];

    fn parsed(text: &str) -> Result<Value, Value> {
        let form = form::parse(&[text.as_bytes()]).map_err(ApiError::into_object)?;
        read(&form, FIELDS).map_err(ApiError::into_object)
    }

    #[test]
    fn values_get_their_types() {
        assert_eq!(
            parsed("customer=c&items[1][price]=b&items[0][quantity]=2&default=&metadata[x]="),
            Ok(json!({"customer": "c", "items": [{"quantity": 2}, {"price": "b"}], "default": null,
                      "metadata": {"x": ""}}))
        );
    }

    #[test]
    fn refusals_say_what_stripe_says() {
        for (form, message, param) in [
            ("", "Missing required param: customer.", "customer"),
            ("customer=c&x=1", "Received unknown parameter: x", "x"),
            ("customer=c&items[0][x]=1", "Received unknown parameter: items[0][x]", "items[0][x]"),
            ("customer=c&items[0][quantity]=1.5", "Invalid integer: 1.5", "items[0][quantity]"),
            ("customer=c&items=1", "Invalid array", "items"),
            ("customer=c&behavior=x", "Invalid behavior: must be one of a, b, or c", "behavior"),
            (
                "customer=c&transfers[x]=1",
                "The Stripe sandbox does not support the parameter `transfers` here.",
                "transfers",
            ),
        ] {
            let error = parsed(form).unwrap_err();
            assert_eq!(
                (error["message"].as_str(), error["param"].as_str()),
                (Some(message), Some(param)),
                "{form}"
            );
        }
    }
}
