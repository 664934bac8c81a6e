//! What each test card does, entered, named, challenged.

use serde_json::json;

use super::support::{Sandbox, id, intent_of};

fn entered(number: &str) -> [(&str, &str); 5] {
    [
        ("payment_method_data[type]", "card"),
        ("payment_method_data[card][number]", number),
        ("payment_method_data[card][exp_month]", "12"),
        ("payment_method_data[card][exp_year]", "2034"),
        ("payment_method_data[card][cvc]", "123"),
    ]
}

const CARDS: (&str, &str) = ("payment_method_types[]", "card");
const MONEY: [(&str, &str); 4] = [("amount", "1099"), ("currency", "usd"), CARDS, ("confirm", "true")];

#[tokio::test]
async fn each_card_pays_or_fails_as_it_should() {
    let sandbox = Sandbox::start().await;
    for (number, code, decline_code) in [
        ("4000000000000002", "card_declined", json!("generic_decline")),
        ("4000000000009995", "card_declined", json!("insufficient_funds")),
        ("4000000000009987", "card_declined", json!("lost_card")),
        ("4000000000009979", "card_declined", json!("stolen_card")),
        ("4000000000000069", "expired_card", json!(null)),
        ("4000000000000127", "incorrect_cvc", json!(null)),
        ("4000000000000119", "processing_error", json!(null)),
        ("4000000000000341", "card_declined", json!("generic_decline")),
    ] {
        let error =
            sandbox.post("/v1/payment_intents", &[&MONEY[..], &entered(number)].concat()).await.error(402);
        assert_eq!((&error["type"], &error["code"]), (&json!("card_error"), &json!(code)), "{number}");
        assert_eq!(error["decline_code"], decline_code, "{number}");
        assert!(error["doc_url"].as_str().unwrap().ends_with(&code.replace('_', "-")));
        let intent = &error["payment_intent"];
        assert_eq!(
            (&intent["status"], &intent["payment_method"]),
            (&json!("requires_payment_method"), &json!(null))
        );
        let charge = sandbox.get(&format!("/v1/charges/{}", error["charge"].as_str().unwrap())).await.ok();
        assert_eq!((&charge["status"], &charge["failure_code"]), (&json!("failed"), &json!(code)));
    }
    for number in ["4242424242424242", "5555555555554444", "6011111111111117"] {
        let intent = sandbox.post("/v1/payment_intents", &[&MONEY[..], &entered(number)].concat()).await.ok();
        assert_eq!((&intent["status"], &intent["amount_received"]), (&json!("succeeded"), &json!(1099)));
    }
}

#[tokio::test]
async fn a_card_that_is_not_in_order_is_not_taken_and_its_number_not_kept() {
    let sandbox = Sandbox::start().await;
    let card = |number: &'static str, month: &'static str, year: &'static str, cvc: &'static str| {
        [
            ("type", "card"),
            ("card[number]", number),
            ("card[exp_month]", month),
            ("card[exp_year]", year),
            ("card[cvc]", cvc),
        ]
    };
    for (form, code) in [
        (card("4242424242424241", "12", "34", "123"), "incorrect_number"),
        (card("4242424242424242", "13", "34", "123"), "invalid_expiry_month"),
        (card("4242424242424242", "12", "25", "123"), "invalid_expiry_year"),
        (card("4242424242424242", "12", "34", "1"), "invalid_cvc"),
        (card("4111111111111111", "12", "34", "123"), "card_declined"),
    ] {
        assert_eq!(sandbox.browser_post("/v1/payment_methods", &form).await.error(402)["code"], code);
    }
    assert!(sandbox.running.sandbox().list("payment_methods").is_empty());
    let method =
        sandbox.browser_post("/v1/payment_methods", &card("4242424242424242", "12", "34", "123")).await.ok();
    assert_eq!((&method["card"]["last4"], &method["card"]["brand"]), (&json!("4242"), &json!("visa")));
    assert!(!method.to_string().contains("42424242"));
}

#[tokio::test]
async fn a_card_that_would_be_declined_is_not_kept_but_for_the_one_that_fails_later() {
    let sandbox = Sandbox::start().await;
    let customer = sandbox.customer(&[]).await;
    let error = sandbox
        .post(
            "/v1/payment_methods/pm_card_visa_chargeDeclinedInsufficientFunds/attach",
            &[("customer", &customer)],
        )
        .await
        .error(402);
    assert_eq!(error["decline_code"], "insufficient_funds");
    sandbox.post("/v1/customers", &[("payment_method", "pm_card_chargeDeclined")]).await.error(402);
    assert_eq!(sandbox.running.sandbox().list("customers").len(), 1, "nothing is left of the second");
    let attach = "/v1/payment_methods/pm_card_chargeCustomerFail/attach";
    let method = id(&sandbox.post(attach, &[("customer", &customer)]).await.ok());
    let form = [&MONEY[..], &[("customer", &*customer), ("payment_method", &method)]].concat();
    sandbox.post("/v1/payment_intents", &form).await.error(402);
}

#[tokio::test]
async fn a_challenge_is_shown_by_stripe_js_or_by_a_page_to_go_to() {
    let sandbox = Sandbox::start().await;
    let form = [&MONEY[..], &entered("4000002760003184")].concat();
    let intent = sandbox.post("/v1/payment_intents", &form).await.ok();
    assert_eq!(intent["status"], "requires_action");
    let action = &intent["next_action"];
    assert_eq!(action["type"], "use_stripe_sdk");
    assert_eq!(action["use_stripe_sdk"]["type"], "three_d_secure_redirect");
    let page = action["use_stripe_sdk"]["stripe_js"].as_str().unwrap();
    assert!(page.starts_with(&format!("{}/3d_secure/{}?", sandbox.origin(), id(&intent))), "{page}");
    assert_eq!(sandbox.http.get(page).send().await.unwrap().status(), 200);

    let form = [&form[..], &[("return_url", "https://example.test/back")]].concat();
    let action = sandbox.post("/v1/payment_intents", &form).await.ok()["next_action"].clone();
    assert_eq!(action["type"], "redirect_to_url");
    assert_eq!(action["redirect_to_url"]["return_url"], "https://example.test/back");
    let form = [&form[..], &[("use_stripe_sdk", "true")]].concat();
    let action = sandbox.post("/v1/payment_intents", &form).await.ok()["next_action"].clone();
    assert_eq!(action["type"], "use_stripe_sdk");
    let form = [&form[..form.len() - 2], &[("error_on_requires_action", "true")]].concat();
    let error = sandbox.post("/v1/payment_intents", &form).await.error(402);
    assert_eq!(error["code"], "authentication_required");
}

#[tokio::test]
async fn an_approved_challenge_pays_and_a_refused_one_wants_another_card() {
    let sandbox = Sandbox::start().await;
    let (customer, price) = (sandbox.customer(&[]).await, sandbox.price(500).await);
    let form = [("payment_behavior", "default_incomplete")];
    let subscription = sandbox.subscribe(&customer, &price, &form).await.ok();
    let intent = id(intent_of(&subscription));
    let (confirm, retrieve) =
        (format!("/v1/payment_intents/{intent}/confirm"), format!("/v1/payment_intents/{intent}"));

    for number in ["4000002500003155", "4000000000003220"] {
        assert_eq!(sandbox.post(&confirm, &entered(number)).await.ok()["status"], "requires_action");
        sandbox.authenticate(&intent, false).await;
        let refused = sandbox.get(&retrieve).await.ok();
        assert_eq!(refused["status"], "requires_payment_method");
        assert_eq!(refused["last_payment_error"]["code"], "payment_intent_authentication_failure");
        assert_eq!(refused["next_action"], json!(null));
    }
    sandbox.post(&confirm, &entered("4000008400001629")).await.ok();
    sandbox.authenticate(&intent, true).await;
    let declined = sandbox.get(&retrieve).await.ok();
    assert_eq!(declined["last_payment_error"]["decline_code"], "generic_decline");
    assert!(
        sandbox.running.sandbox().authenticate(&intent, true).await.is_err(),
        "there is nothing to answer now"
    );

    sandbox.post(&confirm, &entered("4000002760003184")).await.ok();
    sandbox.authenticate(&intent, true).await;
    assert_eq!(sandbox.get(&retrieve).await.ok()["status"], "succeeded");
    let after = sandbox.get(&format!("/v1/subscriptions/{}", id(&subscription))).await.ok();
    assert_eq!(after["status"], "active");
    let types = sandbox.event_types().await;
    let count = |kind: &str| types.iter().filter(|other| *other == kind).count();
    assert_eq!(count("payment_intent.requires_action"), 4);
    assert_eq!(count("invoice.payment_action_required"), 4);
    assert_eq!(count("invoice.payment_failed"), 3);
    assert_eq!(count("invoice.paid"), 1);
}

#[tokio::test]
async fn a_card_that_was_set_up_pays_without_the_customer() {
    let sandbox = Sandbox::start().await;
    let customer = sandbox.customer(&[]).await;
    let form = [
        ("customer", &*customer),
        ("payment_method", "pm_card_authenticationRequiredOnSetup"),
        ("confirm", "true"),
        CARDS,
    ];
    let setup = sandbox.post("/v1/setup_intents", &form).await.ok();
    assert_eq!(setup["status"], "requires_action");
    sandbox.authenticate(&id(&setup), true).await;
    let setup = sandbox.get(&format!("/v1/setup_intents/{}?expand[]=latest_attempt", id(&setup))).await.ok();
    assert_eq!(setup["status"], "succeeded");
    assert_eq!(
        setup["latest_attempt"]["payment_method_details"]["card"]["three_d_secure"]["result"],
        "authenticated"
    );
    let method = setup["payment_method"].as_str().unwrap();
    let form = [&MONEY[..], &[("customer", &customer), ("payment_method", method), ("off_session", "true")]]
        .concat();
    assert_eq!(sandbox.post("/v1/payment_intents", &form).await.ok()["status"], "succeeded");

    let attach = "/v1/payment_methods/pm_card_authenticationRequiredOnSetup/attach";
    let fresh = id(&sandbox.post(attach, &[("customer", &customer)]).await.ok());
    let form = [&MONEY[..], &[("customer", &*customer), ("payment_method", &fresh), ("off_session", "true")]]
        .concat();
    let error = sandbox.post("/v1/payment_intents", &form).await.error(402);
    assert_eq!(error["code"], "authentication_required");
}

#[tokio::test]
async fn a_refused_set_up_wants_another_card() {
    let sandbox = Sandbox::start().await;
    let customer = sandbox.customer(&[]).await;
    let setup = id(&sandbox.post("/v1/setup_intents", &[("customer", &customer), CARDS]).await.ok());
    let confirm = format!("/v1/setup_intents/{setup}/confirm");
    let error = sandbox.post(&confirm, &entered("4000000000000002")).await.error(402);
    assert_eq!(error["setup_intent"]["last_setup_error"]["code"], "card_declined");
    sandbox.post(&confirm, &entered("4000002760003184")).await.ok();
    sandbox.authenticate(&setup, false).await;
    let refused = sandbox.get(&format!("/v1/setup_intents/{setup}")).await.ok();
    assert_eq!(refused["last_setup_error"]["code"], "setup_intent_authentication_failure");
    assert_eq!(sandbox.post(&confirm, &entered("4242424242424242")).await.ok()["status"], "succeeded");
    let types = sandbox.event_types().await;
    assert_eq!(types.iter().filter(|kind| *kind == "setup_intent.setup_failed").count(), 2);
    sandbox.post(&confirm, &entered("4242424242424242")).await.error(400);
}

#[tokio::test]
async fn a_token_is_good_for_one_payment_method() {
    let sandbox = Sandbox::start().await;
    let card = [
        ("card[number]", "4000000000000341"),
        ("card[exp_month]", "1"),
        ("card[exp_year]", "2030"),
        ("card[cvc]", "123"),
    ];
    let token = id(&sandbox.browser_post("/v1/tokens", &card).await.ok());
    let form = [("type", "card"), ("card[token]", &*token)];
    let method = sandbox.post("/v1/payment_methods", &form).await.ok();
    assert_eq!((&method["card"]["last4"], &method["card"]["exp_year"]), (&json!("0341"), &json!(2030)));
    assert_eq!(sandbox.post("/v1/payment_methods", &form).await.error(400)["code"], "token_already_used");
    for _ in 0..2 {
        let form = [("type", "card"), ("card[token]", "tok_mastercard")];
        assert_eq!(sandbox.post("/v1/payment_methods", &form).await.ok()["card"]["brand"], "mastercard");
    }
}

#[tokio::test]
async fn what_is_asked_of_a_card_overrides_what_is_asked_of_the_intent() {
    let sandbox = Sandbox::start().await;
    let customer = sandbox.customer(&[]).await;
    let kept = "payment_method_options[card][setup_future_usage]";
    let pay = async |own: &str, of_card: &str| {
        let form = [
            &MONEY[..],
            &entered("4242424242424242"),
            &[("customer", &*customer), ("setup_future_usage", own), (kept, of_card)],
        ];
        let intent = sandbox.post("/v1/payment_intents", &form.concat()).await.ok();
        let method = intent["payment_method"].as_str().unwrap().to_owned();
        sandbox.get(&format!("/v1/payment_methods/{method}")).await.ok()["customer"].clone()
    };
    assert_eq!(pay("off_session", "none").await, json!(null));
    assert_eq!(pay("on_session", "off_session").await, json!(customer));

    let form = [&MONEY[..3], &[("payment_method", "pm_card_visa")]].concat();
    let intent = id(&sandbox.post("/v1/payment_intents", &form).await.ok());
    let confirm = format!("/v1/payment_intents/{intent}/confirm");
    let held = sandbox.post(&confirm, &[("capture_method", "manual")]).await.ok();
    assert_eq!((&held["status"], &held["amount_capturable"]), (&json!("requires_capture"), &json!(1099)));
}

#[tokio::test]
async fn a_subscription_that_demands_3d_secure_asks_any_card() {
    let sandbox = Sandbox::start().await;
    let (customer, price) = (sandbox.customer(&[]).await, sandbox.price(500).await);
    let demand = "payment_settings[payment_method_options][card][request_three_d_secure]";
    let form = [("payment_behavior", "default_incomplete"), (demand, "any")];
    let subscription = sandbox.subscribe(&customer, &price, &form).await.ok();
    let confirm = format!("/v1/payment_intents/{}/confirm", id(intent_of(&subscription)));
    let asked = sandbox.post(&confirm, &[("payment_method", "pm_card_visa")]).await.ok();
    assert_eq!(asked["status"], "requires_action");
}
