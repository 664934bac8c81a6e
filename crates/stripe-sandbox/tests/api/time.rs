//! What time alone brings about.

use std::time::{Duration, Instant};

use chrono::Duration as Span;
use serde_json::json;
use tempfile::tempdir;

use super::support::{Sandbox, id, intent_of};

async fn subscribed(sandbox: &Sandbox, form: &[(&str, &str)]) -> serde_json::Value {
    let (customer, price) = (sandbox.customer_with("pm_card_visa").await, sandbox.price(500).await);
    sandbox.subscribe(&customer, &price, form).await.ok()
}

#[tokio::test]
async fn a_first_payment_not_made_within_23_hours_expires_the_subscription() {
    let sandbox = Sandbox::start().await;
    let subscription = subscribed(&sandbox, &[("payment_behavior", "default_incomplete")]).await;
    let path = format!("/v1/subscriptions/{}?expand[]=latest_invoice", id(&subscription));
    sandbox.clock.advance(Span::hours(23) - Span::seconds(1));
    assert_eq!(sandbox.get(&path).await.ok()["status"], "incomplete");
    let due = sandbox.clock.now().timestamp() + 1;
    sandbox.clock.advance(Span::hours(5));
    let expired = sandbox.get(&path).await.ok();
    assert_eq!(expired["status"], "incomplete_expired");
    assert_eq!(expired["ended_at"], due, "at the time it was due, whenever that is noticed");
    assert_eq!(expired["latest_invoice"]["status"], "void");
    let types = sandbox.event_types().await;
    assert_eq!(
        types[types.len() - 3..],
        ["payment_intent.canceled", "invoice.voided", "customer.subscription.updated"]
    );
    let confirm = format!("/v1/payment_intents/{}/confirm", id(intent_of(&subscription)));
    sandbox.post(&confirm, &[("payment_method", "pm_card_visa")]).await.error(400);
}

#[tokio::test]
async fn cancelling_at_period_end_can_be_undone_until_then() {
    let sandbox = Sandbox::start().await;
    let subscription = subscribed(&sandbox, &[]).await;
    let path = format!("/v1/subscriptions/{}", id(&subscription));
    let end = subscription["items"]["data"][0]["current_period_end"].clone();
    let canceling = sandbox.post(&path, &[("cancel_at_period_end", "true")]).await.ok();
    assert_eq!((&canceling["status"], &canceling["cancel_at"]), (&json!("active"), &end));
    assert_eq!(canceling["cancellation_details"]["reason"], "cancellation_requested");
    let undone = sandbox.post(&path, &[("cancel_at_period_end", "false")]).await.ok();
    assert_eq!((&undone["cancel_at"], &undone["canceled_at"]), (&json!(null), &json!(null)));
    assert_eq!(undone["cancellation_details"]["reason"], json!(null));

    let asked = sandbox.clock.now().timestamp();
    sandbox.post(&path, &[("cancel_at_period_end", "true")]).await.ok();
    sandbox.clock.advance(Span::days(40));
    let over = sandbox.get(&path).await.ok();
    assert_eq!((&over["status"], &over["ended_at"]), (&json!("canceled"), &end));
    assert_eq!(over["canceled_at"], asked);
    assert_eq!(sandbox.event_types().await.last().unwrap(), "customer.subscription.deleted");
}

#[tokio::test]
async fn cancelling_at_a_time_of_ones_own() {
    let sandbox = Sandbox::start().await;
    let subscription = subscribed(&sandbox, &[]).await;
    let path = format!("/v1/subscriptions/{}", id(&subscription));
    let at = sandbox.clock.now().timestamp() + 3600;
    sandbox.post(&path, &[("cancel_at", "5")]).await.error(400);
    let planned = sandbox.post(&path, &[("cancel_at", &at.to_string())]).await.ok();
    assert_eq!((&planned["cancel_at"], &planned["cancel_at_period_end"]), (&json!(at), &json!(false)));
    let cleared = sandbox.post(&path, &[("cancel_at", "")]).await.ok();
    assert_eq!(cleared["cancel_at"], json!(null));
    let end = sandbox.post(&path, &[("cancel_at", "min_period_end")]).await.ok();
    assert_eq!(end["cancel_at"], subscription["items"]["data"][0]["current_period_end"]);
    sandbox.post(&path, &[("cancel_at", &at.to_string())]).await.ok();
    sandbox.clock.advance(Span::hours(1));
    assert_eq!(sandbox.get(&path).await.ok()["status"], "canceled");
}

#[tokio::test]
async fn a_draft_that_is_sent_finalizes_itself_after_an_hour() {
    let sandbox = Sandbox::start().await;
    let sent = [("collection_method", "send_invoice"), ("days_until_due", "7")];
    let subscription = subscribed(&sandbox, &sent).await;
    assert_eq!(
        (&subscription["status"], &subscription["latest_invoice"]["status"]),
        (&json!("active"), &json!("draft"))
    );
    let path = format!("/v1/invoices/{}", id(&subscription["latest_invoice"]));
    sandbox.clock.advance(Span::hours(1));
    let open = sandbox.get(&path).await.ok();
    assert_eq!(open["status"], "open");
    assert_eq!(open["due_date"], sandbox.clock.now().timestamp() + 7 * 86_400);
    assert!(open["number"].as_str().unwrap().ends_with("-0001"));
    let page = open["hosted_invoice_url"].as_str().unwrap();
    assert_eq!(sandbox.http.get(page).send().await.unwrap().status(), 200);
    let paid = sandbox.post(&format!("{path}/pay"), &[("paid_out_of_band", "true")]).await.ok();
    assert_eq!((&paid["status"], &paid["amount_paid_off_stripe"]), (&json!("paid"), &json!(500)));
}

#[tokio::test]
async fn it_is_noticed_without_anybody_asking() {
    let sandbox = Sandbox::start().await;
    let subscription = subscribed(&sandbox, &[("payment_behavior", "default_incomplete")]).await;
    sandbox.clock.advance(Span::hours(24));
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        // Reading the memory is no request, and so does not bring on what is due.
        let now = sandbox.running.sandbox().get("subscriptions", &id(&subscription)).unwrap();
        if now["status"] == "incomplete_expired" {
            return;
        }
        assert!(Instant::now() < deadline, "{now:#}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn what_fell_due_while_it_was_off_is_done_at_the_next_start() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("sandbox.db");
    let sandbox = Sandbox::with(Some(file.clone()), None).await;
    let clock = sandbox.clock.clone();
    let subscription = subscribed(&sandbox, &[("payment_behavior", "default_incomplete")]).await;
    sandbox.running.shutdown().await;
    clock.advance(Span::hours(24));
    let sandbox = Sandbox::at(clock, Some(file), None).await;
    let now = sandbox.get(&format!("/v1/subscriptions/{}", id(&subscription))).await.ok();
    assert_eq!(now["status"], "incomplete_expired");
}

#[tokio::test]
async fn events_are_kept_for_thirty_days() {
    let sandbox = Sandbox::start().await;
    for _ in 0..3 {
        sandbox.customer(&[]).await;
    }
    let kept = async || sandbox.get("/v1/events?limit=100").await.ok()["data"].as_array().unwrap().len();
    sandbox.clock.advance(chrono::Duration::days(29));
    sandbox.customer(&[]).await;
    assert_eq!(kept().await, 4);
    sandbox.clock.advance(chrono::Duration::days(1));
    sandbox.customer(&[]).await;
    assert_eq!(kept().await, 2, "the three are a month old");
    assert_eq!(sandbox.get("/v1/customers?limit=100").await.ok()["data"].as_array().unwrap().len(), 5);
}
