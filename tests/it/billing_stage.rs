//! The application and a Stripe sandbox with a proxy between them, which makes trouble as a test asks for it. Webhooks are
//! delivered by hand, so whatever isn't delivered was lost.

use std::io;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use futures::future::{BoxFuture, FutureExt, pending};
use futures::stream;
use reqwest::Method;
use serde_json::{Value, json};
use stripe_sandbox::{PUBLISHABLE_KEY, SECRET_KEY};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tollgate::clock::Clock;
use tollgate::domain::GroupId;

use crate::support::app::{Answer, App, Person};

pub const CREATE: &str = "/api/subscriptions/subscriptions/create_subscription/";

/// What becomes of a request to Stripe.
#[derive(Clone)]
pub enum Trouble {
    /// Stripe answers this instead, having done nothing.
    Answer(u16, Value),
    /// Stripe does it, and answers this all the same.
    AnswerAfter(u16, Value),
    /// The connection breaks before Stripe hears of it.
    Disconnect,
    /// Stripe does it, and the connection breaks.
    DisconnectAfter,
    /// Stripe does it, and its answer never comes.
    SilentAfter,
    /// The request is on its way for so long that who sent it waits no more, and is done when the test says so.
    Late(Arc<Late>),
    /// The request arrives at the gate, and goes on when the gate is opened.
    Gate(Arc<Gate>),
}

/// Stripe's envelope of an error.
pub fn failure(status: u16, error_type: &str) -> Trouble {
    Trouble::Answer(status, error(error_type))
}

pub fn error(error_type: &str) -> Value {
    json!({"error": {"type": error_type, "message": "trouble that a test asked for"}})
}

/// Holds requests until it is opened.
pub struct Gate {
    arrived: Semaphore,
    open: Semaphore,
}

impl Gate {
    pub fn closed() -> Arc<Self> {
        Arc::new(Self { arrived: Semaphore::new(0), open: Semaphore::new(0) })
    }

    /// Waits until a request stands before it.
    pub async fn reached(&self) {
        self.arrived.acquire().await.expect("a gate").forget();
    }

    pub fn open(&self) {
        self.open.add_permits(1);
    }
}

/// Requests that arrive at Stripe long after they were sent.
#[derive(Default)]
pub struct Late(Mutex<Vec<BoxFuture<'static, ()>>>);

impl Late {
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// How many are on their way.
    pub fn held(&self) -> usize {
        self.0.lock().expect("requests").len()
    }

    /// Has them arrive, the first first.
    pub async fn arrive(&self) {
        let held = std::mem::take(&mut *self.0.lock().expect("requests"));
        for request in held {
            request.await;
        }
    }
}

#[derive(Clone)]
struct Rule {
    method: Method,
    path: String,
    trouble: Trouble,
}

#[derive(Clone)]
struct Proxy {
    target: String,
    http: reqwest::Client,
    rules: Arc<Mutex<Vec<Rule>>>,
}

impl Proxy {
    /// Asks Stripe without trouble.
    async fn ask(&self, method: Method, path: &str, form: &[(&str, &str)]) -> Value {
        self.try_to_ask(method, path, form).await.unwrap_or_else(|refused| panic!("{path}: {refused}"))
    }

    /// As [`Proxy::ask`], with what Stripe refuses.
    async fn try_to_ask(&self, method: Method, path: &str, form: &[(&str, &str)]) -> Result<Value, Value> {
        let answer = self.send(method, path, form).await;
        let success = answer.status().is_success();
        let body = answer.json().await.expect("JSON");
        if success { Ok(body) } else { Err(body) }
    }

    /// Passes on what the application asks.
    async fn forward(&self, parts: &Parts, body: &Bytes) -> Response {
        let url = format!("{}{}", self.target, parts.uri);
        let mut headers = parts.headers.clone();
        headers.remove("host");
        let request = self.http.request(parts.method.clone(), url).headers(headers).body(body.clone());
        let answer = request.send().await.expect("the sandbox answers");
        let (status, headers) = (answer.status(), answer.headers().clone());
        let mut response = Response::new(Body::from(answer.bytes().await.expect("a body")));
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        response
    }

    async fn send(&self, method: Method, path: &str, form: &[(&str, &str)]) -> reqwest::Response {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = self.http.request(method, format!("{}/v1{path}", self.target));
        let request =
            request.bearer_auth(SECRET_KEY).header("content-type", "application/x-www-form-urlencoded");
        request.body(body).send().await.expect("the sandbox answers")
    }
}

async fn pass(State(proxy): State<Proxy>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.expect("a body");
    let path = parts.uri.path();
    let trouble = {
        let rules = proxy.rules.lock().expect("rules");
        let found = rules.iter().find(|rule| rule.method == parts.method && matches(&rule.path, path));
        found.map(|rule| rule.trouble.clone())
    };
    let forward = async || proxy.forward(&parts, &body).await;
    match trouble {
        None => forward().await,
        Some(Trouble::Answer(status, body)) => answer(status, &body),
        Some(Trouble::AnswerAfter(status, body)) => {
            forward().await;
            answer(status, &body)
        }
        Some(Trouble::Disconnect) => disconnect(),
        Some(Trouble::DisconnectAfter) => {
            forward().await;
            disconnect()
        }
        Some(Trouble::SilentAfter) => {
            forward().await;
            pending().await
        }
        Some(Trouble::Late(late)) => {
            let proxy = proxy.clone();
            let request = async move { drop(proxy.forward(&parts, &body).await) };
            late.0.lock().expect("requests").push(request.boxed());
            pending().await
        }
        Some(Trouble::Gate(gate)) => {
            gate.arrived.add_permits(1);
            gate.open.acquire().await.expect("a gate").forget();
            forward().await
        }
    }
}

/// A `*` at the end stands for any rest.
fn matches(pattern: &str, path: &str) -> bool {
    match pattern.split_once('*') {
        Some((start, end)) => path.starts_with(start) && path.ends_with(end),
        None => pattern == path,
    }
}

/// The client would wait for seconds before its next try.
fn answer(status: u16, body: &Value) -> Response {
    let mut response =
        (axum::http::StatusCode::from_u16(status).expect("a status"), body.to_string()).into_response();
    response.headers_mut().insert("stripe-should-retry", "false".parse().expect("a header"));
    response
}

fn disconnect() -> Response {
    let broken = stream::iter([Err::<Bytes, _>(io::Error::other("broken"))]);
    Response::new(Body::from_stream(broken))
}

pub struct Stage {
    pub app: App,
    pub clock: Clock,
    pub test_clock: Option<String>,
    sandbox: stripe_sandbox::Running,
    proxy: Proxy,
    serving: JoinHandle<()>,
}

impl Stage {
    pub async fn start(database_url: &str) -> Self {
        Self::start_at(database_url, at("2026-03-11T12:00:00Z")).await
    }

    pub async fn start_at(database_url: &str, now: DateTime<Utc>) -> Self {
        Self::start_with(database_url, now, false, &[]).await
    }

    /// Which waits for Stripe's answers for a second only.
    pub async fn impatient(database_url: &str, now: DateTime<Utc>) -> Self {
        Self::start_with(database_url, now, false, &[("STRIPE_TIMEOUT", "1")]).await
    }

    /// Whose new customers stand on a test clock, which stands at `now` as the application's does.
    pub async fn on_a_test_clock(database_url: &str, now: DateTime<Utc>) -> Self {
        Self::start_with(database_url, now, true, &[]).await
    }

    async fn start_with(
        database_url: &str,
        now: DateTime<Utc>,
        on_test_clock: bool,
        more: &[(&str, &str)],
    ) -> Self {
        let clock = Clock::manual(now);
        let time = clock.clone();
        let sandbox = stripe_sandbox::start(stripe_sandbox::Options {
            listener: listener().await,
            allow_network: false,
            database: None,
            webhook: None,
            clock: stripe_sandbox::Clock::from_fn(move || time.now()),
        })
        .await
        .expect("the sandbox starts");
        let proxy = Proxy {
            target: format!("http://{}", sandbox.addr),
            http: reqwest::Client::new(),
            rules: Arc::default(),
        };
        let front = listener().await;
        let base = format!("http://{}", front.local_addr().expect("an address"));
        let router = Router::new().fallback(pass).with_state(proxy.clone());
        let serving =
            tokio::spawn(async move { axum::serve(front, router).await.expect("the proxy serves") });
        let test_clock = if on_test_clock {
            let frozen = now.timestamp().to_string();
            let made =
                proxy.ask(Method::POST, "/test_helpers/test_clocks", &[("frozen_time", &frozen)]).await;
            Some(made["id"].as_str().expect("an id").to_owned())
        } else {
            None
        };
        let mut variables = vec![
            ("STRIPE_PUBLIC_KEY", PUBLISHABLE_KEY),
            ("STRIPE_SECRET_KEY", SECRET_KEY),
            ("STRIPE_WEBHOOK_SECRET", "whsec_stage"),
            ("STRIPE_API_BASE", &base),
        ];
        variables.extend(more);
        variables.extend(test_clock.as_deref().map(|id| ("STRIPE_TEST_CLOCK", id)));
        let app = App::start_at(database_url, &variables, &clock).await;
        Self { app, clock, test_clock, sandbox, proxy, serving }
    }

    pub async fn stop(self) {
        self.app.stop().await;
        self.serving.abort();
        self.sandbox.shutdown().await;
    }

    /// Has every such request to Stripe meet trouble from now on. A `*` in the path stands for anything.
    pub fn when(&self, method: Method, path: &str, trouble: Trouble) {
        self.proxy.rules.lock().expect("rules").push(Rule { method, path: path.to_owned(), trouble });
    }

    /// Ends all trouble.
    pub fn heal(&self) {
        self.proxy.rules.lock().expect("rules").clear();
    }

    /// Asks Stripe itself, past the proxy.
    pub async fn stripe(&self, method: Method, path: &str, form: &[(&str, &str)]) -> Value {
        self.proxy.ask(method, path, form).await
    }

    /// As [`Stage::stripe`], for what Stripe may refuse.
    pub async fn try_stripe(&self, method: Method, path: &str, form: &[(&str, &str)]) {
        self.proxy.send(method, path, form).await;
    }

    /// Looks something up at Stripe that may not be there any more.
    pub async fn look_up(&self, path: &str) -> Option<Value> {
        self.proxy.try_to_ask(Method::GET, path, &[]).await.ok()
    }

    /// Has what falls due at Stripe until then done.
    pub async fn catch_up(&self) {
        self.sandbox.sandbox().catch_up().await;
    }

    /// The customer approves a 3D Secure challenge.
    pub async fn authenticate(&self, intent: &str) {
        self.answer_challenge(intent, true).await;
    }

    /// The customer answers a 3D Secure challenge.
    pub async fn answer_challenge(&self, intent: &str, approves: bool) {
        self.sandbox.sandbox().authenticate(intent, approves).await.expect("the challenge is answered");
    }

    /// Chooses on the sandbox's panel what becomes of a subscription after the last retry: `cancel`, `mark_unpaid` or
    /// `leave_past_due`.
    pub async fn choose_after_last_retry(&self, choice: &str) {
        let page = format!("{}/panel/settings", self.proxy.target);
        let form = format!("after_last_retry={choice}");
        let request = self.proxy.http.post(page).header("sec-fetch-site", "same-origin");
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(form);
        let answer = request.send().await.expect("the sandbox answers");
        assert_eq!(answer.status(), 200, "the page that follows");
    }

    /// An admin whose group bought the plan, and the subscription's id at Stripe.
    pub async fn subscribed<'a>(&'a self, plan: &Value) -> (Person<'a>, String) {
        let admin = self.app.admin().await;
        let bought = self.buy(&admin, plan).await;
        assert_eq!(bought.status, 201, "{}", bought.body);
        let id = bought.body["subscription"]["stripe_subscription_id"].as_str().expect("an id").to_owned();
        (admin, id)
    }

    /// Buys a plan with a card that works.
    pub async fn buy(&self, admin: &Person<'_>, plan: &Value) -> Answer {
        admin.post(CREATE, json!({"plan_id": plan["id"], "payment_method": "pm_card_visa"})).await
    }
}

/// An event about a subscription.
pub fn updated(id: &str, subscription: &str) -> Value {
    json!({"id": id, "object": "event", "type": "customer.subscription.updated",
        "data": {"object": {"id": subscription, "object": "subscription"}}})
}

pub async fn group(person: &Person<'_>) -> GroupId {
    let me = person.get("/api/auth/me/").await;
    me.body["group"]["id"].as_str().expect("a group").parse().expect("an id")
}

pub fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("a time")
}

async fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.expect("a free port")
}
