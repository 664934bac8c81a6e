//! Changing what a subscription is of: proration, what is due at once, what waits for its payment.

use serde_json::{Value, json};

use super::on_a_clock::{
    DAY, HOUR, Subscribed, advance, at, fail_from_now_on, invoices, pay_with, period, subscribed,
    subscription,
};
use super::support::{Sandbox, id};

const START: &str = "2030-04-01T00:00:00Z";
/// A third of April is left.
const LATER: &str = "2030-04-21T00:00:00Z";

/// Subscribed to a plan of $10 since the start of a month of thirty days; a third of it is left.
async fn with_a_third_left(card: &str) -> Subscribed {
    let begun = subscribed(START, card, &[]).await;
    advance(&begun.sandbox, &begun.clock, at(LATER)).await;
    begun
}

async fn change(subscribed: &Subscribed, price: &str, form: &[(&str, &str)]) -> Value {
    let item = id(&subscribed.begun["items"]["data"][0]);
    let own = [
        ("items[0][id]", &*item),
        ("items[0][price]", price),
        ("expand[]", "latest_invoice.confirmation_secret"),
        ("expand[]", "latest_invoice.payments.data.payment.payment_intent"),
    ];
    let path = format!("/v1/subscriptions/{}", id(&subscribed.begun));
    subscribed.sandbox.post(&path, &[&own, form].concat()).await.ok()
}

fn price_of(subscription: &Value) -> &Value {
    &subscription["items"]["data"][0]["price"]["id"]
}

/// What the lines of an invoice say and cost.
fn lines(invoice: &Value) -> Vec<(String, i64)> {
    let line =
        |line: &Value| (line["description"].as_str().unwrap().to_owned(), line["amount"].as_i64().unwrap());
    invoice["lines"]["data"].as_array().unwrap().iter().map(line).collect()
}

async fn invoice(sandbox: &Sandbox, invoice: &str) -> Value {
    sandbox.get(&format!("/v1/invoices/{invoice}")).await.ok()
}

async fn balance(subscribed: &Subscribed) -> i64 {
    let customer = subscribed.sandbox.get(&format!("/v1/customers/{}", subscribed.customer)).await.ok();
    customer["balance"].as_i64().unwrap()
}

const NOW: [(&str, &str); 2] =
    [("proration_behavior", "always_invoice"), ("payment_behavior", "pending_if_incomplete")];

#[tokio::test]
async fn an_upgrade_is_charged_at_once_for_the_rest_of_the_period_as_previewed() {
    let begun = with_a_third_left("pm_card_visa").await;
    let pro = begun.sandbox.price(2500).await;
    let (of, item) = (id(&begun.begun), id(&begun.begun["items"]["data"][0]));
    let form = [
        ("subscription", &*of),
        ("subscription_details[items][0][id]", &item),
        ("subscription_details[items][0][price]", &pro),
        ("subscription_details[proration_behavior]", "always_invoice"),
    ];
    let before = begun.sandbox.event_types().await.len();
    let preview = begun.sandbox.post("/v1/invoices/create_preview", &form).await.ok();
    assert_eq!(begun.sandbox.event_types().await.len(), before, "a preview leaves nothing");
    assert_eq!(invoices(&begun.sandbox, &begun.begun).await.len(), 1);
    let expected = [
        ("Unused time on Basic after 21 Apr 2030".to_owned(), -334),
        ("Remaining time on Basic after 21 Apr 2030".to_owned(), 833),
    ];
    assert_eq!(lines(&preview), expected);
    assert_eq!((&preview["amount_due"], &preview["status"]), (&json!(499), &json!("draft")));

    let changed = change(&begun, &pro, &NOW).await;
    let made = &changed["latest_invoice"];
    assert_eq!((price_of(&changed), &changed["pending_update"]), (&json!(pro), &json!(null)));
    assert_eq!(lines(made), expected);
    assert_eq!((&made["status"], &made["amount_paid"]), (&json!("paid"), &json!(499)));
    assert_eq!(made["billing_reason"], "subscription_update");
    assert_eq!(
        (made["period_start"].as_i64(), made["period_end"].as_i64()),
        (Some(at(START)), Some(at(LATER)))
    );
    assert_eq!(period(&changed), period(&begun.begun), "the period stays");

    let credit = &made["lines"]["data"][0];
    let details = &credit["parent"]["subscription_item_details"];
    let first = invoices(&begun.sandbox, &begun.begun).await.remove(0);
    assert_eq!(
        details["proration_details"]["credited_items"],
        json!({"invoice": first["id"], "invoice_line_items": [first["lines"]["data"][0]["id"]]})
    );
    assert_eq!((&details["proration"], &details["subscription_item"]), (&json!(true), &json!(item)));
    assert_eq!(
        (&credit["discountable"], &credit["pricing"]["unit_amount_decimal"]),
        (&json!(false), &json!(null))
    );
    assert_eq!(credit["period"], json!({"start": at(LATER), "end": period(&changed).1}));

    // The next period is charged in full.
    advance(&begun.sandbox, &begun.clock, period(&changed).1 + 2 * HOUR).await;
    let renewed = subscription(&begun.sandbox, &changed).await;
    assert_eq!(lines(&renewed["latest_invoice"]), [("1 × Basic (at $25.00 / month)".to_owned(), 2500)]);
}

#[tokio::test]
async fn a_change_waits_for_its_authentication_and_is_made_once_it_is_paid() {
    let begun = with_a_third_left("pm_card_visa").await;
    let customer = format!("/v1/customers/{}", begun.customer);
    let param = "invoice_settings[default_payment_method]";
    pay_with(&begun.sandbox, "pm_card_authenticationRequired", &begun.customer, &customer, param).await;
    let (basic, pro) = (price_of(&begun.begun).clone(), begun.sandbox.price(2500).await);

    let waiting = change(&begun, &pro, &NOW).await;
    assert_eq!(
        (&waiting["status"], price_of(&waiting)),
        (&json!("active"), &basic),
        "nothing has changed yet"
    );
    let made = &waiting["latest_invoice"];
    assert_eq!((&made["status"], &made["amount_due"]), (&json!("open"), &json!(499)));
    let pending = &waiting["pending_update"];
    assert_eq!(pending["subscription_items"][0]["price"]["id"], json!(pro));
    assert_eq!(pending["expires_at"], at(LATER) + 23 * HOUR);

    let intent = &made["payments"]["data"][0]["payment"]["payment_intent"];
    assert_eq!(intent["status"], "requires_action");
    begun.sandbox.authenticate(&id(intent), true).await;
    let after = subscription(&begun.sandbox, &waiting).await;
    assert_eq!((price_of(&after), &after["pending_update"]), (&json!(pro), &json!(null)));
    assert_eq!(after["latest_invoice"]["status"], "paid");
    let types = begun.sandbox.event_types().await;
    assert!(types.contains(&"customer.subscription.pending_update_applied".to_owned()));
}

#[tokio::test]
async fn a_change_that_is_not_paid_for_is_given_up_with_its_invoice() {
    for approved in [None, Some(false)] {
        let begun = with_a_third_left("pm_card_visa").await;
        let customer = format!("/v1/customers/{}", begun.customer);
        let param = "invoice_settings[default_payment_method]";
        let card =
            if approved.is_some() { "pm_card_authenticationRequired" } else { "pm_card_chargeCustomerFail" };
        pay_with(&begun.sandbox, card, &begun.customer, &customer, param).await;
        let (basic, pro) = (price_of(&begun.begun).clone(), begun.sandbox.price(2500).await);
        let waiting = change(&begun, &pro, &NOW).await;
        let made = &waiting["latest_invoice"];
        if let Some(approved) = approved {
            let intent = &made["payments"]["data"][0]["payment"]["payment_intent"];
            begun.sandbox.authenticate(&id(intent), approved).await;
        }
        let now = subscription(&begun.sandbox, &waiting).await;
        assert_eq!((&now["status"], price_of(&now)), (&json!("active"), &basic));
        assert!(now["pending_update"].is_object(), "it still waits for another card");

        advance(&begun.sandbox, &begun.clock, at(LATER) + DAY).await;
        let after = subscription(&begun.sandbox, &waiting).await;
        assert_eq!((price_of(&after), &after["pending_update"]), (&basic, &json!(null)));
        assert_eq!(after["latest_invoice"]["status"], "void");
        let types = begun.sandbox.event_types().await;
        assert!(types.contains(&"customer.subscription.pending_update_expired".to_owned()));
    }
}

#[tokio::test]
async fn a_newer_change_takes_the_place_of_one_that_waits() {
    let begun = with_a_third_left("pm_card_visa").await;
    let customer = format!("/v1/customers/{}", begun.customer);
    let param = "invoice_settings[default_payment_method]";
    pay_with(&begun.sandbox, "pm_card_chargeCustomerFail", &begun.customer, &customer, param).await;
    let (pro, scale) = (begun.sandbox.price(2500).await, begun.sandbox.price(9000).await);
    let first = change(&begun, &pro, &NOW).await;
    pay_with(&begun.sandbox, "pm_card_visa", &begun.customer, &customer, param).await;
    let second = change(&begun, &scale, &NOW).await;
    assert_eq!((price_of(&second), &second["pending_update"]), (&json!(scale), &json!(null)));
    assert_eq!(invoice(&begun.sandbox, &id(&first["latest_invoice"])).await["status"], "void");
    assert_eq!(second["latest_invoice"]["amount_paid"], 3000 - 334);
}

#[tokio::test]
async fn without_a_word_of_how_a_change_is_made_and_billed_with_the_next_period() {
    let begun = with_a_third_left("pm_card_visa").await;
    let pro = begun.sandbox.price(2500).await;
    let changed = change(&begun, &pro, &[]).await;
    assert_eq!(price_of(&changed), &json!(pro));
    assert_eq!(changed["latest_invoice"]["id"], begun.begun["latest_invoice"]["id"], "nothing is due now");
    let pending =
        begun.sandbox.get(&format!("/v1/invoiceitems?customer={}&pending=true", begun.customer)).await.ok();
    assert_eq!(pending["data"].as_array().unwrap().len(), 2);

    let of = id(&begun.begun);
    let upcoming = begun.sandbox.post("/v1/invoices/create_preview", &[("subscription", &of)]).await.ok();
    assert_eq!(upcoming["amount_due"], 2500 + 499);
    advance(&begun.sandbox, &begun.clock, period(&changed).1 + 2 * HOUR).await;
    let renewed = subscription(&begun.sandbox, &changed).await;
    let billed = &renewed["latest_invoice"];
    assert_eq!((&billed["status"], &billed["amount_paid"]), (&json!("paid"), &json!(2999)));
    assert_eq!(lines(billed), lines(&upcoming));
}

#[tokio::test]
async fn what_a_downgrade_gives_back_stays_with_the_customer_and_pays_for_what_comes() {
    let begun = with_a_third_left("pm_card_visa").await;
    let free = begun.sandbox.price(100).await;
    let changed = change(&begun, &free, &[("proration_behavior", "always_invoice")]).await;
    let made = &changed["latest_invoice"];
    assert_eq!(
        (&made["total"], &made["amount_due"], &made["status"]),
        (&json!(-301), &json!(0), &json!("paid"))
    );
    assert_eq!((&made["starting_balance"], &made["ending_balance"]), (&json!(0), &json!(-301)));
    assert_eq!(balance(&begun).await, -301);
    let path = format!("/v1/customers/{}/balance_transactions", begun.customer);
    let entries = begun.sandbox.get(&path).await.ok();
    let entry = &entries["data"][0];
    assert_eq!((&entry["type"], &entry["amount"]), (&json!("applied_to_invoice"), &json!(-301)));
    assert_eq!((&entry["invoice"], &entry["ending_balance"]), (&made["id"], &json!(-301)));

    advance(&begun.sandbox, &begun.clock, period(&changed).1 + 2 * HOUR).await;
    let renewed = subscription(&begun.sandbox, &changed).await;
    let billed = &renewed["latest_invoice"];
    assert_eq!(
        (&billed["total"], &billed["amount_due"], &billed["status"]),
        (&json!(100), &json!(0), &json!("paid"))
    );
    assert_eq!(balance(&begun).await, -201);
}

#[tokio::test]
async fn a_change_without_proration_costs_nothing_until_the_next_period() {
    let begun = with_a_third_left("pm_card_visa").await;
    let pro = begun.sandbox.price(2500).await;
    let changed = change(&begun, &pro, &[("proration_behavior", "none")]).await;
    assert_eq!(price_of(&changed), &json!(pro));
    let items = begun.sandbox.get(&format!("/v1/invoiceitems?customer={}", begun.customer)).await.ok();
    assert_eq!(items["data"], json!([]));
}

#[tokio::test]
async fn another_interval_begins_anew_and_is_charged_in_full_less_what_was_not_used() {
    let begun = with_a_third_left("pm_card_visa").await;
    let yearly = begun.sandbox.price_every(20_000, "year").await;
    let changed = change(&begun, &yearly, &[]).await;
    assert_eq!(period(&changed), (at(LATER), at("2031-04-21T00:00:00Z")));
    assert_eq!(changed["billing_cycle_anchor"], at(LATER));
    let made = &changed["latest_invoice"];
    assert_eq!(
        lines(made),
        [
            ("Unused time on Basic after 21 Apr 2030".to_owned(), -334),
            ("1 × Basic (at $200.00 / year)".to_owned(), 20_000),
        ]
    );
    assert_eq!((&made["status"], &made["amount_paid"]), (&json!("paid"), &json!(19_666)));
}

#[tokio::test]
async fn a_change_that_fails_leaves_the_subscription_past_due_or_as_it_was() {
    for (behavior, status, changes) in [
        ("allow_incomplete", "past_due", true),
        ("default_incomplete", "past_due", true),
        ("error_if_incomplete", "active", false),
    ] {
        let begun = with_a_third_left("pm_card_visa").await;
        fail_from_now_on(&begun.sandbox, &begun.customer).await;
        let (basic, pro) = (price_of(&begun.begun).clone(), begun.sandbox.price(2500).await);
        let (path, item) =
            (format!("/v1/subscriptions/{}", id(&begun.begun)), id(&begun.begun["items"]["data"][0]));
        let form = [
            ("items[0][id]", &*item),
            ("items[0][price]", &pro),
            ("proration_behavior", "always_invoice"),
            ("payment_behavior", behavior),
        ];
        let answer = begun.sandbox.post(&path, &form).await;
        assert_eq!(answer.status, if changes { 200 } else { 402 }, "{behavior}");
        let after = subscription(&begun.sandbox, &begun.begun).await;
        assert_eq!(after["status"], status, "{behavior}");
        assert_eq!(*price_of(&after) == basic, !changes, "{behavior}");
        let open = invoices(&begun.sandbox, &begun.begun)
            .await
            .iter()
            .filter(|made| made["status"] == "open")
            .count();
        assert_eq!(open, usize::from(changes), "{behavior}");
    }
}

#[tokio::test]
async fn quantities_and_further_items_are_prorated_as_a_whole() {
    let begun = with_a_third_left("pm_card_visa").await;
    let (seats, item) = (begun.sandbox.price(300).await, id(&begun.begun["items"]["data"][0]));
    let form = [("quantity", "3"), ("proration_behavior", "always_invoice")];
    begun.sandbox.post(&format!("/v1/subscription_items/{item}"), &form).await.ok();
    let changed = subscription(&begun.sandbox, &begun.begun).await;
    assert_eq!(
        lines(&changed["latest_invoice"]),
        [
            ("Unused time on Basic after 21 Apr 2030".to_owned(), -334),
            ("Remaining time on 3 × Basic after 21 Apr 2030".to_owned(), 1000),
        ]
    );
    let of = id(&begun.begun);
    let form = [("subscription", &*of), ("price", &seats), ("proration_behavior", "always_invoice")];
    let added = begun.sandbox.post("/v1/subscription_items", &form).await.ok();
    assert_eq!((&added["price"]["id"], &added["subscription"]), (&json!(seats), &json!(of)));
    let two = subscription(&begun.sandbox, &begun.begun).await;
    assert_eq!(
        lines(&two["latest_invoice"]),
        [("Remaining time on Basic after 21 Apr 2030".to_owned(), 100)]
    );
    begun.sandbox.delete(&format!("/v1/subscription_items/{}", id(&added))).await.ok();
    let one = subscription(&begun.sandbox, &begun.begun).await;
    assert_eq!(one["items"]["data"].as_array().unwrap().len(), 1);
    let error = begun.sandbox.delete(&format!("/v1/subscription_items/{item}")).await.error(400);
    assert!(
        error["message"].as_str().unwrap().starts_with("A subscription must have at least one active plan")
    );
}

#[tokio::test]
async fn refusals_of_a_change_name_the_parameter() {
    let begun = with_a_third_left("pm_card_visa").await;
    let (pro, item) = (begun.sandbox.price(2500).await, id(&begun.begun["items"]["data"][0]));
    let basic = price_of(&begun.begun).as_str().unwrap().to_owned();
    let path = format!("/v1/subscriptions/{}", id(&begun.begun));
    let before = (at(START) - 1).to_string();
    for (form, param) in [
        (vec![("items[0][id]", "si_nope"), ("items[0][price]", &*pro)], "items[0][id]"),
        (vec![("items[0][id]", &*item), ("items[0][price]", "price_nope")], "items[0][price]"),
        (vec![("items[0][price]", &*basic)], "items"),
        (vec![("items[0][id]", &*item), ("items[0][quantity]", "-1")], "items[0][quantity]"),
        (
            vec![("items[0][id]", &*item), ("items[0][price]", &*pro), ("proration_date", &*before)],
            "proration_date",
        ),
        (
            vec![
                ("items[0][id]", &*item),
                ("payment_behavior", "pending_if_incomplete"),
                ("description", "x"),
            ],
            "description",
        ),
    ] {
        assert_eq!(begun.sandbox.post(&path, &form).await.error(400)["param"], param, "{form:?}");
    }
    assert_eq!(price_of(&subscription(&begun.sandbox, &begun.begun).await), &json!(basic));
}

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
