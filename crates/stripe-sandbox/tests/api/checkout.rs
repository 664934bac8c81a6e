//! Checkout sessions: opened by the API, paid on their page, told by events.

use chrono::Duration;
use serde_json::{Value, json};

use super::support::{Answer, Sandbox, id};

const PATH: &str = "/v1/checkout/sessions";
const CARD: [(&str, &str); 2] = [("payment_method", "pm_card_visa"), ("name", "Ada")];

async fn open(sandbox: &Sandbox, form: &[(&str, &str)]) -> Answer {
    let own = [("success_url", "https://app.test/done?id={CHECKOUT_SESSION_ID}")];
    sandbox.post(PATH, &[&own, form].concat()).await
}

async fn open_subscription(sandbox: &Sandbox, form: &[(&str, &str)]) -> String {
    let price = sandbox.price(2999).await;
    let own = [("mode", "subscription"), ("line_items[0][price]", &price), ("line_items[0][quantity]", "2")];
    id(&open(sandbox, &[&own, form].concat()).await.ok())
}

async fn seen(sandbox: &Sandbox, session: &str) -> Value {
    sandbox.get(&format!("{PATH}/{session}?expand[]=subscription&expand[]=customer")).await.ok()
}

#[tokio::test]
async fn a_subscription_is_bought_and_its_customer_made() {
    let sandbox = Sandbox::start().await;
    let form = [
        ("customer_email", "ada@example.test"),
        ("client_reference_id", "group-1"),
        ("metadata[a]", "b"),
        ("subscription_data[metadata][group]", "1"),
    ];
    let session = open_subscription(&sandbox, &form).await;
    assert!(session.starts_with("cs_test_"));
    let fresh = seen(&sandbox, &session).await;
    assert_eq!((&fresh["status"], &fresh["payment_status"]), (&json!("open"), &json!("unpaid")));
    assert_eq!((&fresh["amount_total"], &fresh["currency"]), (&json!(5998), &json!("usd")));
    assert!(sandbox.running.sandbox().list("customers").is_empty());
    let page = sandbox.page(&format!("/c/pay/{session}")).await;
    assert!(page.contains("Subscribe for $59.98") && page.contains("ada@example.test"), "{page}");

    let answer = sandbox.check_out(&session, &CARD).await.ok();
    assert_eq!(answer["url"], format!("https://app.test/done?id={session}"));
    let done = seen(&sandbox, &session).await;
    assert_eq!((&done["status"], &done["payment_status"]), (&json!("complete"), &json!("paid")));
    let subscription = &done["subscription"];
    assert_eq!((&subscription["status"], &subscription["quantity"]), (&json!("active"), &json!(2)));
    assert_eq!(subscription["metadata"], json!({"group": "1"}));
    assert!(subscription["default_payment_method"].is_string());
    assert_eq!(done["invoice"], subscription["latest_invoice"]);
    assert_eq!(
        (&done["customer"]["email"], &done["customer"]["name"]),
        (&json!("ada@example.test"), &json!("Ada"))
    );
    assert_eq!((&done["url"], &done["client_reference_id"]), (&json!(null), &json!("group-1")));
    let types = sandbox.event_types().await;
    let at = |name: &str| types.iter().position(|kind| kind == name).unwrap();
    assert!(at("invoice.paid") < at("checkout.session.completed"));
    let again = sandbox.check_out(&session, &CARD).await.ok();
    assert_eq!(again["error"]["message"], "This Checkout Session is no longer open.");
}

#[tokio::test]
async fn a_declined_card_leaves_nothing_and_another_one_goes_through() {
    let sandbox = Sandbox::start().await;
    let session = open_subscription(&sandbox, &[("customer_email", "ada@example.test")]).await;
    for card in ["pm_card_chargeDeclined", "pm_card_chargeCustomerFail"] {
        let refused = sandbox.check_out(&session, &[("payment_method", card), ("name", "Ada")]).await.ok();
        assert_eq!(refused["error"]["message"], "Your card was declined.");
        assert!(sandbox.running.sandbox().list("subscriptions").is_empty());
        assert!(sandbox.running.sandbox().list("customers").is_empty());
    }
    sandbox.check_out(&session, &CARD).await.ok();
    assert_eq!(seen(&sandbox, &session).await["status"], "complete");
}

#[tokio::test]
async fn three_d_secure_comes_before_completion_and_may_fail_first() {
    let sandbox = Sandbox::start().await;
    let session = open_subscription(&sandbox, &[("customer_email", "ada@example.test")]).await;
    let card = [("payment_method", "pm_card_authenticationRequired"), ("name", "Ada")];
    for (approve, status) in [(false, "open"), (true, "complete")] {
        let asked = sandbox.check_out(&session, &card).await.ok();
        let secret = asked["client_secret"].as_str().unwrap();
        let settled = sandbox.check_out(&session, &[("settled", "true")]).await.ok();
        assert!(settled["error"].is_object(), "nothing is settled yet: {settled}");
        sandbox.authenticate(secret.split("_secret_").next().unwrap(), approve).await;
        assert_eq!(seen(&sandbox, &session).await["status"], status);
    }
    let settled = sandbox.check_out(&session, &[("settled", "true")]).await.ok();
    assert!(settled["url"].is_string());
    assert_eq!(sandbox.running.sandbox().list("subscriptions").len(), 1);
}

#[tokio::test]
async fn a_trial_takes_the_card_and_no_money_or_not_even_the_card() {
    let sandbox = Sandbox::start().await;
    let form = [("customer_email", "ada@example.test"), ("subscription_data[trial_period_days]", "14")];
    let session = open_subscription(&sandbox, &form).await;
    assert_eq!(seen(&sandbox, &session).await["amount_total"], 0);
    sandbox.check_out(&session, &CARD).await.ok();
    let done = seen(&sandbox, &session).await;
    assert_eq!(
        (&done["status"], &done["payment_status"]),
        (&json!("complete"), &json!("no_payment_required"))
    );
    assert_eq!(done["subscription"]["status"], "trialing");
    assert!(done["subscription"]["default_payment_method"].is_string());

    let form = [&form[..], &[("payment_method_collection", "if_required")]].concat();
    let session = open_subscription(&sandbox, &form).await;
    assert!(!sandbox.page(&format!("/c/pay/{session}")).await.contains("data-card"));
    sandbox.check_out(&session, &[("name", "Ada")]).await.ok();
    let done = seen(&sandbox, &session).await;
    assert_eq!((&done["status"], &done["subscription"]["status"]), (&json!("complete"), &json!("trialing")));
}

#[tokio::test]
async fn a_payment_has_its_data_and_a_set_up_keeps_the_card() {
    let sandbox = Sandbox::start().await;
    let form = [
        ("mode", "payment"),
        ("line_items[0][price_data][currency]", "usd"),
        ("line_items[0][price_data][unit_amount]", "1500"),
        ("line_items[0][price_data][product_data][name]", "A chair"),
        ("line_items[0][quantity]", "2"),
        ("customer_email", "ada@example.test"),
        ("payment_intent_data[metadata][order]", "7"),
    ];
    let session = id(&open(&sandbox, &form).await.ok());
    let items = sandbox.get(&format!("{PATH}/{session}/line_items")).await.ok();
    assert_eq!(
        (&items["data"][0]["description"], &items["data"][0]["amount_total"]),
        (&json!("A chair"), &json!(3000))
    );
    sandbox.check_out(&session, &CARD).await.ok();
    let done = sandbox.get(&format!("{PATH}/{session}?expand[]=payment_intent")).await.ok();
    assert_eq!((&done["payment_status"], &done["customer"]), (&json!("paid"), &json!(null)));
    let intent = &done["payment_intent"];
    assert_eq!((&intent["amount_received"], &intent["metadata"]["order"]), (&json!(3000), &json!("7")));

    let customer = sandbox.customer(&[("email", "bo@example.test")]).await;
    let session = id(&open(&sandbox, &[("mode", "setup"), ("customer", &customer)]).await.ok());
    sandbox.check_out(&session, &CARD).await.ok();
    let done = sandbox.get(&format!("{PATH}/{session}?expand[]=setup_intent")).await.ok();
    assert_eq!((&done["status"], &done["setup_intent"]["status"]), (&json!("complete"), &json!("succeeded")));
    let kept = sandbox.get(&format!("/v1/customers/{customer}/payment_methods")).await.ok();
    assert_eq!(kept["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_script_in_the_place_of_the_page_confirms_with_a_payment_method() {
    let sandbox = Sandbox::start().await;
    let session = open_subscription(&sandbox, &[]).await;
    let form = [
        ("type", "card"),
        ("card[token]", "tok_visa"),
        ("billing_details[email]", "ada@example.test"),
        ("billing_details[name]", "Ada"),
    ];
    let method = id(&sandbox.post("/v1/payment_methods", &form).await.ok());
    let page = format!("/v1/payment_pages/{session}");
    assert_eq!(sandbox.get(&page).await.ok()["id"], session);
    let form = [("payment_method", &*method), ("expected_amount", "1")];
    let refused = sandbox.post(&format!("{page}/confirm"), &form).await.error(400);
    assert_eq!(refused["code"], "checkout_amount_mismatch");
    let form = [("payment_method", &*method), ("expected_amount", "5998")];
    let done = sandbox.post(&format!("{page}/confirm"), &form).await.ok();
    assert_eq!((&done["status"], &done["payment_status"]), (&json!("complete"), &json!("paid")));
    assert_eq!(done["customer_details"]["email"], "ada@example.test");
    assert_eq!(sandbox.event_types().await.last().unwrap(), "checkout.session.completed");
    let pages =
        sandbox.request("POST", &format!("{page}/confirm")).key(Some("pk_test_TollgateSandboxPublicKey"));
    pages.form(&form).send().await.error(403);
}

#[tokio::test]
async fn a_session_expires_by_itself_and_on_demand() {
    let sandbox = Sandbox::start().await;
    let session = open_subscription(&sandbox, &[("customer_email", "ada@example.test")]).await;
    // Begun, and left at the bank's page.
    let card = [("payment_method", "pm_card_authenticationRequired"), ("name", "Ada")];
    sandbox.check_out(&session, &card).await.ok();
    sandbox.clock.advance(Duration::hours(25));
    sandbox.running.sandbox().catch_up().await;
    assert_eq!(seen(&sandbox, &session).await["status"], "expired");
    let left = sandbox.running.sandbox().list("subscriptions");
    assert_eq!(left[0]["status"], "incomplete_expired");
    assert!(sandbox.event_types().await.iter().any(|kind| kind == "checkout.session.expired"));

    let session = open_subscription(&sandbox, &[]).await;
    let expired = sandbox.post(&format!("{PATH}/{session}/expire"), &[]).await.ok();
    assert_eq!((&expired["status"], &expired["url"]), (&json!("expired"), &json!(null)));
    let again = sandbox.post(&format!("{PATH}/{session}/expire"), &[]).await.error(400);
    assert!(again["message"].as_str().unwrap().contains("status of expired"));
    assert!(sandbox.page(&format!("/c/pay/{session}")).await.contains("has expired"));
}

#[tokio::test]
async fn what_does_not_fit_is_refused() {
    let sandbox = Sandbox::start().await;
    let monthly = sandbox.price(2999).await;
    let line = [("line_items[0][price]", &*monthly), ("line_items[0][quantity]", "1")];
    let soon = (sandbox.clock.now().timestamp() + 60).to_string();
    for (form, param) in [
        (vec![("mode", "payment")], "line_items[0][price]"),
        (vec![("mode", "setup")], "line_items"),
        (vec![], "mode"),
        (vec![("mode", "subscription"), ("customer_creation", "always")], "customer_creation"),
        (vec![("mode", "subscription"), ("payment_intent_data[description]", "x")], "payment_intent_data"),
        (vec![("mode", "subscription"), ("expires_at", &soon)], "expires_at"),
        (vec![("mode", "subscription"), ("cancel_url", "nowhere")], "cancel_url"),
        (vec![("mode", "subscription"), ("customer_update[name]", "auto")], "customer_update"),
    ] {
        let refused = open(&sandbox, &[&line[..], &form].concat()).await.error(400);
        assert_eq!(refused["param"], param, "{form:?}");
    }
    let refused = sandbox.post(PATH, &[&line[..], &[("mode", "subscription")]].concat()).await.error(400);
    assert_eq!(refused["param"], "success_url");
    // The page's own form can be sent by the page alone.
    let session = open_subscription(&sandbox, &[]).await;
    let stranger = sandbox.request("POST", &format!("/c/pay/{session}")).key(None).form(&CARD);
    assert_eq!(stranger.header("sec-fetch-site", "cross-site").send().await.status, 403);
    let nameless = sandbox.check_out(&session, &CARD).await.ok();
    assert_eq!(nameless["error"]["message"], "Please enter your e-mail address.");
}
