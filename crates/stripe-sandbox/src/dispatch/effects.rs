//! Holds every endpoint to its table of parameters: each one that is supported makes a difference.
//!
//! A request is carried out without the parameter and with values of it, each time in the same state and with nothing kept, and
//! what it answers, changes and announces is compared. A refusal is a difference too. Which requests, and which values beside
//! those that any parameter of its shape is tried with, is said in `tests/api/effects.json`: there too, what has to be there
//! first, and names in braces for what came of that.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::table;
use crate::billing::due;
use crate::clock::Clock;
use crate::engine::{ApiError, Cause, Sandbox, number_ids_from};
use crate::http::params::{self, path};
use crate::http::{Call, Field, RANGE, Role, Route, Shape, form};

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/api/effects.json");
/// The time of all of it, in Unix seconds, and of a day before and after.
const NOW: i64 = 1_800_000_000;
const TIMES: [&str; 3] = ["1799913600", "1800086400", "1805184000"];

/// Parameters (endpoint and name, or how they end) that make no difference, and why that is right.
const WITHOUT_EFFECT: &[(&str, &str)] = &[
    ("GET /v1/accounts limit", NOTHING),
    ("GET /v1/accounts starting_after", NOTHING),
    ("GET /v1/accounts ending_before", NOTHING),
    ("GET /v1/customers/{id}/sources object", NOTHING),
    ("GET /v1/customers/{id}/sources limit", NOTHING),
    ("GET /v1/customers/{id}/sources starting_after", NOTHING),
    ("GET /v1/customers/{id}/sources ending_before", NOTHING),
    ("GET /v1/products/{id}/features limit", NOTHING),
    ("GET /v1/products/{id}/features starting_after", NOTHING),
    ("GET /v1/products/{id}/features ending_before", NOTHING),
    ("POST /v1/credit_notes email_type", NO_MESSAGE),
    ("GET /v1/credit_notes/preview email_type", NO_MESSAGE),
    ("GET /v1/credit_notes/preview/lines email_type", NO_MESSAGE),
    ("GET /v1/credit_notes/preview/lines effective_at", NOT_IN_LINES),
    ("GET /v1/credit_notes/preview/lines memo", NOT_IN_LINES),
    ("GET /v1/credit_notes/preview/lines metadata[a]", NOT_IN_LINES),
    ("GET /v1/credit_notes/preview/lines reason", NOT_IN_LINES),
    (
        "POST /v1/invoices/create_preview subscription_details[items][0][price_data][tax_behavior]",
        "a preview keeps no price, and its lines don't tell this of one",
    ),
    (
        "POST /v1/subscription_schedules/{id} proration_behavior",
        "a phase that runs stays as it is, so there is nothing to prorate",
    ),
    ("POST /v1/subscriptions/{id}/resume proration_behavior", RESUMED),
    ("POST /v1/subscriptions/{id}/resume proration_date", RESUMED),
    (
        "POST /v1/events/{id}/retry for_stripecli",
        "the CLI says so of itself; it is sent what it listens for anyway",
    ),
];
const NO_MESSAGE: &str = "no message goes out, either way";
const NOT_IN_LINES: &str = "it is of the note as a whole, of which its lines say nothing";
const NOTHING: &str = "there is nothing in this list";
const RESUMED: &str = "a period begins, and nothing was paid for the time of the pause";

type Form = BTreeMap<String, String>;

/// A parameter of an endpoint.
struct Parameter {
    at: String,
    values: Vec<String>,
    required: bool,
    /// It takes one value, which holds without it too: any other is refused.
    has_no_choice: bool,
    /// What objects need that it stands in.
    companions: Form,
}

/// A sandbox in which there is something of everything.
struct World {
    sandbox: Sandbox,
    data: Value,
    named: HashMap<String, Value>,
}

#[tokio::test]
async fn every_supported_parameter_makes_a_difference() {
    let world = World::new().await;
    let mut problems = Vec::new();
    let mut used = BTreeSet::new();
    for route in table::all() {
        let name = format!("{} {}", route.method, route.path);
        let mut parameters = Vec::new();
        world.parameters("", &route.all_fields(), &Form::new(), &mut parameters);
        for parameter in parameters {
            let place = format!("{name} {}", parameter.at);
            let excused = WITHOUT_EFFECT.iter().find(|(excused, _)| place.ends_with(excused));
            let differs = parameter.has_no_choice || world.makes_a_difference(route, &parameter).await;
            match (differs, excused) {
                (true, _) => {}
                (false, Some((excused, _))) => drop(used.insert(*excused)),
                (false, None) => problems.push(place),
            }
        }
    }
    assert!(problems.is_empty(), "{} without effect:\n{}", problems.len(), problems.join("\n"));
    let unused: Vec<_> = WITHOUT_EFFECT.iter().filter(|(place, _)| !used.contains(*place)).collect();
    assert!(unused.is_empty(), "these have their effect: {unused:?}");
}

impl World {
    async fn new() -> Self {
        number_ids_from(1);
        let data = serde_json::from_str(&fs::read_to_string(DATA).unwrap()).unwrap();
        let clock = Clock::from_fn(|| DateTime::<Utc>::from_timestamp(NOW, 0).unwrap());
        let (sandbox, _) =
            Sandbox::open(None, due::SCHEDULE, clock, "http://127.0.0.1:1".to_owned()).await.unwrap();
        let mut world = Self { sandbox, data, named: HashMap::new() };
        for step in world.data["world"].as_array().unwrap().clone() {
            let [name, request, form] = &step.as_array().unwrap()[..] else { panic!("{step}") };
            let (method, address) = request.as_str().unwrap().split_once(' ').unwrap();
            let (route, ids) = table::find(method, &world.filled(address)).unwrap();
            let form = world.form(form);
            let read = params::read(&parsed(&form), &route.all_fields());
            let read = read.unwrap_or_else(|error| panic!("{step}: {:?}", error.into_object()));
            let made = world.sandbox.transact(Cause::default(), |tx| {
                (true, (route.run)(&mut Call { tx, ids: &ids, params: &read, role: Role::Server }))
            });
            let made = made.await.unwrap();
            let made = made.unwrap_or_else(|error| panic!("{step}: {:?}", error.into_object()));
            world.named.insert(name.as_str().unwrap().to_owned(), made);
            // A test clock that is advanced.
            world.sandbox.catch_up().await;
        }
        world
    }

    /// A text with what the names in its braces stand for: an object's id, or what is at a place in it.
    fn filled(&self, text: &str) -> String {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').unwrap();
            let (name, place) = name.split_once('/').unwrap_or((name, "id"));
            let object = self.named.get(name).unwrap_or_else(|| panic!("nothing is named {name}"));
            let value =
                object.pointer(&format!("/{place}")).unwrap_or_else(|| panic!("{name} has no {place}"));
            filled += before;
            filled += &value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            rest = after;
        }
        filled + rest
    }

    fn form(&self, given: &Value) -> Form {
        let fields = given.as_object().unwrap().iter();
        fields.map(|(name, value)| (name.clone(), self.filled(value.as_str().unwrap()))).collect()
    }

    /// The parameters of a table, those inside others included.
    fn parameters(&self, inside: &str, fields: &[Field], outer: &Form, found: &mut Vec<Parameter>) {
        for field in fields {
            let Field::Supported { name, shape, required } = field else { continue };
            let mut companions = outer.clone();
            for other in fields {
                if let Field::Supported { name: needed, shape, required: true } = other
                    && needed != name
                {
                    companions.extend(self.simplest(&path(inside, needed), *shape));
                }
            }
            self.parameter(path(inside, name), *shape, *required, companions, found);
        }
    }

    fn parameter(
        &self,
        at: String,
        shape: Shape,
        required: bool,
        companions: Form,
        found: &mut Vec<Parameter>,
    ) {
        match shape {
            Shape::Clearable(inner) => return self.parameter(at, *inner, required, companions, found),
            Shape::List(of) => return self.parameter(path(&at, "0"), *of, required, companions, found),
            Shape::Object(fields) => return self.parameters(&at, fields, &companions, found),
            Shape::TextOr(fields) => self.parameters(&at, fields, &companions, found),
            Shape::Range => self.parameters(&at, RANGE, &companions, found),
            _ => {}
        }
        let values = self.values(&at, shape);
        let at = if matches!(shape, Shape::Map) { path(&at, "a") } else { at };
        let has_no_choice = matches!(shape, Shape::Enum([_]));
        found.push(Parameter { at, values, required, has_no_choice, companions });
    }

    /// The values to try, those first that the data has for a parameter of this name.
    fn values(&self, at: &str, shape: Shape) -> Vec<String> {
        let bare = at.strip_suffix("[0]").unwrap_or(at);
        let own = self.data["values"].as_object().unwrap().iter();
        let own = own.filter(|(name, _)| bare == *name || bare.ends_with(&format!("[{name}]")));
        let own = own.max_by_key(|(name, _)| name.len());
        let own = own.into_iter().flat_map(|(_, values)| values.as_array().unwrap());
        let mut values: Vec<String> = own.map(|value| self.filled(value.as_str().unwrap())).collect();
        let numbers = ["1", "2", "7", "500"].into_iter().chain(TIMES);
        values.extend(match shape {
            Shape::Int | Shape::Range => numbers.map(str::to_owned).collect(),
            Shape::IntOr(named) => numbers.chain(named.iter().copied()).map(str::to_owned).collect(),
            Shape::Bool => vec!["true".to_owned(), "false".to_owned()],
            Shape::BoolOr(named) => {
                ["true", "false"].iter().chain(named).map(|value| (*value).to_owned()).collect()
            }
            Shape::Enum(named) => named.iter().map(|value| (*value).to_owned()).collect(),
            Shape::Decimal => vec!["2.5".to_owned(), "7".to_owned()],
            _ => vec!["something".to_owned(), "something else".to_owned()],
        });
        values
    }

    /// A parameter as simple as it can be.
    fn simplest(&self, at: &str, shape: Shape) -> Form {
        match shape {
            Shape::Clearable(inner) => self.simplest(at, *inner),
            Shape::List(of) => self.simplest(&path(at, "0"), *of),
            Shape::Object(fields) => {
                let named = |needed: bool| {
                    fields.iter().filter_map(move |field| match field {
                        Field::Supported { name, shape, required } if *required || !needed => {
                            Some((name, shape))
                        }
                        _ => None,
                    })
                };
                let given: Vec<_> = named(true).collect();
                let given = if given.is_empty() { named(false).take(1).collect() } else { given };
                given.into_iter().flat_map(|(name, shape)| self.simplest(&path(at, name), *shape)).collect()
            }
            Shape::Map => Form::from([(path(at, "a"), "b".to_owned())]),
            shape => Form::from([(at.to_owned(), self.values(at, shape).swap_remove(0))]),
        }
    }

    /// The requests to try a parameter with: each with what is in its address.
    fn requests(&self, route: &Route) -> Vec<(Vec<String>, Form)> {
        let own = self.data["requests"][format!("{} {}", route.method, route.path)].as_array();
        let plain = vec![serde_json::json!({})];
        let requests = own.unwrap_or(&plain).iter().map(|request| {
            let mut form = self.form(request);
            let ids = match form.remove("@") {
                Some(ids) => ids.split(' ').map(str::to_owned).collect(),
                None => self.ids(route),
            };
            (ids, form)
        });
        requests.collect()
    }

    /// The ids in an address by the collections before them.
    fn ids(&self, route: &Route) -> Vec<String> {
        let places = route.path.match_indices('{').map(|(place, _)| &route.path[..place - 1]);
        let id = |before: &str| {
            self.data["ids"][before].as_str().unwrap_or_else(|| panic!("no id after {before}"))
        };
        places.map(|before| self.filled(id(before))).collect()
    }

    async fn makes_a_difference(&self, route: &Route, parameter: &Parameter) -> bool {
        let mut needed = Form::new();
        for field in route.all_fields() {
            if let Field::Supported { name, shape, required: true } = field {
                needed.extend(self.simplest(name, shape));
            }
        }
        for (ids, base) in self.requests(route) {
            let mut form = base;
            // What stands for the whole of it, or inside of it, would be another value of it.
            let is_inside = |one: &str, other: &str| one.starts_with(&format!("{other}["));
            form.retain(|name, _| !is_inside(name, &parameter.at) && !is_inside(&parameter.at, name));
            for (name, value) in needed.iter().chain(&parameter.companions) {
                let top = name.split('[').next().unwrap();
                let is_given = form.keys().any(|given| given.split('[').next() == Some(top));
                if !is_given || parameter.companions.contains_key(name) {
                    form.entry(name.clone()).or_insert_with(|| value.clone());
                }
            }
            form.remove(&parameter.at);
            let mut outcomes = BTreeSet::new();
            if !parameter.required {
                outcomes.extend(self.outcome(route, &ids, &form).await);
            }
            for value in &parameter.values {
                let mut with = form.clone();
                with.insert(parameter.at.clone(), value.clone());
                outcomes.extend(self.outcome(route, &ids, &with).await);
                if outcomes.len() > 1 {
                    return true;
                }
            }
        }
        false
    }

    /// What a request answers and does, without its being kept; `None` if it isn't one that the endpoint reads.
    async fn outcome(&self, route: &Route, ids: &[String], form: &Form) -> Option<String> {
        let read = params::read(&parsed(form), &route.all_fields()).ok()?;
        let outcome = self.sandbox.transact(Cause::default(), |tx| {
            number_ids_from(1_000_000);
            for id in ids {
                tx.keep_time_of(id, true).unwrap();
            }
            let answer = (route.run)(&mut Call { tx, ids, params: &read, role: Role::Server });
            (false, format!("{:?} {}", answer.map_err(ApiError::into_object), tx.trace()))
        });
        Some(outcome.await.unwrap())
    }
}

fn parsed(form: &Form) -> serde_json::Map<String, Value> {
    let encoded = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    form::parse(&[encoded.as_bytes()]).unwrap_or_else(|error| panic!("{form:?}: {:?}", error.into_object()))
}
