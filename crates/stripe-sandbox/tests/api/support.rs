//! A sandbox to test, and a client that speaks to it.

use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use chrono::{DateTime, Duration, Utc};
use serde_json::Value;
use stripe_sandbox::{self as sandbox, Options, PUBLISHABLE_KEY, Running, SECRET_KEY, Webhook};
use tokio::net::TcpListener;

/// Noon on 31 January 2026: a month's end, which billing has to get right.
pub fn start_of_time() -> DateTime<Utc> {
    "2026-01-31T12:00:00Z".parse().unwrap()
}

/// A clock that stands until it is moved. Clones move together.
#[derive(Clone)]
pub struct ManualClock(Arc<AtomicI64>);

impl ManualClock {
    pub fn at(start: DateTime<Utc>) -> Self {
        Self(Arc::new(AtomicI64::new(start.timestamp_micros())))
    }

    pub fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0.load(Ordering::SeqCst)).unwrap()
    }

    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(by.num_microseconds().unwrap(), Ordering::SeqCst);
    }

    fn shared(&self) -> sandbox::Clock {
        let clock = self.clone();
        sandbox::Clock::from_fn(move || clock.now())
    }
}

pub struct Sandbox {
    pub running: Running,
    pub clock: ManualClock,
    pub http: reqwest::Client,
}

/// An answer: its status, its headers, its JSON.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Answer {
    /// The object, of a request that succeeded.
    #[track_caller]
    pub fn ok(self) -> Value {
        assert_eq!(self.status, 200, "{:#}", self.body);
        self.body
    }

    /// The error, of a request that was refused with `status`.
    #[track_caller]
    pub fn error(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{:#}", self.body);
        self.body["error"].clone()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// A request that is being put together.
pub struct Request<'a> {
    sandbox: &'a Sandbox,
    method: reqwest::Method,
    path: String,
    form: Vec<(String, String)>,
    key: Option<String>,
    headers: Vec<(&'static str, String)>,
}

impl Sandbox {
    pub async fn start() -> Self {
        Self::with(None, None).await
    }

    pub async fn with(database: Option<PathBuf>, webhook: Option<Webhook>) -> Self {
        Self::at(ManualClock::at(start_of_time()), database, webhook).await
    }

    pub async fn at(clock: ManualClock, database: Option<PathBuf>, webhook: Option<Webhook>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let options = Options { listener, allow_network: false, database, webhook, clock: clock.shared() };
        let running = sandbox::start(options).await.unwrap();
        // Starting has installed a TLS provider, which this client wants as well.
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        Self { running, clock, http }
    }

    pub fn origin(&self) -> String {
        format!("http://{}", self.running.addr)
    }

    pub fn request(&self, method: &str, path: &str) -> Request<'_> {
        Request {
            sandbox: self,
            method: method.parse().unwrap(),
            path: path.to_owned(),
            form: Vec::new(),
            key: Some(SECRET_KEY.to_owned()),
            headers: Vec::new(),
        }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.request("GET", path).send().await
    }

    pub async fn post(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        self.request("POST", path).form(form).send().await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.request("DELETE", path).send().await
    }

    /// What Stripe.js sends: with the publishable key.
    pub async fn browser_post(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        self.request("POST", path).key(Some(PUBLISHABLE_KEY)).form(form).send().await
    }

    pub async fn customer(&self, form: &[(&str, &str)]) -> String {
        id(&self.post("/v1/customers", form).await.ok())
    }

    /// A customer with a card as the default for invoices.
    pub async fn customer_with(&self, card: &str) -> String {
        let form = [("payment_method", card), ("invoice_settings[default_payment_method]", card)];
        self.customer(&form).await
    }

    /// A monthly price in dollars, in cents.
    pub async fn price(&self, cents: i64) -> String {
        self.price_every(cents, "month").await
    }

    pub async fn price_every(&self, cents: i64, interval: &str) -> String {
        let cents = cents.to_string();
        let form = [
            ("currency", "usd"),
            ("unit_amount", &cents),
            ("recurring[interval]", interval),
            ("product_data[name]", "Basic"),
        ];
        id(&self.post("/v1/prices", &form).await.ok())
    }

    /// A subscription, with whatever the form says and its invoice and what it is paid with expanded.
    pub async fn subscribe(&self, customer: &str, price: &str, form: &[(&str, &str)]) -> Answer {
        let own = [
            ("customer", customer),
            ("items[0][price]", price),
            ("expand[]", "latest_invoice.confirmation_secret"),
            ("expand[]", "latest_invoice.payments.data.payment.payment_intent"),
            ("expand[]", "pending_setup_intent"),
        ];
        self.post("/v1/subscriptions", &[&own, form].concat()).await
    }

    /// Sends what a page of the sandbox's own sends by its script.
    pub async fn page_post(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        let mut request = self.request("POST", path).key(None).form(form);
        if form.is_empty() {
            request = request.header("content-type", "application/x-www-form-urlencoded");
        }
        request.header("sec-fetch-site", "same-origin").header("accept", "application/json").send().await
    }

    /// Sends the form of a checkout's page.
    pub async fn check_out(&self, session: &str, form: &[(&str, &str)]) -> Answer {
        self.page_post(&format!("/c/pay/{session}"), form).await
    }

    /// The text of one of the sandbox's pages.
    pub async fn page(&self, path: &str) -> String {
        let response = self.http.get(format!("{}{path}", self.origin())).send().await.unwrap();
        assert_eq!(response.status().as_u16(), 200, "{path}");
        response.text().await.unwrap()
    }

    /// Answers a 3D Secure challenge as its page does.
    pub async fn authenticate(&self, intent: &str, approve: bool) {
        self.running.sandbox().authenticate(intent, approve).await.unwrap();
    }

    /// The types of all events, oldest first.
    pub async fn event_types(&self) -> Vec<String> {
        let mut events = self.running.sandbox().list("events");
        events.reverse();
        events.iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect()
    }
}

impl Request<'_> {
    pub fn form(mut self, form: &[(&str, &str)]) -> Self {
        self.form.extend(form.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        self
    }

    pub fn key(mut self, key: Option<&str>) -> Self {
        self.key = key.map(str::to_owned);
        self
    }

    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub async fn send(self) -> Answer {
        let url = format!("{}{}", self.sandbox.origin(), self.path);
        let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.form).finish();
        let mut request = self.sandbox.http.request(self.method.clone(), url);
        if let Some(key) = self.key {
            request = request.bearer_auth(key);
        }
        if self.method != reqwest::Method::GET && !form.is_empty() {
            request = request.header("content-type", "application/x-www-form-urlencoded").body(form);
        }
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = response.bytes().await.unwrap();
        Answer { status, headers, body: serde_json::from_slice(&bytes).unwrap_or_default() }
    }
}

#[track_caller]
pub fn id(object: &Value) -> String {
    object["id"].as_str().unwrap().to_owned()
}

/// The payment intent of a subscription as [`Sandbox::subscribe`] expands it.
pub fn intent_of(subscription: &Value) -> &Value {
    &subscription["latest_invoice"]["payments"]["data"][0]["payment"]["payment_intent"]
}

/// What an endpoint received.
#[derive(Clone, Debug)]
pub struct Received {
    pub signature: String,
    pub payload: Vec<u8>,
}

impl Received {
    pub fn event(&self) -> Value {
        serde_json::from_slice(&self.payload).unwrap()
    }

    pub fn kind(&self) -> String {
        self.event()["type"].as_str().unwrap().to_owned()
    }
}

/// The far end of webhooks: keeps what it receives, and answers as configured.
pub struct Endpoint {
    pub url: String,
    inbox: Inbox,
    server: tokio::task::JoinHandle<()>,
}

#[derive(Clone)]
struct Inbox {
    received: Arc<Mutex<Vec<Received>>>,
    answers: Arc<Mutex<Vec<u16>>>,
}

impl Endpoint {
    pub async fn start() -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").await.unwrap()).await
    }

    pub async fn on(listener: TcpListener) -> Self {
        let inbox = Inbox { received: Arc::default(), answers: Arc::default() };
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let router = Router::new().route("/hook", post(receive)).with_state(inbox.clone());
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, inbox, server }
    }

    /// Has it answer its next requests with these statuses, and 200 after them.
    pub fn answer_next(&self, statuses: &[u16]) {
        let mut answers = self.inbox.answers.lock().unwrap();
        *answers = statuses.iter().rev().copied().collect();
    }

    pub fn received(&self) -> Vec<Received> {
        self.inbox.received.lock().unwrap().clone()
    }

    pub fn kinds(&self) -> Vec<String> {
        self.received().iter().map(Received::kind).collect()
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn receive(State(inbox): State<Inbox>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let signature = headers["stripe-signature"].to_str().unwrap().to_owned();
    inbox.received.lock().unwrap().push(Received { signature, payload: body.to_vec() });
    let status = inbox.answers.lock().unwrap().pop().unwrap_or(200);
    StatusCode::from_u16(status).unwrap()
}
