//! The real application on a free port, and people who use it.

use std::sync::atomic::{AtomicU64, Ordering};

use hmac::{Hmac, KeyInit, Mac};
use reqwest::{Method, RequestBuilder, StatusCode};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use sha2::Sha256;
use tollgate::clock::Clock;
use tollgate::config::Settings;
use tollgate::start::{Running, StartOptions, start};

/// A running application, with its Stripe sandbox in memory.
pub struct App {
    pub running: Running,
    pub base: String,
    pub http: reqwest::Client,
}

pub const MY_SUBSCRIPTION: &str = "/api/subscriptions/subscriptions/my_subscription/";
pub const PASSWORD: &str = "a password of some length";

/// Something that is different at each call.
pub fn unique(prefix: &str) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("{prefix}{}", COUNT.fetch_add(1, Ordering::Relaxed))
}

impl App {
    pub async fn start(database_url: &str) -> Self {
        Self::start_with(database_url, &[], StartOptions::default()).await
    }

    /// With a clock that stands until the test moves it. The sandbox goes by it too.
    pub async fn start_at(database_url: &str, variables: &[(&str, &str)], clock: &Clock) -> Self {
        Self::start_by(database_url, variables, StartOptions::default(), clock.clone()).await
    }

    pub async fn start_demo(database_url: &str) -> Self {
        Self::start_with(database_url, &[], StartOptions { demo: true, ..StartOptions::default() }).await
    }

    pub async fn start_with(database_url: &str, variables: &[(&str, &str)], options: StartOptions) -> Self {
        Self::start_by(database_url, variables, options, Clock::system()).await
    }

    /// With everything that can be chosen.
    pub async fn start_by(
        database_url: &str,
        variables: &[(&str, &str)],
        options: StartOptions,
        clock: Clock,
    ) -> Self {
        let settings = Settings::read(|name| match name {
            "DATABASE_URL" => Some(database_url.to_owned()),
            "LISTEN_ADDR" | "SANDBOX_ADDR" => Some("127.0.0.1:0".to_owned()),
            _ => variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()),
        })
        .expect("the test's settings");
        let running = start(settings, options, clock).await.expect("the application starts");
        let base = format!("http://{}", running.addr);
        let http =
            reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
        Self { running, base, http }
    }

    pub async fn stop(self) {
        self.running.stop().await;
    }

    /// Asks Stripe with a key of its own.
    pub async fn stripe(&self, key: &str, method: Method, path: &str, form: &[(&str, &str)]) -> Answer {
        let sandbox = self.running.sandbox.as_ref().expect("a sandbox").addr;
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = self
            .http
            .request(method, format!("http://{sandbox}/v1{path}"))
            .bearer_auth(key)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body);
        Answer::to(request).await
    }

    /// Delivers an event as Stripe does, signed; gives the answer's status.
    pub async fn deliver_event(&self, event: &Value) -> u16 {
        let body = event.to_string();
        let services = &self.running.services;
        // Signatures go by the wall clock, also where a test moves the application's.
        let time = Clock::system().now().timestamp();
        let secret = services.config.stripe.webhook_secret.expose_secret().as_bytes();
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("a key");
        mac.update(format!("{time}.{body}").as_bytes());
        let signature = format!("t={time},v1={}", hex::encode(mac.finalize().into_bytes()));
        let request = self.http.post(format!("{}/api/subscriptions/webhook/stripe/", self.base));
        Answer::to(request.header("stripe-signature", signature).body(body)).await.status
    }

    pub fn anonymous(&self) -> Person<'_> {
        Person { app: self, auth: Auth::None, id: String::new() }
    }

    /// A new account with a group of its own.
    pub async fn admin(&self) -> Person<'_> {
        let email = format!("{}@example.com", unique("admin"));
        let group = unique("Group ");
        let body = json!({"email": email, "password": PASSWORD, "name": "Ada", "group_name": group});
        let answer = self.anonymous().post("/api/auth/signup/", body).await;
        assert_eq!(answer.status, 201, "{:?}", answer.body);
        self.log_in(&email, PASSWORD).await
    }

    /// A member who joined the admin's group by invitation.
    pub async fn member(&self, admin: &Person<'_>) -> Person<'_> {
        let email = format!("{}@example.com", unique("member"));
        let invited = admin.post("/api/team/invitations/", json!({"email": email, "role": "member"})).await;
        assert_eq!(invited.status, 201, "{:?}", invited.body);
        let token = invited.text("url").rsplit('/').next().expect("a token").to_owned();
        let body = json!({"token": token, "name": "Max", "password": PASSWORD});
        let accepted = self.anonymous().post("/api/team/invitations/accept/", body).await;
        assert_eq!(accepted.status, 201, "{:?}", accepted.body);
        self.log_in(&email, PASSWORD).await
    }

    pub async fn superadmin(&self) -> Person<'_> {
        let email = format!("{}@example.com", unique("super"));
        self.running
            .services
            .accounts
            .create_user(&email, None, PASSWORD.into(), tollgate::domain::Role::SuperAdmin, None)
            .await
            .expect("a SuperAdmin");
        self.log_in(&email, PASSWORD).await
    }

    /// Signs in with a cookie.
    pub async fn log_in(&self, email: &str, password: &str) -> Person<'_> {
        let response = self
            .http
            .post(format!("{}/api/auth/login/", self.base))
            .json(&json!({"email": email, "password": password}))
            .send()
            .await
            .expect("an answer");
        assert_eq!(response.status(), 200);
        let cookie = response.headers()["set-cookie"].to_str().expect("a cookie");
        let cookie = cookie.split(';').next().expect("a cookie").to_owned();
        let user: Value = response.json().await.expect("JSON");
        Person { app: self, auth: Auth::Cookie(cookie), id: user["id"].as_str().expect("an id").to_owned() }
    }

    /// A plan that the SuperAdmin makes: 29.99, 100,000 and 50,000 tokens, and so many seats.
    pub async fn plan(&self, name: &str, price: &str, seats: Option<i64>) -> Value {
        let body = json!({
            "name": name, "price": price, "currency": "usd", "interval": "month",
            "llm_tokens_limit": 100_000, "voice_tokens_limit": 50_000, "max_users": seats,
        });
        let answer = self.superadmin().await.post("/api/subscriptions/plans/", body).await;
        assert_eq!(answer.status, 201, "{:?}", answer.body);
        answer.body
    }

    /// An admin whose group is subscribed, paid at once by a card that works.
    pub async fn subscribed(&self) -> Person<'_> {
        let plan = self.plan(&unique("Plan "), "29.99", None).await;
        let admin = self.admin().await;
        let body = json!({"plan_id": plan["id"], "payment_method": "pm_card_visa"});
        let answer = admin.post("/api/subscriptions/subscriptions/create_subscription/", body).await;
        assert_eq!(answer.status, 201, "{:?}", answer.body);
        assert_eq!(answer.body["subscription"]["status"], "active", "{:?}", answer.body);
        admin
    }
}

/// How a caller is authenticated.
#[derive(Clone)]
pub enum Auth {
    None,
    Cookie(String),
    Key(String),
}

/// A caller of the application.
#[derive(Clone)]
pub struct Person<'a> {
    pub app: &'a App,
    pub auth: Auth,
    pub id: String,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: Value,
}

impl Answer {
    async fn to(request: RequestBuilder) -> Self {
        let response = request.send().await.expect("an answer");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.expect("a body");
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Self { status, headers, body }
    }

    pub fn text(&self, field: &str) -> &str {
        self.body[field].as_str().unwrap_or_else(|| panic!("no text {field} in {}", self.body))
    }

    /// The fields that an answer of 422 names.
    pub fn fields(&self) -> Vec<&str> {
        let errors = self.body["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
        errors.iter().filter_map(|error| error["field"].as_str()).collect()
    }

    /// Checks a problem's status and code.
    #[track_caller]
    pub fn is_problem(&self, status: u16, code: &str) {
        assert_eq!((self.status, self.body["code"].as_str()), (status, Some(code)), "{}", self.body);
        assert_eq!(self.headers["content-type"], "application/problem+json");
        for field in ["type", "title", "detail", "request_id"] {
            assert!(self.body[field].is_string(), "no {field} in {}", self.body);
        }
        assert_eq!(self.body["status"], status);
    }
}

impl<'a> Person<'a> {
    /// The same person, by an API key.
    pub async fn by_key(&self) -> Person<'a> {
        let answer = self.post("/api/auth/keys/", json!({"name": "test"})).await;
        assert_eq!(answer.status, 201, "{:?}", answer.body);
        Person { app: self.app, auth: Auth::Key(answer.text("key").to_owned()), id: self.id.clone() }
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.app.http.request(method, format!("{}{path}", self.app.base));
        match &self.auth {
            Auth::None => request,
            Auth::Cookie(cookie) => request.header("cookie", cookie),
            Auth::Key(key) => request.bearer_auth(key),
        }
    }

    pub async fn send(&self, request: RequestBuilder) -> Answer {
        Answer::to(request).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(self.request(Method::POST, path).json(&body)).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.send(self.request(Method::PUT, path).json(&body)).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send(self.request(Method::PATCH, path).json(&body)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(self.request(Method::DELETE, path)).await
    }

    pub async fn subscription(&self) -> Value {
        let answer = self.get(MY_SUBSCRIPTION).await;
        assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.body);
        answer.body
    }
}

/// Asks again until the answer is right, or a deadline passes.
pub async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, mut ask: impl FnMut() -> F) -> T {
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(20);
    loop {
        if let Some(found) = ask().await {
            return found;
        }
        assert!(tokio::time::Instant::now() < deadline, "never happened: {what}");
        tokio::time::sleep(std::time::Duration::from_millis(30)).await;
    }
}
