//! What JSON Schema can say of the inputs' and outputs' values and their Rust types can't.
//!
//! The rules themselves are the domain's; a test holds these against them.

use serde_json::{Value, json};

use crate::domain::{MAX_BATCH, MAX_COMMENT, MAX_COUNT, MAX_TRIAL_DAYS, Role};

/// A text of one line, which is trimmed, is not blank and holds no control characters.
const ONE_LINE: &str =
    r"^\s*[^\s\x00-\x1F\x7F-\x9F]([^\x00-\x1F\x7F-\x9F\u2028\u2029]*[^\s\x00-\x1F\x7F-\x9F])?\s*$";
/// Other texts are trimmed and hold no control characters but line breaks and tabs.
const PLAIN: &str = r"^[^\x00-\x08\x0B\x0C\x0E-\x1F\x7F-\x9F]*$";
const PLAIN_AND_NOT_BLANK: &str = r"^[^\x00-\x08\x0B\x0C\x0E-\x1F\x7F-\x9F]*[^\s\x00-\x1F\x7F-\x9F][^\x00-\x08\x0B\x0C\x0E-\x1F\x7F-\x9F]*$";
const PLAIN_AND_TRIMMED: &str =
    r"^[^\s\x00-\x1F\x7F-\x9F]([^\x00-\x08\x0B\x0C\x0E-\x1F\x7F-\x9F]*[^\s\x00-\x1F\x7F-\x9F])?$";
/// What PostgreSQL can store.
const NO_NUL: &str = r"^[^\x00]*$";

/// Constraints by schema and property.
fn constraints() -> Vec<(&'static str, &'static str, Value)> {
    let text = |max: u32| json!({"minLength": 1, "maxLength": max, "pattern": ONE_LINE});
    let count = |min: i64| json!({"minimum": min, "maximum": MAX_COUNT});
    let email = || json!({"format": "email", "minLength": 3, "maxLength": 254});
    let password = || json!({"format": "password", "minLength": 8, "maxLength": 512, "pattern": NO_NUL});
    let role = || json!({"enum": [Role::Admin, Role::Member]});
    let price = || json!({"pattern": r"^0*[0-9]{1,8}(\.[0-9]{1,3})?$", "examples": ["29.99"]});
    let trial_days = || json!({"minimum": 0, "maximum": MAX_TRIAL_DAYS});
    let currency = || json!({"pattern": "^[A-Za-z]{3}$", "default": "usd"});
    vec![
        ("SignUp", "email", email()),
        ("SignUp", "password", password()),
        ("SignUp", "name", text(100)),
        ("SignUp", "group_name", text(100)),
        ("Credentials", "email", json!({"pattern": NO_NUL})),
        ("Credentials", "password", json!({"format": "password", "pattern": NO_NUL})),
        ("MeInput", "name", text(100)),
        ("MeInput", "email", email()),
        ("MeInput", "password", password()),
        ("MeInput", "current_password", json!({"format": "password", "pattern": NO_NUL})),
        ("ForgotInput", "email", email()),
        ("ResetInput", "token", json!({"minLength": 1, "maxLength": 255, "pattern": NO_NUL})),
        ("ResetInput", "password", password()),
        ("KeyInput", "name", text(100)),
        ("InvitationInput", "email", email()),
        ("InvitationInput", "role", role()),
        ("RoleInput", "role", role()),
        ("Acceptance", "token", json!({"minLength": 1, "maxLength": 255, "pattern": NO_NUL})),
        ("Acceptance", "name", text(100)),
        ("Acceptance", "password", password()),
        ("Purchase", "payment_method", json!({"minLength": 1, "maxLength": 255, "pattern": NO_NUL})),
        (
            "PaymentMethodChange",
            "payment_method",
            json!({"minLength": 1, "maxLength": 255, "pattern": "^[A-Za-z0-9_]+$"}),
        ),
        ("Cancellation", "comment", json!({"maxLength": MAX_COMMENT, "pattern": PLAIN})),
        ("Invoice", "currency", json!({"pattern": "^[a-z]{3}$"})),
        ("PlanChange", "currency", json!({"pattern": "^[a-z]{3}$"})),
        ("PlanInput", "name", text(100)),
        ("PlanInput", "description", json!({"maxLength": 500, "pattern": PLAIN})),
        ("PlanInput", "price", price()),
        ("PlanInput", "currency", currency()),
        ("PlanInput", "interval", json!({"enum": ["month", "year"], "default": "month"})),
        ("PlanInput", "trial_days", trial_days()),
        ("PlanInput", "llm_tokens_limit", count(0)),
        ("PlanInput", "voice_tokens_limit", count(0)),
        ("PlanInput", "max_users", count(1)),
        (
            "PlanInput",
            "features",
            json!({"maxItems": 20, "items": {"type": "string", "minLength": 1, "maxLength": 120, "pattern": ONE_LINE}}),
        ),
        ("PlanInput", "stripe_price_id", json!({"maxLength": 255, "pattern": "^[A-Za-z0-9_-]*$"})),
        ("EventInput", "id", json!({"minLength": 1, "maxLength": 255, "pattern": PLAIN_AND_TRIMMED})),
        ("EventInput", "tokens_used", count(1)),
        ("EventInput", "model", json!({"minLength": 1, "maxLength": 255, "pattern": PLAIN_AND_NOT_BLANK})),
        ("Plan", "price", price()),
        ("Plan", "currency", json!({"pattern": "^[a-z]{3}$"})),
        ("Plan", "trial_days", trial_days()),
        ("Plan", "llm_tokens_limit", count(0)),
        ("Plan", "voice_tokens_limit", count(0)),
        ("Plan", "max_users", count(1)),
        ("Resource", "used", json!({"minimum": 0})),
        ("Resource", "held", json!({"minimum": 0})),
        ("Resource", "limit", json!({"minimum": 0})),
        ("Resource", "remaining", json!({"minimum": 0})),
        ("Resource", "percentage", json!({"minimum": 0})),
    ]
}

/// Examples of the domain's types; what is the API's own has its example beside it.
fn examples() -> [(&'static str, Value); 3] {
    [
        (
            "PlanInput",
            json!({
                "name": "Basic", "description": "For a team that starts.", "price": "29.99", "currency": "usd",
                "interval": "month", "trial_days": 14, "llm_tokens_limit": 100_000, "voice_tokens_limit": 50_000, "max_users": 10,
                "features": ["Shared allowance"],
            }),
        ),
        (
            "EventInput",
            json!({"id": "call-1842", "usage_type": "llm", "tokens_used": 1_250, "model": "gpt-5-mini"}),
        ),
        (
            "Resource",
            json!({
                "used": 75_234, "held": 0, "limit": 100_000, "remaining": 24_766, "percentage": 75.2, "level": "ok",
            }),
        ),
    ]
}

/// Inputs, whose fields may be left out where they have a default. Every other schema is an answer's, which
/// always has all of its fields.
const INPUTS: [&str; 15] = [
    "SignUp",
    "Credentials",
    "MeInput",
    "ForgotInput",
    "ResetInput",
    "RoleInput",
    "KeyInput",
    "InvitationInput",
    "Acceptance",
    "Purchase",
    "Cancellation",
    "PaymentMethodChange",
    "PlanChangeInput",
    "PlanInput",
    "EventInput",
];

/// Members that are left out where they have no value: of some problems, and of a plan for all but the SuperAdmin.
const SOMETIMES: [&str; 4] = ["errors", "decline_code", "retry_after", "subscribers"];

/// Adds the constraints to `components.schemas`.
pub fn constrain(schemas: &mut Value) {
    for (schema, property, constraint) in constraints() {
        let property = &mut schemas[schema]["properties"][property];
        let Value::Object(constraint) = constraint else { continue };
        for (keyword, value) in constraint {
            property[keyword] = value;
        }
    }
    for batch in
        schemas["Events"]["oneOf"].as_array_mut().into_iter().flatten().filter(|kind| kind["type"] == "array")
    {
        batch["minItems"] = 1.into();
        batch["maxItems"] = MAX_BATCH.into();
    }
    for (name, example) in examples() {
        schemas[name]["example"] = example;
    }
    for (name, schema) in schemas.as_object_mut().into_iter().flatten() {
        let Some(properties) = schema.get("properties").and_then(Value::as_object) else { continue };
        if INPUTS.contains(&name.as_str()) {
            continue;
        }
        if let Some(item) = name.strip_prefix("Page_") {
            let item = json!({"$ref": format!("#/components/schemas/{item}")});
            schema["properties"]["results"]["items"] = item;
            schema["required"] = json!(["results", "next_cursor"]);
            continue;
        }
        let always = properties.keys().filter(|name| !SOMETIMES.contains(&name.as_str()));
        schema["required"] = always.cloned().collect();
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::api::openapi;
    use crate::domain::{EventInput, FieldErrors, PlanInput};

    fn document() -> Value {
        openapi::finished(&crate::api::operations().into_openapi())
    }

    /// Whether the document lets `input` pass.
    fn documented(document: &Value, schema: &str, input: &Value) -> bool {
        let mut whole = document["components"].clone();
        whole["$ref"] = format!("#/schemas/{schema}").into();
        let text = whole.to_string().replace("#/components/schemas/", "#/schemas/");
        jsonschema::is_valid(&serde_json::from_str(&text).unwrap(), input)
    }

    /// `base` with one property changed.
    fn with(base: &Value, property: &str, value: Value) -> Value {
        let mut changed = base.clone();
        changed[property] = value;
        changed
    }

    #[test]
    fn every_constraint_is_about_something_that_exists() {
        let document = document();
        for (schema, property, _) in constraints() {
            let kind = &document["components"]["schemas"][schema]["properties"][property];
            assert!(kind.get("type").is_some(), "{schema}.{property}: {kind}");
        }
        for name in INPUTS {
            assert_eq!(document["components"]["schemas"][name]["additionalProperties"], false, "{name}");
        }
    }

    #[test]
    fn the_document_and_the_domain_agree_on_plans() {
        let document = document();
        let plan = json!({"name": "Basic", "price": "29.99"});
        let long = |n: usize| json!("x".repeat(n));
        for (property, value) in [
            ("name", json!("")),
            ("name", json!("  ")),
            ("name", long(100)),
            ("name", long(101)),
            ("name", json!("a\u{1}b")),
            ("name", json!("a\tb")),
            ("name", json!("a\nb")),
            ("name", json!(" a b ")),
            ("name", json!("a\u{2028}b")),
            ("description", json!("a\n\tb")),
            ("features", json!(["a\nb"])),
            ("name", json!("\u{85}")),
            ("description", json!("")),
            ("description", long(500)),
            ("description", long(501)),
            ("price", json!("0")),
            ("price", json!("29.9")),
            ("price", json!("-1")),
            ("price", json!("1e3")),
            ("price", json!("")),
            ("price", json!("1.")),
            ("price", json!(".5")),
            ("currency", json!("USD")),
            ("currency", json!("us")),
            ("currency", json!("usdx")),
            ("interval", json!("year")),
            ("interval", json!("week")),
            ("llm_tokens_limit", json!(-1)),
            ("llm_tokens_limit", json!(0)),
            ("llm_tokens_limit", json!(null)),
            ("llm_tokens_limit", json!(MAX_COUNT)),
            ("llm_tokens_limit", json!(MAX_COUNT + 1)),
            ("voice_tokens_limit", json!(-1)),
            ("trial_days", json!(-1)),
            ("trial_days", json!(730)),
            ("trial_days", json!(731)),
            ("max_users", json!(0)),
            ("max_users", json!(1)),
            ("features", json!(vec!["x"; 20])),
            ("features", json!(vec!["x"; 21])),
            ("features", json!([""])),
            ("features", json!(["x".repeat(121)])),
            ("stripe_price_id", json!("price_1")),
            ("stripe_price_id", json!("price 1")),
            ("stripe_price_id", long(256)),
            ("colour", json!("red")),
            ("name", json!(1)),
            ("max_users", json!("1")),
        ] {
            let input = with(&plan, property, value);
            let accepted =
                serde_json::from_value::<PlanInput>(input.clone()).is_ok_and(|plan| plan.check().is_ok());
            assert_eq!(documented(&document, "PlanInput", &input), accepted, "{input}");
        }
    }

    #[test]
    fn the_document_and_the_domain_agree_on_events() {
        let document = document();
        let now = DateTime::UNIX_EPOCH;
        let event = json!({"id": "call-1", "usage_type": "llm", "tokens_used": 1});
        for (property, value) in [
            ("id", json!("")),
            ("id", json!(" a")),
            ("id", json!("a b")),
            ("id", json!("a ")),
            ("id", json!("a\u{7f}b")),
            ("id", json!("é")),
            ("id", json!("x".repeat(255))),
            ("id", json!("x".repeat(256))),
            ("usage_type", json!("voice")),
            ("usage_type", json!("sms")),
            ("tokens_used", json!(0)),
            ("tokens_used", json!(MAX_COUNT)),
            ("tokens_used", json!(MAX_COUNT + 1)),
            ("tokens_used", json!("1")),
            ("user_id", json!(null)),
            ("model", json!("gpt")),
            ("model", json!("")),
            ("model", json!(null)),
            ("created_at", json!("1970-01-01T00:00:00Z")),
            ("created_at", json!(null)),
            ("metadata", json!({"a": [1]})),
            ("metadata", json!(null)),
            ("metadata", json!([])),
            ("extra", json!(1)),
        ] {
            let input = with(&event, property, value);
            let accepted = serde_json::from_value::<EventInput>(input.clone()).is_ok_and(|event| {
                let mut errors = FieldErrors::new();
                event.check("", now, &mut errors);
                errors.is_empty()
            });
            assert_eq!(documented(&document, "EventInput", &input), accepted, "{input}");
        }
    }
}
