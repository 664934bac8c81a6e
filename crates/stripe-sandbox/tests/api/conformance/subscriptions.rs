//! Subscriptions, their changes, and the clocks that they can live by.

use super::Checked;
use crate::support::id;

pub(super) async fn subscriptions(checked: &mut Checked, customer: &str, price: &str) {
    let form = [
        ("customer", customer),
        ("items[0][price]", price),
        ("items[0][quantity]", "2"),
        ("payment_settings[payment_method_types][]", "card"),
        ("metadata[group]", "1"),
        ("expand[]", "customer"),
        ("expand[]", "default_payment_method"),
        ("expand[]", "items.data.price.product"),
        ("expand[]", "latest_invoice.confirmation_secret"),
        ("expand[]", "latest_invoice.payments.data.payment.payment_intent"),
    ];
    let active = checked.post("/v1/subscriptions", &form).await;
    assert_eq!(active["status"], "active");
    let path = format!("/v1/subscriptions/{}", id(&active));
    checked.get(&path).await;
    checked.post(&path, &[("cancel_at_period_end", "true"), ("cancellation_details[comment]", "Bye")]).await;
    let items = checked.get(&format!("/v1/subscription_items?subscription={}", id(&active))).await;
    checked.get(&format!("/v1/subscription_items/{}", id(&items["data"][0]))).await;
    checked.call("DELETE", &path, &[]).await.ok();

    let other = checked.sandbox.customer(&[]).await;
    let form = [
        ("customer", &*other),
        ("items[0][price_data][currency]", "usd"),
        (
            "items[0][price_data][product]",
            active["items"]["data"][0]["price"]["product"]["id"].as_str().unwrap(),
        ),
        ("items[0][price_data][unit_amount]", "100"),
        ("items[0][price_data][recurring][interval]", "week"),
        ("trial_period_days", "7"),
        ("expand[]", "pending_setup_intent"),
    ];
    checked.post("/v1/subscriptions", &form).await;
    checked.get("/v1/subscriptions?status=all&expand[]=data.latest_invoice&expand[]=data.customer").await;
}

pub(super) async fn plan_changes(checked: &mut Checked, price: &str) {
    let customer = checked.sandbox.customer_with("pm_card_visa").await;
    let begun = checked.sandbox.subscribe(&customer, price, &[]).await.ok();
    let dearer = checked.sandbox.price(20_000).await;
    let (of, item) = (id(&begun), id(&begun["items"]["data"][0]));
    let form = [
        ("subscription", &*of),
        ("subscription_details[items][0][id]", &item),
        ("subscription_details[items][0][price]", &dearer),
        ("subscription_details[proration_behavior]", "always_invoice"),
    ];
    checked.post("/v1/invoices/create_preview", &form).await;
    checked.post("/v1/invoices/create_preview", &[("customer", &customer)]).await;
    let form = [("price", &*dearer), ("proration_behavior", "always_invoice")];
    checked.post(&format!("/v1/subscription_items/{item}"), &form).await;
    let seats = checked.sandbox.price(100).await;
    let added = checked.post("/v1/subscription_items", &[("subscription", &of), ("price", &seats)]).await;
    checked.call("DELETE", &format!("/v1/subscription_items/{}", id(&added)), &[]).await.ok();
    let failing = id(&checked
        .post("/v1/payment_methods/pm_card_chargeCustomerFail/attach", &[("customer", &customer)])
        .await);
    checked
        .post(&format!("/v1/customers/{customer}"), &[("invoice_settings[default_payment_method]", &failing)])
        .await;
    let form = [
        ("items[0][id]", &*item),
        ("items[0][quantity]", "2"),
        ("proration_behavior", "always_invoice"),
        ("payment_behavior", "pending_if_incomplete"),
        ("expand[]", "latest_invoice"),
    ];
    let waiting = checked.post(&format!("/v1/subscriptions/{of}"), &form).await;
    assert!(waiting["pending_update"].is_object());

    let trial =
        [("trial_period_days", "5"), ("trial_settings[end_behavior][missing_payment_method]", "pause")];
    let other = checked.sandbox.customer(&[]).await;
    let trial = checked.sandbox.subscribe(&other, price, &trial).await.ok();
    checked.post(&format!("/v1/subscriptions/{}", id(&trial)), &[("trial_end", "now")]).await;
    checked.post(&format!("/v1/subscriptions/{}/resume", id(&trial)), &[]).await;
}

pub(super) async fn schedules(checked: &mut Checked, price: &str) {
    let (path, cheaper) = ("/v1/subscription_schedules", checked.sandbox.price(100).await);
    for end in ["cancel", "release"] {
        let customer = checked.sandbox.customer_with("pm_card_visa").await;
        let begun = checked.sandbox.subscribe(&customer, price, &[]).await.ok();
        let schedule = id(&checked.post(path, &[("from_subscription", &id(&begun))]).await);
        let form = [("phases[0][items][0][price]", price), ("phases[1][items][0][price]", &*cheaper)];
        checked.post(&format!("{path}/{schedule}"), &form).await;
        checked.get(&format!("{path}/{schedule}?expand[]=subscription")).await;
        checked.get(&format!("/v1/subscriptions/{}?expand[]=schedule", id(&begun))).await;
        checked.post(&format!("{path}/{schedule}/{end}"), &[]).await;
    }
    checked.get(&format!("{path}?scheduled=false")).await;
    let customer = checked.sandbox.customer_with("pm_card_visa").await;
    let own = [("customer", &*customer), ("phases[0][items][0][price]", price), ("end_behavior", "cancel")];
    checked.post(path, &[&own[..], &[("start_date", "now")]].concat()).await;
    let later = (checked.sandbox.clock.now().timestamp() + 86_400).to_string();
    let begins = id(&checked.post(path, &[&own[..], &[("start_date", &later)]].concat()).await);
    checked.get(&format!("{path}/{begins}")).await;
    checked.post(&format!("{path}/{begins}/cancel"), &[]).await;
}

pub(super) async fn test_clocks(checked: &mut Checked, price: &str) {
    let clocks = "/v1/test_helpers/test_clocks";
    let now = checked.sandbox.clock.now().timestamp();
    let clock = id(&checked.post(clocks, &[("frozen_time", &now.to_string()), ("name", "A month")]).await);
    let card =
        [("payment_method", "pm_card_visa"), ("invoice_settings[default_payment_method]", "pm_card_visa")];
    let customer = id(&checked.post("/v1/customers", &[&card[..], &[("test_clock", &clock)]].concat()).await);
    checked.post("/v1/subscriptions", &[("customer", &customer), ("items[0][price]", price)]).await;
    let to = (now + 32 * 86_400).to_string();
    checked.post(&format!("{clocks}/{clock}/advance"), &[("frozen_time", &to)]).await;
    checked.sandbox.running.sandbox().catch_up().await;
    assert_eq!(checked.get(&format!("{clocks}/{clock}")).await["status"], "ready");
    checked.get(clocks).await;
    checked.call("DELETE", &format!("{clocks}/{clock}"), &[]).await.ok();
}
