//! Products, prices, customers and their payment methods.

use serde_json::json;

use super::support::{Sandbox, id};

#[tokio::test]
async fn a_price_keeps_its_amount_whatever_the_decimals_of_its_currency() {
    let sandbox = Sandbox::start().await;
    for (currency, amount, line) in [
        ("usd", "2999", "$29.99"),
        ("jpy", "500", "¥500"),
        ("kwd", "1250", "KWD 1.250"),
        ("EUR", "100", "€1.00"),
    ] {
        let form = [
            ("currency", currency),
            ("unit_amount", amount),
            ("recurring[interval]", "month"),
            ("product_data[name]", "P"),
        ];
        let price = sandbox.post("/v1/prices", &form).await.ok();
        assert_eq!(price["currency"], currency.to_lowercase());
        assert_eq!(price["unit_amount"].to_string(), amount);
        assert_eq!(price["unit_amount_decimal"], amount);
        let customer = sandbox.customer_with("pm_card_visa").await;
        let subscription = sandbox.subscribe(&customer, &id(&price), &[]).await.ok();
        let invoice = &subscription["latest_invoice"];
        assert_eq!(invoice["total"].to_string(), amount);
        assert_eq!(invoice["lines"]["data"][0]["description"], format!("1 × P (at {line} / month)"));
    }
}

#[tokio::test]
async fn prices_that_can_not_be_are_refused() {
    let sandbox = Sandbox::start().await;
    let product = id(&sandbox.post("/v1/products", &[("name", "P")]).await.ok());
    for (form, param) in [
        (vec![("currency", "usd")], "unit_amount"),
        (vec![("currency", "usd"), ("unit_amount", "-1")], "unit_amount"),
        (vec![("currency", "usd"), ("unit_amount", "100000000")], "unit_amount"),
        (
            vec![("currency", "usd"), ("unit_amount", "1"), ("unit_amount_decimal", "1")],
            "unit_amount_decimal",
        ),
        (vec![("currency", "dollars"), ("unit_amount", "1")], "currency"),
        (
            vec![
                ("currency", "usd"),
                ("unit_amount", "1"),
                ("recurring[interval]", "year"),
                ("recurring[interval_count]", "4"),
            ],
            "recurring[interval_count]",
        ),
        (
            vec![("currency", "usd"), ("unit_amount", "1"), ("recurring[interval]", "hour")],
            "recurring[interval]",
        ),
        (vec![("currency", "usd"), ("unit_amount", "1"), ("tiers[0][up_to]", "inf")], "tiers"),
    ] {
        let form = [&form[..], &[("product", &product)]].concat();
        assert_eq!(sandbox.post("/v1/prices", &form).await.error(400)["param"], param);
    }
    let form = [("currency", "usd"), ("unit_amount", "1"), ("product", "prod_nope")];
    assert_eq!(sandbox.post("/v1/prices", &form).await.error(400)["code"], "resource_missing");
}

#[tokio::test]
async fn a_lookup_key_names_one_price() {
    let sandbox = Sandbox::start().await;
    let form =
        [("currency", "usd"), ("unit_amount", "1"), ("product_data[name]", "P"), ("lookup_key", "basic")];
    let first = id(&sandbox.post("/v1/prices", &form).await.ok());
    assert_eq!(sandbox.post("/v1/prices", &form).await.error(400)["param"], "lookup_key");
    let second =
        id(&sandbox.post("/v1/prices", &[&form[..], &[("transfer_lookup_key", "true")]].concat()).await.ok());
    let found = sandbox.get("/v1/prices?lookup_keys[]=basic").await.ok();
    assert_eq!(found["data"].as_array().unwrap().len(), 1);
    assert_eq!(found["data"][0]["id"], second);
    assert_eq!(sandbox.get(&format!("/v1/prices/{first}")).await.ok()["lookup_key"], json!(null));
}

#[tokio::test]
async fn a_product_with_prices_stays_and_one_without_goes() {
    let sandbox = Sandbox::start().await;
    let form =
        [("name", "P"), ("default_price_data[currency]", "usd"), ("default_price_data[unit_amount]", "1")];
    let priced = id(&sandbox.post("/v1/products", &form).await.ok());
    sandbox.delete(&format!("/v1/products/{priced}")).await.error(400);
    let bare = id(&sandbox.post("/v1/products", &[("name", "B"), ("id", "bare")]).await.ok());
    assert_eq!(bare, "bare");
    assert_eq!(
        sandbox.post("/v1/products", &[("name", "B"), ("id", "bare")]).await.error(400)["code"],
        "resource_already_exists"
    );
    assert_eq!(sandbox.delete("/v1/products/bare").await.ok()["deleted"], true);
    sandbox.get("/v1/products/bare").await.error(404);
}

#[tokio::test]
async fn metadata_is_merged_and_a_change_is_announced_with_what_was_before() {
    let sandbox = Sandbox::start().await;
    let customer =
        sandbox.customer(&[("metadata[a]", "1"), ("metadata[b]", "2"), ("email", "old@example.test")]).await;
    let path = format!("/v1/customers/{customer}");
    let form = [("metadata[a]", ""), ("metadata[c]", "3"), ("email", "new@example.test")];
    assert_eq!(sandbox.post(&path, &form).await.ok()["metadata"], json!({"b": "2", "c": "3"}));
    let updated = sandbox.get("/v1/events?type=customer.updated").await.ok();
    assert_eq!(
        updated["data"][0]["data"]["previous_attributes"],
        json!({"email": "old@example.test", "metadata": {"a": "1", "c": null}})
    );
    sandbox.post(&path, &[("email", "new@example.test")]).await.ok();
    let again = sandbox.get("/v1/events?type=customer.updated").await.ok();
    assert_eq!(again["data"].as_array().unwrap().len(), 1, "what changes nothing is not announced");
    assert_eq!(sandbox.post(&path, &[("metadata", "")]).await.ok()["metadata"], json!({}));
}

#[tokio::test]
async fn a_deleted_customer_takes_its_subscriptions_along_and_says_that_it_is_gone() {
    let sandbox = Sandbox::start().await;
    let (customer, price) = (sandbox.customer_with("pm_card_visa").await, sandbox.price(500).await);
    let subscription = id(&sandbox.subscribe(&customer, &price, &[]).await.ok());
    let path = format!("/v1/customers/{customer}");
    sandbox.delete(&path).await.ok();
    assert_eq!(sandbox.get(&path).await.ok(), json!({"id": customer, "object": "customer", "deleted": true}));
    assert_eq!(sandbox.get("/v1/customers").await.ok()["data"], json!([]));
    let ended = sandbox.get(&format!("/v1/subscriptions/{subscription}?expand[]=customer")).await.ok();
    assert_eq!((&ended["status"], &ended["customer"]["deleted"]), (&json!("canceled"), &json!(true)));
    sandbox.post(&path, &[("name", "too late")]).await.error(404);
}

#[tokio::test]
async fn a_detached_card_is_used_up_and_no_longer_a_default() {
    let sandbox = Sandbox::start().await;
    let customer = sandbox.customer_with("pm_card_visa").await;
    let path = format!("/v1/customers/{customer}");
    let method = sandbox.get(&path).await.ok()["invoice_settings"]["default_payment_method"].clone();
    let method = method.as_str().unwrap();
    sandbox.post(&format!("/v1/payment_methods/{method}/detach"), &[]).await.ok();
    assert_eq!(sandbox.get(&path).await.ok()["invoice_settings"]["default_payment_method"], json!(null));
    sandbox.post(&format!("/v1/payment_methods/{method}/detach"), &[]).await.error(400);
    let attach = format!("/v1/payment_methods/{method}/attach");
    sandbox.post(&attach, &[("customer", &customer)]).await.error(400);
}

#[tokio::test]
async fn a_card_is_of_one_customer_and_pays_for_no_other() {
    let sandbox = Sandbox::start().await;
    let (owner, other) = (sandbox.customer(&[]).await, sandbox.customer(&[]).await);
    let attach = "/v1/payment_methods/pm_card_mastercard/attach";
    let method = id(&sandbox.post(attach, &[("customer", &owner)]).await.ok());
    sandbox.post(&format!("/v1/payment_methods/{method}/attach"), &[("customer", &other)]).await.error(400);
    let form = [
        ("amount", "100"),
        ("currency", "usd"),
        ("payment_method", &*method),
        ("confirm", "true"),
        ("payment_method_types[]", "card"),
    ];
    sandbox.post("/v1/payment_intents", &form).await.error(400);
    sandbox.post("/v1/payment_intents", &[&form[..], &[("customer", &other)]].concat()).await.error(400);
    sandbox.post("/v1/payment_intents", &[&form[..], &[("customer", &owner)]].concat()).await.ok();
    let price = sandbox.price(100).await;
    let error = sandbox.subscribe(&other, &price, &[("default_payment_method", &method)]).await.error(400);
    assert_eq!(error["param"], "default_payment_method");
}
