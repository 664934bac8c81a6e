//! What the Stripe sandbox shows to browsers, asked for over HTTP: the scripts, the frames, the 3D Secure
//! page as a plain form, and the panel.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test that can't go on fails, and says where it is"
)]

use std::collections::BTreeSet;

use axum::Router;
use axum::routing::post;
use reqwest::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap, LOCATION};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde_json::Value;
use stripe_sandbox::Clock;
use stripe_sandbox::{self as sandbox, Options, PUBLISHABLE_KEY, Running, SECRET_KEY, Webhook};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

const HOSTILE: &str = "\"><script>alert(1)</script>'&";

struct Sandbox {
    client: Client,
    base: String,
    running: Running,
}

impl Sandbox {
    async fn start(webhook: Option<Webhook>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let options =
            Options { listener, allow_network: false, database: None, webhook, clock: Clock::system() };
        let running = sandbox::start(options).await.unwrap();
        let client = Client::builder().redirect(Policy::none()).build().unwrap();
        Self { client, base: format!("http://{}", running.addr), running }
    }

    async fn get(&self, path: &str) -> Response {
        self.client.get(format!("{}{path}", self.base)).send().await.unwrap()
    }

    async fn text(&self, path: &str) -> String {
        let response = self.get(path).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        response.text().await.unwrap()
    }

    async fn post(&self, path: &str, form: &[(&str, &str)]) -> Response {
        filled(self.client.post(format!("{}{path}", self.base)), form).send().await.unwrap()
    }

    async fn api(&self, path: &str, form: &[(&str, &str)]) -> Value {
        let request = self.client.post(format!("{}/v1/{path}", self.base)).bearer_auth(SECRET_KEY);
        filled(request, form).send().await.unwrap().json().await.unwrap()
    }

    /// A payment that waits for 3D Secure; `how` is how it was confirmed.
    async fn challenged(&self, how: &[(&str, &str)]) -> Value {
        let mut form = vec![
            ("amount", "2999"),
            ("currency", "usd"),
            ("payment_method", "pm_card_authenticationRequired"),
            ("payment_method_types[0]", "card"),
            ("confirm", "true"),
        ];
        form.extend_from_slice(how);
        let intent = self.api("payment_intents", &form).await;
        assert_eq!(intent["status"], "requires_action", "{intent}");
        intent
    }

    fn intent(&self, intent: &Value) -> Value {
        self.running.sandbox().get("payment_intents", text(&intent["id"])).unwrap()
    }
}

/// The request with a form as its body, as browsers send one.
fn filled(request: RequestBuilder, form: &[(&str, &str)]) -> RequestBuilder {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(body)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn header<'h>(headers: &'h HeaderMap, name: &str) -> &'h str {
    headers.get(name).unwrap_or_else(|| panic!("no {name} in {headers:?}")).to_str().unwrap()
}

/// A page that keeps what it says under a policy without `unsafe-inline`.
fn assert_works_under_its_policy(path: &str, headers: &HeaderMap, body: &str) {
    let policy = header(headers, CONTENT_SECURITY_POLICY.as_str());
    assert!(policy.starts_with("default-src 'none'"), "{path}: {policy}");
    assert!(!policy.contains("unsafe"), "{path}: {policy}");
    assert_eq!(header(headers, "x-content-type-options"), "nosniff", "{path}");
    for forbidden in [" style=", "<style", "<script>", " onclick=", " onload=", "javascript:"] {
        assert!(!body.contains(forbidden), "{path} has {forbidden}");
    }
}

/// Every address in the quotes behind `marker`.
fn quoted_after<'b>(body: &'b str, marker: &str, quote: char) -> Vec<&'b str> {
    body.split(marker).skip(1).filter_map(|rest| rest.split(quote).next()).collect()
}

#[tokio::test]
async fn the_script_is_served_at_stripe_s_addresses_to_any_origin() {
    let sandbox = Sandbox::start(None).await;
    for path in ["/v3", "/v3/", "/endive/stripe.js", "/basil/stripe.js"] {
        let response = sandbox.get(path).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        let headers = response.headers().clone();
        assert!(header(&headers, CONTENT_TYPE.as_str()).starts_with("text/javascript"), "{path}");
        assert_eq!(header(&headers, "access-control-allow-origin"), "*");
        assert_eq!(header(&headers, "cross-origin-resource-policy"), "cross-origin");
        let script = response.text().await.unwrap();
        assert!(script.contains("window.Stripe"), "{path}");
        // Applications forbid these; a stand-in that needed them would work in none.
        for forbidden in
            ["eval(", "new Function", "innerHTML", "setAttribute('style'", "fetch(", "XMLHttpRequest"]
        {
            assert!(!script.contains(forbidden), "{path} uses {forbidden}");
        }
    }
}

#[tokio::test]
async fn frames_may_be_embedded_by_anyone_and_talk_to_the_sandbox_only() {
    let sandbox = Sandbox::start(None).await;
    for path in
        ["/elements/payment?parent=https://app.test&channel=1", "/elements/card", "/elements/controller"]
    {
        let response = sandbox.get(path).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        let headers = response.headers().clone();
        let policy = header(&headers, CONTENT_SECURITY_POLICY.as_str());
        for directive in
            ["script-src 'self'", "connect-src 'self'", "frame-ancestors *", "form-action 'none'"]
        {
            assert!(policy.split("; ").any(|part| part == directive), "{path}: {directive} not in {policy}");
        }
        assert!(headers.get("x-frame-options").is_none(), "{path}");
        assert_works_under_its_policy(path, &headers, &response.text().await.unwrap());
    }
}

#[tokio::test]
async fn everything_a_frame_loads_is_there() {
    let sandbox = Sandbox::start(None).await;
    let intent = sandbox.challenged(&[]).await;
    let challenge =
        format!("/3d_secure/{}?client_secret={}", text(&intent["id"]), text(&intent["client_secret"]));
    let mut waiting =
        BTreeSet::from(["/elements/payment".to_owned(), "/elements/controller".to_owned(), challenge]);
    let mut seen = BTreeSet::new();
    while let Some(path) = waiting.pop_first() {
        let response = sandbox.get(&path).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        let kind = header(response.headers(), CONTENT_TYPE.as_str()).to_owned();
        let body = response.text().await.unwrap();
        let found: Vec<String> = if kind.starts_with("text/html") {
            let addresses =
                [quoted_after(&body, " src=\"", '"'), quoted_after(&body, " href=\"/", '"')].concat();
            addresses.iter().map(|address| format!("/{}", address.trim_start_matches('/'))).collect()
        } else if kind.starts_with("text/javascript") {
            quoted_after(&body, " from './", '\'').iter().map(|name| format!("/elements/{name}")).collect()
        } else {
            assert!(kind.starts_with("text/css"), "{path} is {kind}");
            Vec::new()
        };
        seen.insert(path);
        waiting.extend(found.into_iter().filter(|path| !seen.contains(path)));
    }
    for part in [
        "element.js",
        "controller.js",
        "challenge.js",
        "channel.js",
        "api.js",
        "element.css",
        "challenge.css",
    ] {
        assert!(seen.contains(&format!("/elements/{part}")), "{part} is loaded by nothing: {seen:?}");
    }
    assert_eq!(sandbox.get("/elements/nope.js").await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_browser_s_confirmation_is_approved_inside_the_overlay() {
    let sandbox = Sandbox::start(None).await;
    let intent = sandbox
        .api(
            "payment_intents",
            &[("amount", "2999"), ("currency", "usd"), ("payment_method_types[0]", "card")],
        )
        .await;
    // What the card form sends.
    let confirm = format!("{}/v1/payment_intents/{}/confirm", sandbox.base, text(&intent["id"]));
    let form = [
        ("payment_method_data[type]", "card"),
        ("payment_method_data[card][number]", "4000002760003184"),
        ("payment_method_data[card][exp_month]", "12"),
        ("payment_method_data[card][exp_year]", "2040"),
        ("payment_method_data[card][cvc]", "123"),
        ("return_url", "https://app.test/done"),
        ("client_secret", text(&intent["client_secret"])),
        ("use_stripe_sdk", "true"),
    ];
    let request = filled(sandbox.client.post(confirm).bearer_auth(PUBLISHABLE_KEY), &form);
    let intent: Value = request.send().await.unwrap().json().await.unwrap();
    assert_eq!(intent["next_action"]["type"], "use_stripe_sdk", "{intent}");

    let secret = text(&intent["client_secret"]);
    let path = format!("/3d_secure/{}", text(&intent["id"]));
    let around = "view=frame&parent=http%3A%2F%2Fapp.test%3A3000&channel=frame-1";
    let response = sandbox.get(&format!("{path}?client_secret={secret}&{around}")).await;
    let headers = response.headers().clone();
    assert!(header(&headers, CONTENT_SECURITY_POLICY.as_str()).contains("frame-ancestors *"));
    assert_eq!(header(&headers, "referrer-policy"), "no-referrer");
    let page = response.text().await.unwrap();
    assert_works_under_its_policy(&path, &headers, &page);
    for shown in
        ["Complete authentication", "Fail authentication", "29.99 USD", "Visa •••• 3184", "no real money"]
    {
        assert!(page.contains(shown), "{shown} not in {page}");
    }
    // The form leads to an address that knows how it is embedded.
    let action = quoted_after(&page, " action=\"", '"')[0].replace("&amp;", "&");
    assert_eq!(action, format!("{path}?{around}"));

    let response = sandbox.post(&action, &[("client_secret", secret), ("outcome", "approve")]).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert!(response.text().await.unwrap().contains("data-answered=\"true\""));
    assert_eq!(sandbox.intent(&intent)["status"], "succeeded");
}

#[tokio::test]
async fn a_challenge_of_its_own_leads_back_with_what_came_of_it() {
    let sandbox = Sandbox::start(None).await;
    for (outcome, status, redirect_status) in
        [("approve", "succeeded", "succeeded"), ("fail", "requires_payment_method", "failed")]
    {
        let intent = sandbox.challenged(&[("return_url", "http://app.test:3000/done?order=7")]).await;
        let action = &intent["next_action"]["redirect_to_url"];
        let url = text(&action["url"]);
        let response = sandbox.client.get(url).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{url}");
        let policy = header(response.headers(), CONTENT_SECURITY_POLICY.as_str()).to_owned();
        assert!(policy.contains("form-action 'self' http://app.test:3000;"), "{policy}");

        let path = format!("/3d_secure/{}", text(&intent["id"]));
        let secret = text(&intent["client_secret"]);
        let response = sandbox.post(&path, &[("client_secret", secret), ("outcome", outcome)]).await;
        assert_eq!(response.status(), StatusCode::SEE_OTHER);
        assert_eq!(
            header(response.headers(), LOCATION.as_str()),
            format!(
                "http://app.test:3000/done?order=7&payment_intent={}&payment_intent_client_secret={secret}\
                 &redirect_status={redirect_status}",
                text(&intent["id"])
            )
        );
        let after = sandbox.intent(&intent);
        assert_eq!(after["status"], status);
        if outcome == "fail" {
            assert_eq!(after["last_payment_error"]["code"], "payment_intent_authentication_failure");
        }
        // Answering twice changes nothing.
        let response = sandbox.post(&path, &[("client_secret", secret), ("outcome", "approve")]).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(sandbox.intent(&intent)["status"], status);
    }
}

#[tokio::test]
async fn a_challenge_is_answered_by_who_holds_the_secret_only() {
    let sandbox = Sandbox::start(None).await;
    let intent = sandbox.challenged(&[]).await;
    let path = format!("/3d_secure/{}", text(&intent["id"]));
    let secret = text(&intent["client_secret"]);
    for wrong in ["", "pi_1_secret_2", &secret[..secret.len() - 1]] {
        let page = sandbox.get(&format!("{path}?client_secret={wrong}")).await;
        assert_eq!(page.status(), StatusCode::NOT_FOUND, "{wrong}");
        let answer = sandbox.post(&path, &[("client_secret", wrong), ("outcome", "approve")]).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{wrong}");
    }
    assert_eq!(sandbox.get(&path).await.status(), StatusCode::NOT_FOUND);
    let unclear = sandbox.post(&path, &[("client_secret", secret), ("outcome", "perhaps")]).await;
    assert_eq!(unclear.status(), StatusCode::BAD_REQUEST);
    assert_eq!(sandbox.intent(&intent)["status"], "requires_action");
}

#[tokio::test]
async fn the_panel_says_what_it_is_and_shows_hostile_text_as_text() {
    let sandbox = Sandbox::start(None).await;
    assert!(sandbox.text("/").await.contains("No subscriptions yet"));

    let form = [("name", HOSTILE), ("email", "a@b.test"), ("metadata[k]", HOSTILE), ("description", HOSTILE)];
    let customer = sandbox.api("customers", &form).await;
    let id = text(&customer["id"]);
    let event = sandbox.running.sandbox().list("events")[0]["id"].clone();
    let pages = [
        "/".to_owned(),
        "/panel/customers".to_owned(),
        format!("/panel/customers/{id}"),
        "/panel/events?page=9".to_owned(),
        format!("/panel/events/{}", text(&event)),
    ];
    for path in pages {
        let response = sandbox.get(&path).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        let headers = response.headers().clone();
        let policy = header(&headers, CONTENT_SECURITY_POLICY.as_str());
        assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("script-src"), "{policy}");
        let body = response.text().await.unwrap();
        assert_works_under_its_policy(&path, &headers, &body);
        assert!(body.contains("nothing here is real money"), "{path}");
        assert!(body.contains(id), "{path}");
    }
    let response = sandbox.get("/panel/settings").await;
    let headers = response.headers().clone();
    assert_works_under_its_policy("/panel/settings", &headers, &response.text().await.unwrap());
    let page = sandbox.text(&format!("/panel/customers/{id}")).await;
    assert!(page.contains("&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;'&amp;"), "{page}");
    assert!(page.contains("customer.created"), "its event is missing: {page}");

    for path in ["/panel/nope", "/panel/customers/cus_nope", "/panel/%3Cb%3E/x", "/panel/deliverys"] {
        let response = sandbox.get(path).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
        let headers = response.headers().clone();
        assert_works_under_its_policy(path, &headers, &response.text().await.unwrap());
    }
}

#[tokio::test]
async fn an_event_is_sent_again_from_the_panel_s_own_pages_only() {
    let (sent, mut received) = mpsc::unbounded_channel();
    let receiver = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", receiver.local_addr().unwrap());
    let hook = post(move |body: String| async move {
        let event: Value = serde_json::from_str(&body).unwrap();
        sent.send(event["id"].as_str().unwrap().to_owned()).unwrap();
    });
    tokio::spawn(async move { axum::serve(receiver, Router::new().route("/hook", hook)).await });

    let webhook = Webhook { url: url.clone(), secret: "whsec_test".into() };
    let sandbox = Sandbox::start(Some(webhook)).await;
    sandbox.api("customers", &[("email", "a@b.test")]).await;
    let event = received.recv().await.unwrap();
    sandbox.running.deliveries_finished().await;

    let page = sandbox.text(&format!("/panel/events/{event}")).await;
    assert!(page.contains(&url) && page.contains("Delivered") && page.contains("200"), "{page}");
    assert!(sandbox.text("/panel/events").await.contains("Delivered"));

    let address = format!("{}/panel/events/{event}/retry", sandbox.base);
    for origin in [None, Some("http://127.0.0.1:3000"), Some("null")] {
        let request = sandbox.client.post(&address);
        let request = origin.into_iter().fold(request, |request, origin| request.header("origin", origin));
        assert_eq!(request.send().await.unwrap().status(), StatusCode::FORBIDDEN, "{origin:?}");
    }
    let crossing = sandbox.client.post(&address).header("sec-fetch-site", "cross-site").send().await.unwrap();
    assert_eq!(crossing.status(), StatusCode::FORBIDDEN);

    let response = sandbox.client.post(&address).header("origin", &sandbox.base).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    assert_eq!(header(response.headers(), LOCATION.as_str()), format!("/panel/events/{event}"));
    assert_eq!(received.recv().await.unwrap(), event);
    sandbox.running.deliveries_finished().await;
    // The refused ones sent nothing.
    assert!(received.try_recv().is_err());
}
