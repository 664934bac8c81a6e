//! Webhooks: signed, in order, tried again, recorded.

use serde_json::json;
use stripe_sandbox::{DeliveryState, Webhook};

use super::support::{Endpoint, Sandbox, id};

const SECRET: &str = "whsec_test_0123456789";

async fn with_endpoint() -> (Sandbox, Endpoint) {
    let endpoint = Endpoint::start().await;
    let webhook = Webhook { url: endpoint.url.clone(), secret: SECRET.to_owned() };
    (Sandbox::with(None, Some(webhook)).await, endpoint)
}

#[tokio::test]
async fn stripes_own_client_accepts_the_signature() {
    let (sandbox, endpoint) = with_endpoint().await;
    sandbox.customer(&[("email", "a@example.test")]).await;
    sandbox.running.deliveries_finished().await;
    let received = &endpoint.received()[0];
    let payload = std::str::from_utf8(&received.payload).unwrap();
    let event = stripe_webhook::Webhook::construct_event(payload, &received.signature, SECRET).unwrap();
    assert_eq!(event.type_.to_string(), "customer.created");
    assert!(stripe_webhook::Webhook::construct_event(payload, &received.signature, "whsec_other").is_err());
    assert!(
        stripe_webhook::Webhook::construct_event(&format!("{payload} "), &received.signature, SECRET)
            .is_err()
    );
}

#[tokio::test]
async fn events_come_in_the_order_in_which_things_happened() {
    let (sandbox, endpoint) = with_endpoint().await;
    let (customer, price) = (sandbox.customer_with("pm_card_visa").await, sandbox.price(500).await);
    sandbox.subscribe(&customer, &price, &[]).await.ok();
    sandbox.running.deliveries_finished().await;
    assert_eq!(endpoint.kinds(), sandbox.event_types().await);
    assert!(endpoint.kinds().contains(&"invoice.paid".to_owned()));
    for received in endpoint.received() {
        let payload = std::str::from_utf8(&received.payload).unwrap();
        let event = stripe_webhook::Webhook::construct_event(payload, &received.signature, SECRET);
        assert!(event.is_ok(), "{}: {:?}", received.kind(), event.err());
    }
}

#[tokio::test]
async fn what_is_refused_is_sent_again_and_recorded() {
    let (sandbox, endpoint) = with_endpoint().await;
    endpoint.answer_next(&[500]);
    sandbox.customer(&[]).await;
    sandbox.running.deliveries_finished().await;
    let received = endpoint.received();
    assert_eq!(endpoint.kinds(), ["customer.created"; 2]);
    assert_eq!(received[0].event()["id"], received[1].event()["id"], "the same event");

    let event = id(&received[0].event());
    let deliveries = sandbox.running.sandbox().deliveries(&event);
    assert_eq!(deliveries.len(), 1);
    assert_eq!(deliveries[0].state, DeliveryState::Delivered);
    let statuses: Vec<_> = deliveries[0].attempts.iter().map(|attempt| attempt.status).collect();
    assert_eq!(statuses, [Some(500), Some(200)]);
    assert_eq!(sandbox.get(&format!("/v1/events/{event}")).await.ok()["pending_webhooks"], 0);
}

#[tokio::test]
async fn one_that_is_refused_does_not_hold_up_the_next() {
    let (sandbox, endpoint) = with_endpoint().await;
    endpoint.answer_next(&[500]);
    sandbox.customer(&[("description", "first")]).await;
    sandbox.customer(&[("description", "second")]).await;
    sandbox.running.deliveries_finished().await;
    let order: Vec<_> =
        endpoint.received().iter().map(|one| one.event()["data"]["object"]["description"].clone()).collect();
    assert_eq!(order, [json!("first"), json!("second"), json!("first")]);
}

#[tokio::test]
async fn an_event_can_be_sent_again_on_demand() {
    let (sandbox, endpoint) = with_endpoint().await;
    sandbox.customer(&[]).await;
    sandbox.running.deliveries_finished().await;
    let event = id(&endpoint.received()[0].event());
    sandbox.post(&format!("/v1/events/{event}/retry"), &[]).await.ok();
    sandbox.running.deliveries_finished().await;
    sandbox.running.sandbox().redeliver(&event).await.unwrap();
    sandbox.running.deliveries_finished().await;
    assert_eq!(endpoint.kinds(), ["customer.created"; 3]);
    assert_eq!(sandbox.running.sandbox().deliveries(&event)[0].attempts.len(), 3);
}

#[tokio::test]
async fn an_endpoint_gets_what_it_asked_for_signed_with_its_own_secret() {
    let sandbox = Sandbox::start().await;
    let endpoint = Endpoint::start().await;
    let form = [
        ("url", &*endpoint.url),
        ("enabled_events[]", "customer.created"),
        ("enabled_events[]", "price.created"),
    ];
    let created = sandbox.post("/v1/webhook_endpoints", &form).await.ok();
    let secret = created["secret"].as_str().unwrap();
    let path = format!("/v1/webhook_endpoints/{}", id(&created));
    assert!(sandbox.get(&path).await.ok().get("secret").is_none(), "shown once");
    sandbox.price(100).await;
    sandbox.customer(&[]).await;
    sandbox.running.deliveries_finished().await;
    assert_eq!(endpoint.kinds(), ["price.created", "customer.created"]);
    let first = &endpoint.received()[0];
    let payload = std::str::from_utf8(&first.payload).unwrap();
    assert!(stripe_webhook::Webhook::construct_event(payload, &first.signature, secret).is_ok());

    sandbox.post(&path, &[("disabled", "true")]).await.ok();
    sandbox.customer(&[("description", "while disabled")]).await;
    sandbox.post(&path, &[("disabled", "false")]).await.ok();
    sandbox.customer(&[("description", "while enabled")]).await;
    sandbox.running.deliveries_finished().await;
    sandbox.delete(&path).await.ok();
    sandbox.customer(&[("description", "once deleted")]).await;
    sandbox.running.deliveries_finished().await;
    let received: Vec<_> = endpoint.received()[2..]
        .iter()
        .map(|one| one.event()["data"]["object"]["description"].clone())
        .collect();
    assert_eq!(received, ["while enabled"]);
    for (form, param) in [
        (vec![("url", "not a url"), ("enabled_events[]", "*")], "url"),
        (vec![("url", "http://a.test/"), ("enabled_events[]", "everything")], "enabled_events[0]"),
        (vec![("url", "http://a.test/")], "enabled_events"),
    ] {
        assert_eq!(sandbox.post("/v1/webhook_endpoints", &form).await.error(400)["param"], param);
    }
}
