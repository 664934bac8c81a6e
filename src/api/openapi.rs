//! The OpenAPI document: what handlers say of themselves, plus what is true of all of them.

use serde_json::{Map, Value, json};
use utoipa::OpenApi;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, openapi};

use super::schema;
use crate::domain::{AnalyticsInterval, Figure, ReportBy, ReportFormat};
use crate::http::auth::COOKIE;
use crate::http::problem::Details;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Tollgate",
        description = "Plans, payments and token limits for products that sell AI by subscription.\n\n\
            Bodies are JSON in UTF-8; ids are UUIDs; times are RFC 3339 in UTC; money is a decimal string with \
            its currency beside it. A path answers the same without its trailing slash. Errors are RFC 9457 \
            problems; programs match on their `code`.\n\n\
            A POST that creates or charges takes an `Idempotency-Key`: repeating it with the same key and body \
            gives the same answer and does nothing twice.",
    ),
    servers((url = "/")),
    security(("session" = []), ("key" = [])),
    components(schemas(AnalyticsInterval, Details, Figure, ReportBy, ReportFormat)),
    modifiers(&Security),
    tags(
        (name = "Usage", description = "How much of the allowance is used, and recording what was spent."),
        (name = "Holds", description = "Reserving tokens before they are spent, so that no two calls spend the last ones."),
        (name = "Reports", description = "The ledger and the invoices as files."),
        (name = "Operator", description = "For the SuperAdmin: how the business goes."),
        (name = "API keys", description = "For programs. A key acts as the user who made it."),
        (name = "Team", description = "A group's members and invitations."),
        (name = "Subscriptions", description = "What a group has bought."),
        (name = "Plans", description = "What can be bought."),
        (name = "Accounts", description = "Signing up, in and out, passwords and sessions."),
        (name = "E-mail", description = "What was sent, to whom, and what became of it."),
        (name = "Webhook", description = "For Stripe."),
        (name = "Groups", description = "All groups, for the SuperAdmin."),
        (name = "Operations", description = "For the operator of the server."),
    )
)]
struct Base;

struct Security;

impl Modify for Security {
    fn modify(&self, document: &mut openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let cookie = ApiKeyValue::with_description(COOKIE, "What signing in sets.");
        let key = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("tg_…")
            .description(Some("An API key."));
        components.add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
        components.add_security_scheme("key", SecurityScheme::Http(key.build()));
    }
}

/// The document before any operation.
pub fn base() -> openapi::OpenApi {
    Base::openapi()
}

/// Adds to every operation what the layers around it and its extractors may answer, and to every schema what
/// the types don't say.
pub fn finished(document: &openapi::OpenApi) -> Value {
    let mut document = json!(document);
    for (path, item) in fields(&mut document["paths"]) {
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            if path.starts_with("/api/") {
                add_common_answers(method, operation);
            }
            for (status, response) in fields(&mut operation["responses"]) {
                describe_answer(status, response);
            }
        }
    }
    schema::constrain(&mut document["components"]["schemas"]);
    document
}

fn fields(value: &mut Value) -> impl Iterator<Item = (&String, &mut Value)> {
    value.as_object_mut().into_iter().flatten()
}

/// What an operation may answer beyond what it says itself, by what it takes.
fn add_common_answers(method: &str, operation: &mut Value) {
    let takes = |kind: &str| {
        operation["parameters"]
            .as_array()
            .is_some_and(|list| list.iter().any(|parameter| parameter["in"] == kind))
    };
    let body = operation["requestBody"]["content"].get("application/json").is_some();
    let webhook = operation["operationId"] == "stripe_webhook";
    let keyed = operation["parameters"]
        .as_array()
        .is_some_and(|list| list.iter().any(|parameter| parameter["name"] == IDEMPOTENCY_KEY));
    let mut common = vec![
        (401, "`not_signed_in`: no session, or a key that isn't valid."),
        (503, "`unavailable`: the database or Stripe is out of reach. Try again."),
    ];
    if method != "get" && !webhook {
        common.push((403, "`cross_origin`: a request with a cookie came from another site."));
    }
    if takes("path") {
        common.push((404, "`not_found`: there is none with this id."));
    }
    if body && !webhook {
        common.push((400, "`malformed`: the body is no valid JSON."));
        common.push((413, "`too_large`: the body is too large."));
        common.push((415, "`not_json`: the body isn't announced as JSON."));
    }
    if (body && !webhook) || takes("query") || keyed {
        common.push((422, "`invalid`: a value is invalid, missing or unknown; `errors` says which."));
    }
    if keyed {
        common.push((
            409,
            "`idempotency_mismatch`: the Idempotency-Key was used with another request. \
            `idempotency_in_progress`: that request is still running.",
        ));
        common.push((413, "`too_large`: the body is too large."));
    }
    let Some(responses) = operation["responses"].as_object_mut() else { return };
    for (status, description) in common {
        add_answer(responses, status, description);
    }
}

/// Adds an answer, or another reason for one that is there.
fn add_answer(responses: &mut Map<String, Value>, status: u16, description: &str) {
    let response = responses.entry(status.to_string()).or_insert_with(|| json!({"description": ""}));
    let said = response["description"].as_str().unwrap_or_default();
    if !said.contains(description) {
        response["description"] = format!("{said} {description}").trim().into();
    }
}

/// Gives an error its body, and every answer its headers.
fn describe_answer(status: &str, response: &mut Value) {
    let header =
        |description: &str, kind: &str| json!({"description": description, "schema": {"type": kind}});
    response["headers"]["x-request-id"] = header("The request's id, as in the server's log.", "string");
    if !status.starts_with(['4', '5']) {
        return;
    }
    response["content"] = json!({
        "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
    });
    match status {
        "401" => {
            response["headers"]["WWW-Authenticate"] =
                header("`Bearer`, unless credentials were wrong.", "string")
        }
        "429" => response["headers"]["Retry-After"] = header("Seconds to wait.", "integer"),
        _ => {}
    }
}

/// The header that makes a POST safe to repeat.
pub const IDEMPOTENCY_KEY: &str = "Idempotency-Key";

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Value {
        let mut document = crate::api::operations().into_openapi();
        document.merge(crate::api::health::routes().into_openapi());
        finished(&document)
    }

    fn operations(document: &Value) -> Vec<(String, &Value)> {
        let paths = document["paths"].as_object().unwrap();
        paths
            .iter()
            .flat_map(|(path, item)| {
                item.as_object()
                    .unwrap()
                    .iter()
                    .map(move |(method, operation)| (format!("{method} {path}"), operation))
            })
            .collect()
    }

    #[test]
    fn every_operation_is_described() {
        let document = document();
        let mut ids = std::collections::HashSet::new();
        for (name, operation) in operations(&document) {
            assert!(operation["summary"].is_string(), "{name}");
            assert_eq!(operation["tags"].as_array().map(Vec::len), Some(1), "{name}");
            assert!(ids.insert(operation["operationId"].as_str().unwrap()), "{name}");
            let responses = operation["responses"].as_object().unwrap();
            assert!(responses.keys().any(|status| status.starts_with('2')), "{name}");
            for (status, response) in responses {
                assert!(!response["description"].as_str().unwrap().is_empty(), "{name} {status}");
                let is_empty = ["202", "204"].contains(&status.as_str());
                assert!(is_empty || response["content"].is_object(), "{name} {status}");
            }
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        fn visit(value: &Value, document: &Value) {
            match value {
                Value::Object(fields) => {
                    if let Some(Value::String(place)) = fields.get("$ref") {
                        assert!(document.pointer(place.trim_start_matches('#')).is_some(), "{place}");
                    }
                    fields.values().for_each(|value| visit(value, document));
                }
                Value::Array(items) => items.iter().for_each(|value| visit(value, document)),
                _ => {}
            }
        }
        let document = document();
        visit(&document, &document);
    }

    #[test]
    fn what_takes_a_body_can_refuse_it() {
        let document = document();
        for (name, operation) in operations(&document) {
            if operation.get("requestBody").is_some() && !name.ends_with("/webhook/stripe/") {
                for status in ["400", "413", "415", "422"] {
                    assert!(operation["responses"].get(status).is_some(), "{name} {status}");
                }
            }
        }
    }

    #[test]
    fn every_post_that_creates_or_charges_takes_an_idempotency_key() {
        let document = document();
        for (name, operation) in operations(&document) {
            let keyed = operation["parameters"]
                .as_array()
                .is_some_and(|list| list.iter().any(|parameter| parameter["name"] == IDEMPOTENCY_KEY));
            let creates = operation["responses"].get("201").is_some();
            assert!(keyed || !creates, "{name}");
        }
    }
}
