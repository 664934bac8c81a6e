//! The customer portal: what customers do on its pages, and what the API and events say of it.

use chrono::Duration;
use serde_json::json;

use super::support::{Sandbox, id};

/// A customer that is subscribed, and the subscription.
async fn subscriber(sandbox: &Sandbox) -> (String, String) {
    let customer = sandbox.customer_with("pm_card_visa").await;
    let price = sandbox.price(2999).await;
    (customer.clone(), id(&sandbox.subscribe(&customer, &price, &[]).await.ok()))
}

/// The path of a portal that is opened with this form.
async fn open(sandbox: &Sandbox, form: &[(&str, &str)]) -> String {
    let session = sandbox.post("/v1/billing_portal/sessions", form).await.ok();
    session["url"].as_str().unwrap().strip_prefix(&sandbox.origin()).unwrap().to_owned()
}

#[tokio::test]
async fn a_subscription_is_canceled_for_a_reason_and_kept_after_all() {
    let sandbox = Sandbox::start().await;
    let (customer, subscription) = subscriber(&sandbox).await;
    let portal = open(&sandbox, &[("customer", &customer), ("return_url", "https://app.test/billing")]).await;
    let page = sandbox.page(&portal).await;
    for shown in ["Basic", "$29.99 per month", "Visa", "https://app.test/billing", "Stripe sandbox"] {
        assert!(page.contains(shown), "{shown} isn't in {page}");
    }
    let address = format!("{portal}/subscriptions/{subscription}");
    assert!(sandbox.page(&format!("{address}/cancel")).await.contains("You keep the subscription until"));
    let form = [("feedback", "too_expensive"), ("comment", "Sorry")];
    let answer = sandbox.page_post(&format!("{address}/cancel"), &form).await;
    assert_eq!((answer.status, answer.header("location")), (303, Some(&*portal)));
    let seen = sandbox.get(&format!("/v1/subscriptions/{subscription}")).await.ok();
    assert_eq!((&seen["status"], &seen["cancel_at_period_end"]), (&json!("active"), &json!(true)));
    let details = &seen["cancellation_details"];
    assert_eq!((&details["feedback"], &details["comment"]), (&json!("too_expensive"), &json!("Sorry")));
    assert!(sandbox.page(&portal).await.contains("Don’t cancel subscription"));
    let already = [
        ("customer", &*customer),
        ("flow_data[type]", "subscription_cancel"),
        ("flow_data[subscription_cancel][subscription]", &*subscription),
    ];
    let refused = sandbox.post("/v1/billing_portal/sessions", &already).await.error(400);
    assert!(refused["message"].as_str().unwrap().contains("already set to be cancel"));
    sandbox.page_post(&format!("{address}/renew"), &[]).await;
    let seen = sandbox.get(&format!("/v1/subscriptions/{subscription}")).await.ok();
    assert_eq!((&seen["cancel_at_period_end"], &seen["cancel_at"]), (&json!(false), &json!(null)));
}

#[tokio::test]
async fn a_new_card_is_the_one_that_is_charged_3d_secure_included() {
    let sandbox = Sandbox::start().await;
    let (customer, subscription) = subscriber(&sandbox).await;
    let own = sandbox.get(&format!("/v1/customers/{customer}/payment_methods")).await.ok();
    let path = format!("/v1/subscriptions/{subscription}");
    sandbox.post(&path, &[("default_payment_method", &id(&own["data"][0]))]).await.ok();
    let portal = open(&sandbox, &[("customer", &customer)]).await;
    let cards = format!("{portal}/payment-methods");
    assert!(sandbox.page(&cards).await.contains("data-card"));
    let refused = sandbox.page_post(&cards, &[("payment_method", "pm_card_chargeDeclined")]).await.ok();
    assert_eq!(refused["error"]["message"], "Your card was declined.");
    let asked = sandbox.page_post(&cards, &[("payment_method", "pm_card_authenticationRequired")]).await.ok();
    let secret = asked["client_secret"].as_str().unwrap();
    sandbox.authenticate(secret.split("_secret_").next().unwrap(), true).await;
    let done = sandbox.page_post(&cards, &[]).await.ok();
    assert_eq!(done["url"], portal);
    let seen = sandbox.get(&format!("/v1/customers/{customer}")).await.ok();
    let default = seen["invoice_settings"]["default_payment_method"].as_str().unwrap();
    let method = sandbox.get(&format!("/v1/payment_methods/{default}")).await.ok();
    assert_eq!(method["card"]["last4"], "3184");
    assert_eq!(sandbox.get(&path).await.ok()["default_payment_method"], default);
    // The older one can be chosen again, and removed; another customer's can't.
    let older = id(&own["data"][0]);
    sandbox.page_post(&format!("{cards}/{older}/default"), &[]).await;
    assert_eq!(sandbox.get(&path).await.ok()["default_payment_method"], older);
    let (other, _) = subscriber(&sandbox).await;
    let theirs = sandbox.get(&format!("/v1/customers/{other}/payment_methods")).await.ok();
    let theirs = id(&theirs["data"][0]);
    assert_eq!(sandbox.page_post(&format!("{cards}/{theirs}/delete"), &[]).await.status, 404);
    sandbox.page_post(&format!("{cards}/{default}/delete"), &[]).await;
    let left = sandbox.get(&format!("/v1/customers/{customer}/payment_methods")).await.ok();
    assert_eq!(left["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn details_and_tax_ids_are_changed() {
    let sandbox = Sandbox::start().await;
    let customer = sandbox.customer(&[("email", "a@example.test")]).await;
    let portal = open(&sandbox, &[("customer", &customer)]).await;
    let details = format!("{portal}/customer");
    let form = [
        ("name", "Ada Ltd"),
        ("email", "ada@example.test"),
        ("phone", ""),
        ("line1", "1 Way"),
        ("country", "DE"),
        ("tax_id_type", "eu_vat"),
        ("tax_id_value", "DE123456789"),
    ];
    sandbox.page_post(&details, &form).await;
    let seen = sandbox.get(&format!("/v1/customers/{customer}?expand[]=tax_ids")).await.ok();
    assert_eq!((&seen["name"], &seen["email"]), (&json!("Ada Ltd"), &json!("ada@example.test")));
    assert_eq!((&seen["address"]["line1"], &seen["address"]["country"]), (&json!("1 Way"), &json!("DE")));
    let tax_id = id(&seen["tax_ids"]["data"][0]);
    assert!(sandbox.page(&portal).await.contains("DE123456789"));
    sandbox.page_post(&format!("{details}/tax-ids/{tax_id}/delete"), &[]).await;
    let refused = sandbox.page_post(&details, &[("tax_id_type", "gb_vat"), ("tax_id_value", "1")]).await;
    assert_eq!(refused.status, 400);
    let seen = sandbox.get(&format!("/v1/customers/{customer}?expand[]=tax_ids")).await.ok();
    assert_eq!((&seen["tax_ids"]["data"], &seen["name"]), (&json!([]), &json!("Ada Ltd")));
}

#[tokio::test]
async fn a_flow_leads_to_what_it_is_for_and_back_to_the_application() {
    let sandbox = Sandbox::start().await;
    let (customer, subscription) = subscriber(&sandbox).await;
    let form = [
        ("customer", &*customer),
        ("flow_data[type]", "subscription_cancel"),
        ("flow_data[subscription_cancel][subscription]", &*subscription),
        ("flow_data[after_completion][type]", "redirect"),
        ("flow_data[after_completion][redirect][return_url]", "https://app.test/done"),
    ];
    let portal = open(&sandbox, &form).await;
    let first = sandbox.request("GET", &portal).key(None).send().await;
    let cancel = format!("{portal}/subscriptions/{subscription}/cancel");
    assert_eq!((first.status, first.header("location")), (303, Some(&*cancel)));
    let page = sandbox.request("GET", &cancel).key(None).send().await;
    assert!(page.header("content-security-policy").unwrap().contains("form-action 'self' https://app.test;"));
    let done = sandbox.page_post(&cancel, &[]).await;
    assert_eq!(done.header("location"), Some("https://app.test/done"));
    // It is the whole portal from then on.
    assert!(sandbox.page(&portal).await.contains("Your billing"));
    let types = sandbox.event_types().await;
    for told in ["billing_portal.configuration.created", "billing_portal.session.created"] {
        assert_eq!(types.iter().filter(|kind| *kind == told).count(), 1, "{told}");
    }
}

#[tokio::test]
async fn a_configuration_says_what_customers_may_do() {
    let sandbox = Sandbox::start().await;
    let (customer, subscription) = subscriber(&sandbox).await;
    let path = "/v1/billing_portal/configurations";
    let form =
        [("features[invoice_history][enabled]", "true"), ("business_profile[headline]", "Acme & sons")];
    let configuration = id(&sandbox.post(path, &form).await.ok());
    let form = [("customer", &*customer), ("configuration", &configuration)];
    let portal = open(&sandbox, &form).await;
    let page = sandbox.page(&portal).await;
    assert!(page.contains("Acme &amp; sons"));
    for hidden in ["Cancel subscription", "Add payment method", "Update information"] {
        assert!(!page.contains(hidden), "{hidden}");
    }
    let cancel = format!("{portal}/subscriptions/{subscription}/cancel");
    assert_eq!(sandbox.page_post(&cancel, &[]).await.status, 403);
    let flow = [&form[..], &[("flow_data[type]", "payment_method_update")]].concat();
    let refused = sandbox.post("/v1/billing_portal/sessions", &flow).await.error(400);
    assert_eq!(refused["param"], "flow_data[type]");

    let changes = [
        ("features[subscription_cancel][enabled]", "true"),
        ("features[subscription_cancel][mode]", "immediately"),
    ];
    let changed = sandbox.post(&format!("{path}/{configuration}"), &changes).await.ok();
    assert_eq!(changed["features"]["invoice_history"]["enabled"], true, "what isn't named stays");
    assert_eq!(sandbox.event_types().await.last().unwrap(), "billing_portal.configuration.updated");
    sandbox.page_post(&cancel, &[]).await;
    let seen = sandbox.get(&format!("/v1/subscriptions/{subscription}")).await.ok();
    assert_eq!(seen["status"], "canceled");
    sandbox.post(&format!("{path}/{configuration}"), &[("active", "false")]).await.ok();
    let refused = sandbox.post("/v1/billing_portal/sessions", &form).await.error(400);
    assert_eq!(refused["param"], "configuration");
}

#[tokio::test]
async fn a_link_is_a_secret_that_does_not_last() {
    let sandbox = Sandbox::start().await;
    let (customer, subscription) = subscriber(&sandbox).await;
    let portal = open(&sandbox, &[("customer", &customer)]).await;
    let guessed = format!("{}x", &portal[..portal.len() - 1]);
    assert_eq!(sandbox.request("GET", &guessed).key(None).send().await.status, 404);
    let cancel = format!("{portal}/subscriptions/{subscription}/cancel");
    let stranger =
        sandbox.request("POST", &cancel).key(None).header("sec-fetch-site", "cross-site").send().await;
    assert_eq!(stranger.status, 403);
    let (_, theirs) = subscriber(&sandbox).await;
    let other = format!("{portal}/subscriptions/{theirs}/cancel");
    assert_eq!(sandbox.page_post(&other, &[]).await.status, 404);
    sandbox.clock.advance(Duration::minutes(61));
    assert_eq!(sandbox.request("GET", &portal).key(None).send().await.status, 410);
    assert_eq!(sandbox.page_post(&cancel, &[]).await.status, 410);
}
