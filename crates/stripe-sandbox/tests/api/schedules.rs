//! Subscription schedules: what a subscription becomes when its next period begins.

use serde_json::{Value, json};

use super::on_a_clock::{HOUR, Subscribed, advance, at, period, subscribed, subscription};
use super::support::id;

const START: &str = "2030-01-31T00:00:00Z";

/// A subscription of $10 a month that is to become another with its next period. Gives the schedule.
async fn to_become(begun: &Subscribed, price: &str) -> Value {
    let of = id(&begun.begun);
    let made = begun.sandbox.post("/v1/subscription_schedules", &[("from_subscription", &of)]).await.ok();
    assert_eq!(made["phases"][0]["items"][0]["price"], begun.begun["items"]["data"][0]["price"]["id"]);
    let phase = &made["phases"][0];
    let (start, end) = (phase["start_date"].to_string(), phase["end_date"].to_string());
    let current = phase["items"][0]["price"].as_str().unwrap();
    let form = [
        ("phases[0][start_date]", &*start),
        ("phases[0][end_date]", &end),
        ("phases[0][items][0][price]", current),
        ("phases[1][items][0][price]", price),
        ("phases[1][proration_behavior]", "none"),
        ("end_behavior", "release"),
    ];
    begun.sandbox.post(&format!("/v1/subscription_schedules/{}", id(&made)), &form).await.ok()
}

#[tokio::test]
async fn a_phase_begins_with_the_next_period_and_the_schedule_ends_with_it() {
    let begun = subscribed(START, "pm_card_visa", &[]).await;
    let cheaper = begun.sandbox.price(400).await;
    let schedule = to_become(&begun, &cheaper).await;
    assert_eq!(schedule["phases"][1]["start_date"], period(&begun.begun).1);
    let now = subscription(&begun.sandbox, &begun.begun).await;
    assert_eq!(
        (&now["schedule"], &now["latest_invoice"]["id"]),
        (&schedule["id"], &begun.begun["latest_invoice"]["id"])
    );
    let of = id(&begun.begun);
    let upcoming = begun.sandbox.post("/v1/invoices/create_preview", &[("subscription", &of)]).await.ok();
    assert_eq!(upcoming["amount_due"], 400);

    advance(&begun.sandbox, &begun.clock, period(&begun.begun).1 + 2 * HOUR).await;
    let after = subscription(&begun.sandbox, &begun.begun).await;
    assert_eq!(after["items"]["data"][0]["price"]["id"], json!(cheaper));
    assert_eq!((&after["latest_invoice"]["amount_paid"], &after["status"]), (&json!(400), &json!("active")));
    assert_eq!(period(&after), (at("2030-02-28T00:00:00Z"), at("2030-03-31T00:00:00Z")));
    advance(&begun.sandbox, &begun.clock, period(&after).1 + 2 * HOUR).await;
    let released = begun.sandbox.get(&format!("/v1/subscription_schedules/{}", id(&schedule))).await.ok();
    assert_eq!((&released["status"], &released["released_subscription"]), (&json!("released"), &json!(of)));
    assert_eq!(subscription(&begun.sandbox, &begun.begun).await["schedule"], json!(null));
}

#[tokio::test]
async fn another_interval_begins_with_the_phase() {
    let begun = subscribed(START, "pm_card_visa", &[]).await;
    let yearly = begun.sandbox.price_every(9_000, "year").await;
    to_become(&begun, &yearly).await;
    advance(&begun.sandbox, &begun.clock, period(&begun.begun).1 + 2 * HOUR).await;
    let after = subscription(&begun.sandbox, &begun.begun).await;
    assert_eq!(period(&after), (at("2030-02-28T00:00:00Z"), at("2031-02-28T00:00:00Z")));
    assert_eq!(after["latest_invoice"]["amount_paid"], 9_000);
}

#[tokio::test]
async fn what_was_scheduled_is_taken_back_by_a_release() {
    let begun = subscribed(START, "pm_card_visa", &[]).await;
    let cheaper = begun.sandbox.price(400).await;
    let schedule = format!("/v1/subscription_schedules/{}", id(&to_become(&begun, &cheaper).await));
    let path = format!("/v1/subscriptions/{}", id(&begun.begun));
    let error = begun.sandbox.post(&path, &[("cancel_at_period_end", "true")]).await.error(400);
    assert_eq!(error["param"], "cancel_at_period_end");
    let error =
        begun.sandbox.post("/v1/subscription_schedules", &[("from_subscription", &id(&begun.begun))]).await;
    assert_eq!(error.error(400)["param"], "from_subscription");

    assert_eq!(begun.sandbox.post(&format!("{schedule}/release"), &[]).await.ok()["status"], "released");
    begun.sandbox.post(&path, &[("cancel_at_period_end", "true")]).await.ok();
    begun.sandbox.post(&path, &[("cancel_at_period_end", "false")]).await.ok();
    begun.sandbox.post(&format!("{schedule}/release"), &[]).await.error(400);
    advance(&begun.sandbox, &begun.clock, period(&begun.begun).1 + 2 * HOUR).await;
    assert_eq!(subscription(&begun.sandbox, &begun.begun).await["latest_invoice"]["amount_paid"], 1000);
}

#[tokio::test]
async fn a_schedule_ends_with_its_subscription_and_refuses_what_does_not_fit() {
    let begun = subscribed(START, "pm_card_visa", &[]).await;
    let cheaper = begun.sandbox.price(400).await;
    let schedule = format!("/v1/subscription_schedules/{}", id(&to_become(&begun, &cheaper).await));
    let later = (period(&begun.begun).1 + 5).to_string();
    for (form, param) in [
        (vec![("phases[0][items][0][price]", "price_nope")], "phases[0][items][0][price]"),
        (
            vec![("phases[0][items][0][price]", &*cheaper), ("phases[0][end_date]", &*later)],
            "phases[0][end_date]",
        ),
        (
            vec![("phases[0][items][0][price]", &*cheaper), ("phases[0][start_date]", "5")],
            "phases[0][start_date]",
        ),
    ] {
        assert_eq!(begun.sandbox.post(&schedule, &form).await.error(400)["param"], param, "{form:?}");
    }
    begun.sandbox.post(&format!("{schedule}/cancel"), &[]).await.ok();
    assert_eq!(begun.sandbox.get(&schedule).await.ok()["status"], "canceled");
    assert_eq!(subscription(&begun.sandbox, &begun.begun).await["status"], "canceled");
}
