//! Subscriptions: buying, trials, ending.

use serde_json::json;

use super::support::{Sandbox, id, intent_of};

const MONTH: i64 = 28 * 86_400;

#[tokio::test]
async fn a_first_payment_makes_a_default_incomplete_subscription_active() {
    let sandbox = Sandbox::start().await;
    let (customer, price) =
        (sandbox.customer(&[("email", "a@example.test")]).await, sandbox.price(2999).await);
    let form = [
        ("payment_behavior", "default_incomplete"),
        ("payment_settings[save_default_payment_method]", "on_subscription"),
    ];
    let subscription = sandbox.subscribe(&customer, &price, &form).await.ok();
    assert_eq!(subscription["status"], "incomplete");
    let invoice = &subscription["latest_invoice"];
    assert_eq!((&invoice["status"], &invoice["amount_due"]), (&json!("open"), &json!(2999)));
    let intent = intent_of(&subscription);
    assert_eq!(intent["status"], "requires_payment_method");
    assert_eq!(invoice["confirmation_secret"]["client_secret"], intent["client_secret"]);

    let secret = intent["client_secret"].as_str().unwrap();
    let form = [
        ("client_secret", secret),
        ("payment_method_data[type]", "card"),
        ("payment_method_data[card][number]", "4242424242424242"),
        ("payment_method_data[card][exp_month]", "12"),
        ("payment_method_data[card][exp_year]", "34"),
        ("payment_method_data[card][cvc]", "123"),
    ];
    let path = format!("/v1/payment_intents/{}/confirm", id(intent));
    let confirmed = sandbox.browser_post(&path, &form).await.ok();
    assert_eq!(confirmed["status"], "succeeded");
    assert!(
        confirmed.get("metadata").is_none() && confirmed.get("customer").is_none(),
        "a browser sees no more"
    );

    let after = sandbox.get(&format!("/v1/subscriptions/{}", id(&subscription))).await.ok();
    assert_eq!(after["status"], "active");
    let method = after["default_payment_method"].as_str().unwrap();
    assert_eq!(sandbox.get(&format!("/v1/payment_methods/{method}")).await.ok()["customer"], json!(customer));
    let invoice = sandbox.get(&format!("/v1/invoices/{}", id(invoice))).await.ok();
    assert_eq!((&invoice["status"], &invoice["amount_paid"]), (&json!("paid"), &json!(2999)));
    assert!(invoice.get("payments").is_none() && invoice.get("confirmation_secret").is_none());

    let types = sandbox.event_types().await;
    let from = types.iter().position(|kind| kind == "customer.subscription.created").unwrap();
    assert_eq!(
        types[from..],
        [
            "customer.subscription.created",
            "invoice.created",
            "payment_intent.created",
            "invoice.finalized",
            "payment_method.attached",
            "charge.succeeded",
            "payment_intent.succeeded",
            "customer.subscription.updated",
            "invoice.updated",
            "invoice.paid",
            "invoice.payment_succeeded",
            "invoice_payment.paid",
            "charge.updated",
        ]
    );
}

#[tokio::test]
async fn the_first_payment_may_be_declined_and_made_with_another_card() {
    let sandbox = Sandbox::start().await;
    let (customer, price) = (sandbox.customer(&[]).await, sandbox.price(500).await);
    let form = [("payment_behavior", "default_incomplete")];
    let subscription = sandbox.subscribe(&customer, &price, &form).await.ok();
    let path = format!("/v1/payment_intents/{}/confirm", id(intent_of(&subscription)));

    let error = sandbox.post(&path, &[("payment_method", "pm_card_visa_chargeDeclined")]).await.error(402);
    assert_eq!(error["decline_code"], "generic_decline");
    assert_eq!(error["payment_intent"]["status"], "requires_payment_method");
    assert_eq!(error["payment_intent"]["last_payment_error"]["code"], "card_declined");
    let now = sandbox.get(&format!("/v1/subscriptions/{}", id(&subscription))).await.ok();
    assert_eq!(now["status"], "incomplete");
    assert!(sandbox.event_types().await.contains(&"invoice.payment_failed".to_owned()));

    assert_eq!(sandbox.post(&path, &[("payment_method", "pm_card_visa")]).await.ok()["status"], "succeeded");
    let now =
        sandbox.get(&format!("/v1/subscriptions/{}?expand[]=latest_invoice", id(&subscription))).await.ok();
    assert_eq!(now["status"], "active");
    assert_eq!(now["latest_invoice"]["attempt_count"], 2);
    assert_eq!(now["default_payment_method"], json!(null), "nothing asked for it to be kept as the default");
}

#[tokio::test]
async fn with_a_default_card_it_is_paid_at_once() {
    let sandbox = Sandbox::start().await;
    let (customer, price) = (sandbox.customer_with("pm_card_visa").await, sandbox.price(500).await);
    let subscription = sandbox.subscribe(&customer, &price, &[]).await.ok();
    assert_eq!(subscription["status"], "active");
    assert_eq!(subscription["latest_invoice"]["status"], "paid");
}

#[tokio::test]
async fn what_comes_of_a_card_that_fails_depends_on_the_payment_behavior() {
    let sandbox = Sandbox::start().await;
    let (customer, price) =
        (sandbox.customer_with("pm_card_chargeCustomerFail").await, sandbox.price(500).await);
    let subscription = sandbox.subscribe(&customer, &price, &[]).await.ok();
    assert_eq!(subscription["status"], "incomplete");
    assert_eq!(intent_of(&subscription)["last_payment_error"]["code"], "card_declined");

    let before = sandbox.running.sandbox().list("subscriptions").len();
    let form = [("payment_behavior", "error_if_incomplete")];
    let error = sandbox.subscribe(&customer, &price, &form).await.error(402);
    assert_eq!(error["code"], "card_declined");
    assert_eq!(sandbox.running.sandbox().list("subscriptions").len(), before, "nothing is left of it");

    let form = [("payment_behavior", "pending_if_incomplete")];
    assert_eq!(sandbox.subscribe(&customer, &price, &form).await.error(400)["param"], "payment_behavior");
}

#[tokio::test]
async fn without_any_card_only_default_incomplete_or_a_trial_will_do() {
    let sandbox = Sandbox::start().await;
    let (customer, price) = (sandbox.customer(&[]).await, sandbox.price(500).await);
    let error = sandbox.subscribe(&customer, &price, &[]).await.error(400);
    assert_eq!(error["code"], "resource_missing");

    let trial = sandbox.subscribe(&customer, &price, &[("trial_period_days", "14")]).await.ok();
    assert_eq!(trial["status"], "trialing");
    assert_eq!(trial["latest_invoice"]["status"], "paid");
    assert_eq!(trial["latest_invoice"]["total"], 0);
    assert_eq!(trial["items"]["data"][0]["current_period_end"], trial["trial_end"]);
    let setup = &trial["pending_setup_intent"];
    assert_eq!(setup["status"], "requires_payment_method");

    let path = format!("/v1/setup_intents/{}/confirm", id(setup));
    assert_eq!(sandbox.post(&path, &[("payment_method", "pm_card_visa")]).await.ok()["status"], "succeeded");
    let after = sandbox.get(&format!("/v1/subscriptions/{}", id(&trial))).await.ok();
    assert_eq!(after["pending_setup_intent"], json!(null));
    let kept = sandbox.get(&format!("/v1/customers/{customer}/payment_methods")).await.ok();
    assert_eq!(kept["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn periods_keep_to_the_day_of_their_anchor() {
    let sandbox = Sandbox::start().await;
    let customer = sandbox.customer_with("pm_card_visa").await;
    let price = sandbox.price(500).await;
    let subscription = sandbox.subscribe(&customer, &price, &[]).await.ok();
    let item = &subscription["items"]["data"][0];
    let at = |text: &str| text.parse::<chrono::DateTime<chrono::Utc>>().unwrap().timestamp();
    assert_eq!(item["current_period_start"], at("2026-01-31T12:00:00Z"));
    assert_eq!(item["current_period_end"], at("2026-02-28T12:00:00Z"));
    let yearly = sandbox.price_every(500, "year").await;
    let subscription = sandbox.subscribe(&customer, &yearly, &[]).await.ok();
    assert_eq!(subscription["items"]["data"][0]["current_period_end"], at("2027-01-31T12:00:00Z"));
}

#[tokio::test]
async fn a_backdated_one_is_active_at_once_and_nothing_is_due() {
    let sandbox = Sandbox::start().await;
    let (customer, price) = (sandbox.customer_with("pm_card_visa").await, sandbox.price(500).await);
    let now = sandbox.clock.now().timestamp();
    let (start, anchor) = ((now - 4 * MONTH).to_string(), (now + 10 * 86_400).to_string());
    let form =
        [("backdate_start_date", &*start), ("billing_cycle_anchor", &anchor), ("proration_behavior", "none")];
    let subscription = sandbox.subscribe(&customer, &price, &form).await.ok();
    assert_eq!(subscription["status"], "active");
    assert_eq!(subscription["start_date"], now - 4 * MONTH);
    assert_eq!(subscription["items"]["data"][0]["current_period_end"], now + 10 * 86_400);
    assert!(subscription["items"]["data"][0]["current_period_start"].as_i64().unwrap() < now);
    assert_eq!(subscription["latest_invoice"]["amount_due"], 0);
    assert_eq!(subscription["latest_invoice"]["status"], "paid");
}

#[tokio::test]
async fn an_incomplete_one_that_is_canceled_expires_and_its_invoice_is_void() {
    let sandbox = Sandbox::start().await;
    let (customer, price) = (sandbox.customer(&[]).await, sandbox.price(500).await);
    let form = [("payment_behavior", "default_incomplete")];
    let subscription = sandbox.subscribe(&customer, &price, &form).await.ok();
    let path = format!("/v1/subscriptions/{}", id(&subscription));
    let over = sandbox.delete(&path).await.ok();
    assert_eq!(over["status"], "incomplete_expired");
    assert!(over["canceled_at"].is_i64() && over["ended_at"].is_i64());
    let invoice = sandbox.get(&format!("/v1/invoices/{}", id(&subscription["latest_invoice"]))).await.ok();
    assert_eq!(invoice["status"], "void");
    let intent = sandbox.get(&format!("/v1/payment_intents/{}", id(intent_of(&subscription)))).await.ok();
    assert_eq!(
        (&intent["status"], &intent["cancellation_reason"]),
        (&json!("canceled"), &json!("void_invoice"))
    );
    assert_eq!(sandbox.delete(&path).await.error(404)["code"], "resource_missing");
}

#[tokio::test]
async fn an_active_one_ends_at_once_when_canceled_and_is_listed_only_when_asked_for() {
    let sandbox = Sandbox::start().await;
    let (customer, price) = (sandbox.customer_with("pm_card_visa").await, sandbox.price(500).await);
    let subscription = id(&sandbox.subscribe(&customer, &price, &[]).await.ok());
    let over = sandbox
        .request("DELETE", &format!("/v1/subscriptions/{subscription}"))
        .form(&[("cancellation_details[feedback]", "unused"), ("cancellation_details[comment]", "Thanks")])
        .send()
        .await
        .ok();
    assert_eq!(
        (&over["status"], &over["cancellation_details"]["feedback"]),
        (&json!("canceled"), &json!("unused"))
    );
    assert_eq!(over["cancellation_details"]["reason"], "cancellation_requested");
    let count = async |query: &str| {
        let path = format!("/v1/subscriptions?customer={customer}{query}");
        sandbox.get(&path).await.ok()["data"].as_array().unwrap().len()
    };
    assert_eq!(count("").await, 0);
    assert_eq!(count("&status=all").await, 1);
    assert_eq!(count("&status=ended").await, 1);
    assert_eq!(count(&format!("&status=canceled&price={price}")).await, 1);
    assert_eq!(count("&status=active").await, 0);
    let path = format!("/v1/subscriptions/{subscription}");
    assert_eq!(sandbox.post(&path, &[("metadata[a]", "b")]).await.ok()["metadata"]["a"], "b");
    sandbox.post(&path, &[("description", "too late")]).await.error(400);
}

#[tokio::test]
async fn refusals_on_creation_say_what_stripe_says() {
    let sandbox = Sandbox::start().await;
    let (customer, price) = (sandbox.customer_with("pm_card_visa").await, sandbox.price(500).await);
    let once = sandbox
        .post("/v1/prices", &[("currency", "usd"), ("unit_amount", "5"), ("product_data[name]", "Once")])
        .await
        .ok();
    let once = id(&once);
    let euros = [
        ("currency", "eur"),
        ("unit_amount", "5"),
        ("recurring[interval]", "month"),
        ("product_data[name]", "E"),
    ];
    let euros = id(&sandbox.post("/v1/prices", &euros).await.ok());
    for (form, status, message, param) in [
        (vec![("customer", &*customer)], 400, "Missing required param: items.", "items"),
        (
            vec![("customer", &customer), ("items[0][price]", "price_nope")],
            400,
            "No such price: 'price_nope'",
            "items[0][price]",
        ),
        (
            vec![("customer", "cus_nope"), ("items[0][price]", &price)],
            404,
            "No such customer: 'cus_nope'",
            "customer",
        ),
        (
            vec![("customer", &customer), ("items[0][price]", &price), ("payment_behavior", "never")],
            400,
            "Invalid payment_behavior: must be one of allow_incomplete, error_if_incomplete, pending_if_incomplete, \
             or default_incomplete",
            "payment_behavior",
        ),
        (
            vec![("customer", &customer), ("items[0][price]", &once)],
            400,
            "The price specified is set to `type=one_time` but this field only accepts prices with `type=recurring`.",
            "items[0][price]",
        ),
        (
            vec![("customer", &customer), ("items[0][price]", &price), ("items[1][price]", &euros)],
            400,
            "The price specified only supports `eur`. This doesn't match the expected currency: `usd`.",
            "items",
        ),
        (
            vec![("customer", &customer), ("items[0][price]", &price), ("automatic_tax[enabled]", "true")],
            400,
            "The Stripe sandbox does not support the parameter `automatic_tax` here.",
            "automatic_tax",
        ),
        (
            vec![("customer", &customer), ("items[0][price]", &price), ("collection_method", "send_invoice")],
            400,
            "If `collection_method` is set to `send_invoice`, `days_until_due` must be provided.",
            "days_until_due",
        ),
    ] {
        let error = sandbox.post("/v1/subscriptions", &form).await.error(status);
        assert_eq!((error["message"].as_str(), error["param"].as_str()), (Some(message), Some(param)));
    }
    let twice = [("customer", &*customer), ("items[0][price]", &price), ("items[1][price]", &price)];
    sandbox.post("/v1/subscriptions", &twice).await.error(400);
    assert!(sandbox.running.sandbox().list("subscriptions").is_empty());
}

#[tokio::test]
async fn a_fee_is_on_the_next_invoice_and_a_trial_is_the_plan_s() {
    let sandbox = Sandbox::start().await;
    let customer = sandbox.customer_with("pm_card_visa").await;
    let price = sandbox.price(1000).await;
    let half = [("percent_off", "50"), ("duration", "once")];
    let half = id(&sandbox.post("/v1/coupons", &half).await.ok());
    let form = [("currency", "usd"), ("unit_amount", "500"), ("product_data[name]", "Setting up")];
    let fee = id(&sandbox.post("/v1/prices", &form).await.ok());
    let form = [
        ("add_invoice_items[0][price]", &*fee),
        ("add_invoice_items[0][quantity]", "2"),
        ("add_invoice_items[0][discounts][0][coupon]", &half),
    ];
    let begun = sandbox.subscribe(&customer, &price, &form).await.ok();
    assert_eq!((&begun["status"], &begun["latest_invoice"]["total"]), (&json!("active"), &json!(1500)));
    let path = format!("/v1/subscriptions/{}", id(&begun));
    sandbox.post(&path, &form[..1]).await.ok();
    let of = id(&begun);
    let next = sandbox.post("/v1/invoices/create_preview", &[("subscription", &of)]).await.ok();
    assert_eq!(next["total"], 1500);
    for (form, param) in [
        (&[("add_invoice_items[0][price]", &*price)][..], "add_invoice_items[0][price]"),
        (&[("add_invoice_items[0][quantity]", "1")], "add_invoice_items[0][price]"),
        (&[("trial_from_plan", "true"), ("trial_period_days", "3")], "trial_from_plan"),
    ] {
        let refused = sandbox.subscribe(&customer, &price, form).await.error(400);
        assert_eq!(refused["param"], param, "{form:?}");
    }

    let form = [
        ("currency", "usd"),
        ("amount", "1000"),
        ("interval", "month"),
        ("product[name]", "With a trial"),
        ("trial_period_days", "7"),
    ];
    let plan = id(&sandbox.post("/v1/plans", &form).await.ok());
    for (asked, status) in [("true", "trialing"), ("false", "active")] {
        let begun = sandbox.subscribe(&customer, &plan, &[("trial_from_plan", asked)]).await.ok();
        assert_eq!(begun["status"], status);
    }
}
