//! Customers and their cards.

use super::Checked;
use crate::support::id;

const CARD: [(&str, &str); 4] = [
    ("card[number]", "4242424242424242"),
    ("card[exp_month]", "12"),
    ("card[exp_year]", "34"),
    ("card[cvc]", "123"),
];

pub(super) async fn customers(checked: &mut Checked) -> String {
    let form = [
        ("email", "a@example.test"),
        ("name", "A"),
        ("address[line1]", "1 Way"),
        ("shipping[name]", "A"),
        ("shipping[address][city]", "Town"),
        ("payment_method", "pm_card_visa"),
        ("invoice_settings[default_payment_method]", "pm_card_visa"),
        ("business_name", "A Ltd"),
        ("preferred_locales[]", "en"),
        ("expand[]", "subscriptions"),
        ("expand[]", "sources"),
        ("expand[]", "tax_ids"),
        ("expand[]", "invoice_settings.default_payment_method"),
    ];
    let customer = id(&checked.post("/v1/customers", &form).await);
    checked.get(&format!("/v1/customers/{customer}")).await;
    checked.post(&format!("/v1/customers/{customer}"), &[("description", "x"), ("business_name", "")]).await;
    checked.get("/v1/customers?email=a@example.test").await;
    let path = format!("/v1/customers/{customer}/tax_ids");
    let tax_id = checked.post(&path, &[("type", "eu_vat"), ("value", "DE000000000")]).await;
    checked.get(&path).await;
    checked.get(&format!("{path}/{}", id(&tax_id))).await;
    let spare = checked.post(&path, &[("type", "us_ein"), ("value", "12-3456789")]).await;
    checked.call("DELETE", &format!("{path}/{}", id(&spare)), &[]).await.ok();
    checked.get(&format!("/v1/customers/{customer}?expand[]=tax_ids")).await;
    let form = [
        ("type", "gb_vat"),
        ("value", "GB000000000"),
        ("owner[type]", "customer"),
        ("owner[customer]", &*customer),
    ];
    let path = format!("/v1/tax_ids/{}", id(&checked.post("/v1/tax_ids", &form).await));
    checked.get(&path).await;
    checked.get(&format!("/v1/tax_ids?owner[type]=customer&owner[customer]={customer}")).await;
    checked.call("DELETE", &path, &[]).await.ok();
    checked.get(&format!("/v1/customers/{customer}/sources?object=card")).await;
    let gone = id(&checked.post("/v1/customers", &[("payment_method", "pm_card_visa")]).await);
    checked.call("DELETE", &format!("/v1/customers/{gone}"), &[]).await.ok();
    assert_eq!(checked.get(&format!("/v1/customers/{gone}")).await["deleted"], true);
    customer
}

pub(super) async fn payment_methods(checked: &mut Checked, customer: &str) {
    let token = checked
        .post("/v1/tokens", &[&CARD[..], &[("card[name]", "A"), ("card[address_zip]", "1")]].concat())
        .await;
    checked.get(&format!("/v1/tokens/{}", id(&token))).await;
    let form = [
        ("type", "card"),
        ("card[token]", token["id"].as_str().unwrap()),
        ("billing_details[email]", "a@b.test"),
    ];
    let method = id(&checked.post("/v1/payment_methods", &form).await);
    let path = format!("/v1/payment_methods/{method}");
    checked.get(&path).await;
    checked.post(&format!("{path}/attach"), &[("customer", customer), ("expand[]", "customer")]).await;
    checked.post(&path, &[("card[exp_year]", "2035"), ("billing_details[name]", "B")]).await;
    checked.get(&format!("/v1/payment_methods?customer={customer}&type=card")).await;
    checked.get(&format!("/v1/customers/{customer}/payment_methods")).await;
    checked.get(&format!("/v1/customers/{customer}/payment_methods/{method}")).await;
    checked.post(&format!("{path}/detach"), &[]).await;
    checked
        .declined("/v1/payment_methods/pm_card_visa_chargeDeclined/attach", &[("customer", customer)])
        .await;
}

pub(super) async fn sources(checked: &mut Checked) {
    let customer = id(&checked.post("/v1/customers", &[("source", "tok_visa")]).await);
    let path = format!("/v1/customers/{customer}/sources");
    let card = id(&checked.post(&path, &[("source", "tok_mastercard")]).await);
    checked.get(&format!("/v1/customers/{customer}?expand[]=default_source&expand[]=sources")).await;
    checked.get(&path).await;
    checked.get(&format!("{path}/{card}")).await;
    checked.post(&format!("{path}/{card}"), &[("metadata[a]", "b"), ("name", "Ada")]).await;
    checked.call("DELETE", &format!("{path}/{card}"), &[]).await.ok();
}
