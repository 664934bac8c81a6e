//! An instance of a JSON schema: for a tool's arguments and for structured output.

mod number;
mod pattern;
mod string;

use serde_json::{Map, Value, json};

/// Values that are made before giving up: a schema can name itself many times over.
const MOST_VALUES: u32 = 10_000;
/// How deep values may stand inside each other.
const MOST_DEPTH: u32 = 64;
/// How often a definition may stand inside itself.
const MOST_NESTED: usize = 2;

/// An instance of `schema`, its texts filled with `subject`; nothing, if none is found.
pub fn instance(schema: &Value, subject: &str) -> Option<Value> {
    let mut maker =
        Maker { root: schema, subject, left: MOST_VALUES, depth: 0, open: Vec::new(), variant: 0 };
    maker.value(schema, "")
}

struct Maker<'a> {
    root: &'a Value,
    subject: &'a str,
    left: u32,
    depth: u32,
    /// The references that are being followed.
    open: Vec<String>,
    /// Tells the items of one array apart.
    variant: usize,
}

impl Maker<'_> {
    /// `name` is the property's, if it is one.
    fn value(&mut self, schema: &Value, name: &str) -> Option<Value> {
        self.left = self.left.checked_sub(1)?;
        if self.depth == MOST_DEPTH {
            return None;
        }
        self.depth += 1;
        let value = self.of(schema, name);
        self.depth -= 1;
        value
    }

    fn of(&mut self, schema: &Value, name: &str) -> Option<Value> {
        let schema = match schema {
            Value::Bool(anything) => return anything.then(|| json!(self.subject)),
            Value::Object(schema) => schema,
            _ => return None,
        };
        if let Some(Value::String(reference)) = schema.get("$ref") {
            return self.referenced(reference, schema, name);
        }
        if let Some(value) = schema.get("const") {
            return Some(value.clone());
        }
        if let Some(Value::Array(values)) = schema.get("enum") {
            return self.one_of(values);
        }
        if let Some(Value::Array(all)) = schema.get("allOf") {
            // Two references would not go into one object.
            let merged = all.iter().try_fold(without(schema, "allOf"), |merged, part| {
                Some(merge(
                    merged,
                    part.get("$ref").map_or(Some(part), |reference| self.target(reference.as_str()?))?,
                ))
            })?;
            return self.value(&merged, name);
        }
        for key in ["anyOf", "oneOf"] {
            if let Some(Value::Array(alternatives)) = schema.get(key) {
                let base = without(schema, key);
                return alternatives
                    .iter()
                    .find_map(|alternative| self.value(&merge(base.clone(), alternative), name));
            }
        }
        match schema.get("type") {
            Some(Value::Array(kinds)) => {
                kinds.iter().find_map(|kind| self.typed(kind.as_str()?, schema, name))
            }
            Some(Value::String(kind)) => self.typed(kind, schema, name),
            _ if schema.contains_key("properties") => self.typed("object", schema, name),
            _ if schema.contains_key("items") => self.typed("array", schema, name),
            _ if schema.contains_key("minimum") || schema.contains_key("maximum") => {
                self.typed("number", schema, name)
            }
            _ => self.typed("string", schema, name),
        }
    }

    fn typed(&mut self, kind: &str, schema: &Map<String, Value>, name: &str) -> Option<Value> {
        match kind {
            "null" => Some(Value::Null),
            "boolean" => Some(json!(true)),
            "integer" => number::integer(schema, self.variant).map(|value| json!(value)),
            "number" => number::number(schema, self.variant).map(|value| json!(value)),
            "string" => string::string(schema, self.subject, name, self.variant).map(Value::String),
            "array" => self.array(schema),
            "object" => self.object(schema),
            _ => None,
        }
    }

    fn referenced(&mut self, reference: &str, schema: &Map<String, Value>, name: &str) -> Option<Value> {
        if self.open.iter().filter(|open| *open == reference).count() >= MOST_NESTED {
            return None;
        }
        let merged = merge(without(schema, "$ref"), self.target(reference)?);
        self.open.push(reference.to_owned());
        let value = self.value(&merged, name);
        self.open.pop();
        value
    }

    /// What a reference within the schema refers to.
    fn target(&self, reference: &str) -> Option<&Value> {
        self.root.pointer(reference.strip_prefix('#')?)
    }

    /// The one that the subject mentions, or else the first.
    fn one_of(&self, values: &[Value]) -> Option<Value> {
        let subject = self.subject.to_lowercase();
        let mentioned = values.iter().find(|value| {
            value.as_str().is_some_and(|value| !value.is_empty() && subject.contains(&value.to_lowercase()))
        });
        match (self.variant, mentioned) {
            (0, Some(value)) => Some(value.clone()),
            (variant, _) => values.get(variant).or(values.first()).cloned(),
        }
    }

    fn array(&mut self, schema: &Map<String, Value>) -> Option<Value> {
        let bound =
            |key| schema.get(key).and_then(Value::as_u64).and_then(|bound| usize::try_from(bound).ok());
        let least = bound("minItems").unwrap_or(0);
        let length = least.max(1).min(bound("maxItems").unwrap_or(usize::MAX));
        let first: &[Value] = schema.get("prefixItems").and_then(Value::as_array).map_or(&[], Vec::as_slice);
        let rest = schema.get("items").unwrap_or(&Value::Bool(true));
        let before = self.variant;
        let mut items = Vec::new();
        for at in 0..length.max(first.len().min(bound("maxItems").unwrap_or(usize::MAX))) {
            self.variant = at;
            let Some(item) = self.value(first.get(at).unwrap_or(rest), "") else { break };
            items.push(item);
        }
        self.variant = before;
        (items.len() >= least).then_some(Value::Array(items))
    }

    /// What is required, or all of it where nothing is.
    fn object(&mut self, schema: &Map<String, Value>) -> Option<Value> {
        let none = Map::new();
        let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&none);
        let required: Vec<&str> = schema
            .get("required")
            .and_then(Value::as_array)
            .map_or_else(Vec::new, |names| names.iter().filter_map(Value::as_str).collect());
        let mut object = Map::new();
        for name in &required {
            let other = schema.get("additionalProperties").unwrap_or(&Value::Bool(true));
            object.insert((*name).into(), self.value(properties.get(*name).unwrap_or(other), name)?);
        }
        if required.is_empty() {
            for (name, property) in properties {
                if let Some(value) = self.value(property, name) {
                    object.insert(name.clone(), value);
                }
            }
        }
        Some(Value::Object(object))
    }
}

fn without(schema: &Map<String, Value>, key: &str) -> Value {
    let mut rest = schema.clone();
    rest.remove(key);
    Value::Object(rest)
}

/// Both at once: properties and required names of either, and what else the second says.
fn merge(first: Value, second: &Value) -> Value {
    let (Value::Object(mut merged), Value::Object(second)) = (first, second) else { return second.clone() };
    for (key, value) in second {
        match (merged.get_mut(key), value) {
            (Some(Value::Object(ours)), Value::Object(theirs)) if key == "properties" => {
                ours.extend(theirs.iter().map(|(name, schema)| (name.clone(), schema.clone())));
            }
            (Some(Value::Array(ours)), Value::Array(theirs)) if key == "required" => {
                ours.extend(theirs.iter().cloned());
            }
            _ => {
                merged.insert(key.clone(), value.clone());
            }
        }
    }
    Value::Object(merged)
}
