//! What becomes of a subscription whose renewal can't be collected, as the account's settings say.

use serde_json::{Value, json};
use tempfile::tempdir;

use super::on_a_clock::{
    Subscribed, advance, at, fail_from_now_on, invoices, pay_with, subscribed, subscription,
};
use super::support::{Sandbox, id};

const SETTINGS: &str = "/panel/settings";

async fn choose(sandbox: &Sandbox, chosen: &str) -> u16 {
    sandbox.page_post(SETTINGS, &[("after_last_retry", chosen)]).await.status
}

/// A subscription all of whose retries have failed, on a sandbox where this is chosen.
async fn given_up(chosen: &str) -> Subscribed {
    let scene = subscribed("2030-01-15T10:00:00Z", "pm_card_visa", &[]).await;
    assert_eq!(choose(&scene.sandbox, chosen).await, 303);
    fail_from_now_on(&scene.sandbox, &scene.customer).await;
    advance(&scene.sandbox, &scene.clock, at("2030-03-01T10:59:00Z")).await;
    assert_eq!(subscription(&scene.sandbox, &scene.begun).await["status"], "past_due", "one is to come");
    advance(&scene.sandbox, &scene.clock, at("2030-03-02T00:00:00Z")).await;
    scene
}

async fn pay(sandbox: &Sandbox, customer: &str) {
    let path = format!("/v1/customers/{customer}");
    pay_with(sandbox, "pm_card_visa", customer, &path, "invoice_settings[default_payment_method]").await;
}

#[tokio::test]
async fn one_that_is_marked_unpaid_goes_on_with_drafts_until_its_latest_is_paid() {
    let Subscribed { sandbox, clock, customer, begun } = given_up("mark_unpaid").await;
    let unpaid = subscription(&sandbox, &begun).await;
    let invoice = &unpaid["latest_invoice"];
    assert_eq!((&unpaid["status"], &invoice["status"]), (&json!("unpaid"), &json!("open")));
    assert_eq!(invoice["next_payment_attempt"], Value::Null, "it isn't tried again");
    let told = sandbox.get("/v1/events?limit=1&type=customer.subscription.updated").await.ok();
    assert_eq!(told["data"][0]["data"]["previous_attributes"], json!({"status": "past_due"}));

    // A card that works changes nothing by itself.
    pay(&sandbox, &customer).await;
    advance(&sandbox, &clock, at("2030-03-20T10:00:00Z")).await;
    let unpaid = subscription(&sandbox, &begun).await;
    let draft = &unpaid["latest_invoice"];
    assert_eq!((&unpaid["status"], &draft["status"]), (&json!("unpaid"), &json!("draft")));
    assert_eq!((&draft["auto_advance"], &draft["automatically_finalizes_at"]), (&json!(false), &Value::Null));

    sandbox.post(&format!("/v1/invoices/{}/pay", id(draft)), &[]).await.ok();
    assert_eq!(subscription(&sandbox, &begun).await["status"], "active");
    advance(&sandbox, &clock, at("2030-04-15T12:00:00Z")).await;
    let renewed = subscription(&sandbox, &begun).await;
    assert_eq!(
        (&renewed["status"], &renewed["latest_invoice"]["status"]),
        (&json!("active"), &json!("paid"))
    );
    let statuses: Vec<Value> =
        invoices(&sandbox, &begun).await.iter().map(|invoice| invoice["status"].clone()).collect();
    assert_eq!(statuses, ["paid", "open", "paid", "paid"], "what was given up stays open");
}

#[tokio::test]
async fn one_that_is_left_past_due_is_charged_for_its_next_period() {
    let Subscribed { sandbox, clock, customer, begun } = given_up("leave_past_due").await;
    let late = subscription(&sandbox, &begun).await;
    let invoice = &late["latest_invoice"];
    assert_eq!((&late["status"], &invoice["status"]), (&json!("past_due"), &json!("open")));
    assert_eq!(invoice["next_payment_attempt"], Value::Null);
    advance(&sandbox, &clock, at("2030-03-15T12:00:00Z")).await;
    let late = subscription(&sandbox, &begun).await;
    assert_eq!((&late["status"], &late["latest_invoice"]["status"]), (&json!("past_due"), &json!("open")));
    pay(&sandbox, &customer).await;
    advance(&sandbox, &clock, at("2030-03-16T12:00:00Z")).await;
    let well = subscription(&sandbox, &begun).await;
    assert_eq!((&well["status"], &well["latest_invoice"]["status"]), (&json!("active"), &json!("paid")));
}

#[tokio::test]
async fn where_nothing_is_chosen_it_ends_and_a_choice_outlasts_a_restart() {
    let scene = given_up("cancel").await;
    assert_eq!(subscription(&scene.sandbox, &scene.begun).await["status"], "canceled");

    let folder = tempdir().unwrap();
    let file = folder.path().join("sandbox.db");
    let sandbox = Sandbox::with(Some(file.clone()), None).await;
    let chosen = |choice: &str| format!("<option value=\"{choice}\" selected>");
    assert!(sandbox.page(SETTINGS).await.contains(&chosen("cancel")));
    assert_eq!(choose(&sandbox, "leave_past_due").await, 303);
    assert_eq!(choose(&sandbox, "mark_unpaid").await, 303);
    assert_eq!(choose(&sandbox, "forget").await, 422);
    let from_elsewhere = sandbox.request("POST", SETTINGS).key(None).form(&[("after_last_retry", "cancel")]);
    assert_eq!(from_elsewhere.send().await.status, 403);
    sandbox.running.shutdown().await;
    let sandbox = Sandbox::with(Some(file), None).await;
    assert!(sandbox.page(SETTINGS).await.contains(&chosen("mark_unpaid")));
}
