//! Test clocks, and what their advance brings about: renewals, trials that end, cards that fail.

use serde_json::json;

use super::on_a_clock::{
    CLOCKS, DAY, HOUR, Subscribed, advance, at, clock_at, customer_on, fail_from_now_on, invoices, pay_with,
    period, subscribed, subscription,
};
use super::support::{Sandbox, id, intent_of};

#[tokio::test]
async fn what_is_on_a_clock_lives_by_it() {
    let sandbox = Sandbox::start().await;
    let clock = clock_at(&sandbox, "2030-01-31T10:00:00Z").await;
    let customer = customer_on(&sandbox, &clock, "pm_card_visa").await;
    let made = sandbox.get(&format!("/v1/customers/{customer}")).await.ok();
    assert_eq!((&made["test_clock"], &made["created"]), (&json!(clock), &json!(at("2030-01-31T10:00:00Z"))));
    let price = sandbox.price(1000).await;
    let begun = sandbox.subscribe(&customer, &price, &[]).await.ok();
    assert_eq!((&begun["status"], &begun["test_clock"]), (&json!("active"), &json!(clock)));
    assert_eq!(period(&begun), (at("2030-01-31T10:00:00Z"), at("2030-02-28T10:00:00Z")));
    assert_eq!(begun["latest_invoice"]["created"], at("2030-01-31T10:00:00Z"));
    // The sandbox's own time changes nothing of it.
    sandbox.clock.advance(chrono::Duration::days(3_000));
    assert_eq!(period(&subscription(&sandbox, &begun).await), period(&begun));

    let events = sandbox.get("/v1/events?limit=1&type=invoice.paid").await.ok();
    assert_eq!(events["data"][0]["data"]["object"]["created"], at("2030-01-31T10:00:00Z"));
    assert!(
        events["data"][0]["created"].as_i64().unwrap() < at("2030-01-31T10:00:00Z"),
        "events keep the wall's"
    );

    let listed = |path: String| {
        let sandbox = &sandbox;
        async move { sandbox.get(&path).await.ok()["data"].as_array().unwrap().len() }
    };
    assert_eq!(listed("/v1/customers".into()).await, 0, "those on a clock are listed with it alone");
    assert_eq!(listed(format!("/v1/customers?test_clock={clock}")).await, 1);
    assert_eq!(listed(format!("/v1/subscriptions?test_clock={clock}")).await, 1);
    let deleted = sandbox.delete(&format!("{CLOCKS}/{clock}")).await.ok();
    assert_eq!(deleted["deleted"], true);
    assert_eq!(sandbox.get(&format!("/v1/customers/{customer}")).await.ok()["deleted"], true);
    assert_eq!(subscription(&sandbox, &begun).await["status"], "canceled");
    assert_eq!(listed(CLOCKS.into()).await, 0);
}

#[tokio::test]
async fn a_clock_goes_forward_only_and_no_further_than_two_intervals() {
    let sandbox = Sandbox::start().await;
    let clock = clock_at(&sandbox, "2030-01-31T10:00:00Z").await;
    let path = format!("{CLOCKS}/{clock}/advance");
    let refused = |to: i64| {
        let (sandbox, path) = (&sandbox, &path);
        async move {
            let error = sandbox.post(path, &[("frozen_time", &to.to_string())]).await.error(400);
            assert_eq!(error["param"], "frozen_time");
        }
    };
    refused(at("2030-01-31T10:00:00Z")).await;
    refused(at("2032-01-31T10:00:01Z")).await;
    let customer = customer_on(&sandbox, &clock, "pm_card_visa").await;
    let price = sandbox.price(1000).await;
    sandbox.subscribe(&customer, &price, &[]).await.ok();
    refused(at("2030-03-31T10:00:01Z")).await;
    advance(&sandbox, &clock, at("2030-03-31T10:00:00Z")).await;
    sandbox.post(CLOCKS, &[]).await.error(400);
    sandbox.customer(&[]).await;
    sandbox.post("/v1/customers", &[("test_clock", "clock_nope")]).await.error(400);
}

#[tokio::test]
async fn a_year_of_renewals_from_a_month_s_end() {
    let Subscribed { sandbox, clock, begun, .. } =
        subscribed("2027-12-31T10:00:00Z", "pm_card_visa", &[]).await;
    let ends = [
        "2028-01-31",
        "2028-02-29",
        "2028-03-31",
        "2028-04-30",
        "2028-05-31",
        "2028-06-30",
        "2028-07-31",
        "2028-08-31",
        "2028-09-30",
        "2028-10-31",
        "2028-11-30",
        "2028-12-31",
    ];
    let ends = ends.map(|day| at(&format!("{day}T10:00:00Z")));
    for pair in ends.windows(2) {
        let [end, next] = *pair else { unreachable!() };
        advance(&sandbox, &clock, end).await;
        let renewed = subscription(&sandbox, &begun).await;
        assert_eq!((&renewed["status"], period(&renewed)), (&json!("active"), (end, next)));
        let draft = &renewed["latest_invoice"];
        assert_eq!(
            (&draft["status"], &draft["billing_reason"]),
            (&json!("draft"), &json!("subscription_cycle"))
        );
        assert_eq!((&draft["created"], &draft["period_end"]), (&json!(end), &json!(end)));
        assert_eq!(draft["next_payment_attempt"], end + HOUR);
        assert_eq!(draft["automatically_finalizes_at"], end + HOUR + 1);
        assert_eq!(draft["lines"]["data"][0]["period"], json!({"start": end, "end": next}));
        advance(&sandbox, &clock, end + HOUR + 1).await;
        let paid = subscription(&sandbox, &begun).await;
        assert_eq!(
            (&paid["latest_invoice"]["status"], &paid["latest_invoice"]["amount_paid"]),
            (&json!("paid"), &json!(1000))
        );
        assert_eq!(paid["latest_invoice"]["next_payment_attempt"], json!(null));
    }
    let all = invoices(&sandbox, &begun).await;
    assert_eq!(all.len(), 12);
    let numbers: Vec<&str> = all.iter().map(|invoice| invoice["number"].as_str().unwrap()).collect();
    let expected: Vec<String> =
        (1..=12).map(|n| format!("{}-{n:04}", numbers[0].split('-').next().unwrap())).collect();
    assert_eq!(numbers, expected, "none missing, none twice");
}

#[tokio::test]
async fn the_events_of_a_renewal_come_in_stripe_s_order_and_say_what_was_before() {
    let Subscribed { sandbox, clock, begun, .. } =
        subscribed("2030-01-15T10:00:00Z", "pm_card_visa", &[]).await;
    let before = sandbox.event_types().await.len();
    advance(&sandbox, &clock, at("2030-02-15T12:00:00Z")).await;
    let types = sandbox.event_types().await.split_off(before);
    let expected = [
        "test_helpers.test_clock.advancing",
        "invoice.upcoming",
        "customer.subscription.updated",
        "invoice.created",
        "invoice.finalized",
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "invoice.updated",
        "invoice.paid",
        "invoice.payment_succeeded",
        "invoice_payment.paid",
        "charge.updated",
        "test_helpers.test_clock.ready",
    ];
    let mut sorted = types.clone();
    sorted.sort_unstable();
    let mut wanted = expected.map(str::to_owned).to_vec();
    wanted.sort_unstable();
    assert_eq!(sorted, wanted);
    let position = |kind: &str| types.iter().position(|of| of == kind).unwrap();
    assert!(position("customer.subscription.updated") < position("invoice.created"));
    assert!(position("invoice.finalized") < position("invoice.paid"));
    let updated = sandbox.get("/v1/events?limit=1&type=customer.subscription.updated").await.ok();
    let data = &updated["data"][0]["data"];
    assert_eq!(data["previous_attributes"]["latest_invoice"], begun["latest_invoice"]["id"]);
    let item = &data["previous_attributes"]["items"]["data"][0];
    assert_eq!(item["current_period_end"], at("2030-02-15T10:00:00Z"));
}

#[tokio::test]
async fn a_card_that_fails_is_tried_again_and_a_new_one_makes_it_good() {
    let Subscribed { sandbox, clock, customer, begun } =
        subscribed("2030-01-15T10:00:00Z", "pm_card_visa", &[]).await;
    fail_from_now_on(&sandbox, &customer).await;
    let due = at("2030-02-15T11:00:01Z");
    advance(&sandbox, &clock, due).await;
    let late = subscription(&sandbox, &begun).await;
    assert_eq!((&late["status"], &late["latest_invoice"]["status"]), (&json!("past_due"), &json!("open")));
    assert_eq!(late["latest_invoice"]["attempt_count"], 1);
    assert_eq!(late["latest_invoice"]["next_payment_attempt"], due + DAY);
    assert!(sandbox.event_types().await.contains(&"invoice.payment_failed".to_owned()));
    advance(&sandbox, &clock, due + 4 * DAY).await;
    let later = subscription(&sandbox, &begun).await;
    assert_eq!(later["latest_invoice"]["attempt_count"], 3, "after one day and after three");

    let path = format!("/v1/subscriptions/{}", id(&begun));
    pay_with(&sandbox, "pm_card_visa", &customer, &path, "default_payment_method").await;
    advance(&sandbox, &clock, due + 5 * DAY).await;
    let well = subscription(&sandbox, &begun).await;
    assert_eq!((&well["status"], &well["latest_invoice"]["status"]), (&json!("active"), &json!("paid")));
    assert_eq!(
        period(&well),
        (at("2030-02-15T10:00:00Z"), at("2030-03-15T10:00:00Z")),
        "the periods went on"
    );
}

#[tokio::test]
async fn after_the_last_attempt_the_subscription_is_canceled_and_nothing_more_is_charged() {
    let Subscribed { sandbox, clock, customer, begun } =
        subscribed("2030-01-15T10:00:00Z", "pm_card_visa", &[]).await;
    fail_from_now_on(&sandbox, &customer).await;
    let due = at("2030-02-15T11:00:01Z");
    advance(&sandbox, &clock, due + 14 * DAY - 1).await;
    assert_eq!(subscription(&sandbox, &begun).await["status"], "past_due");
    advance(&sandbox, &clock, due + 14 * DAY).await;
    let over = subscription(&sandbox, &begun).await;
    assert_eq!((&over["status"], &over["ended_at"]), (&json!("canceled"), &json!(due + 14 * DAY)));
    assert_eq!(over["cancellation_details"]["reason"], "payment_failed");
    assert_eq!(over["latest_invoice"]["attempt_count"], 9);
    assert_eq!(over["latest_invoice"]["next_payment_attempt"], json!(null));
    advance(&sandbox, &clock, due + 100 * DAY).await;
    assert_eq!(invoices(&sandbox, &begun).await.len(), 2);
}

#[tokio::test]
async fn a_trial_ends_into_a_charged_period() {
    let Subscribed { sandbox, clock, begun, .. } =
        subscribed("2030-01-15T10:00:00Z", "pm_card_visa", &[("trial_period_days", "14")]).await;
    assert_eq!(begun["status"], "trialing");
    let announced =
        |types: &[String]| types.iter().filter(|of| *of == "customer.subscription.trial_will_end").count();
    advance(&sandbox, &clock, at("2030-01-26T09:59:59Z")).await;
    assert_eq!(announced(&sandbox.event_types().await), 0);
    advance(&sandbox, &clock, at("2030-01-26T10:00:00Z")).await;
    assert_eq!(announced(&sandbox.event_types().await), 1, "three days before");
    advance(&sandbox, &clock, at("2030-01-29T12:00:00Z")).await;
    let paid = subscription(&sandbox, &begun).await;
    assert_eq!((&paid["status"], &paid["latest_invoice"]["status"]), (&json!("active"), &json!("paid")));
    assert_eq!(paid["latest_invoice"]["amount_paid"], 1000);
    assert_eq!(period(&paid), (at("2030-01-29T10:00:00Z"), at("2030-02-28T10:00:00Z")));
    assert_eq!(announced(&sandbox.event_types().await), 1);
}

#[tokio::test]
async fn a_short_trial_is_announced_at_once() {
    let sandbox = Sandbox::start().await;
    let customer = sandbox.customer_with("pm_card_visa").await;
    let price = sandbox.price(1000).await;
    sandbox.subscribe(&customer, &price, &[("trial_period_days", "2")]).await.ok();
    let types = sandbox.event_types().await;
    assert!(types.contains(&"customer.subscription.trial_will_end".to_owned()), "{types:?}");
}

#[tokio::test]
async fn a_trial_without_a_card_ends_as_was_asked_for() {
    for (asked, status, event) in [
        ("cancel", "canceled", "customer.subscription.deleted"),
        ("pause", "paused", "customer.subscription.paused"),
        ("create_invoice", "past_due", "invoice.payment_failed"),
    ] {
        let sandbox = Sandbox::start().await;
        let clock = clock_at(&sandbox, "2030-01-15T10:00:00Z").await;
        let customer = sandbox.customer(&[("test_clock", &clock)]).await;
        let price = sandbox.price(1000).await;
        let form =
            [("trial_period_days", "14"), ("trial_settings[end_behavior][missing_payment_method]", asked)];
        let begun = sandbox.subscribe(&customer, &price, &form).await.ok();
        assert_eq!(begun["trial_settings"]["end_behavior"]["missing_payment_method"], asked);
        advance(&sandbox, &clock, at("2030-01-29T12:00:00Z")).await;
        assert_eq!(subscription(&sandbox, &begun).await["status"], status, "{asked}");
        assert!(sandbox.event_types().await.contains(&event.to_owned()), "{asked}");
    }
}

#[tokio::test]
async fn what_is_not_on_a_clock_renews_by_the_sandbox_s_own_time() {
    let sandbox = Sandbox::start().await;
    let customer = sandbox.customer_with("pm_card_visa").await;
    let price = sandbox.price(1000).await;
    let begun = sandbox.subscribe(&customer, &price, &[]).await.ok();
    sandbox.clock.advance(chrono::Duration::days(29));
    let renewed = subscription(&sandbox, &begun).await;
    assert_eq!(period(&renewed), (at("2026-02-28T12:00:00Z"), at("2026-03-31T12:00:00Z")));
    assert_eq!(renewed["latest_invoice"]["status"], "paid");
}

#[tokio::test]
async fn nothing_on_a_clock_is_changed_while_it_advances() {
    let sandbox = Sandbox::start().await;
    let clock = clock_at(&sandbox, "2030-01-15T10:00:00Z").await;
    let customer = customer_on(&sandbox, &clock, "pm_card_visa").await;
    let price = sandbox.price_every(1000, "day").await;
    let begun = sandbox.subscribe(&customer, &price, &[]).await.ok();
    let to = at("2030-01-17T10:00:00Z").to_string();
    let (advance, change) =
        (format!("{CLOCKS}/{clock}/advance"), format!("/v1/subscriptions/{}", id(&begun)));
    let held = sandbox.running.sandbox().hold_clocks().await;
    let advancing = sandbox.post(&advance, &[("frozen_time", &to)]).await.ok();
    assert_eq!(advancing["status"], "advancing");
    let error = sandbox.post(&change, &[("metadata[a]", "b")]).await.error(429);
    assert!(error["message"].as_str().unwrap().contains("advancement underway"), "{error}");
    assert_eq!(sandbox.get(&change).await.ok()["metadata"], json!({}), "it is read all the same");
    let elsewhere = sandbox.customer(&[]).await;
    sandbox.post(&format!("/v1/customers/{elsewhere}"), &[("name", "Ada")]).await.ok();
    drop(held);
    sandbox.running.sandbox().catch_up().await;
    assert_eq!(sandbox.post(&change, &[("metadata[a]", "b")]).await.ok()["metadata"], json!({"a": "b"}));
}

#[tokio::test]
async fn a_renewal_that_needs_3d_secure_waits_for_the_customer() {
    let Subscribed { sandbox, clock, begun, .. } =
        subscribed("2030-01-15T10:00:00Z", "pm_card_authenticationRequired", &[]).await;
    assert_eq!(begun["status"], "incomplete");
    sandbox.authenticate(&id(intent_of(&begun)), true).await;
    assert_eq!(subscription(&sandbox, &begun).await["status"], "active");
    let before = sandbox.event_types().await.len();

    advance(&sandbox, &clock, at("2030-02-15T12:00:00Z")).await;
    let late = subscription(&sandbox, &begun).await;
    assert_eq!((&late["status"], &late["latest_invoice"]["status"]), (&json!("past_due"), &json!("open")));
    let types = sandbox.event_types().await.split_off(before);
    assert!(types.contains(&"invoice.payment_action_required".to_owned()), "{types:?}");

    let path =
        format!("/v1/invoices/{}?expand[]=payments.data.payment.payment_intent", id(&late["latest_invoice"]));
    let invoice = sandbox.get(&path).await.ok();
    let intent = &invoice["payments"]["data"][0]["payment"]["payment_intent"];
    assert_eq!(intent["last_payment_error"]["code"], "authentication_required");
    let form = [
        ("client_secret", intent["client_secret"].as_str().unwrap()),
        (
            "payment_method",
            begun["default_payment_method"].as_str().unwrap_or("pm_card_authenticationRequired"),
        ),
    ];
    let confirm = format!("/v1/payment_intents/{}/confirm", id(intent));
    assert_eq!(sandbox.browser_post(&confirm, &form).await.ok()["status"], "requires_action");
    sandbox.authenticate(&id(intent), true).await;
    let well = subscription(&sandbox, &begun).await;
    assert_eq!((&well["status"], &well["latest_invoice"]["status"]), (&json!("active"), &json!("paid")));
}

#[tokio::test]
async fn a_renewal_is_announced_a_week_before_with_its_invoice_and_once() {
    let Subscribed { sandbox, clock, customer, begun } =
        subscribed("2030-01-15T10:00:00Z", "pm_card_visa", &[]).await;
    let announced = async || sandbox.get("/v1/events?type=invoice.upcoming").await.ok()["data"].clone();
    advance(&sandbox, &clock, at("2030-02-08T09:59:59Z")).await;
    assert_eq!(announced().await, json!([]));
    let form = [("customer", &*customer), ("amount", "250"), ("currency", "usd")];
    sandbox.post("/v1/invoiceitems", &form).await.ok();
    advance(&sandbox, &clock, at("2030-02-08T10:00:00Z")).await;
    let events = announced().await;
    let invoice = &events[0]["data"]["object"];
    assert_eq!((&invoice["total"], &invoice["status"]), (&json!(1250), &json!("draft")));
    assert_eq!(invoice["period_end"], at("2030-02-15T10:00:00Z"));
    assert!(id(invoice).starts_with("upcoming_in_"));
    assert_eq!(invoices(&sandbox, &begun).await.len(), 1, "nothing of it is kept");
    advance(&sandbox, &clock, at("2030-03-14T00:00:00Z")).await;
    assert_eq!(announced().await.as_array().unwrap().len(), 2, "one for each renewal");

    // What ends is not renewed.
    let path = format!("/v1/subscriptions/{}", id(&begun));
    sandbox.post(&path, &[("cancel_at_period_end", "true")]).await.ok();
    advance(&sandbox, &clock, at("2030-03-16T00:00:00Z")).await;
    assert_eq!(announced().await.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn the_renewals_of_short_periods_are_announced_as_these_begin() {
    for (interval, third) in [("day", "2030-01-17T12:00:00Z"), ("week", "2030-01-29T10:00:00Z")] {
        let sandbox = Sandbox::start().await;
        let clock = clock_at(&sandbox, "2030-01-15T10:00:00Z").await;
        let customer = customer_on(&sandbox, &clock, "pm_card_visa").await;
        let price = sandbox.price_every(1000, interval).await;
        let begun = sandbox.subscribe(&customer, &price, &[]).await.ok();
        if interval == "day" {
            advance(&sandbox, &clock, at("2030-01-17T09:00:00Z")).await;
        }
        advance(&sandbox, &clock, at(third)).await;
        let types = sandbox.event_types().await;
        let announced = types.iter().filter(|of| *of == "invoice.upcoming").count();
        assert_eq!((announced, invoices(&sandbox, &begun).await.len()), (3, 3), "{interval}");
    }
}
