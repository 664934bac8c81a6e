//! The discounts of customers, of single items, and how long each lasts.

use chrono::Duration;
use serde_json::{Value, json};

use super::support::{Sandbox, id};

async fn coupon(sandbox: &Sandbox, form: &[(&str, &str)]) -> String {
    id(&sandbox.post("/v1/coupons", form).await.ok())
}

async fn percent(sandbox: &Sandbox, percent: &str, duration: &str) -> String {
    coupon(sandbox, &[("percent_off", percent), ("duration", duration)]).await
}

async fn renewal(sandbox: &Sandbox) -> Value {
    sandbox.clock.advance(Duration::days(32));
    sandbox.running.sandbox().catch_up().await;
    sandbox.running.sandbox().list("invoices").remove(0)
}

/// What the next renewal would come to.
async fn previewed(sandbox: &Sandbox, subscription: &Value, form: &[(&str, &str)]) -> i64 {
    let of = id(subscription);
    let form = [&[("subscription", &*of)], form].concat();
    let preview = sandbox.post("/v1/invoices/create_preview", &form).await.ok();
    preview["total"].as_i64().unwrap()
}

/// The events about discounts, oldest first.
async fn told(sandbox: &Sandbox) -> Vec<String> {
    let types = sandbox.event_types().await;
    types.into_iter().filter(|kind| kind.starts_with("customer.discount.")).collect()
}

#[tokio::test]
async fn a_customer_s_discount_is_for_what_has_none_of_its_own() {
    let sandbox = Sandbox::start().await;
    let customer = sandbox.customer_with("pm_card_visa").await;
    let (tenth, half) = (percent(&sandbox, "10", "forever").await, percent(&sandbox, "50", "forever").await);
    let path = format!("/v1/customers/{customer}");
    let given = sandbox.post(&path, &[("coupon", &tenth)]).await.ok();
    assert_eq!(given["discount"]["source"], json!({"coupon": tenth, "type": "coupon"}));
    let price = sandbox.price(3000).await;
    let inherits = sandbox.subscribe(&customer, &price, &[]).await.ok();
    assert_eq!((&inherits["latest_invoice"]["total"], &inherits["discounts"]), (&json!(2700), &json!([])));
    assert_eq!(inherits["latest_invoice"]["discounts"], json!([given["discount"]["id"]]));
    let own = sandbox.subscribe(&customer, &price, &[("discounts[0][coupon]", &half)]).await.ok();
    assert_eq!(own["latest_invoice"]["total"], 1500);
    assert_eq!(previewed(&sandbox, &inherits, &[]).await, 2700);
    assert_eq!(previewed(&sandbox, &inherits, &[("discounts[0][coupon]", &half)]).await, 1500);
    assert_eq!(previewed(&sandbox, &inherits, &[("discounts", "")]).await, 3000);

    let item = [("customer", &*customer), ("amount", "1000"), ("currency", "usd")];
    for (form, total) in [(&[][..], 900), (&[("discounts", "")], 1000)] {
        sandbox.post("/v1/invoiceitems", &item).await.ok();
        let with_items = [("customer", &*customer), ("pending_invoice_items_behavior", "include")];
        let draft = sandbox.post("/v1/invoices", &[&with_items, form].concat()).await.ok();
        assert_eq!(draft["total"], total, "{form:?}");
    }
}

#[tokio::test]
async fn a_customer_s_discount_is_given_replaced_taken_and_told_of() {
    let sandbox = Sandbox::start().await;
    let (tenth, half) = (percent(&sandbox, "10", "forever").await, percent(&sandbox, "50", "forever").await);
    let customer = sandbox.customer(&[("coupon", &tenth)]).await;
    let path = format!("/v1/customers/{customer}");
    let first = sandbox.get(&format!("{path}/discount")).await.ok();
    sandbox.post(&path, &[("coupon", &half)]).await.ok();
    let updated = sandbox.running.sandbox().list("events").into_iter();
    let updated = updated.into_iter().find(|event| event["type"] == "customer.discount.updated").unwrap();
    assert_eq!(updated["data"]["object"]["source"]["coupon"], half);
    assert_eq!(updated["data"]["previous_attributes"]["id"], first["id"]);
    let cleared = sandbox.post(&path, &[("coupon", "")]).await.ok();
    assert_eq!(cleared["discount"], json!(null));
    let names = ["created", "updated", "deleted"].map(|what| format!("customer.discount.{what}"));
    assert_eq!(told(&sandbox).await, names);

    sandbox.delete(&format!("{path}/discount")).await.error(404);
    sandbox.get(&format!("{path}/discount")).await.error(404);
    let form = [("coupon", &*tenth), ("code", "FALL")];
    let code = id(&sandbox.post("/v1/promotion_codes", &form).await.ok());
    sandbox.post(&path, &[("promotion_code", &code)]).await.ok();
    let gone = sandbox.delete(&format!("{path}/discount")).await.ok();
    assert_eq!((&gone["promotion_code"], &gone["deleted"]), (&json!(code), &json!(true)));
    assert_eq!(sandbox.get(&path).await.ok()["discount"], json!(null));
    for (form, param) in [
        (vec![("coupon", "nope")], "coupon"),
        (vec![("coupon", &*tenth), ("promotion_code", &code)], "promotion_code"),
    ] {
        assert_eq!(sandbox.post(&path, &form).await.error(400)["param"], param);
    }
    let both = [("coupon", &*tenth), ("promotion[type]", "coupon"), ("promotion[coupon]", &tenth)];
    assert_eq!(sandbox.post("/v1/promotion_codes", &both).await.error(400)["param"], "coupon");
    assert_eq!(sandbox.post("/v1/promotion_codes", &[]).await.error(400)["param"], "promotion");
}

#[tokio::test]
async fn wherever_a_discount_is_it_lasts_as_long_as_its_coupon_says() {
    let sandbox = Sandbox::start().await;
    let price = sandbox.price(3000).await;
    for (form, totals) in [
        (&[("duration", "once")][..], [2700, 3000, 3000]),
        (&[("duration", "forever")], [2700, 2700, 2700]),
        (&[("duration", "repeating"), ("duration_in_months", "2")], [2700, 2700, 3000]),
    ] {
        let coupon = coupon(&sandbox, &[form, &[("percent_off", "10")]].concat()).await;
        for on_customer in [true, false] {
            let customer = sandbox.customer_with("pm_card_visa").await;
            let of_item = [("items[0][discounts][0][coupon]", &*coupon)];
            if on_customer {
                sandbox.post(&format!("/v1/customers/{customer}"), &[("coupon", &coupon)]).await.ok();
            }
            let form = if on_customer { &[][..] } else { &of_item[..] };
            let begun = sandbox.subscribe(&customer, &price, form).await.ok();
            assert_eq!(begun["latest_invoice"]["total"], totals[0]);
            for total in &totals[1..] {
                let expected = previewed(&sandbox, &begun, &[]).await;
                assert_eq!(
                    (expected, &renewal(&sandbox).await["total"]),
                    (*total, &json!(total)),
                    "{form:?}"
                );
            }
            let lasts = totals[2] < 3000;
            let now = sandbox.get(&format!("/v1/subscriptions/{}?expand[]=customer", id(&begun))).await.ok();
            assert_eq!(now["customer"]["discount"].is_object(), on_customer && lasts, "{form:?}");
            let left = now["items"]["data"][0]["discounts"].as_array().unwrap().len();
            assert_eq!(left == 1, !on_customer && lasts, "{form:?}");
            sandbox.delete(&format!("/v1/subscriptions/{}", id(&begun))).await.ok();
        }
    }
}

#[tokio::test]
async fn a_trial_that_costs_nothing_uses_no_discount_up() {
    let sandbox = Sandbox::start().await;
    let once = percent(&sandbox, "50", "once").await;
    let customer = sandbox.customer_with("pm_card_visa").await;
    sandbox.post(&format!("/v1/customers/{customer}"), &[("coupon", &once)]).await.ok();
    let price = sandbox.price(3000).await;
    let form = [("trial_period_days", "7"), ("items[0][discounts][0][coupon]", &*once)];
    sandbox.subscribe(&customer, &price, &form).await.ok();
    assert_eq!(renewal(&sandbox).await["total"], 750);
}

#[tokio::test]
async fn an_item_s_discount_is_for_that_item_and_part_of_the_subtotal() {
    let sandbox = Sandbox::start().await;
    let (half, fixed) = (
        percent(&sandbox, "50", "forever").await,
        coupon(&sandbox, &[("amount_off", "100"), ("currency", "usd"), ("duration", "forever")]).await,
    );
    let (one, other) = (sandbox.price(1000).await, sandbox.price(2000).await);
    let customer = sandbox.customer_with("pm_card_visa").await;
    let form = [
        ("items[0][discounts][0][coupon]", &*half),
        ("items[1][price]", &other),
        ("discounts[0][coupon]", &fixed),
    ];
    let begun = sandbox.subscribe(&customer, &one, &form).await.ok();
    let invoice = &begun["latest_invoice"];
    assert_eq!((&invoice["subtotal"], &invoice["total"]), (&json!(2500), &json!(2400)));
    // The fixed one is shared by what the item's own has left: 500 and 2000.
    let off = |line: &Value| -> Vec<i64> {
        let given = line["discount_amounts"].as_array().unwrap();
        given.iter().map(|off| off["amount"].as_i64().unwrap()).collect()
    };
    let data = invoice["lines"]["data"].as_array().unwrap();
    assert_eq!(data.iter().map(off).collect::<Vec<_>>(), [vec![500, 20], vec![80]]);
    assert_eq!(told(&sandbox).await, ["customer.discount.created"; 2]);

    let item = &begun["items"]["data"][0];
    let path = format!("/v1/subscription_items/{}", id(item));
    let cleared = sandbox.post(&path, &[("discounts", "")]).await.ok();
    assert_eq!(cleared["discounts"], json!([]));
    assert_eq!(told(&sandbox).await[2..], ["customer.discount.deleted"]);
    assert_eq!(previewed(&sandbox, &begun, &[]).await, 2900);
    let refused = [("items[0][id]", &*id(item)), ("items[0][discounts][0][coupon]", "nope")];
    let path = format!("/v1/subscriptions/{}", id(&begun));
    let refused = sandbox.post(&path, &refused).await.error(400);
    assert_eq!(refused["param"], "items[0][discounts][0][coupon]");
}

#[tokio::test]
async fn an_invoice_item_has_discounts_of_its_own() {
    let sandbox = Sandbox::start().await;
    let half = percent(&sandbox, "50", "once").await;
    let customer = sandbox.customer_with("pm_card_visa").await;
    let draft = id(&sandbox.post("/v1/invoices", &[("customer", &customer)]).await.ok());
    let form = [
        ("customer", &*customer),
        ("invoice", &draft),
        ("amount", "1000"),
        ("currency", "usd"),
        ("discounts[0][coupon]", &half),
    ];
    let item = sandbox.post("/v1/invoiceitems", &form).await.ok();
    let invoice = sandbox.get(&format!("/v1/invoices/{draft}")).await.ok();
    assert_eq!((&invoice["subtotal"], &invoice["total"]), (&json!(500), &json!(500)));
    assert_eq!(invoice["lines"]["data"][0]["discounts"], item["discounts"]);
    let path = format!("/v1/invoiceitems/{}", id(&item));
    sandbox.post(&path, &[("discounts", "")]).await.ok();
    assert_eq!(sandbox.get(&format!("/v1/invoices/{draft}")).await.ok()["total"], 1000);
    assert!(told(&sandbox).await.is_empty(), "it is the invoice's");
}

#[tokio::test]
async fn a_discount_in_another_currency_takes_nothing_off() {
    let sandbox = Sandbox::start().await;
    let euros =
        coupon(&sandbox, &[("amount_off", "500"), ("currency", "eur"), ("duration", "forever")]).await;
    let customer = sandbox.customer_with("pm_card_visa").await;
    sandbox.post(&format!("/v1/customers/{customer}"), &[("coupon", &euros)]).await.ok();
    let price = sandbox.price(3000).await;
    let begun = sandbox.subscribe(&customer, &price, &[]).await.ok();
    assert_eq!(begun["latest_invoice"]["total"], 3000);
}
