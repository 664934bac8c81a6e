//! Stripe's published schema of its answers, to hold the sandbox's against.

use std::collections::HashMap;

use jsonschema::Validator;
use serde_json::{Map, Value, json};

/// See `README.md` beside it for where it is from.
const PUBLISHED: [&str; 2] = [include_str!("stripe-schema.json"), include_str!("dispute-schema.json")];

/// What the sandbox shows and the published part of the schema doesn't name.
const UNPUBLISHED: [&str; 3] = ["list", "plan", "search_result"];
/// The same once it is deleted.
const DELETED_UNPUBLISHED: [&str; 1] = ["card"];

pub struct Schema {
    components: Value,
    /// By method and path without the names of its ids: the schema of a 200.
    answers: HashMap<(String, String), Value>,
    compiled: HashMap<String, Validator>,
}

impl Schema {
    pub fn load() -> Self {
        let published = PUBLISHED.map(|document| serde_json::from_str::<Value>(document).unwrap());
        let mut answers = HashMap::new();
        let paths = published.iter().flat_map(|document| document["paths"].as_object().unwrap());
        for (path, methods) in paths {
            for (method, operation) in methods.as_object().unwrap() {
                let schema = &operation["responses"]["200"]["content"]["application/json"]["schema"];
                // The object that it answers is what the address is for: not any object will do.
                answers.insert((method.to_uppercase(), nameless(path)), as_json_schema(schema, &Value::Null));
            }
        }
        let all =
            published.iter().flat_map(|document| document["components"]["schemas"].as_object().unwrap());
        let schemas = Value::Object(all.map(|(name, schema)| (name.clone(), schema.clone())).collect());
        let components = as_json_schema(&schemas, &schemas);
        Self { components: json!({"schemas": components}), answers, compiled: HashMap::new() }
    }

    /// What is wrong with the answer of an endpoint, one line each.
    pub fn problems_of_answer(&mut self, method: &str, path: &str, status: u16, body: &Value) -> Vec<String> {
        if status != 200 {
            let mut problems = self.problems("error", json!({"$ref": "#/components/schemas/error"}), body);
            problems.extend(self.problems_of_objects(body));
            return problems;
        }
        let mut problems = match self.answers.get(&(method.to_owned(), nameless(path))).cloned() {
            Some(schema) => self.problems(&format!("{method} {path}"), schema, body),
            // Not in the published part of the API: what it answers is.
            None => Vec::new(),
        };
        problems.extend(self.problems_of_objects(body));
        problems
    }

    /// What is wrong with an object and the objects in it, each by what its `object` field says it is.
    pub fn problems_of_objects(&mut self, value: &Value) -> Vec<String> {
        let mut problems = Vec::new();
        if let Some(name) = value["object"].as_str().filter(|name| !UNPUBLISHED.contains(name)) {
            let deleted = value["deleted"] == true;
            if deleted && DELETED_UNPUBLISHED.contains(&name) {
                return problems;
            }
            let name = if deleted { format!("deleted_{name}") } else { name.to_owned() };
            problems.extend(self.problems(
                &name,
                json!({"$ref": format!("#/components/schemas/{name}")}),
                value,
            ));
        }
        let inside: Vec<&Value> = match value {
            Value::Object(fields) => fields.values().collect(),
            Value::Array(items) => items.iter().collect(),
            _ => Vec::new(),
        };
        problems.extend(inside.into_iter().flat_map(|value| self.problems_of_objects(value)));
        problems
    }

    fn problems(&mut self, name: &str, schema: Value, instance: &Value) -> Vec<String> {
        if !self.compiled.contains_key(name) {
            let mut whole = schema;
            whole["components"] = self.components.clone();
            let compiled = jsonschema::validator_for(&whole);
            self.compiled.insert(name.to_owned(), compiled.unwrap_or_else(|error| panic!("{name}: {error}")));
        }
        let errors = self.compiled[name].iter_errors(instance);
        errors.map(|error| format!("{name} at {}: {error}", error.instance_path)).collect()
    }
}

/// `/v1/customers/{customer}` and `/v1/customers/{id}` are the same.
fn nameless(path: &str) -> String {
    path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part }).collect::<Vec<_>>().join("/")
}

/// OpenAPI 3.0 has a dialect of its own: `nullable`, and keywords that mean something else in JSON Schema.
///
/// A reference from one of `schemas` to another that describes an object of the API becomes "an object": every
/// object is checked by itself, wherever it stands, which finds more and is sooner done.
fn as_json_schema(value: &Value, schemas: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let target = fields.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next());
            if target.is_some_and(|name| schemas[name]["properties"]["object"]["enum"].is_array()) {
                return json!({"type": "object", "required": ["object"]});
            }
            let own: Map<String, Value> = fields
                .iter()
                .filter(|(key, value)| !(*key == "nullable" && value.is_boolean()))
                .map(|(key, value)| (key.clone(), as_json_schema(value, schemas)))
                .collect();
            match fields.get("nullable") {
                Some(Value::Bool(true)) => json!({"anyOf": [own, {"type": "null"}]}),
                _ => Value::Object(own),
            }
        }
        Value::Array(items) => items.iter().map(|item| as_json_schema(item, schemas)).collect(),
        other => other.clone(),
    }
}

#[test]
fn the_published_schema_finds_what_is_wrong() {
    let mut schema = Schema::load();
    let price = json!({
        "id": "price_1", "object": "price", "active": true, "billing_scheme": "per_unit", "created": 1,
        "currency": "usd", "livemode": false, "metadata": {}, "product": "prod_1", "type": "recurring",
        "recurring": null, "unit_amount": null,
    });
    assert!(schema.problems_of_objects(&price).is_empty());
    for (field, wrong) in [("active", json!(null)), ("created", json!("1")), ("type", json!("weekly"))] {
        let mut bad = price.clone();
        bad[field] = wrong;
        assert!(!schema.problems_of_objects(&bad).is_empty(), "{field}");
    }
    let mut bad = price;
    bad.as_object_mut().unwrap().remove("product");
    assert!(!schema.problems_of_objects(&bad).is_empty(), "a missing field");
}
