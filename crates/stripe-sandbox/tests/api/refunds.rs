//! Money given back, and what charges, the balance and events say of it.

use serde_json::json;

use super::support::{Sandbox, id};

/// A paid payment of $29.99: its intent and its charge.
async fn paid(sandbox: &Sandbox) -> (String, String) {
    let form =
        [("amount", "2999"), ("currency", "usd"), ("payment_method", "pm_card_visa"), ("confirm", "true")];
    let form =
        [&form[..], &[("automatic_payment_methods[enabled]", "true"), ("return_url", "https://app.test")]];
    let intent = sandbox.post("/v1/payment_intents", &form.concat()).await.ok();
    (id(&intent), intent["latest_charge"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn parts_of_a_charge_are_given_back_until_nothing_is_left() {
    let sandbox = Sandbox::start().await;
    let (intent, charge) = paid(&sandbox).await;
    let form =
        [("charge", &*charge), ("amount", "1000"), ("reason", "duplicate"), ("metadata[why]", "twice")];
    let part = sandbox.post("/v1/refunds", &form).await.ok();
    assert_eq!((&part["amount"], &part["status"]), (&json!(1000), &json!("succeeded")));
    assert_eq!((&part["reason"], &part["metadata"]["why"]), (&json!("duplicate"), &json!("twice")));
    let seen = sandbox.get(&format!("/v1/charges/{charge}")).await.ok();
    assert_eq!((&seen["amount_refunded"], &seen["refunded"]), (&json!(1000), &json!(false)));

    let too_much = [("payment_intent", &*intent), ("amount", "2000")];
    let error = sandbox.post("/v1/refunds", &too_much).await.error(400);
    assert_eq!(
        error["message"],
        "Refund amount ($20.00) is greater than unrefunded amount on charge ($19.99)"
    );
    assert_eq!(error["param"], "amount");

    let rest = sandbox.post("/v1/refunds", &[("payment_intent", &*intent)]).await.ok();
    assert_eq!(rest["amount"], 1999);
    let seen = sandbox.get(&format!("/v1/charges/{charge}?expand[]=refunds")).await.ok();
    assert_eq!((&seen["amount_refunded"], &seen["refunded"]), (&json!(2999), &json!(true)));
    assert_eq!(seen["refunds"]["data"].as_array().unwrap().len(), 2);
    let error = sandbox.post("/v1/refunds", &[("charge", &charge)]).await.error(400);
    assert_eq!(error["code"], "charge_already_refunded");
    assert_eq!(error["message"], format!("Charge {charge} has already been refunded."));
    let of_charge = sandbox.get(&format!("/v1/refunds?charge={charge}")).await.ok();
    assert_eq!(of_charge["data"][0]["id"], rest["id"]);
}

#[tokio::test]
async fn more_than_the_whole_and_what_was_never_paid_is_refused() {
    let sandbox = Sandbox::start().await;
    let (_, charge) = paid(&sandbox).await;
    let error = sandbox.post("/v1/refunds", &[("charge", &charge), ("amount", "3000")]).await.error(400);
    assert_eq!(error["message"], "Refund amount ($30.00) is greater than charge amount ($29.99)");
    for amount in ["0", "-5"] {
        let error = sandbox.post("/v1/refunds", &[("charge", &charge), ("amount", amount)]).await.error(400);
        assert_eq!(error["code"], "parameter_invalid_integer", "{amount}");
    }
    let unpaid =
        id(&sandbox.post("/v1/payment_intents", &[("amount", "500"), ("currency", "usd")]).await.ok());
    let error = sandbox.post("/v1/refunds", &[("payment_intent", &unpaid)]).await.error(400);
    assert_eq!(error["param"], "payment_intent");
    sandbox.post("/v1/refunds", &[]).await.error(400);
    sandbox.post("/v1/refunds", &[("charge", "ch_1"), ("payment_intent", "pi_1")]).await.error(400);
}

#[tokio::test]
async fn a_refund_leaves_the_balance_and_is_announced() {
    let sandbox = Sandbox::start().await;
    let (_, charge) = paid(&sandbox).await;
    let before = sandbox.get("/v1/balance").await.ok()["available"][0]["amount"].as_i64().unwrap();
    let refund = sandbox
        .post("/v1/refunds", &[("charge", &*charge), ("amount", "999"), ("expand[]", "balance_transaction")])
        .await
        .ok();
    let moved = &refund["balance_transaction"];
    assert_eq!((&moved["amount"], &moved["fee"], &moved["net"]), (&json!(-999), &json!(0), &json!(-999)));
    assert_eq!((&moved["type"], &moved["source"]), (&json!("refund"), &refund["id"]));
    let after = sandbox.get("/v1/balance").await.ok()["available"][0]["amount"].as_i64().unwrap();
    assert_eq!(before - after, 999);

    let path = format!("/v1/refunds/{}", id(&refund));
    sandbox.post(&path, &[("metadata[a]", "b")]).await.ok();
    assert_eq!(sandbox.get(&path).await.ok()["metadata"], json!({"a": "b"}));
    let types = sandbox.event_types().await;
    let last: Vec<&str> = types.iter().rev().take(4).rev().map(String::as_str).collect();
    assert_eq!(last, ["charge.refunded", "refund.created", "charge.refund.updated", "refund.updated"]);
    let events = sandbox.running.sandbox().list("events");
    let refunded = events.iter().find(|event| event["type"] == "charge.refunded").unwrap();
    assert_eq!(refunded["data"]["previous_attributes"], json!({"amount_refunded": 0}));
    // A card's refund waits for nobody.
    sandbox.post(&format!("{path}/cancel"), &[]).await.error(400);
}

#[tokio::test]
async fn a_charge_can_be_described_and_captured() {
    let sandbox = Sandbox::start().await;
    let form = [
        ("amount", "2999"),
        ("currency", "usd"),
        ("payment_method", "pm_card_visa"),
        ("payment_method_types[]", "card"),
        ("capture_method", "manual"),
        ("confirm", "true"),
    ];
    let intent = sandbox.post("/v1/payment_intents", &form).await.ok();
    let charge = format!("/v1/charges/{}", intent["latest_charge"].as_str().unwrap());
    let refused = sandbox.post("/v1/refunds", &[("payment_intent", &id(&intent))]).await.error(400);
    assert_eq!(refused["code"], "charge_not_refundable");
    let captured = sandbox.post(&format!("{charge}/capture"), &[("amount", "2000")]).await.ok();
    assert_eq!((&captured["captured"], &captured["amount_captured"]), (&json!(true), &json!(2000)));
    let intent = sandbox.get(&format!("/v1/payment_intents/{}", id(&intent))).await.ok();
    assert_eq!((&intent["status"], &intent["amount_received"]), (&json!("succeeded"), &json!(2000)));
    let again = sandbox.post(&format!("{charge}/capture"), &[]).await.error(400);
    assert_eq!(again["code"], "charge_already_captured");

    let form = [("description", "Chairs"), ("fraud_details[user_report]", "safe"), ("metadata[a]", "b")];
    let changed = sandbox.post(&charge, &form).await.ok();
    assert_eq!((&changed["description"], &changed["metadata"]), (&json!("Chairs"), &json!({"a": "b"})));
    assert_eq!(changed["fraud_details"], json!({"user_report": "safe"}));
    let cleared = sandbox.post(&charge, &[("fraud_details[user_report]", "")]).await.ok();
    assert_eq!(cleared["fraud_details"], json!({}));
    assert_eq!(sandbox.event_types().await.iter().filter(|kind| *kind == "charge.updated").count(), 2);
}

#[tokio::test]
async fn the_balance_is_what_its_movements_come_to_in_each_currency() {
    let sandbox = Sandbox::start().await;
    for (amount, currency) in [("2999", "usd"), ("5000", "eur"), ("1234", "usd")] {
        let form = [
            ("amount", amount),
            ("currency", currency),
            ("payment_method", "pm_card_visa"),
            ("payment_method_types[]", "card"),
            ("confirm", "true"),
        ];
        let intent = sandbox.post("/v1/payment_intents", &form).await.ok();
        let form = [("payment_intent", intent["id"].as_str().unwrap()), ("amount", "100")];
        sandbox.post("/v1/refunds", &form).await.ok();
    }
    let movements = sandbox.get("/v1/balance_transactions?limit=100").await.ok();
    let net = |currency: &str| -> i64 {
        let all = movements["data"].as_array().unwrap().iter();
        all.filter(|entry| entry["currency"] == currency).map(|entry| entry["net"].as_i64().unwrap()).sum()
    };
    let balance = sandbox.get("/v1/balance").await.ok();
    let shown: Vec<(&str, i64)> = balance["available"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| (entry["currency"].as_str().unwrap(), entry["amount"].as_i64().unwrap()))
        .collect();
    assert_eq!(shown, [("eur", net("eur")), ("usd", net("usd"))]);
    assert!(net("eur") > 0 && net("usd") > 0);
    let euros = sandbox.get("/v1/balance_transactions?currency=eur").await.ok();
    assert_eq!(euros["data"].as_array().unwrap().len(), 2);
}
