//! Changing what a subscription is of: proration, what is due at once, what waits for its payment.

use serde_json::{Value, json};

use super::on_a_clock::{HOUR, Subscribed, advance, at, invoices, period, subscribed, subscription};
use super::support::{Sandbox, id};

pub const START: &str = "2030-04-01T00:00:00Z";
/// A third of April is left.
pub const LATER: &str = "2030-04-21T00:00:00Z";

/// Subscribed to a plan of $10 since the start of a month of thirty days; a third of it is left.
pub async fn with_a_third_left(card: &str) -> Subscribed {
    let begun = subscribed(START, card, &[]).await;
    advance(&begun.sandbox, &begun.clock, at(LATER)).await;
    begun
}

pub async fn change(subscribed: &Subscribed, price: &str, form: &[(&str, &str)]) -> Value {
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

pub fn price_of(subscription: &Value) -> &Value {
    &subscription["items"]["data"][0]["price"]["id"]
}

/// What the lines of an invoice say and cost.
pub fn lines(invoice: &Value) -> Vec<(String, i64)> {
    let line =
        |line: &Value| (line["description"].as_str().unwrap().to_owned(), line["amount"].as_i64().unwrap());
    invoice["lines"]["data"].as_array().unwrap().iter().map(line).collect()
}

pub async fn invoice(sandbox: &Sandbox, invoice: &str) -> Value {
    sandbox.get(&format!("/v1/invoices/{invoice}")).await.ok()
}

pub async fn balance(subscribed: &Subscribed) -> i64 {
    let customer = subscribed.sandbox.get(&format!("/v1/customers/{}", subscribed.customer)).await.ok();
    customer["balance"].as_i64().unwrap()
}

pub const NOW: [(&str, &str); 2] =
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
