//! Webhook endpoints.

use serde_json::{Value, json};
use url::Url;

use crate::engine::{API_VERSION, ApiError, Kind, new_id, new_secret};
use crate::http::{
    Call, Field, METADATA, Route, Shape, delete, get, list, merge_metadata, new_metadata, opt, page, post,
    req, set,
};
use crate::webhooks;

const KIND: Kind = Kind::WebhookEndpoint;

const CREATE: &[Field] = &[
    req("enabled_events", Shape::List(&Shape::Text)),
    req("url", Shape::Text),
    opt("api_version", Shape::Text),
    opt("connect", Shape::Bool),
    opt("description", Shape::Clearable(&Shape::Text)),
    METADATA,
];
const UPDATE: &[Field] = &[
    opt("description", Shape::Clearable(&Shape::Text)),
    opt("disabled", Shape::Bool),
    opt("enabled_events", Shape::List(&Shape::Text)),
    METADATA,
    opt("url", Shape::Text),
];

pub(super) const ROUTES: &[Route] = &[
    list("/v1/webhook_endpoints", &[], |call| {
        page(call.tx, KIND, "/v1/webhook_endpoints", call.params, |_| true)
    }),
    post("/v1/webhook_endpoints", CREATE, create),
    get("/v1/webhook_endpoints/{id}", &[], |call| {
        call.tx.find(KIND, call.id(), "id").map(|doc| doc.object.clone())
    }),
    post("/v1/webhook_endpoints/{id}", UPDATE, update),
    delete("/v1/webhook_endpoints/{id}", &[], |call| {
        let doc = call.tx.find(KIND, call.id(), "id")?;
        webhooks::abandon_deliveries(call.tx, doc.id());
        call.tx.remove(KIND, doc.id());
        Ok(json!({"id": doc.id(), "object": "webhook_endpoint", "deleted": true}))
    }),
];

/// An address that can be posted to. Plain HTTP is fine here, where Stripe in live mode wants HTTPS.
fn check_url(params: &Value) -> Result<(), ApiError> {
    let Some(url) = params["url"].as_str() else { return Ok(()) };
    match Url::parse(url) {
        Ok(parsed) if matches!(parsed.scheme(), "http" | "https") && parsed.has_host() => Ok(()),
        _ => Err(ApiError::invalid("Invalid URL: An explicit scheme (such as https) must be provided.")
            .code("url_invalid")
            .param("url")),
    }
}

fn check_events(params: &Value) -> Result<(), ApiError> {
    let named = |event: &str| {
        event == "*"
            || (event.contains('.')
                && event.bytes().all(|byte| byte.is_ascii_lowercase() || b"._".contains(&byte)))
    };
    let events = params["enabled_events"].as_array().into_iter().flatten().filter_map(Value::as_str);
    match events.enumerate().find(|(_, event)| !named(event)) {
        Some((index, event)) => Err(ApiError::invalid(format!(
            "Invalid enabled_events[{index}]: {event} is not the name of an event"
        ))
        .param(&format!("enabled_events[{index}]"))),
        None => Ok(()),
    }
}

/// There are no connected accounts, and events have one version.
fn check_supported(params: &Value) -> Result<(), ApiError> {
    if params["connect"] == true {
        return Err(ApiError::unsupported("connect"));
    }
    match params["api_version"].as_str() {
        Some(version) if version != API_VERSION => Err(ApiError::invalid(format!(
            "The Stripe sandbox sends events of version {API_VERSION} only: leave `api_version` out."
        ))
        .param("api_version")),
        _ => Ok(()),
    }
}

fn create(call: &mut Call) -> Result<Value, ApiError> {
    let (tx, params) = (&mut *call.tx, call.params);
    check_url(params)?;
    check_events(params)?;
    check_supported(params)?;
    let events: Vec<String> = params["enabled_events"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|event| event.as_str().map(str::to_owned))
        .collect();
    if events.is_empty() {
        return Err(ApiError::required("enabled_events"));
    }
    let (id, secret) = (new_id(KIND), new_secret("whsec_"));
    let url = params["url"].as_str().unwrap_or_default();
    let (mut object, hidden) = webhooks::endpoint(&id, url, &events, &secret, tx.now());
    for field in ["api_version", "description"] {
        set(&mut object, params, field);
    }
    object["metadata"] = new_metadata(params);
    tx.insert(KIND, object, hidden);
    // The only time that the secret is shown.
    let mut shown = tx.shown(KIND, &id);
    shown["secret"] = json!(secret);
    Ok(shown)
}

fn update(call: &mut Call) -> Result<Value, ApiError> {
    let doc = call.tx.find(KIND, call.id(), "id")?;
    let (tx, params) = (&mut *call.tx, call.params);
    check_url(params)?;
    check_events(params)?;
    tx.change(KIND, doc.id(), |doc| {
        for field in ["description", "enabled_events", "url"] {
            set(&mut doc.object, params, field);
        }
        if let Some(disabled) = params["disabled"].as_bool() {
            doc.object["status"] = json!(if disabled { "disabled" } else { "enabled" });
        }
        merge_metadata(&mut doc.object, params);
    });
    Ok(tx.shown(KIND, doc.id()))
}
