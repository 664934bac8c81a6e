//! Changing what a subscription is of, where it isn't paid at once: what waits, what is given up, what is past due.

use serde_json::json;

use super::on_a_clock::{DAY, HOUR, advance, at, fail_from_now_on, invoices, pay_with, subscription};
use super::plan_changes::{LATER, NOW, change, invoice, price_of, with_a_third_left};
use super::support::id;

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
