//! Cards that were entered in a page which was closed before it could tell the application: Stripe tells it then.

use chrono::Duration;
use reqwest::Method;
use serde_json::{Value, json};
use tollgate::domain::Refusal;

use crate::billing_payments::Payer;
use crate::billing_stage::Stage;
use crate::support::app::eventually;
use crate::support::databases::each_database;

/// Enters a card as the card form does. The setup intent, as Stripe has it then.
async fn enter(stage: &Stage, payer: &Payer<'_>, card: &str) -> Value {
    let begun = payer.post("payment_method", Value::Null).await;
    let secret = begun.text("client_secret");
    let intent = secret.split("_secret_").next().expect("an id");
    let form = [("payment_method", card), ("return_url", "https://example.com")];
    stage.stripe(Method::POST, &format!("/setup_intents/{intent}/confirm"), &form).await
}

/// Has Stripe tell of it, and the inbox see to it.
async fn tell(stage: &Stage, intent: &Value) {
    let id = format!("evt_{}", intent["id"].as_str().expect("an id"));
    let event =
        json!({"id": id, "object": "event", "type": "setup_intent.succeeded", "data": {"object": intent}});
    assert_eq!(stage.app.deliver_event(&event).await, 200);
    stage.clock.advance(Duration::seconds(10));
    let services = &stage.app.running.services;
    // The job that looks for due events may be at it already.
    eventually("the event is done", || async {
        services.billing.drain_inbox().await.expect("the inbox is read");
        let later = stage.clock.now() + Duration::days(2);
        services.store.due_events(later, 1).await.expect("the inbox is read").is_empty().then_some(())
    })
    .await;
}

/// How many charges there were.
async fn charges(stage: &Stage, payer: &Payer<'_>) -> usize {
    let list =
        stage.stripe(Method::GET, &format!("/charges?customer={}&limit=100", payer.customer), &[]).await;
    list["data"].as_array().expect("a list").len()
}

#[tokio::test]
async fn a_card_whose_page_was_closed_is_taken_and_pays_what_is_due() {
    each_database(|url| async move {
        let stage = Stage::start(&url).await;
        let payer = Payer::new(&stage).await;
        let intent = enter(&stage, &payer, "pm_card_mastercard").await;
        let before = payer.defaults().await;
        assert_ne!(before.0, intent["payment_method"]);
        tell(&stage, &intent).await;
        let method = intent["payment_method"].clone();
        assert_eq!(payer.defaults().await, (method.clone(), method));

        payer.fall_behind().await;
        let intent = enter(&stage, &payer, "pm_card_visa").await;
        tell(&stage, &intent).await;
        assert_eq!(payer.at_stripe().await["status"], "active");
        let method = intent["payment_method"].clone();
        assert_eq!(payer.defaults().await, (method.clone(), method));
        stage.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_card_that_its_page_reported_is_not_taken_twice() {
    each_database(|url| async move {
        let stage = Stage::start(&url).await;
        let payer = Payer::new(&stage).await;
        payer.fall_behind().await;
        let intent = enter(&stage, &payer, "pm_card_mastercard").await;
        let answer = payer.post("payment_method", json!({"payment_method": intent["payment_method"]})).await;
        assert_eq!((answer.status, &answer.body["subscription"]["status"]), (200, &json!("active")));
        let (defaults, charged) = (payer.defaults().await, charges(&stage, &payer).await);
        tell(&stage, &intent).await;
        assert_eq!((payer.defaults().await, charges(&stage, &payer).await), (defaults, charged));
        stage.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_card_that_was_followed_by_another_is_not_taken() {
    each_database(|url| async move {
        let stage = Stage::start(&url).await;
        let payer = Payer::new(&stage).await;
        let closed = enter(&stage, &payer, "pm_card_mastercard").await;
        stage.clock.advance(Duration::minutes(1));
        let answer = payer.post("payment_method", json!({"payment_method": "pm_card_amex"})).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let newer = payer.defaults().await;
        tell(&stage, &closed).await;
        assert_eq!(payer.defaults().await, newer);
        stage.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_closed_pages_card_that_is_declined_is_not_kept_and_changes_nothing() {
    each_database(|url| async move {
        let stage = Stage::start(&url).await;
        let payer = Payer::new(&stage).await;
        payer.fall_behind().await;
        let before = payer.defaults().await;
        let intent = enter(&stage, &payer, "pm_card_chargeCustomerFail").await;
        tell(&stage, &intent).await;
        assert_eq!(payer.defaults().await, before);
        assert_eq!(payer.at_stripe().await["status"], "past_due");
        let method = intent["payment_method"].as_str().expect("an id");
        let method = stage.stripe(Method::GET, &format!("/payment_methods/{method}"), &[]).await;
        assert_eq!(method["customer"], Value::Null);
        stage.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_setup_intent_that_isnt_ours_changes_nothing() {
    each_database(|url| async move {
        let stage = Stage::start(&url).await;
        let payer = Payer::new(&stage).await;
        let other = stage.stripe(Method::POST, "/customers", &[]).await;
        let before = payer.defaults().await;
        let pays_for = payer.at_stripe().await["id"].as_str().expect("an id").to_owned();
        // Of another customer, though it names this subscription.
        let intent = stage
            .stripe(
                Method::POST,
                "/setup_intents",
                &[
                    ("customer", other["id"].as_str().expect("an id")),
                    ("metadata[tollgate_pays_for]", &pays_for),
                    ("payment_method", "pm_card_mastercard"),
                    ("confirm", "true"),
                    ("return_url", "https://example.com"),
                ],
            )
            .await;
        assert_eq!(intent["status"], "succeeded");
        tell(&stage, &intent).await;
        assert_eq!(payer.defaults().await, before);
        stage.stop().await;
    })
    .await;
}

#[tokio::test]
async fn the_card_of_another_group_is_no_card_of_ours() {
    each_database(|url| async move {
        let stage = Stage::start(&url).await;
        let (payer, other) = (Payer::new(&stage).await, Payer::of(&stage, "Other").await);
        let theirs = enter(&stage, &other, "pm_card_mastercard").await;
        let before = payer.defaults().await;
        let (accounts, billing) = (&stage.app.running.services.accounts, &stage.app.running.services.billing);
        let user = accounts.user(payer.admin.id.parse().expect("an id")).await.expect("it is read");
        let subscription = payer.id.parse().expect("an id");
        let intent = theirs["id"].as_str().expect("an id");
        let refused = billing
            .finish_payment_method(&user.expect("a user"), subscription, intent)
            .await
            .expect_err("it isn't ours");
        assert_eq!(refused.to_string(), Refusal::NotFound("setup intent".into()).to_string());
        assert_eq!(payer.defaults().await, before);
        stage.stop().await;
    })
    .await;
}
