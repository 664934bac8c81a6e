//! Customers' tax ids: verified as in Stripe's test mode, and on their invoices.

use serde_json::json;

use super::support::{Sandbox, id};

#[tokio::test]
async fn a_tax_id_is_looked_up_and_its_number_says_what_comes_of_it() {
    let sandbox = Sandbox::start().await;
    let customer = sandbox.customer(&[]).await;
    let path = format!("/v1/customers/{customer}/tax_ids");
    for (value, expected) in [
        ("DE000000000", "verified"),
        ("DE111111111", "unverified"),
        ("DE222222222", "pending"),
        ("DE123456789", "pending"),
    ] {
        let made = sandbox.post(&path, &[("type", "eu_vat"), ("value", value)]).await.ok();
        assert_eq!((&made["verification"]["status"], &made["country"]), (&json!("pending"), &json!("DE")));
        let later = sandbox.get(&format!("{path}/{}", id(&made))).await.ok();
        assert_eq!(later["verification"]["status"], expected, "{value}");
    }
    let ein = sandbox.post(&path, &[("type", "us_ein"), ("value", "12-3456789")]).await.ok();
    assert_eq!(ein["verification"]["status"], "unavailable");
    let error = sandbox.post(&path, &[("type", "eu_vat"), ("value", "nonsense")]).await.error(400);
    assert_eq!((&error["code"], &error["param"]), (&json!("tax_id_invalid"), &json!("value")));
    let types = sandbox.event_types().await;
    let told = |name: &str| types.iter().filter(|kind| *kind == name).count();
    assert_eq!((told("customer.tax_id.created"), told("customer.tax_id.updated")), (5, 2));
}

#[tokio::test]
async fn tax_ids_come_with_their_customer_stand_on_invoices_and_go() {
    let sandbox = Sandbox::start().await;
    let form = [
        ("tax_id_data[0][type]", "eu_vat"),
        ("tax_id_data[0][value]", "DE123456789"),
        ("payment_method", "pm_card_visa"),
        ("invoice_settings[default_payment_method]", "pm_card_visa"),
        ("expand[]", "tax_ids"),
    ];
    let customer = sandbox.post("/v1/customers", &form).await.ok();
    let tax_id = id(&customer["tax_ids"]["data"][0]);
    let customer = id(&customer);
    let price = sandbox.price(2999).await;
    let subscription = sandbox.subscribe(&customer, &price, &[]).await.ok();
    assert_eq!(
        subscription["latest_invoice"]["customer_tax_ids"],
        json!([{"type": "eu_vat", "value": "DE123456789"}])
    );
    let path = format!("/v1/customers/{customer}/tax_ids");
    let other = sandbox.customer(&[]).await;
    sandbox.get(&format!("/v1/customers/{other}/tax_ids/{tax_id}")).await.error(404);
    let gone = sandbox.delete(&format!("{path}/{tax_id}")).await.ok();
    assert_eq!(gone, json!({"id": tax_id, "object": "tax_id", "deleted": true}));
    assert_eq!(sandbox.get(&path).await.ok()["data"], json!([]));
    let wrong = [("tax_id_data[0][type]", "gb_vat"), ("tax_id_data[0][value]", "1")];
    let error = sandbox.post("/v1/customers", &wrong).await.error(400);
    assert_eq!(error["param"], "tax_id_data[0][value]");
}

#[tokio::test]
async fn a_tax_id_is_found_by_its_own_address_and_by_its_owner() {
    let sandbox = Sandbox::start().await;
    let (customer, other) = (sandbox.customer(&[]).await, sandbox.customer(&[]).await);
    let form = [
        ("type", "eu_vat"),
        ("value", "DE123456789"),
        ("owner[type]", "customer"),
        ("owner[customer]", &*customer),
    ];
    let made = sandbox.post("/v1/tax_ids", &form).await.ok();
    assert_eq!((&made["owner"]["customer"], &made["customer"]), (&json!(customer), &json!(customer)));
    let path = format!("/v1/tax_ids/{}", id(&made));
    assert_eq!(sandbox.get(&path).await.ok(), made);
    for (owner, count) in [(&customer, 1), (&other, 0)] {
        let list = format!("/v1/tax_ids?owner[type]=customer&owner[customer]={owner}");
        assert_eq!(sandbox.get(&list).await.ok()["data"].as_array().unwrap().len(), count);
    }
    sandbox.delete(&path).await.ok();
    sandbox.get(&path).await.error(404);
    let ours = sandbox.post("/v1/tax_ids", &form[..2]).await.error(400);
    assert_eq!(ours["param"], "owner", "the account's own aren't kept");
}
