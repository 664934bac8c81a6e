//! What web pages may ask of the API: what Stripe.js asks, and nothing else.

use serde_json::json;
use stripe_sandbox::{Clock, Options, PUBLISHABLE_KEY, SECRET_KEY, StartError};
use tokio::net::TcpListener;

use super::support::{Answer, Sandbox, id};

const PAGE: &str = "http://evil.test";

#[track_caller]
fn is_unreadable(answer: &Answer) {
    assert_eq!(answer.header("access-control-allow-origin"), None, "{answer:?}");
}

#[tokio::test]
async fn no_page_reads_or_changes_anything_with_a_secret_key() {
    let sandbox = Sandbox::start().await;
    let customer = sandbox.customer(&[("email", "ada@example.test")]).await;
    for key in [SECRET_KEY, "sk_test_whatever1234", "rk_test_whatever1234"] {
        let read = sandbox.request("GET", &format!("/v1/customers/{customer}"));
        let answer = read.key(Some(key)).header("origin", PAGE).send().await;
        is_unreadable(&answer);
        answer.error(403);
        // A form that needs no preflight, with the key in it; sent without the origin, as some requests are.
        let change = sandbox.request("POST", &format!("/v1/customers/{customer}")).key(None);
        let change = change.header("sec-fetch-site", "cross-site").form(&[("key", key), ("name", "Changed")]);
        change.send().await.error(403);
    }
    let after = sandbox.get(&format!("/v1/customers/{customer}")).await;
    is_unreadable(&after);
    assert_eq!(after.ok()["name"], json!(null));
}

#[tokio::test]
async fn a_preflight_opens_the_endpoints_of_stripe_js_only() {
    let sandbox = Sandbox::start().await;
    let preflight = async |method: &str, path: &str| {
        let request = sandbox.request("OPTIONS", path).key(None).header("origin", "http://127.0.0.1:3000");
        let request = request.header("access-control-request-method", method);
        request.header("access-control-request-headers", "authorization").send().await
    };
    for (method, path) in [
        ("GET", "/v1/payment_intents/pi_1"),
        ("POST", "/v1/payment_intents/pi_1/confirm"),
        ("GET", "/v1/setup_intents/seti_1"),
        ("POST", "/v1/setup_intents/seti_1/confirm"),
        ("POST", "/v1/payment_methods"),
        ("POST", "/v1/tokens"),
    ] {
        let answer = preflight(method, path).await;
        assert_eq!(answer.status, 204);
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{method} {path}");
        assert_eq!(answer.header("access-control-allow-headers"), Some("authorization"));
        assert!(answer.header("access-control-allow-methods").unwrap().contains(method));
    }
    for (method, path) in [
        ("GET", "/v1/customers"),
        ("POST", "/v1/payment_intents/pi_1"),
        ("GET", "/v1/payment_methods"),
        ("DELETE", "/v1/customers/cus_1"),
        ("POST", "/v1/nonsense"),
    ] {
        is_unreadable(&preflight(method, path).await);
    }
}

#[tokio::test]
async fn pages_read_what_they_ask_for_with_a_publishable_key_refusals_included() {
    let sandbox = Sandbox::start().await;
    let intent = sandbox.post("/v1/payment_intents", &[("amount", "100"), ("currency", "usd")]).await.ok();
    let secret = intent["client_secret"].as_str().unwrap();
    let ask = async |path: &str| {
        let request = sandbox.request("GET", path).key(Some(PUBLISHABLE_KEY)).header("origin", PAGE);
        request.header("sec-fetch-site", "cross-site").send().await
    };
    let path = format!("/v1/payment_intents/{}", id(&intent));
    let answer = ask(&format!("{path}?client_secret={secret}")).await;
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert_eq!(answer.ok()["amount"], 100);
    for (path, status) in [(&*path, 400), ("/v1/customers", 403), ("/v1/nonsense", 404)] {
        let refused = ask(path).await;
        assert_eq!(refused.header("access-control-allow-origin"), Some("*"), "{path}");
        refused.error(status);
    }
}

#[tokio::test]
async fn a_host_name_that_was_made_to_lead_here_leads_to_nothing() {
    let sandbox = Sandbox::start().await;
    for path in ["/v1/customers", "/", "/panel/customers", "/v3/", "/elements/payment"] {
        let answer = sandbox.request("GET", path).header("host", "evil.test:12111").send().await;
        answer.error(421);
        let own = sandbox.request("GET", path).header("host", "localhost:12111").send().await;
        assert_eq!(own.status, 200, "{path}");
    }
}

async fn on_every_interface(allow_network: bool) -> Result<stripe_sandbox::Running, StartError> {
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let options = Options { listener, allow_network, database: None, webhook: None, clock: Clock::system() };
    stripe_sandbox::start(options).await
}

#[tokio::test]
async fn the_network_is_let_in_expressly_and_then_under_any_name() {
    assert!(matches!(on_every_interface(false).await, Err(StartError::OnNetwork(_))));
    let running = on_every_interface(true).await.unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let address = format!("http://127.0.0.1:{}/v1/customers", running.addr.port());
    let request = client.get(address).bearer_auth(SECRET_KEY).header("host", "sandbox.internal");
    assert_eq!(request.send().await.unwrap().status(), 200);
}
