//! What leads to pages for customers: the portal and the checkout.

use super::Checked;
use crate::support::id;

pub(super) async fn portal(checked: &mut Checked, customer: &str, price: &str) {
    let form = [
        ("features[customer_update][enabled]", "true"),
        ("features[customer_update][allowed_updates][]", "email"),
        ("features[payment_method_update][enabled]", "true"),
        ("features[subscription_cancel][enabled]", "true"),
        ("business_profile[headline]", "Hello"),
        ("default_return_url", "https://app.test/billing"),
    ];
    let path = "/v1/billing_portal/configurations";
    let made = id(&checked.post(path, &form).await);
    let price = checked.get(&format!("/v1/prices/{price}")).await;
    let form = [
        ("features[subscription_update][enabled]", "true"),
        ("features[subscription_update][products][0][product]", price["product"].as_str().unwrap()),
        ("features[subscription_update][products][0][prices][]", price["id"].as_str().unwrap()),
        ("metadata[a]", "b"),
    ];
    checked.post(&format!("{path}/{made}"), &form).await;
    checked.get(&format!("{path}/{made}")).await;
    checked.get(path).await;
    let form = [
        ("customer", customer),
        ("return_url", "https://app.test/billing"),
        ("flow_data[type]", "payment_method_update"),
        ("flow_data[after_completion][type]", "redirect"),
        ("flow_data[after_completion][redirect][return_url]", "https://app.test/done"),
        ("expand[]", "configuration"),
    ];
    checked.post("/v1/billing_portal/sessions", &form).await;
}

pub(super) async fn checkout(checked: &mut Checked, price: &str) {
    let path = "/v1/checkout/sessions";
    let form = [
        ("mode", "subscription"),
        ("line_items[0][price]", price),
        ("line_items[0][quantity]", "1"),
        ("success_url", "https://app.test/done?id={CHECKOUT_SESSION_ID}"),
        ("customer_email", "ada@example.test"),
        ("expand[]", "line_items"),
    ];
    let session = id(&checked.post(path, &form).await);
    checked.get(&format!("{path}/{session}/line_items")).await;
    checked.post(&format!("{path}/{session}"), &[("metadata[a]", "b")]).await;
    checked.sandbox.check_out(&session, &[("payment_method", "pm_card_visa"), ("name", "Ada")]).await.ok();
    checked.get(&format!("{path}?expand[]=data.total_details.breakdown")).await;
    let expand = "expand[]=customer&expand[]=subscription&expand[]=invoice&expand[]=line_items";
    assert_eq!(checked.get(&format!("{path}/{session}?{expand}")).await["status"], "complete");
    let form = [("mode", "setup"), ("success_url", "https://app.test/done"), ("currency", "usd")];
    let other = id(&checked.post(path, &form).await);
    checked.post(&format!("{path}/{other}/expire"), &[]).await;
    checked.get(&format!("{path}?status=complete")).await;
    let form = [
        ("mode", "subscription"),
        ("line_items[0][price]", price),
        ("line_items[0][quantity]", "1"),
        ("success_url", "https://app.test/done"),
        ("customer_email", "ada@example.test"),
    ];
    let page = format!("/v1/payment_pages/{}", id(&checked.post(path, &form).await));
    checked.get(&page).await;
    checked.post(&format!("{page}/confirm"), &[("payment_method", "pm_card_visa")]).await;
}
