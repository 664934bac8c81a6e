//! A subscription that goes on in another way: a trial is ended, collecting pauses, what is paused goes on, all of it ends.

use serde_json::json;

use super::on_a_clock::{DAY, HOUR, advance, at, period, subscribed, subscription};
use super::plan_changes::{LATER, START, balance, invoice, with_a_third_left};
use super::support::id;

#[tokio::test]
async fn a_trial_ends_when_told_to_and_is_charged() {
    let begun = subscribed(START, "pm_card_visa", &[("trial_period_days", "14")]).await;
    let path = format!("/v1/subscriptions/{}", id(&begun.begun));
    let after = begun.sandbox.post(&path, &[("trial_end", "now"), ("expand[]", "latest_invoice")]).await.ok();
    assert_eq!((&after["status"], &after["trial_end"]), (&json!("active"), &json!(at(START))));
    assert_eq!(after["latest_invoice"]["amount_paid"], 1000);
    assert_eq!(period(&after), (at(START), at("2030-05-01T00:00:00Z")));
}

#[tokio::test]
async fn a_paused_subscription_goes_on_once_it_is_paid() {
    let form =
        [("trial_period_days", "14"), ("trial_settings[end_behavior][missing_payment_method]", "pause")];
    let begun = subscribed(START, "pm_card_visa", &form).await;
    let customer = format!("/v1/customers/{}", begun.customer);
    begun.sandbox.post(&customer, &[("invoice_settings[default_payment_method]", "")]).await.ok();
    advance(&begun.sandbox, &begun.clock, at(START) + 15 * DAY).await;
    assert_eq!(subscription(&begun.sandbox, &begun.begun).await["status"], "paused");

    let path = format!("/v1/subscriptions/{}/resume", id(&begun.begun));
    let waiting = begun.sandbox.post(&path, &[("expand[]", "latest_invoice")]).await.ok();
    assert_eq!(
        (&waiting["status"], &waiting["latest_invoice"]["status"]),
        (&json!("paused"), &json!("open"))
    );
    assert_eq!(waiting["pending_update"]["expires_at"], at(START) + 15 * DAY + 82_800);
    let pay = format!("/v1/invoices/{}/pay", id(&waiting["latest_invoice"]));
    begun.sandbox.post(&pay, &[("payment_method", "pm_card_visa")]).await.ok();
    let after = subscription(&begun.sandbox, &begun.begun).await;
    assert_eq!((&after["status"], period(&after).0), (&json!("active"), at(START) + 15 * DAY));
    assert!(begun.sandbox.event_types().await.contains(&"customer.subscription.resumed".to_owned()));
    assert_eq!(begun.sandbox.post(&path, &[]).await.error(400)["param"], "id");
}

#[tokio::test]
async fn collecting_can_be_paused_for_a_time() {
    for (behavior, status) in
        [("keep_as_draft", "draft"), ("mark_uncollectible", "uncollectible"), ("void", "void")]
    {
        let begun = subscribed(START, "pm_card_visa", &[]).await;
        let path = format!("/v1/subscriptions/{}", id(&begun.begun));
        let until = (at(START) + 40 * DAY).to_string();
        let form = [("pause_collection[behavior]", behavior), ("pause_collection[resumes_at]", &*until)];
        begun.sandbox.post(&path, &form).await.ok();
        advance(&begun.sandbox, &begun.clock, at(START) + 32 * DAY).await;
        let paused = subscription(&begun.sandbox, &begun.begun).await;
        assert_eq!(
            (&paused["status"], &paused["latest_invoice"]["status"]),
            (&json!("active"), &json!(status))
        );
        advance(&begun.sandbox, &begun.clock, at(START) + 62 * DAY).await;
        let after = subscription(&begun.sandbox, &begun.begun).await;
        assert_eq!(
            (&after["pause_collection"], &after["latest_invoice"]["status"]),
            (&json!(null), &json!("paid"))
        );
    }
}

#[tokio::test]
async fn ending_now_gives_back_what_is_not_used_where_that_is_asked_for() {
    let begun = with_a_third_left("pm_card_visa").await;
    let path = format!(
        "/v1/subscriptions/{}?prorate=true&invoice_now=true&expand[]=latest_invoice",
        id(&begun.begun)
    );
    let ended = begun.sandbox.delete(&path).await.ok();
    assert_eq!(ended["status"], "canceled");
    let last = &ended["latest_invoice"];
    assert_eq!((&last["billing_reason"], &last["total"]), (&json!("subscription_cycle"), &json!(-334)));
    // Stripe gives it up an hour later; the credit never reaches the balance.
    advance(&begun.sandbox, &begun.clock, at(LATER) + 2 * HOUR).await;
    assert_eq!(invoice(&begun.sandbox, &id(last)).await["status"], "uncollectible");
    assert_eq!(balance(&begun).await, 0);
}
