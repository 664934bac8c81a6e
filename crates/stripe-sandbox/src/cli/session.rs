//! Sessions: what a CLI wants to be told.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Json, Response};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use super::Sessions;
use super::filters::Filters;
use crate::engine::{API_VERSION, ApiError, new_secret};
use crate::http::{Field, Role, Shape, auth, form, opt, params, req};

/// What a session can be told: events, and requests.
pub(super) const WEBHOOKS: &str = "webhooks";
pub(super) const REQUEST_LOGS: &str = "request_logs";

/// How long the CLI keeps a WebSocket before it closes it and opens another, in seconds. Longer than Stripe's: what
/// happens in between is missed.
const RECONNECT_DELAY: i64 = 24 * 3600;

const FIELDS: &[Field] = &[
    req("device_name", Shape::Text),
    req("websocket_features", Shape::List(&Shape::Enum(&[WEBHOOKS, REQUEST_LOGS]))),
    opt("filters", Shape::Text),
    // Where the CLI hands events on to, which is its own affair.
    opt("forward_to_url", Shape::Text),
    opt("forward_connect_to_url", Shape::Text),
    opt("forward_thin_to_url", Shape::Text),
    opt("forward_thin_connect_to_url", Shape::Text),
];

pub(super) struct Session {
    pub(super) secret: String,
    pub(super) webhooks: bool,
    /// Which requests to tell of, if of any.
    pub(super) requests: Option<Filters>,
}

pub(super) async fn create(State(sessions): State<Sessions>, headers: HeaderMap, body: Bytes) -> Response {
    match open(&sessions, &headers, &body) {
        Ok(session) => Json(session).into_response(),
        Err(error) => {
            let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::BAD_REQUEST);
            (status, Json(error.body())).into_response()
        }
    }
}

fn open(sessions: &Sessions, headers: &HeaderMap, body: &[u8]) -> Result<Value, ApiError> {
    let key = auth::key_in(headers).unwrap_or_default();
    if auth::role(Some(&key))? == Role::Browser {
        return Err(auth::secret_key_required());
    }
    if auth::from_web_page(headers) {
        return Err(auth::secret_key_in_web_page());
    }
    let given = params::read(&form::parse(&[body])?, FIELDS)?;
    let wanted: Vec<&str> =
        given["websocket_features"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let filters = Filters::parse(given["filters"].as_str())?;
    let secret = secret(&key, given["device_name"].as_str().unwrap_or_default());
    let session = Session {
        secret: secret.clone(),
        webhooks: wanted.contains(&WEBHOOKS),
        requests: wanted.contains(&REQUEST_LOGS).then_some(filters),
    };
    let id = new_secret("cliws_");
    sessions.known().insert(id.clone(), Arc::new(session));
    let origin = sessions.sandbox.base_url();
    let address = origin.strip_prefix("http").unwrap_or(origin);
    Ok(json!({
        "default_version": API_VERSION,
        "display_connect_filter_warning": false,
        "latest_version": API_VERSION,
        "reconnect_delay": RECONNECT_DELAY,
        "secret": secret,
        "websocket_authorized_feature": wanted.join(","),
        "websocket_id": id,
        "websocket_url": format!("ws{address}/stripecli/subscribe"),
    }))
}

/// The same for each session of a device, as at Stripe: people copy it into their application's settings.
fn secret(key: &str, device: &str) -> String {
    // Keys of any length do for HMAC.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.as_bytes()) else { return String::new() };
    mac.update(device.as_bytes());
    format!("whsec_{}", hex::encode(mac.finalize().into_bytes()))
}
