//! The whole stack on an empty database, by what a client sees.

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, Request};
use axum::routing::get;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;

use super::*;
use crate::clock::Clock;
use crate::config::{Config, StripeConfig, Upstream, UpstreamLimits};
use crate::metrics;
use crate::storage::Store;

const EMAIL: &str = "ada@example.com";
const PASSWORD: &str = "a password of some length";

struct App {
    router: Router,
    _directory: TempDir,
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    #[track_caller]
    fn is_problem(&self, status: u16, code: &str) {
        assert_eq!((self.status, &self.json()["code"]), (status, &json!(code)), "{:?}", self.body);
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(self.json()["request_id"], self.header("x-request-id"));
    }
}

impl App {
    async fn new(public_url: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store =
            Store::open(&format!("sqlite://{}", directory.path().join("test.db").display())).await.unwrap();
        store.migrate().await.unwrap();
        let config = Config {
            listen_addr: "127.0.0.1:0".parse().unwrap(),
            public_url: public_url.parse().unwrap(),
            stripe: StripeConfig {
                publishable_key: "pk_test_1".into(),
                secret_key: "sk_test_1".into(),
                webhook_secret: "whsec_1".into(),
                // The discard port: nothing answers.
                api_base: Some("http://127.0.0.1:9".into()),
                js_url: "https://js.stripe.com/endive/stripe.js".into(),
                test_clock: None,
                timeout: std::time::Duration::from_secs(8),
                sandbox: None,
            },
            upstream: Upstream { base_url: "http://127.0.0.1:9/v1".parse().unwrap(), api_key: None },
            upstream_limits: UpstreamLimits::default(),
            smtp_url: None,
            trusted_proxies: Vec::new(),
            grace_days: 7,
            signup_open: true,
            demo: false,
        };
        let (services, task) = Services::new(config, store, Clock::system()).unwrap();
        tokio::spawn(task.run());
        let pages = Router::new()
            .route("/usage", get(|| async { "a page" }).post(|body: String| async move { body }))
            .route("/broken", get(|| async { panic!("a page that panics") as &'static str }));
        metrics::install();
        let router = router(services, TimeLimits::default(), CancellationToken::new(), pages, Router::new());
        Self { router, _directory: directory }
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.router.clone().oneshot(request.body(body.into()).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send(Method::GET, path, headers, Body::empty()).await
    }

    async fn post(&self, path: &str, headers: &[(&str, &str)], body: Value) -> Answer {
        let headers = [headers, &[("content-type", "application/json")]].concat();
        self.send(Method::POST, path, &headers, body.to_string()).await
    }

    async fn log_in(&self) -> Answer {
        self.post("/api/auth/login/", &[], json!({"email": EMAIL, "password": PASSWORD})).await
    }

    /// Signs up and in; the answer is the cookie.
    async fn cookie(&self) -> String {
        let account =
            json!({"email": EMAIL, "password": PASSWORD, "name": "Ada", "group_name": "Analytical"});
        assert_eq!(self.post("/api/auth/signup/", &[], account).await.status, 201);
        self.log_in().await.header("set-cookie").split(';').next().unwrap().to_owned()
    }

    /// An API key of the user with this cookie, as an `Authorization` header.
    async fn key(&self, cookie: &str) -> String {
        let made = self.post("/api/auth/keys/", &[("cookie", cookie)], json!({"name": "test"})).await;
        assert_eq!(made.status, 201);
        format!("Bearer {}", made.json()["key"].as_str().unwrap())
    }
}

const LOCAL: &str = "http://127.0.0.1:3000";

#[tokio::test]
async fn a_session_lasts_from_signing_in_to_signing_out() {
    let app = App::new(LOCAL).await;
    app.get("/api/auth/me/", &[]).await.is_problem(401, "not_signed_in");
    let cookie = app.cookie().await;
    let mine = [("cookie", cookie.as_str())];
    let me = app.get("/api/auth/me/", &mine).await;
    assert_eq!(
        (me.status, &me.json()["email"], me.header("cache-control")),
        (200, &json!(EMAIL), "no-store")
    );
    assert_eq!(app.get("/usage", &mine).await.header("cache-control"), "no-store");

    let out = app.send(Method::POST, "/api/auth/logout/", &mine, Body::empty()).await;
    assert!(out.status == 204 && out.header("set-cookie").contains("Max-Age=0"), "{:?}", out.headers);
    app.get("/api/auth/me/", &mine).await.is_problem(401, "not_signed_in");
}

#[tokio::test]
async fn the_cookie_is_out_of_reach_of_scripts_and_other_sites() {
    for (url, secure) in [(LOCAL, false), ("https://tollgate.example", true)] {
        let app = App::new(url).await;
        app.cookie().await;
        let answer = app.log_in().await;
        let cookie = answer.header("set-cookie");
        for part in ["tollgate_session=", "HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=1209600"] {
            assert!(cookie.contains(part), "{cookie}");
        }
        assert_eq!(cookie.contains("Secure"), secure, "{cookie}");
    }
}

#[tokio::test]
async fn signing_in_gives_the_session_a_new_id() {
    let app = App::new(LOCAL).await;
    let before = app.cookie().await;
    let body = json!({"email": EMAIL, "password": PASSWORD});
    let again = app.post("/api/auth/login/", &[("cookie", &before)], body).await;
    assert!(!again.header("set-cookie").starts_with(&before));
    app.get("/api/auth/me/", &[("cookie", &before)]).await.is_problem(401, "not_signed_in");
}

#[tokio::test]
async fn a_key_acts_as_its_user_and_comes_before_a_cookie() {
    let app = App::new(LOCAL).await;
    let cookie = app.cookie().await;
    let key = app.key(&cookie).await;
    assert_eq!(app.get("/api/auth/me/", &[("authorization", &key)]).await.json()["email"], EMAIL);
    for bad in ["Bearer tg_unknown", "Basic YTpi", "Bearer"] {
        let refused = app.get("/api/auth/me/", &[("authorization", bad), ("cookie", &cookie)]).await;
        refused.is_problem(401, "not_signed_in");
        assert_eq!(refused.header("www-authenticate"), "Bearer");
    }
    // Also where no sign-in is needed: a program with a wrong key had better learn of it.
    let plans = app.get("/api/subscriptions/plans/", &[("authorization", "Bearer tg_unknown")]).await;
    plans.is_problem(401, "not_signed_in");
    // A key needs no cookie and makes none, but may sign in.
    let body = json!({"email": EMAIL, "password": PASSWORD});
    let signed_in = app.post("/api/auth/login/", &[("authorization", &key)], body).await;
    assert!(signed_in.status == 200 && !signed_in.header("set-cookie").is_empty());
}

#[tokio::test]
async fn another_site_cannot_act_by_a_visitors_cookie() {
    let app = App::new(LOCAL).await;
    let cookie = app.cookie().await;
    let foreign = [("cookie", cookie.as_str()), ("origin", "https://evil.example")];
    app.post("/api/auth/keys/", &foreign, json!({"name": "theirs"})).await.is_problem(403, "cross_origin");
    assert_eq!(app.get("/api/auth/keys/", &foreign).await.json()["results"], json!([]));
    let ours = [("cookie", cookie.as_str()), ("origin", LOCAL), ("sec-fetch-site", "same-origin")];
    assert_eq!(app.post("/api/auth/keys/", &ours, json!({"name": "mine"})).await.status, 201);
}

#[tokio::test]
async fn every_error_is_a_problem() {
    let app = App::new(LOCAL).await;
    for (method, path, status, code) in [
        (Method::GET, "/api/nowhere", 404, "not_found"),
        (Method::GET, "/api", 404, "not_found"),
        (Method::GET, "/api/docs/nothing.js", 404, "not_found"),
        (Method::GET, "/api/subscriptions/plans/17/", 404, "not_found"),
        (Method::GET, "/api/subscriptions/plans/%ff/", 404, "not_found"),
        (Method::GET, "/api/subscriptions/plans/0197f3e0-7c1a-7000-8000-000000000001/", 404, "not_found"),
        (Method::GET, "/api/subscriptions/plans/?limit=0", 422, "invalid"),
        (Method::DELETE, "/api/auth/me/", 405, "method_not_allowed"),
        (Method::POST, "/api/auth/login/", 415, "not_json"),
        (Method::POST, "/api/subscriptions/webhook/stripe/", 400, "malformed"),
        (Method::GET, "/broken", 500, "internal"),
        (Method::CONNECT, "tollgate.example:443", 405, "method_not_allowed"),
    ] {
        let answer = app.send(method, path, &[("x-request-id", "from-the-proxy")], Body::empty()).await;
        answer.is_problem(status, code);
        assert_eq!(answer.header("x-request-id"), "from-the-proxy", "{path}");
    }
    assert_eq!(
        app.send(Method::PATCH, "/api/subscriptions/subscriptions/usage/", &[], Body::empty())
            .await
            .header("allow"),
        "GET,HEAD"
    );
}

#[tokio::test]
async fn nobody_can_send_without_end() {
    let app = App::new(LOCAL).await;
    let long = "x".repeat(crate::http::body::SMALL + 1);
    let json = [("content-type", "application/json")];
    app.send(Method::POST, "/api/auth/login/", &json, long.clone()).await.is_problem(413, "too_large");
    app.send(Method::POST, "/api/subscriptions/webhook/stripe/", &[("stripe-signature", "t=1")], long)
        .await
        .is_problem(413, "too_large");
}

#[tokio::test]
async fn a_role_is_checked_before_the_body() {
    let app = App::new(LOCAL).await;
    let cookie = app.cookie().await;
    let mine = [("cookie", cookie.as_str())];
    let nonsense = json!("nonsense");
    app.post("/api/subscriptions/plans/", &[], nonsense.clone()).await.is_problem(401, "not_signed_in");
    app.post("/api/subscriptions/plans/", &mine, nonsense.clone()).await.is_problem(403, "forbidden");
    app.post("/api/auth/keys/", &mine, nonsense).await.is_problem(422, "invalid");
}

#[tokio::test]
async fn a_slash_at_the_end_makes_no_difference() {
    let app = App::new(LOCAL).await;
    let cookie = app.cookie().await;
    for path in ["/api/auth/me", "/api/auth/me/", "/usage", "/usage/", "/healthz/", "/api/docs"] {
        assert_eq!(app.get(path, &[("cookie", &cookie)]).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn a_shown_once_key_is_shown_again_only_to_who_repeats_the_request() {
    let app = App::new(LOCAL).await;
    let cookie = app.cookie().await;
    let mine = [("cookie", cookie.as_str()), ("idempotency-key", "7d1f")];
    let first = app.post("/api/auth/keys/", &mine, json!({"name": "a"})).await;
    let again = app.post("/api/auth/keys", &mine, json!({"name": "a"})).await;
    assert_eq!((first.status, first.header("idempotent-replayed")), (201, ""));
    assert_eq!((again.status, again.header("idempotent-replayed")), (201, "true"));
    assert_eq!((&again.body, again.header("content-type")), (&first.body, "application/json"));
    app.post("/api/auth/keys/", &mine, json!({"name": "b"})).await.is_problem(409, "idempotency_mismatch");
    let keys = app.get("/api/auth/keys/", &mine).await.json();
    assert_eq!(keys["results"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn the_document_and_its_page_are_served_and_load_nothing_foreign() {
    let app = App::new(LOCAL).await;
    let compressed = app.get("/api/openapi.json", &[("accept-encoding", "br")]).await;
    assert_eq!(compressed.header("content-encoding"), "br");
    let document = app.get("/api/openapi.json", &[]).await.json();
    assert_eq!(document["info"]["title"], "Tollgate");
    assert!(document["paths"]["/healthz"].is_object() && document["paths"]["/api/auth/me/"].is_object());

    for path in ["/api/docs/", "/api/docs/errors/"] {
        let page = app.get(path, &[]).await;
        assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"), "{path}");
        assert!(page.header("content-security-policy").contains("default-src 'none'; style-src 'self';"));
        let html = String::from_utf8_lossy(&page.body).into_owned();
        assert!(!html.contains("=\"http") && !html.contains("<script"), "{path} loads something foreign");
    }
    assert_eq!(
        app.get("/api/docs/reference.css", &[]).await.header("content-type"),
        "text/css; charset=utf-8"
    );
}

#[tokio::test]
async fn a_problems_type_leads_to_what_is_said_of_its_code() {
    let app = App::new(LOCAL).await;
    let problem = app.get("/api/auth/me/", &[]).await.json();
    let (path, code) = problem["type"].as_str().unwrap().split_once('#').unwrap();
    let page = app.get(path, &[]).await;
    let html = String::from_utf8_lossy(&page.body).into_owned();
    assert!(page.status == 200 && html.contains(&format!("id=\"{code}\"")), "{path}");
}

#[tokio::test]
async fn health_and_metrics_ask_for_nobody() {
    let app = App::new(LOCAL).await;
    // Not even a wrong key keeps a probe from its answer.
    let probe = [("authorization", "Bearer tg_unknown")];
    assert_eq!(app.get("/healthz", &probe).await.json(), json!({"status": "ok"}));
    assert_eq!(app.get("/readyz", &probe).await.json(), json!({"status": "ok"}));
    let metrics = app.get("/metrics", &probe).await;
    assert!(metrics.header("content-type").starts_with("text/plain"));
    let line = r#"tollgate_http_requests_total{method="GET",route="/readyz",status="200"} 1"#;
    assert!(String::from_utf8_lossy(&metrics.body).contains(line));
}
