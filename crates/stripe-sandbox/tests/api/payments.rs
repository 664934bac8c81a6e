//! Payment intents: what Stripe refuses, how they are confirmed, and when their money arrives.

use serde_json::json;

use super::support::{Sandbox, id};

const CARDS: (&str, &str) = ("payment_method_types[]", "card");

#[tokio::test]
async fn what_is_too_little_or_in_no_currency_is_not_charged() {
    let sandbox = Sandbox::start().await;
    let ask = async |amount: &str, currency: &str| {
        sandbox.post("/v1/payment_intents", &[("amount", amount), ("currency", currency)]).await
    };
    for (amount, currency, least) in
        [("49", "usd", "$0.50 usd"), ("29", "gbp", "£0.30 gbp"), ("49", "jpy", "¥50 jpy")]
    {
        let error = ask(amount, currency).await.error(400);
        assert_eq!((&error["code"], &error["param"]), (&json!("amount_too_small"), &json!("amount")));
        assert_eq!(error["message"], format!("Amount must be at least {least}"));
    }
    let error = ask("1000", "xyz").await.error(400);
    assert!(
        error["message"].as_str().unwrap().starts_with("Invalid currency: xyz. Stripe currently supports")
    );
    assert_eq!(error["param"], "currency");
    let intent = format!("/v1/payment_intents/{}", id(&ask("50", "USD").await.ok()));
    sandbox.post(&intent, &[("amount", "20")]).await.error(400);
    sandbox.post(&intent, &[("currency", "sek")]).await.error(400);
    assert_eq!(sandbox.post(&intent, &[("currency", "eur")]).await.ok()["currency"], "eur");
}

#[tokio::test]
async fn methods_that_may_redirect_want_an_address_to_come_back_to() {
    let sandbox = Sandbox::start().await;
    let pay =
        [("amount", "1000"), ("currency", "usd"), ("payment_method", "pm_card_visa"), ("confirm", "true")];
    let set_up = [("payment_method", "pm_card_visa"), ("confirm", "true")];
    for (path, form) in [("/v1/payment_intents", &pay[..]), ("/v1/setup_intents", &set_up[..])] {
        let error = sandbox.post(path, form).await.error(400);
        assert!(error["message"].as_str().unwrap().contains("you must provide a `return_url`"), "{error}");
        for enough in [
            &[("return_url", "https://example.test/back")][..],
            &[CARDS],
            &[
                ("automatic_payment_methods[enabled]", "true"),
                ("automatic_payment_methods[allow_redirects]", "never"),
            ],
        ] {
            let done = sandbox.post(path, &[form, enough].concat()).await.ok();
            assert_eq!(done["status"], "succeeded", "{enough:?}");
        }
    }
    assert_eq!(sandbox.running.sandbox().list("charges").len(), 3, "what was refused charged nothing");
}

#[tokio::test]
async fn a_payment_without_the_customer_keeps_no_card() {
    let sandbox = Sandbox::start().await;
    let customer = sandbox.customer_with("pm_card_visa").await;
    let card = sandbox.get(&format!("/v1/customers/{customer}")).await.ok();
    let card = card["invoice_settings"]["default_payment_method"].as_str().unwrap().to_owned();
    let form = [
        ("amount", "1000"),
        ("currency", "usd"),
        ("customer", &*customer),
        ("payment_method", &card),
        CARDS,
        ("off_session", "true"),
        ("confirm", "true"),
    ];
    let keeping = [&form[..], &[("setup_future_usage", "off_session")]].concat();
    assert_eq!(sandbox.post("/v1/payment_intents", &keeping).await.error(400)["param"], "off_session");
    assert_eq!(sandbox.post("/v1/payment_intents", &form).await.ok()["status"], "succeeded");
}

#[tokio::test]
async fn an_intent_confirmed_by_hand_is_confirmed_by_servers_only_and_once_more_after_3d_secure() {
    let sandbox = Sandbox::start().await;
    let form = [
        ("amount", "1000"),
        ("currency", "usd"),
        ("payment_method", "pm_card_authenticationRequired"),
        ("confirmation_method", "manual"),
        CARDS,
    ];
    let intent = sandbox.post("/v1/payment_intents", &form).await.ok();
    let (intent, secret) = (id(&intent), intent["client_secret"].as_str().unwrap().to_owned());
    let confirm = format!("/v1/payment_intents/{intent}/confirm");
    sandbox.browser_post(&confirm, &[("client_secret", &secret)]).await.error(400);
    assert_eq!(sandbox.post(&confirm, &[]).await.ok()["status"], "requires_action");
    sandbox.authenticate(&intent, true).await;
    let after = sandbox.get(&format!("/v1/payment_intents/{intent}")).await.ok();
    assert_eq!(after["status"], "requires_confirmation");
    assert_eq!(sandbox.post(&confirm, &[]).await.ok()["status"], "succeeded");
}

#[tokio::test]
async fn the_money_of_a_charge_arrives_after_the_answer_and_is_announced() {
    let sandbox = Sandbox::start().await;
    let pay = async |method: &str| {
        let form = [
            ("amount", "1000"),
            ("currency", "usd"),
            ("payment_method", "pm_card_visa"),
            ("confirm", "true"),
            ("expand[]", "latest_charge"),
            CARDS,
        ];
        let form = [&form[..], &[("capture_method", method)]].concat();
        sandbox.post("/v1/payment_intents", &form).await.ok()["latest_charge"].clone()
    };
    let charge = pay("automatic_async").await;
    assert_eq!(charge["balance_transaction"], json!(null));
    let after = sandbox.get(&format!("/v1/charges/{}?expand[]=balance_transaction", id(&charge))).await.ok();
    assert_eq!(after["balance_transaction"]["net"], 941);
    let events = sandbox.get("/v1/events?type=charge.updated").await.ok();
    let data = &events["data"][0]["data"];
    assert_eq!(data["previous_attributes"], json!({"balance_transaction": null}));
    assert_eq!(data["object"]["id"], charge["id"]);

    assert!(pay("automatic").await["balance_transaction"].is_string(), "at once, where that is asked for");
    assert_eq!(sandbox.get("/v1/events?type=charge.updated").await.ok()["data"].as_array().unwrap().len(), 1);
    let intent = sandbox.post("/v1/payment_intents", &[("amount", "1000"), ("currency", "usd")]).await.ok();
    assert_eq!(intent["capture_method"], "automatic_async");
    assert_eq!(intent["payment_method_types"], json!(["card", "link"]));
}

#[tokio::test]
async fn a_decline_says_what_to_do_and_what_the_network_said() {
    let sandbox = Sandbox::start().await;
    for (card, advice, network) in [
        ("pm_card_chargeDeclined", "try_again_later", "05"),
        ("pm_card_chargeDeclinedStolenCard", "do_not_try_again", "43"),
        ("pm_card_chargeDeclinedExpiredCard", "confirm_card_data", "54"),
    ] {
        let form =
            [("amount", "1000"), ("currency", "usd"), ("payment_method", card), ("confirm", "true"), CARDS];
        let answer = sandbox.post("/v1/payment_intents", &form).await;
        let request = answer.header("request-id").unwrap().to_owned();
        let error = answer.error(402);
        assert_eq!(
            (&error["advice_code"], &error["network_decline_code"]),
            (&json!(advice), &json!(network))
        );
        assert!(error["request_log_url"].as_str().unwrap().ends_with(&request), "{error}");
        let kept = &error["payment_intent"]["last_payment_error"];
        assert_eq!((&kept["advice_code"], &kept["network_decline_code"]), (&json!(advice), &json!(network)));
    }
}
