//! From an HTTP request to its answer.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{OriginalUri, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::expand::expand;
use super::table;
use crate::clock::Clock;
use crate::engine::{API_VERSION, ApiError, Cause, RequestLog, Sandbox, Tx, new_secret};
use crate::http::idempotency::{Keyed, Replay};
use crate::http::version::{self, STRIPE_VERSION};
use crate::http::{Call, Field, Role, Route, Shape, auth, form, opt, params};

const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
const ORIGINAL_REQUEST: HeaderName = HeaderName::from_static("original-request");

/// A request that may be carried out.
struct Request {
    route: &'static Route,
    ids: Vec<String>,
    params: Value,
    expand: Vec<String>,
    role: Role,
    keyed: Option<Keyed>,
    id: String,
}

/// What came of it.
struct Outcome {
    status: u16,
    body: Value,
    /// The request that this answer was first given to.
    original: Option<String>,
}

impl From<ApiError> for Outcome {
    fn from(error: ApiError) -> Self {
        Self { status: error.status, body: error.body(), original: None }
    }
}

/// Answers everything below `/v1`.
pub(super) async fn answer(
    State(sandbox): State<Sandbox>,
    method: Method,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    if method == Method::OPTIONS {
        return preflight(uri.path(), &headers);
    }
    let id = new_secret("req_");
    let key = headers.get(IDEMPOTENCY_KEY).filter(|_| method == Method::POST).cloned();
    let body = body
        .map_err(|rejection| ApiError::invalid(rejection.body_text()).status(rejection.status().as_u16()));
    let mut by_browser = false;
    let understood = body.and_then(|body| {
        let raw =
            Raw { method: &method, path: uri.path(), query: uri.query(), headers: &headers, body: &body };
        understand(&raw, &id, &mut by_browser)
    });
    let outcome = match understood {
        Ok(request) => carry_out(&sandbox, request, key.as_ref()).await,
        Err(error) => logged(error, &id).into(),
    };
    sandbox.tell_request(|| RequestLog {
        id: id.clone(),
        created: Clock::system().now().timestamp(),
        method: method.to_string(),
        path: uri.path().to_owned(),
        status: outcome.status,
        error: outcome.body["error"].clone(),
    });
    let mut response = respond(outcome, &id, key);
    if by_browser {
        allow_pages(response.headers_mut());
    }
    response
}

/// A request as it came.
struct Raw<'a> {
    method: &'a Method,
    path: &'a str,
    query: Option<&'a str>,
    headers: &'a HeaderMap,
    body: &'a [u8],
}

/// Reads a request; `by_browser` becomes true if it was sent with a publishable key.
fn understand(raw: &Raw, id: &str, by_browser: &mut bool) -> Result<Request, ApiError> {
    let Raw { method, path, query, headers, body } = *raw;
    let forms = [query.unwrap_or_default().as_bytes(), body_form(headers, body)?];
    let mut form = form::parse(&forms)?;
    let in_form = form.remove("key").and_then(|key| key.as_str().map(str::to_owned));
    let api_key = auth::key_in(headers).or(in_form);
    let role = auth::role(api_key.as_deref())?;
    *by_browser = role == Role::Browser;
    if role == Role::Server && auth::from_web_page(headers) {
        return Err(auth::secret_key_in_web_page());
    }
    version::check(headers, api_key.as_deref().unwrap_or_default())?;
    let Some((route, ids)) = table::find(method.as_str(), path) else {
        return Err(ApiError::invalid(format!(
            "Unrecognized request URL ({method}: {path}). Please see https://stripe.com/docs or we can help at \
             https://support.stripe.com/."
        ))
        .status(404));
    };
    if role == Role::Browser && !route.for_browsers {
        return Err(auth::secret_key_required());
    }
    let expand = take_expand(&mut form)?;
    let params = params::read(&form, &route.all_fields())?;
    let keyed = match headers.get(IDEMPOTENCY_KEY).filter(|_| method == Method::POST) {
        Some(key) => {
            let key = String::from_utf8_lossy(key.as_bytes());
            let mut pairs: Vec<_> = forms.iter().flat_map(|form| url::form_urlencoded::parse(form)).collect();
            // The order of names means nothing; the order of values of one name does.
            pairs.sort_by(|(one, _), (other, _)| one.cmp(other));
            let pairs = serde_json::to_vec(&pairs).unwrap_or_default();
            let request = [method.as_str().as_bytes(), path.as_bytes(), &pairs];
            Some(Keyed::new(api_key.as_deref().unwrap_or_default(), &key, &request)?)
        }
        None => None,
    };
    Ok(Request { route, ids, params, expand, role, keyed, id: id.to_owned() })
}

fn body_form<'a>(headers: &HeaderMap, body: &'a [u8]) -> Result<&'a [u8], ApiError> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !body.is_empty() && !kind.is_empty() && !kind.starts_with("application/x-www-form-urlencoded") {
        return Err(ApiError::invalid(
            "Invalid request (check that your POST content type is application/x-www-form-urlencoded). If you have \
             any questions, we can help at https://support.stripe.com/.",
        ));
    }
    Ok(body)
}

fn take_expand(form: &mut Map<String, Value>) -> Result<Vec<String>, ApiError> {
    const EXPAND: &[Field] = &[opt("expand", Shape::List(&Shape::Text))];
    let Some(raw) = form.remove("expand") else { return Ok(Vec::new()) };
    let only = Map::from_iter([("expand".to_owned(), raw)]);
    let read = params::read(&only, EXPAND)?;
    let paths = read["expand"].as_array().into_iter().flatten().filter_map(Value::as_str);
    Ok(paths.map(str::to_owned).collect())
}

async fn carry_out(sandbox: &Sandbox, request: Request, key: Option<&HeaderValue>) -> Outcome {
    let key = key.map(|key| String::from_utf8_lossy(key.as_bytes()).into_owned());
    let cause = Cause { request: Some(request.id.clone()), idempotency_key: key };
    sandbox
        .transact(cause, |tx| match attempt(tx, &request) {
            Ok(outcome) => (request.route.method != "GET" && outcome.original.is_none(), outcome),
            Err(error) => (error.keeps_changes, error.into()),
        })
        .await
        .unwrap_or_else(|_| ApiError::internal().into())
}

fn attempt(tx: &mut Tx, request: &Request) -> Result<Outcome, ApiError> {
    if let Some(keyed) = &request.keyed
        && let Some(Replay { status, body, request }) = keyed.find(tx)?
    {
        return Ok(Outcome { status, body, original: Some(request) });
    }
    let written = request.route.method != "GET";
    let named = ["customer", "subscription", "invoice", "payment_intent", "charge", "test_clock"];
    let named = named.into_iter().filter_map(|param| request.params[param].as_str());
    for id in request.ids.iter().map(String::as_str).chain(named) {
        tx.keep_time_of(id, written)?;
    }
    let mut call = Call { tx, ids: &request.ids, params: &request.params, role: request.role };
    let outcome = match (request.route.run)(&mut call) {
        Ok(mut body) => {
            for path in &request.expand {
                expand(tx, &mut body, path)?;
            }
            Ok(Outcome { status: 200, body, original: None })
        }
        // What was refused may be sent again under the same key.
        Err(error) if !error.keeps_changes => return Err(logged(error, &request.id)),
        Err(error) => Err(logged(error, &request.id)),
    };
    if let Some(keyed) = &request.keyed {
        let (status, body) = match &outcome {
            Ok(outcome) => (outcome.status, outcome.body.clone()),
            Err(error) => (error.status, error.body()),
        };
        keyed.keep(tx, status, &body, &request.id);
    }
    outcome
}

/// Where Stripe's dashboard would show the request, which everything that reads errors expects there.
fn logged(error: ApiError, request: &str) -> ApiError {
    error.with("request_log_url", json!(format!("https://dashboard.stripe.com/test/logs/{request}")))
}

fn respond(outcome: Outcome, id: &str, key: Option<HeaderValue>) -> Response {
    let status = StatusCode::from_u16(outcome.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    // Indented, as Stripe does it, to be read in a terminal.
    let body = serde_json::to_vec_pretty(&outcome.body).unwrap_or_default();
    let mut response = (status, body).into_response();
    let own = response.headers_mut();
    own.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    own.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, no-store"));
    own.insert(STRIPE_VERSION, HeaderValue::from_static(API_VERSION));
    insert(own, REQUEST_ID, id);
    if let Some(key) = key {
        own.insert(IDEMPOTENCY_KEY, key);
        insert(own, ORIGINAL_REQUEST, outcome.original.as_deref().unwrap_or(id));
    }
    if outcome.original.is_some() {
        own.insert(REPLAYED, HeaderValue::from_static("true"));
    }
    // An answer is data; loaded as anything else, it is of no use to any page.
    own.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// Lets any page read the answer. For requests with a publishable key, which opens nothing without a client secret;
/// what a secret key opens is for no page to read.
fn allow_pages(headers: &mut HeaderMap) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static("Request-Id, Stripe-Version, Idempotent-Replayed"),
    );
}

/// What a browser asks before it sends a page's request: whether the endpoint is one for publishable keys.
fn preflight(path: &str, headers: &HeaderMap) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let method = headers.get(header::ACCESS_CONTROL_REQUEST_METHOD).and_then(|method| method.to_str().ok());
    if !method.and_then(|method| table::find(method, path)).is_some_and(|(route, _)| route.for_browsers) {
        return response;
    }
    let own = response.headers_mut();
    allow_pages(own);
    own.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST, DELETE, OPTIONS"));
    let asked = headers.get(header::ACCESS_CONTROL_REQUEST_HEADERS).cloned();
    own.insert(
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        asked.unwrap_or(HeaderValue::from_static("Authorization")),
    );
    own.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("300"));
    response
}
