//! Holds every endpoint's table of parameters against what Stripe publishes.
//!
//! See `tests/api/README.md` for where the document is from.

use std::collections::BTreeSet;

use serde_json::Value;

use super::table;
use crate::http::params::path;
use crate::http::{Field, Route, Shape};

const PUBLISHED: &str = include_str!("../../tests/api/stripe-parameters.json");

/// Endpoints that the document doesn't have.
const UNPUBLISHED: &[&str] = &[
    // Of Connect, which the document is cut without.
    "GET /v1/accounts",
    // Of older ways to pay.
    "GET /v1/customers/{id}/sources",
    "POST /v1/customers/{id}/sources",
    "GET /v1/customers/{id}/sources/{source}",
    "POST /v1/customers/{id}/sources/{source}",
    "DELETE /v1/customers/{id}/sources/{source}",
    // What Stripe's CLI finishes a Checkout session by.
    "GET /v1/payment_pages/{id}",
    "POST /v1/payment_pages/{id}/confirm",
    // Of entitlements; and of tax ids, the document has those of customers only.
    "GET /v1/products/{id}/features",
    "GET /v1/tax_ids",
    "POST /v1/tax_ids",
    "GET /v1/tax_ids/{id}",
    "DELETE /v1/tax_ids/{id}",
    "GET /v1/accounts/{id}",
    // Of disputes, which the document is cut without; their parameters are those of Stripe's Node client.
    "GET /v1/disputes",
    "GET /v1/disputes/{id}",
    "POST /v1/disputes/{id}",
    "POST /v1/disputes/{id}/close",
    // The document has their collection only.
    "GET /v1/refunds/{id}",
    "POST /v1/refunds/{id}",
    "POST /v1/refunds/{id}/cancel",
    // What `stripe events resend` asks for.
    "POST /v1/events/{id}/retry",
];

/// Where a table and the document differ (endpoint and parameter, or how they end), and why that is right.
const DIFFERENT: &[(&str, &str)] = &[
    (" payment_method_data[type]", STRIPE_JS),
    (" payment_method_data[card]", STRIPE_JS),
    ("POST /v1/customers coupon", CLI),
    ("POST /v1/customers promotion_code", CLI),
    ("POST /v1/customers/{id} coupon", CLI),
    ("POST /v1/customers/{id} promotion_code", CLI),
    (" phases[][iterations]", CLI),
    ("POST /v1/promotion_codes coupon", CLI),
    ("POST /v1/promotion_codes promotion", "required, where its earlier spelling isn't given"),
    ("POST /v1/products type", "of earlier versions, which clients pin"),
    ("POST /v1/tokens card[exp_month]", "a number, which the document calls a text here only"),
    ("POST /v1/tokens card[exp_year]", "a number, which the document calls a text here only"),
    ("POST /v1/webhook_endpoints api_version", "the one supported version is later than the document"),
    (" enabled_events[]", "later versions have further events; what isn't the name of one is refused"),
];
const CLI: &str = "of earlier versions, and what Stripe's CLI still sends";
const STRIPE_JS: &str = "what Stripe.js sends, and the document leaves out";

struct Comparison {
    route: String,
    is_list: bool,
    problems: Vec<String>,
    used: BTreeSet<&'static str>,
}

#[test]
fn every_parameter_that_stripe_publishes_is_supported_or_refused_by_name() {
    let published: Value = serde_json::from_str(PUBLISHED).unwrap();
    let mut problems = Vec::new();
    let mut compared = BTreeSet::new();
    let mut used = BTreeSet::new();
    for route in table::all() {
        let name = format!("{} {}", route.method, route.path);
        match published.get(&name) {
            Some(schema) => {
                let mut comparison = Comparison::of(route);
                comparison.fields("", &route.all_fields(), schema);
                problems.extend(comparison.problems);
                used.extend(comparison.used);
                compared.insert(name);
            }
            None if UNPUBLISHED.contains(&&*name) => {}
            None => problems.push(format!("{name} is not published")),
        }
    }
    assert!(problems.is_empty(), "{} problems\n{}", problems.len(), problems.join("\n"));
    let all: BTreeSet<String> = published.as_object().unwrap().keys().cloned().collect();
    assert_eq!(compared, all, "the document has endpoints that are not served");
    let unused: Vec<_> = DIFFERENT.iter().filter(|(place, _)| !used.contains(*place)).collect();
    assert!(unused.is_empty(), "no difference any more: {unused:?}");
}

impl Comparison {
    fn of(route: &Route) -> Self {
        Self {
            route: format!("{} {}", route.method, route.path),
            is_list: route.is_list,
            problems: Vec::new(),
            used: BTreeSet::new(),
        }
    }

    fn problem(&mut self, at: &str, what: &str) {
        let place = format!("{} {at}", self.route);
        match DIFFERENT.iter().find(|(different, _)| place.ends_with(different)) {
            Some((different, _)) => {
                self.used.insert(different);
            }
            None => self.problems.push(format!("{place}: {what}")),
        }
    }

    /// Compares the fields of an object with its schema.
    fn fields(&mut self, inside: &str, fields: &[Field], schema: &Value) {
        let none = serde_json::Map::new();
        let properties = schema["properties"].as_object().unwrap_or(&none);
        let required: Vec<&str> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let mut known = BTreeSet::new();
        for field in fields {
            match field {
                Field::Supported { name, shape, required: needed } => {
                    let at = path(inside, name);
                    if !known.insert(*name) {
                        self.problem(&at, "stands in the table twice");
                    }
                    match properties.get(*name) {
                        Some(published) => self.shape(&at, *shape, published),
                        None => self.problem(&at, "is not published"),
                    }
                    if required.contains(name) && !needed {
                        self.problem(&at, "is required");
                    }
                }
                Field::Unsupported(names) => {
                    for name in *names {
                        let at = path(inside, name);
                        if !known.insert(name) {
                            self.problem(&at, "stands in the table twice");
                        }
                        if !properties.contains_key(*name) {
                            self.problem(&at, "is not published");
                        }
                    }
                }
            }
        }
        for name in properties.keys().filter(|name| !known.contains(name.as_str())) {
            self.problem(&path(inside, name), "is neither supported nor refused by name");
        }
    }

    /// Compares a field's shape with its schema, which may be one of several.
    fn shape(&mut self, at: &str, shape: Shape, schema: &Value) {
        let options: Vec<&Value> = match schema["anyOf"].as_array() {
            Some(options) => options.iter().collect(),
            None => vec![schema],
        };
        let clearable = options.iter().any(|option| values(option).contains(&""));
        // An empty text also unsets many a parameter of which the document doesn't say so.
        let inner = match shape {
            Shape::Clearable(inner) => *inner,
            other if clearable => return self.problem(at, &format!("can be cleared, unlike {other:?}")),
            other => other,
        };
        let typed = |kind: &str| options.iter().copied().find(|option| option["type"] == kind);
        let text =
            options.iter().copied().find(|option| option["type"] == "string" && values(option) != [""]);
        let object = merged(&options);
        let fits = match inner {
            // A list filtered by a value that nothing has is empty, whatever the value.
            Shape::Text => text.is_some_and(|text| self.is_list || values(text).is_empty()),
            Shape::Decimal => {
                text.is_some_and(|text| text["format"] == "decimal") || typed("number").is_some()
            }
            Shape::Int => typed("integer").is_some(),
            Shape::Bool => typed("boolean").is_some(),
            Shape::Enum(taken) => text.is_some_and(|text| is_within(taken, text)),
            Shape::IntOr(taken) => {
                typed("integer").is_some() && text.is_some_and(|text| is_within(taken, text))
            }
            Shape::BoolOr(taken) => {
                typed("boolean").is_some() && text.is_some_and(|text| is_within(taken, text))
            }
            Shape::Map => typed("object").is_some_and(|object| object["additionalProperties"].is_object()),
            Shape::Range => {
                typed("integer").is_some()
                    && object.as_ref().is_some_and(|object| object["properties"]["gte"].is_object())
            }
            Shape::Object(_) => object.is_some(),
            Shape::TextOr(_) => object.is_some() && text.is_some(),
            Shape::List(_) => typed("array").is_some(),
            Shape::Clearable(_) => false,
        };
        if !fits {
            return self.problem(at, &format!("has another shape: {schema}"));
        }
        match (inner, &object, typed("array")) {
            (Shape::Object(fields) | Shape::TextOr(fields), Some(object), _) => {
                self.fields(at, fields, object)
            }
            (Shape::List(of), _, Some(list)) => self.shape(&format!("{at}[]"), *of, &list["items"]),
            _ => {}
        }
    }
}

/// The object among the options. Where there are several, a request gives one or the other.
fn merged(options: &[&Value]) -> Option<Value> {
    let objects: Vec<_> = options.iter().filter_map(|option| option["properties"].as_object()).collect();
    let (first, more) = objects.split_first()?;
    if more.is_empty() {
        return options.iter().copied().find(|option| option["properties"].is_object()).cloned();
    }
    let properties: serde_json::Map<_, _> = first
        .iter()
        .chain(more.iter().copied().flatten())
        .map(|(name, schema)| (name.clone(), schema.clone()))
        .collect();
    Some(serde_json::json!({"type": "object", "properties": properties}))
}

fn values(schema: &Value) -> Vec<&str> {
    schema["enum"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

fn is_within(taken: &[&str], schema: &Value) -> bool {
    let published = values(schema);
    taken.iter().all(|value| published.contains(value))
}
