//! The sessions of Stripe's CLI: who gets one. What it does with them is tested with the CLI itself, in `end2end/clients`.

use serde_json::json;
use stripe_sandbox::PUBLISHABLE_KEY;

use super::support::Sandbox;

const SESSIONS: &str = "/v1/stripecli/sessions";
const WANTED: [(&str, &str); 2] = [("device_name", "desk"), ("websocket_features[]", "webhooks")];

#[tokio::test]
async fn a_session_is_for_servers_and_its_secret_is_its_device_s() {
    let sandbox = Sandbox::start().await;
    let session = sandbox.post(SESSIONS, &WANTED).await.ok();
    let address = session["websocket_url"].as_str().unwrap();
    assert!(address.starts_with(&format!("ws://{}/", sandbox.running.addr)), "{address}");
    assert_eq!(session["websocket_authorized_feature"], "webhooks");
    let again = sandbox.post(SESSIONS, &WANTED).await.ok();
    assert_eq!(again["secret"], session["secret"], "it is copied into an application's settings");
    assert_ne!(again["websocket_id"], session["websocket_id"]);
    let other = [("device_name", "other"), WANTED[1]];
    assert_ne!(sandbox.post(SESSIONS, &other).await.ok()["secret"], session["secret"]);

    sandbox.browser_post(SESSIONS, &WANTED).await.error(403);
    sandbox.request("POST", SESSIONS).key(None).form(&WANTED).send().await.error(401);
    let page = sandbox.request("POST", SESSIONS).key(Some(PUBLISHABLE_KEY)).form(&WANTED);
    page.header("origin", "http://evil.test").send().await.error(403);
    let unknown = [WANTED[0], ("websocket_features[]", "thoughts")];
    assert_eq!(sandbox.post(SESSIONS, &unknown).await.error(400)["param"], "websocket_features[0]");
    let filtered = [&WANTED[..], &[("filters", "{\"filter_ip_address\": [\"1.1.1.1\"]}")]].concat();
    assert_eq!(sandbox.post(SESSIONS, &filtered).await.error(400)["param"], "filters");
}

#[tokio::test]
async fn a_web_socket_wants_a_session_that_is_known() {
    let sandbox = Sandbox::start().await;
    let session = sandbox.post(SESSIONS, &WANTED).await.ok();
    let open = async |id: Option<&str>| {
        let address = session["websocket_url"].as_str().unwrap().replace("ws://", "http://");
        let mut request = sandbox.http.get(address);
        for (name, value) in [
            ("connection", "upgrade"),
            ("upgrade", "websocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ("sec-websocket-protocol", "stripecli-devproxy-v1"),
        ] {
            request = request.header(name, value);
        }
        if let Some(id) = id {
            request = request.header("websocket-id", id);
        }
        let answer = request.send().await.unwrap();
        let protocol = answer.headers().get("sec-websocket-protocol").cloned();
        (answer.status().as_u16(), protocol.map(|name| name.to_str().unwrap().to_owned()))
    };
    assert_eq!(open(None).await, (401, None));
    assert_eq!(open(Some("cliws_guessed")).await, (401, None));
    let id = session["websocket_id"].as_str().unwrap();
    assert_eq!(open(Some(id)).await, (101, Some("stripecli-devproxy-v1".to_owned())));
}

#[tokio::test]
async fn an_event_is_sent_again_to_the_endpoint_that_is_named() {
    let sandbox = Sandbox::start().await;
    let form = [("url", "http://127.0.0.1:9/hook"), ("enabled_events[]", "customer.deleted")];
    let endpoint = super::support::id(&sandbox.post("/v1/webhook_endpoints", &form).await.ok());
    sandbox.customer(&[]).await;
    let event = sandbox.get("/v1/events?limit=1").await.ok()["data"][0]["id"].as_str().unwrap().to_owned();
    let retry = format!("/v1/events/{event}/retry");
    sandbox.post(&retry, &[("for_stripecli", "true")]).await.ok();
    assert!(sandbox.running.sandbox().deliveries(&event).is_empty(), "endpoints aren't sessions");
    sandbox.post(&retry, &[("webhook_endpoint", &endpoint)]).await.ok();
    assert_eq!(sandbox.running.sandbox().deliveries(&event).len(), 1);
    let error = sandbox.post(&retry, &[("webhook_endpoint", "we_none")]).await.error(400);
    assert_eq!(error["code"], json!("resource_missing"));
}
