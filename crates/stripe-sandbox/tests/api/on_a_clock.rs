//! Customers on test clocks, and what the tests do with them.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::support::{Sandbox, id};

pub const CLOCKS: &str = "/v1/test_helpers/test_clocks";
pub const DAY: i64 = 86_400;
pub const HOUR: i64 = 3_600;

pub fn at(text: &str) -> i64 {
    text.parse::<chrono::DateTime<chrono::Utc>>().unwrap().timestamp()
}

pub async fn clock_at(sandbox: &Sandbox, time: &str) -> String {
    id(&sandbox.post(CLOCKS, &[("frozen_time", &at(time).to_string())]).await.ok())
}

/// A customer on the clock, with a card as its default.
pub async fn customer_on(sandbox: &Sandbox, clock: &str, card: &str) -> String {
    let form =
        [("test_clock", clock), ("payment_method", card), ("invoice_settings[default_payment_method]", card)];
    sandbox.customer(&form).await
}

/// A customer with this card and a monthly subscription, both on a clock.
pub struct Subscribed {
    pub sandbox: Sandbox,
    pub clock: String,
    pub customer: String,
    pub begun: Value,
}

pub async fn subscribed(time: &str, card: &str, form: &[(&str, &str)]) -> Subscribed {
    let sandbox = Sandbox::start().await;
    let clock = clock_at(&sandbox, time).await;
    let customer = customer_on(&sandbox, &clock, card).await;
    let price = sandbox.price(1000).await;
    let begun = sandbox.subscribe(&customer, &price, form).await.ok();
    Subscribed { sandbox, clock, customer, begun }
}

/// Gives the customer a card, and makes it the default that is set by this parameter at this address.
pub async fn pay_with(sandbox: &Sandbox, card: &str, customer: &str, path: &str, param: &str) {
    let attach = format!("/v1/payment_methods/{card}/attach");
    let card = id(&sandbox.post(&attach, &[("customer", customer)]).await.ok());
    sandbox.post(path, &[(param, &card)]).await.ok();
}

/// The customer's next payment is declined.
pub async fn fail_from_now_on(sandbox: &Sandbox, customer: &str) {
    let path = format!("/v1/customers/{customer}");
    let param = "invoice_settings[default_payment_method]";
    pay_with(sandbox, "pm_card_chargeCustomerFail", customer, &path, param).await;
}

/// Advances the clock, and waits until it has arrived.
pub async fn advance(sandbox: &Sandbox, clock: &str, to: i64) {
    let path = format!("{CLOCKS}/{clock}");
    let advancing = sandbox.post(&format!("{path}/advance"), &[("frozen_time", &to.to_string())]).await.ok();
    assert_eq!(advancing["status"], "advancing");
    assert_eq!(advancing["status_details"]["advancing"]["target_frozen_time"], to);
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let now = sandbox.get(&path).await.ok();
        if now["status"] == "ready" {
            assert_eq!((&now["frozen_time"], &now["status_details"]), (&json!(to), &json!({})));
            return;
        }
        assert!(Instant::now() < deadline, "{now:#}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

pub async fn subscription(sandbox: &Sandbox, subscription: &Value) -> Value {
    sandbox.get(&format!("/v1/subscriptions/{}?expand[]=latest_invoice", id(subscription))).await.ok()
}

pub fn period(subscription: &Value) -> (i64, i64) {
    let item = &subscription["items"]["data"][0];
    (item["current_period_start"].as_i64().unwrap(), item["current_period_end"].as_i64().unwrap())
}

/// The subscription's invoices, oldest first.
pub async fn invoices(sandbox: &Sandbox, subscription: &Value) -> Vec<Value> {
    let path = format!("/v1/invoices?limit=100&subscription={}", id(subscription));
    let mut invoices = sandbox.get(&path).await.ok()["data"].as_array().unwrap().clone();
    invoices.reverse();
    invoices
}
