//! Coupons, promotion codes and tax rates, and what they make of invoices.

use chrono::Duration;
use serde_json::{Value, json};

use super::support::{Sandbox, id};

async fn coupon(sandbox: &Sandbox, form: &[(&str, &str)]) -> String {
    id(&sandbox.post("/v1/coupons", form).await.ok())
}

/// A subscription for $29.99 a month.
async fn subscribe(sandbox: &Sandbox, form: &[(&str, &str)]) -> Value {
    let customer = sandbox.customer_with("pm_card_visa").await;
    let price = sandbox.price(2999).await;
    sandbox.subscribe(&customer, &price, form).await.ok()
}

async fn renewal(sandbox: &Sandbox, days: i64) -> Value {
    sandbox.clock.advance(Duration::days(days));
    sandbox.running.sandbox().catch_up().await;
    sandbox.running.sandbox().list("invoices").remove(0)
}

#[tokio::test]
async fn a_percentage_lasts_as_long_as_its_coupon_says() {
    let sandbox = Sandbox::start().await;
    for (form, totals, left) in [
        (&[("duration", "once")][..], [2699, 2999, 2999], 0),
        (&[("duration", "forever")], [2699, 2699, 2699], 1),
        (&[("duration", "repeating"), ("duration_in_months", "2")], [2699, 2699, 2999], 0),
    ] {
        let coupon = coupon(&sandbox, &[form, &[("percent_off", "10")]].concat()).await;
        let begun = subscribe(&sandbox, &[("discounts[0][coupon]", &coupon)]).await;
        let first = &begun["latest_invoice"];
        assert_eq!((&first["subtotal"], &first["total"]), (&json!(2999), &json!(totals[0])));
        assert_eq!(first["total_discount_amounts"], first["lines"]["data"][0]["discount_amounts"]);
        for total in &totals[1..] {
            assert_eq!(renewal(&sandbox, 32).await["total"], *total, "{form:?}");
        }
        let ended = sandbox.delete(&format!("/v1/subscriptions/{}", id(&begun))).await.ok();
        assert_eq!(ended["discounts"].as_array().unwrap().len(), left, "{form:?}");
    }
}

#[tokio::test]
async fn a_discount_is_announced_when_it_is_given_and_when_it_is_over() {
    let sandbox = Sandbox::start().await;
    let once = coupon(&sandbox, &[("percent_off", "10"), ("duration", "once")]).await;
    subscribe(&sandbox, &[("discounts[0][coupon]", &once)]).await;
    let types = sandbox.event_types().await;
    let at = |name: &str| types.iter().position(|kind| kind == name).unwrap();
    assert!(at("customer.discount.created") < at("invoice.finalized"), "{types:?}");
    assert!(at("invoice.finalized") < at("customer.discount.deleted"), "{types:?}");
}

#[tokio::test]
async fn a_fixed_discount_is_shared_over_the_lines_and_never_gives_money_back() {
    let sandbox = Sandbox::start().await;
    let customer = sandbox.customer_with("pm_card_visa").await;
    for amount in ["1000", "1000", "1000"] {
        let form = [("customer", &*customer), ("amount", amount), ("currency", "usd")];
        sandbox.post("/v1/invoiceitems", &form).await.ok();
    }
    let off = coupon(&sandbox, &[("amount_off", "100"), ("currency", "usd"), ("duration", "once")]).await;
    let form = [
        ("customer", &*customer),
        ("pending_invoice_items_behavior", "include"),
        ("discounts[0][coupon]", &off),
    ];
    let draft = sandbox.post("/v1/invoices", &form).await.ok();
    let shares: Vec<&Value> = draft["lines"]["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| &line["discount_amounts"][0]["amount"])
        .collect();
    assert_eq!(shares, [33, 33, 34]);
    assert_eq!((&draft["total"], &draft["amount_due"]), (&json!(2900), &json!(2900)));
    let all = coupon(&sandbox, &[("amount_off", "99999"), ("currency", "usd")]).await;
    let path = format!("/v1/invoices/{}", id(&draft));
    let changed = sandbox.post(&path, &[("discounts[0][coupon]", &all)]).await.ok();
    assert_eq!(
        (&changed["total"], &changed["total_discount_amounts"][0]["amount"]),
        (&json!(0), &json!(3000))
    );
    let cleared = sandbox.post(&path, &[("discounts", "")]).await.ok();
    assert_eq!((&cleared["total"], &cleared["discounts"]), (&json!(3000), &json!([])));
    let euros = coupon(&sandbox, &[("amount_off", "100"), ("currency", "eur")]).await;
    let refused = sandbox.post(&path, &[("discounts[0][coupon]", &euros)]).await.error(400);
    assert_eq!(refused["param"], "discounts[0][coupon]");
}

#[tokio::test]
async fn a_coupon_for_one_product_leaves_others_alone() {
    let sandbox = Sandbox::start().await;
    let price = sandbox.price(2999).await;
    let product = sandbox.get(&format!("/v1/prices/{price}")).await.ok()["product"].clone();
    let other = sandbox.price(1000).await;
    let form = [("percent_off", "50"), ("applies_to[products][]", product.as_str().unwrap())];
    let half = coupon(&sandbox, &form).await;
    let customer = sandbox.customer_with("pm_card_visa").await;
    let form = [("items[1][price]", &*other), ("discounts[0][coupon]", &half)];
    let begun = sandbox.subscribe(&customer, &price, &form).await.ok();
    assert_eq!(begun["latest_invoice"]["total"], 1499 + 1000);
}

#[tokio::test]
async fn a_promotion_code_is_redeemed_by_whom_and_as_often_as_it_may_be() {
    let sandbox = Sandbox::start().await;
    let coupon =
        coupon(&sandbox, &[("percent_off", "20"), ("duration", "forever"), ("max_redemptions", "2")]).await;
    let form = [
        ("promotion[type]", "coupon"),
        ("promotion[coupon]", &*coupon),
        ("code", "FALL20"),
        ("max_redemptions", "1"),
    ];
    let code = id(&sandbox.post("/v1/promotion_codes", &form).await.ok());
    assert_eq!(sandbox.get("/v1/promotion_codes?code=fall20").await.ok()["data"][0]["id"], code);
    let twice = sandbox.post("/v1/promotion_codes", &form).await.error(400);
    assert_eq!(twice["param"], "code");
    let begun = subscribe(&sandbox, &[("discounts[0][promotion_code]", &code)]).await;
    assert_eq!(begun["latest_invoice"]["total"], 2399);
    let customer = sandbox.customer_with("pm_card_visa").await;
    let price = sandbox.price(2999).await;
    let again = [("discounts[0][promotion_code]", &*code)];
    let refused = sandbox.subscribe(&customer, &price, &again).await.error(400);
    assert_eq!(refused["code"], "promotion_code_invalid");
    sandbox.subscribe(&customer, &price, &[("discounts[0][coupon]", &coupon)]).await.ok();
    let seen = sandbox.get(&format!("/v1/coupons/{coupon}")).await.ok();
    assert_eq!((&seen["times_redeemed"], &seen["valid"]), (&json!(2), &json!(false)));
    let refused = sandbox.subscribe(&customer, &price, &[("discounts[0][coupon]", &coupon)]).await.error(400);
    assert_eq!(refused["code"], "coupon_expired");

    let path = format!("/v1/subscriptions/{}", id(&begun));
    let gone = sandbox.delete(&format!("{path}/discount")).await.ok();
    assert_eq!((&gone["deleted"], &gone["promotion_code"]), (&json!(true), &json!(code)));
    assert_eq!(sandbox.get(&path).await.ok()["discounts"], json!([]));
    sandbox.delete(&format!("{path}/discount")).await.error(404);
    sandbox.delete(&path).await.ok();
    // The other one goes on, also without its coupon.
    sandbox.delete(&format!("/v1/coupons/{coupon}")).await.ok();
    assert_eq!(renewal(&sandbox, 32).await["total"], 2399);
}

#[tokio::test]
async fn taxes_come_on_top_or_are_inside_after_discounts() {
    let sandbox = Sandbox::start().await;
    let rate = async |inclusive: &str, percentage: &str| {
        let form = [("display_name", "VAT"), ("inclusive", inclusive), ("percentage", percentage)];
        id(&sandbox.post("/v1/tax_rates", &form).await.ok())
    };
    let (on_top, inside) = (rate("false", "19").await, rate("true", "7").await);
    let half = coupon(&sandbox, &[("percent_off", "50"), ("duration", "forever")]).await;
    let form = [("default_tax_rates[]", &*on_top), ("discounts[0][coupon]", &half)];
    let begun = subscribe(&sandbox, &form).await;
    let invoice = &begun["latest_invoice"];
    // Half of 29.99, rounded up, is taken off: 14.99 are left, and 19 % of them 2.85.
    assert_eq!((&invoice["total"], &invoice["total_excluding_tax"]), (&json!(1784), &json!(1499)));
    let tax = &invoice["total_taxes"][0];
    assert_eq!((&tax["amount"], &tax["tax_behavior"]), (&json!(285), &json!("exclusive")));
    assert_eq!(
        (&tax["tax_rate_details"]["tax_rate"], &tax["taxable_amount"]),
        (&json!(on_top), &json!(1499))
    );
    let page = invoice["hosted_invoice_url"].as_str().unwrap();
    let page = sandbox.page(page.strip_prefix(&sandbox.origin()).unwrap()).await;
    assert!(page.contains("VAT (19 %)") && page.contains("$2.85"), "{page}");
    assert_eq!(renewal(&sandbox, 32).await["total"], 1784);

    let customer = sandbox.customer_with("pm_card_visa").await;
    let form = [("customer", &*customer), ("amount", "1070"), ("currency", "usd"), ("tax_rates[]", &inside)];
    sandbox.post("/v1/invoiceitems", &form).await.ok();
    let form = [
        ("customer", &*customer),
        ("pending_invoice_items_behavior", "include"),
        ("default_tax_rates[]", &on_top),
    ];
    let draft = sandbox.post("/v1/invoices", &form).await.ok();
    assert_eq!((&draft["total"], &draft["subtotal_excluding_tax"]), (&json!(1070), &json!(1000)));
    assert_eq!(draft["total_taxes"][0]["amount"], 70);
    sandbox.post(&format!("/v1/tax_rates/{inside}"), &[("active", "false")]).await.ok();
    let path = format!("/v1/invoices/{}", id(&draft));
    let refused = sandbox.post(&path, &[("default_tax_rates[]", &inside)]).await.error(400);
    assert_eq!(refused["param"], "default_tax_rates[0]");
}

#[tokio::test]
async fn who_is_exempt_pays_no_tax() {
    let sandbox = Sandbox::start().await;
    let form = [("display_name", "VAT"), ("inclusive", "false"), ("percentage", "19")];
    let rate = id(&sandbox.post("/v1/tax_rates", &form).await.ok());
    let customer = sandbox.customer_with("pm_card_visa").await;
    sandbox.post(&format!("/v1/customers/{customer}"), &[("tax_exempt", "reverse")]).await.ok();
    let price = sandbox.price(2999).await;
    let begun = sandbox.subscribe(&customer, &price, &[("default_tax_rates[]", &rate)]).await.ok();
    let invoice = &begun["latest_invoice"];
    assert_eq!(invoice["total"], 2999);
    assert_eq!(invoice["total_taxes"][0]["taxability_reason"], "reverse_charge");
}

#[tokio::test]
async fn coupons_that_make_no_sense_are_refused() {
    let sandbox = Sandbox::start().await;
    let past = (sandbox.clock.now().timestamp() - 1).to_string();
    for (form, param) in [
        (vec![], "percent_off"),
        (vec![("percent_off", "0")], "percent_off"),
        (vec![("percent_off", "100.5")], "percent_off"),
        (vec![("percent_off", "10"), ("amount_off", "10")], "percent_off"),
        (vec![("amount_off", "10")], "currency"),
        (vec![("percent_off", "10"), ("duration", "repeating")], "duration_in_months"),
        (vec![("percent_off", "10"), ("duration_in_months", "2")], "duration_in_months"),
        (vec![("percent_off", "10"), ("redeem_by", &past)], "redeem_by"),
        (vec![("percent_off", "10"), ("applies_to[products][]", "prod_1")], "applies_to[products][0]"),
    ] {
        assert_eq!(sandbox.post("/v1/coupons", &form).await.error(400)["param"], param, "{form:?}");
    }
    let form = [("id", "HALF"), ("percent_off", "50")];
    sandbox.post("/v1/coupons", &form).await.ok();
    assert_eq!(sandbox.post("/v1/coupons", &form).await.error(400)["code"], "resource_already_exists");
    let deleted = sandbox.delete("/v1/coupons/HALF").await.ok();
    assert_eq!(deleted, json!({"id": "HALF", "object": "coupon", "deleted": true}));
    sandbox.get("/v1/coupons/HALF").await.error(404);
}
